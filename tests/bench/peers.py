"""The same rows by other means: dlt's own REST source, and a parallel resource as its documentation shows one.

Stands beside `works`, which runs them. Both load into DuckDB by parquet, and append: nothing of theirs is merged,
checked, or read by the week; they read each row once and keep no ledger.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from bench.answers import Account, project_fid
from bench.fleet import as_instant

__all__ = ["WORKERS", "parallel", "rest_api"]

WORKERS = 32
_KEY = "fkey_0000000000000000"
_HISTORIES = {"instance_status_events": "status", "instance_price_periods": "pricing"}
_PAGES_OF_LISTS = {"instances": "instances", "spot_bids": "spot/bids"}


def rest_api(url: str, db: str, account: Account) -> dict[str, Any]:
    """`rest_api_source` with its cursor paginator, the whole of a history in one walk, both at the same time."""
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415  # part of what is measured

    paginator = {"type": "cursor", "cursor_path": "next_cursor", "cursor_param": "next_cursor"}
    client = {"base_url": f"{url}/v2/", "auth": {"type": "bearer", "token": _KEY}, "paginator": paginator}
    resources: list[dict[str, Any]] = []
    for project in map(project_fid, range(account.projects)):
        params = {"project": project, "limit": 100}
        for table, path in _PAGES_OF_LISTS.items():
            endpoint = {"path": path, "params": params, "data_selector": "data"}
            resources.append({"name": f"{table}_{project}", "table_name": table, "endpoint": endpoint})
        for table, kind in _HISTORIES.items():
            endpoint = {"path": f"instances/{kind}/history", "params": params, "data_selector": "instances"}
            resource = {"name": f"{table}_{project}", "table_name": table, "endpoint": endpoint}
            resources.append({**resource, "processing_steps": [{"yield_map": _rows}]})
    each: dict[str, Any] = {"write_disposition": "append", "parallelized": True}
    return _run(db, rest_api_source({"client": client, "resource_defaults": each, "resources": resources}))  # type: ignore[typeddict-item]  # dicts that are built up


def parallel(url: str, db: str, account: Account) -> dict[str, Any]:
    """Time cut in as many pieces as there are workers, each walked by one: `dlt.transformer` and `dlt.defer`."""
    import dlt  # noqa: PLC0415  # part of what is measured

    os.environ["EXTRACT__WORKERS"] = str(WORKERS)
    os.environ["EXTRACT__MAX_PARALLEL_ITEMS"] = str(2 * WORKERS)
    start_us, end_us, pieces = account.fleet.start_us, account.fleet.end_us, WORKERS // 2
    edges = [start_us + n * (end_us - start_us) // pieces for n in range(pieces + 1)]

    @dlt.resource(name="walks")
    def walks() -> Iterator[tuple[str, str, str]]:
        for project in map(project_fid, range(account.projects)):
            for start, end in pairwise(edges):
                yield project, as_instant(start), as_instant(end)

    def events(kind: str) -> Any:
        def read(walk: tuple[str, str, str]) -> Any:
            @dlt.defer
            def walked() -> list[dict[str, Any]]:
                return _walked(f"{url}/v2/instances/{kind}/history", walk)

            yield walked()

        return read

    resources = [walks | dlt.transformer(events(kind), name=table) for table, kind in _HISTORIES.items()]
    lists = [
        dlt.resource(_walked(f"{url}/v2/{path}", (project_fid(n), "", "")), name=f"{table}_{n}", table_name=table)
        for table, path in _PAGES_OF_LISTS.items()
        for n in range(account.projects)
    ]
    return _run(db, [*lists, *resources])


def _walked(url: str, walk: tuple[str, str, str]) -> list[dict[str, Any]]:
    """All rows of a walk."""
    from dlt.sources.helpers import requests  # noqa: PLC0415  # part of what is measured

    project, start, end = walk
    asked = {"project": project, "limit": "100"} | ({"start_time": start, "end_time": end} if start else {})
    found: list[dict[str, Any]] = []
    while True:
        answer = requests.get(url, params=asked, headers={"Authorization": f"Bearer {_KEY}"}).json()
        found += answer["data"] if "data" in answer else [row for each in answer["instances"] for row in _rows(each)]
        if not answer["next_cursor"]:
            return found
        asked["next_cursor"] = answer["next_cursor"]


def _rows(history: dict[str, Any]) -> Iterator[dict[str, Any]]:
    owner = {name: history[name] for name in ("instance_fid", "bid_fid", "reservation_fid")}
    return ({**owner, **event} for event in history["events"])


def _run(db: str, data: Any) -> dict[str, Any]:
    import dlt  # noqa: PLC0415  # as above

    destination = dlt.destinations.duckdb(db)
    pipeline = dlt.pipeline("peer", destination=destination, dataset_name="raw", pipelines_dir=f"{db}.d")
    pipeline.run(data, loader_file_format="parquet")
    trace: Any = pipeline.last_trace
    return {"rows": sum(trace.last_normalize_info.row_counts[table] for table in _HISTORIES)}
