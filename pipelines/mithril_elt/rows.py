"""From the API's rows to Arrow tables of the declared schema; pure.

Stands inside `source`: what an answer said, at the grain of the raw table, instants as UTC, money exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa

from mithril_elt.decode import Novelties, Page, money_cents, money_usd, utc
from mithril_elt.endpoints import MarketSeries, ReservationUsage
from mithril_elt.errors import ContractError
from mithril_elt.tables import raw_table

__all__ = [
    "Rows",
    "arrow",
    "market_rows",
    "reservation_event_rows",
    "usage_rows",
    "version_rows",
]

Rows = list[dict[str, Any]]


def arrow(table: str, rows: Rows) -> pa.Table:
    """Those rows as an Arrow table with every column of the raw table, also when there are none.

    Raises:
        ContractError: a value does not fit the column, such as an integer over 64 bits.
    """
    schema = raw_table(table).arrow_schema
    try:
        return pa.table({f.name: pa.array([row.get(f.name) for row in rows], f.type) for f in schema}, schema=schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise ContractError(f"a row of {table} does not fit its columns ({error})") from error


def version_rows(page: Page, novelties: Novelties, **added: Any) -> Rows:
    """Rows of a list as versions: the API's fields, times in UTC, prices in dollars, and a hash of it all.

    The hash is the same for the same facts, however they are spelt and in whatever order, and whenever read.
    """
    out = []
    for row, other in zip(page.rows, page.others, strict=True):
        said = {k: v for k, v in msgspec.structs.asdict(row).items() if v is not None}
        flat = {k: _plain(k, v, novelties) for k, v in {**added, **said}.items()}
        flat = {f"{k}_usd" if k.endswith("_price") else k: v for k, v in flat.items()}
        flat["other_fields"] = msgspec.json.encode(other, order="deterministic").decode() if other else None
        flat["version_hash"] = _hash({**flat, **{k: _unordered(v) for k, v in said.items() if isinstance(v, list)}})
        out.append(flat)
    return out


def _plain(name: str, value: Any, novelties: Novelties) -> Any:
    if isinstance(value, datetime):
        return utc(value, novelties)
    if isinstance(value, list):
        return msgspec.json.encode(value, order="deterministic").decode()
    return money_usd(value) if name.endswith("_price") else value


def _unordered(values: list[Any]) -> list[bytes]:
    """The members of a list, such as the instances of a bid, whose order means nothing."""
    return sorted(msgspec.json.encode(value, order="deterministic") for value in values)


def _hash(row: Mapping[str, Any]) -> str:
    said = {k: v for k, v in row.items() if v is not None}
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:32]


def reservation_event_rows(page: Page, novelties: Novelties, **added: Any) -> Rows:
    """The events of one reservation, one row each; `position` parts those of one instant and kind."""
    rows: Rows = []
    for event in page.rows:
        row = {**msgspec.structs.asdict(event), **added, "timestamp": utc(event.timestamp, novelties)}
        same = (row["timestamp"], row["event_type"])
        rows.append({**row, "position": sum((each["timestamp"], each["event_type"]) == same for each in rows)})
    return rows


def usage_rows(usage: ReservationUsage, novelties: Novelties, **added: Any) -> tuple[dict[str, Any], Rows]:
    """The vendor's summary of one reservation, and its grants, one row each; it is of `read_at` if it says nothing."""
    said = msgspec.structs.asdict(usage.summary)
    times = {f"{kind}_instance_us": _us(said.pop(f"{kind}_instance_hours")) for kind in ("reserved", "active", "idle")}
    as_of = utc(said["as_of"], novelties) if said["as_of"] else added["read_at"]
    events = msgspec.json.encode(usage.pricing_events).decode()
    summary = {**said, **times, "as_of": as_of, "pricing_events": events, **added}
    grants: Rows = []
    for grant in usage.grants:
        starts_at = utc(grant.starts_at, novelties)
        grants.append(
            {
                **added,
                "starts_at": starts_at,
                "position": sum(other["starts_at"] == starts_at for other in grants),
                "ends_at": utc(grant.ends_at, novelties) if grant.ends_at else None,
                "quantity": grant.quantity,
                "unit_price_cents": money_cents(grant.unit_price),
                "price_credit_cents": money_cents(grant.price_credit),
                "return_credit_cents": money_cents(grant.return_credit),
            }
        )
    return summary, grants


def _us(duration: timedelta | None) -> int | None:
    return None if duration is None else duration // timedelta(microseconds=1)


def market_rows(series: Iterable[MarketSeries], novelties: Novelties, **added: Any) -> Rows:
    """Market prices, one row for each type, region and instant.

    A series whose lists differ in length is left out, with a warning: its prices belong to no instant.
    """
    rows: Rows = []
    for each in series:
        count = len(each.timestamps)
        spot, reserved = (prices or [None] * count for prices in (each.spot_prices, each.reserved_prices))
        if not len(spot) == len(reserved) == count:
            novelties.warn(f"the market prices of {each.instance_type} in {each.region} are not one for each instant")
            continue
        rows += [
            {
                **added,
                "instance_type": each.instance_type,
                "region": each.region,
                "timestamp": utc(at, novelties),
                "spot_price_usd": money_usd(spot_price),
                "reserved_price_usd": money_usd(reserved_price),
            }
            for at, spot_price, reserved_price in zip(each.timestamps, spot, reserved, strict=True)
        ]
    return rows
