"""What no load can beat here: the same requests without a look at the answers, decoding alone, DuckDB alone.

Stands beside `works`, which runs it. All requests are known beforehand, by arithmetic, so nothing waits for a cursor.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from bench.answers import Account, project_fid
from bench.fleet import as_instant

__all__ = ["CONCURRENCY", "raw_limits", "targets"]

CONCURRENCY = 16  # as many requests at a time as this project makes


def targets(account: Account) -> Iterator[str]:
    """Every page of both histories, week by week."""
    for n in range(account.projects):
        for start_us, end_us in account.fleet.windows():
            pages = account.fleet.excerpt(start_us, end_us).pages(100, counts_events=account.counts_events)
            asked = {"project": project_fid(n), "limit": 100}
            span = {"start_time": as_instant(start_us), "end_time": as_instant(end_us)}
            for page in range(pages):
                place = {"next_cursor": f"at-{100 * page}"} if page else {}
                for kind in ("status", "pricing"):
                    yield f"/v2/instances/{kind}/history?{urlencode({**asked, **span, **place})}"


def raw_limits(url: str, db: str, account: Account) -> dict[str, Any]:
    """Seconds of each step by itself, imports left out."""
    began_s = time.perf_counter()
    bodies = asyncio.run(_fetched(url, list(targets(account))))
    fetched_s = time.perf_counter()
    rows = _decoded(bodies)
    decoded_s = time.perf_counter()
    tables = _tables(bodies)
    return {
        "rows": rows,
        "requests": len(bodies),
        "bytes": sum(map(len, bodies)),
        "fetch_s": fetched_s - began_s,
        "decode_s": decoded_s - fetched_s,
        "ingest_s": _ingested(db, tables),
    }


async def _fetched(url: str, paths: list[str]) -> list[bytes]:
    import aiohttp  # noqa: PLC0415  # only in this work

    waiting, bodies = iter(paths), []

    async def work(session: aiohttp.ClientSession) -> None:
        for path in waiting:
            async with session.get(url + path) as answer:
                body = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}")
            bodies.append(body)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY)) as session:
        await asyncio.gather(*(work(session) for _ in range(CONCURRENCY)))
    return bodies


def _decoded(bodies: list[bytes]) -> int:
    """Bytes to typed rows, with every instant parsed."""
    import msgspec  # noqa: PLC0415  # only in this work

    from mithril_elt.endpoints import PriceHistory, StatusHistory  # noqa: PLC0415  # as above

    statuses = msgspec.json.Decoder(msgspec.defstruct("Statuses", [("instances", list[StatusHistory])]))
    prices = msgspec.json.Decoder(msgspec.defstruct("Prices", [("instances", list[PriceHistory])]))
    pages: Iterator[Any] = ((prices if b'"price_cents"' in body else statuses).decode(body) for body in bodies)
    return sum(len(history.events) for page in pages for history in page.instances)


def _tables(bodies: list[bytes]) -> dict[str, Any]:
    """The rows as Arrow tables in the types of the raw tables; not measured."""
    import msgspec  # noqa: PLC0415  # only in this work

    from mithril_elt.rows import arrow  # noqa: PLC0415  # as above

    found: dict[str, list[dict[str, Any]]] = {"instance_status_events": [], "instance_price_periods": []}
    common = {"project": project_fid(0), "read_at": datetime(2025, 1, 1, tzinfo=UTC)}
    for body in bodies:
        table = "instance_price_periods" if b'"price_cents"' in body else "instance_status_events"
        for history in msgspec.json.decode(body)["instances"]:
            owner = {**common, "instance_fid": history["instance_fid"], "bid_fid": history["bid_fid"]}
            found[table] += ({**owner, **event, **_instants(event)} for event in history["events"])
    return {table: arrow(table, rows) for table, rows in found.items()}


def _instants(event: dict[str, Any]) -> dict[str, Any]:
    names = ("timestamp", "start_time", "end_time")
    return {name: datetime.fromisoformat(event[name]) for name in names if event.get(name)}


def _ingested(db: str, tables: dict[str, Any]) -> float:
    import duckdb  # noqa: PLC0415  # only in this work

    with duckdb.connect(db) as connection:
        began_s = time.perf_counter()
        for name, table in tables.items():
            connection.register("rows_of_a_page", table)
            connection.execute(f"create table {name} as select * from rows_of_a_page")
        return time.perf_counter() - began_s
