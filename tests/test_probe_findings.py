"""From what was heard to a finding, case by case: answers made by hand, no server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from mithril_elt.endpoints import ENDPOINTS
from mithril_elt.probe import prices, stories, windows, writing
from mithril_elt.probe.asking import Heard
from mithril_elt.probe.counting import counted
from mithril_elt.probe.events import events_of
from mithril_elt.probe.plan import Notes
from mithril_elt.probe.subjects import choose_subject

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def at(hours: int, minutes: int = 0, seconds: int = 0) -> str:
    """That long after the beginning, as the API writes it."""
    return (BEGIN + timedelta(hours=hours, minutes=minutes, seconds=seconds)).isoformat().replace("+00:00", "Z")


def status_page(told: dict[str, list[tuple[str, str]]], *, cursor: str | None = None, **params: Any) -> Heard:
    """A page of the status history: for each instance when and what."""
    raw = [
        {"instance_fid": fid, "events": [{"timestamp": when, "status": f"STATUS_{what}"} for when, what in events]}
        for fid, events in told.items()
    ]
    return heard("status_history", raw, cursor, params)


def price_page(told: dict[str, list[tuple[str, str, int]]], *, cursor: str | None = None, **params: Any) -> Heard:
    """A page of the price history: for each instance from when until when what."""
    raw = [
        {
            "instance_fid": fid,
            "events": [{"start_time": start, "end_time": end, "price_cents": cents} for start, end, cents in periods],
        }
        for fid, periods in told.items()
    ]
    return heard("price_history", raw, cursor, params)


def heard(endpoint: str, raw: list[dict[str, Any]], cursor: str | None, params: dict[str, Any]) -> Heard:
    """An answer with these rows."""
    rows = msgspec.convert(raw, list[ENDPOINTS[endpoint].row])  # type: ignore[name-defined]
    return Heard(endpoint, {"project": "proj_a", **params}, 200, rows, raw, cursor, {"next_cursor": cursor})


def notes(*pages: Heard, **more: Any) -> Notes:
    """What is noted of a probe that heard these, the first of each history without a window."""
    tries: dict[str, list[Heard]] = {}
    for page in pages:
        tries.setdefault(page.endpoint, []).append(page)
    return Notes(project="proj_a", tries=tries, log=list(pages), **more)


def test_an_instance_with_one_event_does_not_tell_what_is_counted() -> None:
    """Whether it is one instance or one event that came: the next page tells, or another instance."""
    one = status_page({"inst_1": [(at(0), "NEW")]}, cursor="2", limit=1)
    known = events_of(status_page({"inst_1": [(at(0), "NEW")], "inst_2": [(at(1), "NEW"), (at(2), "RUNNING")]}))
    assert counted([one], known) is None
    two = status_page({"inst_2": [(at(1), "NEW"), (at(2), "RUNNING")]}, limit=1)
    assert counted([one, two], known) == ("instances", two)
    first = status_page({"inst_2": [(at(1), "NEW")]}, cursor="3", limit=1)
    assert counted([one, first], known) == ("events", first)


def test_one_event_and_no_cursor_does_not_tell_what_is_counted() -> None:
    """An instance that has more, and none of it on a page to come: not a page, but something else."""
    known = events_of(status_page({"inst_2": [(at(1), "NEW"), (at(2), "RUNNING")]}))
    assert counted([status_page({"inst_2": [(at(1), "NEW")]}, limit=1)], known) is None


def test_an_instance_that_goes_on_on_the_next_page_is_no_repetition() -> None:
    """Of events told in no order some are missing in between: RUNNING follows RUNNING only on the page."""
    told = {"inst_1": [(at(9), "RUNNING"), (at(1), "NEW"), (at(3), "RUNNING")]}
    assert stories.repeated_statuses(notes(status_page(told, cursor="2"))).seen is None
    assert stories.repeated_statuses(notes(status_page(told))).seen == "true"
    whole = status_page({"inst_2": [(at(0), "NEW"), (at(1), "RUNNING")]}, cursor="2", limit=1)
    assert stories.repeated_statuses(notes(status_page(told, cursor="2"), walk=[whole])).seen == "true"


def test_a_window_on_two_pages_does_not_tell_what_it_lacks() -> None:
    """The event in force may be on the second one."""
    base = status_page({"inst_1": [(at(hour), str(hour)) for hour in range(6)]})
    subject = choose_subject(events_of(base))
    assert subject
    assert subject.cut
    after = status_page({"inst_1": [(subject.cut.after.written, "X")]})
    assert windows.start_selects(notes(base, subject=subject, cut=after)).seen == "inside"
    first = status_page({"inst_1": [(subject.cut.after.written, "X")]}, cursor="2")
    assert windows.start_selects(notes(base, subject=subject, cut=first)).seen is None


def test_a_window_begins_on_a_whole_second_that_is_not_the_middle_of_a_spell() -> None:
    """Where a spell may be told anew; strictly inside, however short the spell is, or not at all."""
    for gap_s in (3, 4, 5, 60, 3600):
        told = {"inst_1": [(at(0, 0, number * gap_s), str(number)) for number in range(4)]}
        subject = choose_subject(events_of(status_page(told)))
        assert subject
        assert subject.cut
        before, start, after = subject.cut.before.at, subject.cut.start, subject.cut.after.at
        assert before < start < after
        assert start.microsecond == 0
        assert start - before != after - start
    hasty = {"inst_1": [(at(0, 0, number), str(number)) for number in range(4)]}
    subject = choose_subject(events_of(status_page(hasty)))
    assert subject
    assert subject.cut is None


def test_bounds_are_instants_that_nobody_can_round() -> None:
    """Whole seconds before fractions; none finer than what a question can name."""
    fractions = ["2026-03-01T00:00:00.5Z", "2026-03-01T01:00:00.5Z", *(at(hour) for hour in range(2, 6))]
    subject = choose_subject(events_of(status_page({"inst_1": [(when, when) for when in fractions]})))
    assert subject
    assert subject.bounds
    assert (subject.bounds.start.written, subject.bounds.end.written) == (at(2), at(4))
    finer = [f"2026-03-01T0{hour}:00:00.1234567Z" for hour in range(4)]
    subject = choose_subject(events_of(status_page({"inst_1": [(when, when) for when in finer]})))
    assert subject
    assert subject.bounds is None


def test_a_start_that_is_echoed_is_no_way_to_write_instants() -> None:
    """A window's start is written as it was asked, not as the API writes."""
    base = status_page({"inst_1": [(at(hour).replace("Z", "-00:00"), "RUNNING") for hour in range(12)]})
    window = status_page({"inst_1": [(at(1), "RUNNING")]}, start_time=at(1))
    told = notes(base, window)
    assert writing.times(told).seen == "-00:00"
    assert writing.times(notes(base, status_page({"inst_1": [(at(1), "RUNNING")]}))).seen == "mixed"


@pytest.mark.parametrize("zone", ["+01:00", ""])
def test_a_zone_that_no_reading_has(zone: str) -> None:
    """It is told in words, and not as a value."""
    page = status_page({"inst_1": [(at(hour).replace("Z", zone), "RUNNING") for hour in range(12)]})
    assert writing.times(notes(page)).seen is None


def test_prices_that_meet_on_the_hour_are_split_only_if_all_are() -> None:
    """A period that goes past a full hour is no piece of one."""
    pieces = [(at(hour), at(hour + 1), 100) for hour in range(6)]
    assert prices.price_periods(notes(price_page({"inst_1": pieces}))).seen == "split"
    longer = price_page({"inst_1": pieces, "inst_2": [(at(0), at(2), 100)]})
    assert prices.price_periods(notes(longer)).seen is None
    assert prices.price_periods(notes(price_page({"inst_1": pieces[:3]}))).seen is None
    assert prices.price_periods(notes()).seen is None


def test_without_reserved_instances_nobody_knows_their_prices() -> None:
    """That the history has none of them means nothing then."""
    base = price_page({"inst_1": [(at(0), at(2), 100)]})
    assert prices.reserved_prices(notes(base)).seen is None
    ran = heard(
        "status_history",
        [
            {
                "instance_fid": "inst_2",
                "reservation_fid": "res_1",
                "events": [{"timestamp": at(0), "status": "STATUS_RUNNING"}],
            }
        ],
        None,
        {},
    )
    assert prices.reserved_prices(notes(ran, base)).seen == "false"
    assert prices.reserved_prices(notes(ran, price_page({"inst_1": [(at(0), at(2), 1)]}, cursor="2"))).seen is None


def test_nothing_heard_is_nothing_found() -> None:
    """Every finder has an answer to that."""
    for find in (windows.start_selects, windows.start_bound, windows.end_bound, stories.order, writing.optional_keys):
        assert find(Notes()).seen is None
