"""Any readings at once, over a real socket: when all hours have passed, what is told is the story and no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise, zip_longest
from typing import Any, NamedTuple

import httpx
import pytest
from asked import PRICING, STATUS, Api
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mithril_elt.sandbox.account import Account, Instance
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import serve
from sandbox_by_hand import NOW, account, hours

Event = tuple[datetime, str]
Period = tuple[datetime, datetime | None, int]

MOST_HOURS = 30
READ = 72  # hours after NOW: by then all that was late, false or wrong within a day and a half is settled
SETTLED = NOW + timedelta(hours=READ - MOST_HOURS - 2)
LIFECYCLE = (
    *("NEW", "CONFIRMED", "INITIALIZING", "STARTING", "RUNNING", "RELOCATING", "PREEMPTING", "STOPPING", "PAUSED"),
    *("PREEMPTED", "ERROR", "SCHEDULED", "REPLACED", "TERMINATED"),
)


def _readings() -> st.SearchStrategy[Readings]:
    few = st.sampled_from([0, 0, 1, MOST_HOURS])
    return st.builds(
        Readings,
        project_alone=st.sampled_from(["accepted", "accepted", "400", "422"]),
        limit_counts=st.sampled_from(["instances", "events"]),
        start_selects=st.sampled_from(["inside", "in_force", "clipped"]),
        start_bound=st.sampled_from(["inclusive", "exclusive"]),
        end_bound=st.sampled_from(["inclusive", "exclusive"]),
        order=st.sampled_from(["sorted", "reversed", "shuffled"]),
        times=st.sampled_from(["Z", "+00:00", "-00:00", "mixed"]),
        fractions=st.sampled_from(["needed", "always"]),
        last_cursor=st.sampled_from(["null", "absent"]),
        optional_keys=st.sampled_from(["mixed", "null", "absent"]),
        default_limit=st.sampled_from([1, 2, 7, 100]),
        price_periods=st.sampled_from(["told", "split", "merged"]),
        late_hours=few,
        withdrawn_hours=few,
        corrected_hours=few,
        leaves_list_hours=st.sampled_from([None, 0, 5]),
        pause_clock=st.sampled_from(["whole", "any_length"]),
        **{
            name: st.booleans()
            for name in (
                *("repeated_rows", "equal_times", "repeated_statuses", "empty_pages", "reserved_prices"),
                "cursors_expire",
            )
        },
    )


class Window(NamedTuple):
    """Hours from NOW; None: without that bound."""

    start: float | None
    end: float | None


class Walk:
    """Everything that is told under some readings in a window: each row by instance, in order, with its time."""

    def __init__(self, api: Api, window: Window) -> None:
        self.api = api
        self.params: dict[str, str] = {}
        for key, at in (("start_time", window.start), ("end_time", window.end)):
            if at is not None:
                self.params[key] = (NOW + timedelta(hours=at)).isoformat()

    def rows(self, path: str) -> dict[str, list[tuple[Any, ...]]]:
        """The events of each instance."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        for narrowed in self._questions():
            for page in self.api.pages(path, **self.params, **narrowed):
                for row in page:
                    found.setdefault(row["instance_fid"], []).extend(plain(event) for event in row["events"])
        return found

    def _questions(self) -> Iterable[dict[str, str]]:
        if self.api.get(STATUS).status_code == 200:
            return [{}]
        its = [one for one in self.api.sandbox.account.instances if one.project == "proj_a"]
        now_us = self.api.sandbox.clock.now_us()
        return [{"instance_fid": one.fid} for one in its if one.created_at_us <= now_us]


def plain(event: dict[str, Any]) -> tuple[Any, ...]:
    """An event as (time, status), or as (start, end, price)."""
    if "status" in event:
        return datetime.fromisoformat(event["timestamp"]), event["status"].removeprefix("STATUS_")
    end = event.get("end_time")
    start = datetime.fromisoformat(event["start_time"])
    return start, None if end is None else datetime.fromisoformat(end), event["price_cents"]


def spells(events: Iterable[Event]) -> list[Event]:
    """By the definitions: of one instant the last stage holds, and runs of one status are one."""
    changes = dict(sorted(events, key=lambda event: (event[0], LIFECYCLE.index(event[1])))).items()
    return [event for before, event in pairwise([None, *changes]) if event and (not before or before[1] != event[1])]


def steps(periods: Iterable[Period]) -> list[tuple[datetime, int | None]]:
    """The price over time until all is settled: where it changes, and to what; None: there is no price."""
    ordered = sorted(periods)
    marks: list[tuple[datetime, int | None]] = []
    for (start, end, price), following in zip_longest(ordered, ordered[1:]):
        marks.append((start, price))
        if end is not None and (following is None or end < following[0]):
            marks.append((end, None))
    changes = [mark for before, mark in pairwise([None, *marks]) if mark and (not before or before[1] != mark[1])]
    return [(at, price) for at, price in changes if at < SETTLED]


def story(one: Instance, account: Account, readings: Readings) -> list[Period]:
    """The prices that the instance truly has."""
    if one.bid is not None:
        true = [(period.start_us, period.end_us, period.price_cents) for period in one.prices]
    elif readings.reserved_prices and one.reservation:
        # In the small account every reserved instance of the list runs from its first event on.
        reservation = next(each for each in account.reservations if each.fid == one.reservation)
        over_us = min(reservation.end_us, reservation.canceled_at_us or reservation.end_us)
        later = [max(one.changes[0].at_us, terms.from_us) for terms in reservation.terms[1:]]
        begins = [max(one.changes[0].at_us, reservation.start_us), *later, over_us]
        true = [
            (from_us, min(until_us, over_us), terms.unit_price_cents)
            for terms, (from_us, until_us) in zip(reservation.terms, pairwise(begins), strict=True)
            if from_us < min(until_us, over_us)
        ]
    else:
        true = []
    return [(utc(start), None if end is None else utc(end), price) for start, end, price in true]


def check_statuses(told: list[Event], one: Instance, readings: Readings) -> None:
    """The changes, and beside them only what the readings add and what changes nothing."""
    true = [(utc(change.at_us), change.status.removeprefix("STATUS_")) for change in one.changes]
    again = {
        (at + timedelta(minutes=5), status)
        for (at, status), after in zip_longest(true, true[1:])
        if status not in {"TERMINATED", "REPLACED"} and (after is None or after[0] - at > timedelta(minutes=10))
    }
    beside = {(at, "NEW") for at, _ in true[1:]}
    added = set(told) - set(true)
    assert set(true) <= set(told)
    assert added <= (again if readings.repeated_statuses else set()) | (beside if readings.equal_times else set())
    assert (again <= set(told)) or not readings.repeated_statuses
    assert spells(told) == spells(true)


def check_order(rows: list[tuple[Any, ...]], readings: Readings) -> None:
    """Events come in the order of the readings, and none comes twice unless pages begin with the last one."""
    if not readings.repeated_rows:
        assert len(set(rows)) == len(rows)
        times = [row[0] for row in rows]
        assert readings.order == "shuffled" or times == sorted(times, reverse=readings.order == "reversed")


def selected(every: Iterable[tuple[Any, ...]], window: Window, readings: Readings) -> set[tuple[Any, ...]]:
    """Of all that is told of an instance, what belongs to the window."""
    start, end = (None if at is None else NOW + timedelta(hours=at) for at in window)

    def begins(at: datetime) -> bool:
        return start is None or at > start or (at == start and readings.start_bound == "inclusive")

    def goes_on(at: datetime) -> bool:
        return end is None or at < end or (at == end and readings.end_bound == "inclusive")

    chosen = {row for row in every if begins(row[0]) and goes_on(row[0])}
    before = [row for row in every if start is not None and row[0] <= start]
    if readings.start_selects == "inside" or not before:
        return chosen
    assert start is not None
    last = max(before, key=lambda row: (row[0], LIFECYCLE.index(row[1]) if len(row) == 2 else 0))
    has_ended = len(last) == 3 and last[1] is not None and last[1] <= start
    if has_ended or begins(last[0]):
        return chosen
    return {*chosen, (start, *last[1:]) if readings.start_selects == "clipped" else last}


MOMENTS = st.none() | st.sampled_from([-30, -10, -9, -8.5, -4, -2, 0, 1, 2, 70])


def varied() -> Account:
    """The small account with short spells and prices, a status said twice and two at one instant."""
    one = account()
    spot2 = next(each for each in one.instances if each.fid == "inst_spot2")
    change, period = type(spot2.changes[0]), type(spot2.prices[0])
    spot2.changes[2:2] = [
        change(hours(-7), "STATUS_PREEMPTING"),
        change(hours(-7) + 150_000_001, "STATUS_RUNNING"),
        change(hours(-6), "STATUS_ERROR"),
        change(hours(-5.5), "STATUS_RUNNING"),
    ]
    spot2.prices[1:] = [period(hours(-4), hours(-4) + 1, 1300), period(hours(-3), hours(-2.5), 9)]
    return one


def check_story(api: Api, readings: Readings) -> None:
    """That what is told when everything is settled is what happened."""
    one, whole = api.sandbox.account, Walk(api, Window(None, None))
    statuses, prices = whole.rows(STATUS), whole.rows(PRICING)
    for each in one.instances:
        if each.project == "proj_a":
            check_statuses(list(statuses.get(each.fid, [])), each, readings)  # type: ignore[arg-type]
            assert steps(prices.get(each.fid, [])) == steps(story(each, one, readings))  # type: ignore[arg-type]
            check_order(statuses.get(each.fid, []), readings)
            check_order(prices.get(each.fid, []), readings)


def check_window(api: Api, readings: Readings, window: Window) -> None:
    """That of all that is told at that moment the window has what belongs to it."""
    for path in (STATUS, PRICING):
        every = Walk(api, Window(None, None)).rows(path)
        found = {fid: set(rows) for fid, rows in Walk(api, window).rows(path).items()}
        assert found == {fid: rows for fid in every if (rows := selected(every[fid], window, readings))}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """One client for all sandboxes: to make one takes longer than to ask it everything."""
    with httpx.Client(timeout=20) as one:
        yield one


# A counter-example is not made smaller: each try is a server of its own, and takes half a second.
@settings(max_examples=25, deadline=None, phases=set(Phase) - {Phase.shrink, Phase.explain})
@given(
    readings=_readings(),
    window=st.builds(Window, MOMENTS, MOMENTS),
    hours_on=st.sampled_from([-8.97, -3.9, -2, 0.5, 2]),
)
def test_whatever_the_readings_what_is_told_is_the_story(
    client: httpx.Client, readings: Readings, window: Window, hours_on: float
) -> None:
    """Statuses and prices are what truly happened; in any window the same rows, at any moment."""
    with serve(varied(), readings=readings) as running:
        api = Api(running, client)
        check_story(api.at(READ), readings)
        check_window(api.at(READ), readings, window)
        past = window._replace(start=None if window.start is None else min(window.start, hours_on))
        check_window(api.at(hours_on), readings, past)
