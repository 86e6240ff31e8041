"""The comparison of worlds is not blind: each of these faults, seeded on purpose, is found by it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from worlds import Comparison, Fault, Way, World

from mithril_elt import columns, ledger, windows
from mithril_elt.client import Client
from mithril_elt.decode import Page
from mithril_elt.endpoints import ENDPOINTS
from mithril_elt.errors import MithrilError
from mithril_elt.sandbox.readings import Readings
from mithril_elt.windows import Span, Wish

_PAGES = Client.pages
_READ = columns._read
_PLAN = windows.plan
_ADD_COVERED = ledger.add_covered


async def _first_page_only(self: Client, name: str, params: Mapping[str, Any], *more: Any) -> AsyncIterator[Page]:
    async for page in _PAGES(self, name, params, *more):
        yield page
        return


async def _up_to_an_empty_page(self: Client, name: str, params: Mapping[str, Any], *more: Any) -> AsyncIterator[Page]:
    async for page in _PAGES(self, name, params, *more):
        if not page.rows:
            return
        yield page


async def _up_to_a_refused_cursor(
    self: Client, name: str, params: Mapping[str, Any], *more: Any
) -> AsyncIterator[Page]:
    asked: dict[str, Any] = {"limit": 100, **params}
    while True:
        try:
            page = await self._page(ENDPOINTS[name], asked, {}, *more)
        except MithrilError:
            if "next_cursor" in asked:
                return
            raise
        yield page
        if page.next_cursor is None:
            return
        asked = {**asked, "next_cursor": page.next_cursor}


def _nothing(*_: Any, **__: Any) -> Iterator[Any]:
    return iter(())


def _offset_ignored(written: list[str | None]) -> pa.Array:
    return _READ([text and re.sub(r"[+-]\d\d:\d\d$", "Z", text) for text in written])


def _whole_seconds(written: list[str | None]) -> pa.Array:
    return pc.floor_temporal(_READ(written), unit="second")


def _no_look_back(covered: list[Span], wish: Wish) -> list[Span]:
    return _PLAN(covered, replace(wish, lookback=timedelta(0)))


def _end_moved_by_the_look_back(covered: list[Span], wish: Wish) -> list[Span]:
    return [
        Span(span.start, max(span.start + timedelta(hours=1), span.end - wish.lookback))
        for span in _PLAN(covered, wish)
    ]


def _covered_up_to_the_end(state: dict[str, Any], project: str, span: Span, *, until: datetime | None = None) -> None:
    _ADD_COVERED(state, project, Span(span.start, until or span.end), until=until)


def _named_by_lists_only(instance: dict[str, Any]) -> list[Any]:
    from mithril_elt.orders import Order  # noqa: PLC0415  # only here

    return [Order("bid_fid", instance["bid"])] if instance["bid"] else []


def _over_at_once(self: Any, order: Any, _span: Span) -> bool:
    return self._over_at[order.by][order.fid] is not None


def _clock_of_this_machine(_headers: Any) -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


OVER_TIME = Way("over time", 3, lookback=timedelta(days=2))
EVENTS = {"limit_counts": "events"}
BY_ORDER = {"project_alone": "400"}


def world(way: Way = OVER_TIME, *, overlapping: bool = False, **readings: Any) -> World:
    """A world under those readings."""
    return World(readings=Readings(**readings), way=way, overlapping=overlapping)


def patched(target: str, broken: Any) -> Fault:
    """A fault in the package."""
    return Fault(patches={f"mithril_elt.{target}": broken})


def replaced(model: str, text: str, broken: str) -> Fault:
    """A fault in one model."""
    return Fault(replaced={model: (text, broken)})


FAULTS: dict[str, tuple[World, Fault]] = {
    "only the first page is taken": (world(**EVENTS), patched("client.Client.pages", _first_page_only)),
    "an empty page is taken for the end": (
        world(empty_pages=True, **EVENTS),
        patched("client.Client.pages", _up_to_an_empty_page),
    ),
    "a refused cursor is taken for the end": (
        world(cursors_expire=True, **EVENTS),
        patched("client.Client.pages", _up_to_a_refused_cursor),
    ),
    "no margin around a window": (
        world(Way("once", window=timedelta(hours=12)), start_bound="exclusive"),
        patched("histories.MARGIN", timedelta(0)),
    ),
    "times are compared as text": (world(times="mixed"), patched("columns._read", _offset_ignored)),
    "times are cut to the second": (world(), patched("columns._read", _whole_seconds)),
    "open periods are not asked again": (
        world(Way("before a gap", lookback=timedelta(0))),
        patched("history_reading.HistoryReading._closings", _nothing),
    ),
    "nothing is ever withdrawn": (world(withdrawn_hours=20), patched("rechecks.Recheck.tables", _nothing)),
    "there is no look-back": (world(late_hours=30), patched("plans.plan", _no_look_back)),
    "the look-back moves the end": (world(), patched("plans.plan", _end_moved_by_the_look_back)),
    "a window is called covered up to the run's end": (
        world(Way("broken off", 2, timedelta(days=2), timedelta(days=2))),
        patched("history_reading.add_covered", _covered_up_to_the_end),
    ),
    "orders that only an instance names are not asked": (
        world(**BY_ORDER),
        patched("orders._orders_of", _named_by_lists_only),
    ),
    "an order is let go as soon as it is over": (world(**BY_ORDER), patched("orders.Orders._is_over", _over_at_once)),
    "the end is by the clock of this machine": (world(), patched("client.server_clock", _clock_of_this_machine)),
    "a price goes on after the next has begun": (
        world(overlapping=True),
        replaced("int_price_periods", "least(said_ends_at, next_starts_at)", "said_ends_at"),
    ),
    "at equal times the alphabet decides": (
        world(equal_times=True),
        replaced("int_status_changes", "known_events.lifecycle_order, known_events.status", "known_events.status"),
    ),
    "a status said again begins a new spell": (
        world(repeated_statuses=True),
        replaced("int_status_changes", "where status <> status_before", "where true"),
    ),
    "withdrawn events count": (
        world(withdrawn_hours=20),
        replaced("int_known_events", "where withdrawn_at is null", ""),
    ),
    "withdrawn prices count": (
        world(withdrawn_hours=20),
        replaced("int_price_periods", "where withdrawn_at is null", ""),
    ),
    "a missing price is taken for 0": (
        world(),
        replaced("fct_instance_hours", "phase_hours.billed_us - coalesce(spot.priced_us, 0)", "0"),
    ),
    "reserved instances are billed by their prices": (
        world(reserved_prices=True),
        Fault(
            replaced={
                "int_price_periods": ("and instances.order_type = 'spot'", ""),
                "int_status_changes": ("and instances.order_type = 'spot'", ""),
            }
        ),
    ),
    "a pause of an hour earns nothing": (world(), replaced("int_pauses", "paused_us >= ", "paused_us > ")),
    "a pause goes on after its reservation": (
        world(),
        replaced(
            "int_pauses", "least(spells.ended_at, coalesce(reservations.ends_at, spells.ended_at))", "spells.ended_at"
        ),
    ),
    "what happened after as_of counts": (
        world(withdrawn_hours=20),
        replaced("int_known_events", "where status_events.occurred_at < instances.as_of", ""),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found(name: str, comparison: Comparison, tmp_path: Path) -> None:
    """With the fault the marts differ from the twin or from the truth, or the load or the build stops."""
    broken_world, fault = FAULTS[name]
    try:
        found = comparison.differences(broken_world, tmp_path / "a.duckdb", fault=fault)
    except (MithrilError, duckdb.Error) as error:  # a load or a build that stops is seen by whoever runs it
        found = [str(error)]
    assert found
