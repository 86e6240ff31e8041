"""Pages of a history as columns of Arrow, one row an event: no object of Python is made for what is not looked at.

Stands between `decode` and `histories`; pure. A page that is just as documented is read in a fast way; any other goes
through `decode`, which warns, or says what is wrong with it. Both ways lead to the same columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mithril_elt.decode import Novelties, Page, decode_page, typed_rows, utc
from mithril_elt.endpoints import ENDPOINTS, KNOWN_STATUSES, Endpoint, Fid, Row
from mithril_elt.errors import ContractError
from mithril_elt.instants import naive_utc

__all__ = ["event_columns", "history_page"]

_AT = pa.timestamp("us")
_FIRST, _LAST = (pa.scalar(at, _AT) for at in (datetime.min, datetime.max))  # noqa: DTZ901  # UTC, without saying so
_OWNERS = ("instance_fid", "bid_fid", "reservation_fid")


class _StatusEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    timestamp: str
    status: str


class _PricePeriod(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    start_time: str
    price_cents: int
    end_time: str | None


class _Statuses(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    instance_fid: Fid
    events: list[_StatusEvent]
    bid_fid: str | None = None
    reservation_fid: str | None = None


class _Prices(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    instance_fid: Fid
    events: list[_PricePeriod]
    bid_fid: str | None = None
    reservation_fid: str | None = None


class _StatusAnswer(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    instances: list[_Statuses]
    next_cursor: str | None = None


class _PriceAnswer(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    instances: list[_Prices]
    next_cursor: str | None = None


_AS_DOCUMENTED: dict[str, msgspec.json.Decoder[Any]] = {
    "status_history": msgspec.json.Decoder(_StatusAnswer),
    "price_history": msgspec.json.Decoder(_PriceAnswer),
}
_TIMES = {"status_history": ("timestamp",), "price_history": ("start_time", "end_time")}


def history_page(endpoint: Endpoint, body: bytes, *, server_at: datetime, novelties: Novelties) -> Page:
    """One answer of a history, with its instants as they were written where all else is as documented.

    Raises:
        GarbledError, ContractError: as `decode.decode_page`.
    """
    try:
        answer = _AS_DOCUMENTED[endpoint.name].decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return decode_page(endpoint, body, server_at=server_at, novelties=novelties)
    return Page(answer.instances, [], answer.next_cursor or None, server_at, len(body))


def event_columns(name: str, pages: Sequence[Page], novelties: Novelties) -> pa.Table:
    """All events of those pages of that history: owners, instants in UTC, status or price, and `read_at`.

    Raises:
        ContractError: an instant or a price that is none, or that no column can hold.
    """
    endpoint = ENDPOINTS[name]
    try:
        parts = [_columns(name, page.rows, page.server_at, novelties) for page in _joined(pages)]
    except (pa.ArrowInvalid, OverflowError):
        parts = [_columns(name, _typed(endpoint, page.rows), page.server_at, novelties) for page in pages]
    table = pa.concat_tables(parts)
    if "status" in table.column_names:
        for status in pc.unique(table.column("status")).to_pylist():
            if status not in KNOWN_STATUSES:
                novelties.status(status)
    return table


def _joined(pages: Sequence[Page]) -> list[Page]:
    """The pages, as one where they were read at the same second in the same way."""
    alike: dict[tuple[bool, datetime], Page] = {}
    for page in pages:
        key = (_is_typed(page.rows), page.server_at)
        if key in alike:
            alike[key].rows.extend(page.rows)
        else:
            alike[key] = Page(list(page.rows), [], None, page.server_at, 0)
    return list(alike.values())


def _is_typed(rows: Sequence[Any]) -> bool:
    """Whether they came through `decode`."""
    return bool(rows) and isinstance(rows[0], Row)


def _typed(endpoint: Endpoint, rows: Sequence[Any]) -> list[Any]:
    """The rows as `decode` has them."""
    if _is_typed(rows):
        return list(rows)
    return typed_rows(endpoint, msgspec.to_builtins(list(rows)))


def _columns(name: str, rows: Sequence[Any], read_at: datetime, novelties: Novelties) -> pa.Table:
    """The events of some instances, all told at one time."""
    events = [event for row in rows for event in row.events]
    owner_of = np.repeat(np.arange(len(rows)), [len(row.events) for row in rows])
    columns = {owner: _text([getattr(row, owner) for row in rows]).take(pa.array(owner_of)) for owner in _OWNERS}
    instants: Callable[[list[Any]], pa.Array] = (lambda ats: _in_utc(ats, novelties)) if _is_typed(rows) else _read
    for time in _TIMES[name]:
        columns[time] = instants([getattr(event, time) for event in events])
    if name == "price_history":
        columns["price_cents"] = _cents([event.price_cents for event in events])
    else:
        columns["status"] = _text([event.status for event in events])
    columns["read_at"] = pa.repeat(pa.scalar(naive_utc(read_at), _AT), len(events))
    return pa.table(columns)


def _text(values: list[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def _read(written: list[str | None]) -> pa.Array:
    """Instants as they were written, each with a zone and in the years 1 to 9999, or Arrow refuses them."""
    instants = _text(written).cast(pa.timestamp("us", "UTC")).cast(_AT)
    ends = pc.min_max(instants)
    if pc.or_(pc.less(ends["min"], _FIRST), pc.greater(ends["max"], _LAST)).as_py():
        raise pa.ArrowInvalid("an instant is outside the years 1 to 9999")
    return instants


def _in_utc(ats: list[datetime | None], novelties: Novelties) -> pa.Array:
    return pa.array([None if at is None else utc(at, novelties).replace(tzinfo=None) for at in ats], _AT)


def _cents(values: list[int]) -> pa.Array:
    try:
        return pa.array(values, pa.int64())
    except (pa.ArrowInvalid, OverflowError) as error:
        raise ContractError(f"a price does not fit its column ({error})") from error
