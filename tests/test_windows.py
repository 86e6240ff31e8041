"""Spans of time: merged, missing, planned and cut so that nothing is lost, nothing overlaps, nothing is past now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mithril_elt.errors import UsageError
from mithril_elt.windows import Span, Wish, cut, holes, merged, missing, plan

ZERO = datetime(2026, 3, 1, tzinfo=UTC)
NO_LOOKBACK = timedelta(0)
busy = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy


def at(hour: int) -> datetime:
    """That hour of the test's calendar."""
    return ZERO + timedelta(hours=hour)


def span(start: int, end: int) -> Span:
    """From one hour to another."""
    return Span(at(start), at(end))


def hours(spans: list[Span]) -> set[int]:
    """The whole hours inside the spans."""
    return {n for each in spans for n in range((each.start - ZERO) // HOUR, (each.end - ZERO) // HOUR)}


HOUR = timedelta(hours=1)
NUMBERS = st.integers(0, 40)
SPANS = st.lists(st.tuples(NUMBERS, NUMBERS).filter(lambda pair: pair[0] < pair[1]).map(lambda p: span(*p)), max_size=6)
MAYBE = st.one_of(st.none(), NUMBERS.map(at))
WISHES = st.builds(
    Wish,
    now=st.integers(1, 40).map(at),
    since=MAYBE,
    until=MAYBE,
    oldest=MAYBE,
    lookback=st.integers(0, 30).map(lambda n: timedelta(hours=n)),
    deep=st.booleans(),
)


def _sane(wish: Wish) -> bool:
    return wish.since is None or wish.since < min(wish.until or wish.now, wish.now)


def test_a_span_has_a_length() -> None:
    """Neither nothing nor less than nothing."""
    for end in (5, 4):
        with pytest.raises(ValueError, match="after it starts"):
            span(5, end)


@given(start=st.integers(0, 10**15), length=st.integers(1, 10**12), zone=st.integers(-12, 12))
@settings(busy)
def test_a_span_survives_the_ledger(start: int, length: int, zone: int) -> None:
    """To the microsecond, also where it was written with another offset."""
    begin = datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=zone))) + timedelta(microseconds=start)
    kept = Span(begin, begin + timedelta(microseconds=length))
    assert Span.from_json(kept.to_json()) == kept


@given(SPANS)
@settings(busy)
def test_merged_spans_are_the_same_time_in_as_few_as_possible(spans: list[Span]) -> None:
    """Sorted, apart from each other, and neither more nor less time."""
    found = merged(spans)
    assert hours(found) == hours(spans)
    assert all(a.end < b.start for a, b in pairwise(found))
    assert merged(found) == found


@given(SPANS, NUMBERS, st.integers(1, 40))
@settings(busy)
def test_missing_time_is_what_is_wanted_less_what_is_covered(spans: list[Span], start: int, length: int) -> None:
    """Exactly that, sorted, without overlaps."""
    wanted = span(start, start + length)
    found = missing(wanted, spans)
    assert hours(found) == hours([wanted]) - hours(spans)
    assert merged(found) == found


@given(SPANS)
@settings(busy)
def test_holes_are_what_nothing_covers_between_the_ends(spans: list[Span]) -> None:
    """With the holes filled the covered time is one span."""
    found = holes(spans)
    assert not hours(found) & hours(spans)
    assert len(merged([*spans, *found])) == bool(spans)


@given(SPANS, st.integers(1, 50))
@settings(busy)
def test_windows_are_the_spans_cut_and_nothing_else(spans: list[Span], size: int) -> None:
    """No window is longer than its size, none is empty, they follow each other, and nothing is lost or doubled."""
    whole = merged(spans)
    windows = list(cut(whole, timedelta(hours=size)))
    assert sum((each.end - each.start for each in windows), timedelta()) == sum(
        (each.end - each.start for each in whole), timedelta()
    )
    assert merged(windows) == whole
    assert all(each.end - each.start <= timedelta(hours=size) for each in windows)
    assert windows == sorted(windows)


@given(SPANS, WISHES)
@settings(busy, max_examples=100)
@pytest.mark.shows(18)
def test_a_plan_has_no_overlap_and_nothing_past_now(covered: list[Span], wish: Wish) -> None:
    """Sorted, apart, and never beyond the end that was asked for or the server's clock."""
    if not _sane(wish):
        with pytest.raises(UsageError, match="--since"):
            plan(covered, wish)
        return
    todo = plan(covered, wish)
    assert merged(todo) == todo
    assert all(each.end <= min(wish.until or wish.now, wish.now) for each in todo)


@given(SPANS, WISHES.filter(_sane))
@settings(busy, max_examples=100)
def test_after_a_plan_nothing_that_was_asked_for_is_missing(covered: list[Span], wish: Wish) -> None:
    """From the start that counts to the end, every instant is covered; `deep` reads all of it again."""
    todo = plan(covered, wish)
    end = min(wish.until or wish.now, wish.now)
    start = wish.since or min((each.start for each in covered), default=wish.oldest or end)
    wanted = hours([Span(start, end)]) if start < end else set()
    assert wanted <= hours(todo) | hours(covered)
    if wish.deep:
        assert wanted <= hours(todo)


@given(SPANS, WISHES.filter(_sane))
@settings(busy, max_examples=100)
def test_a_plan_leaves_no_new_hole(covered: list[Span], wish: Wish) -> None:
    """A run up to now never leaves time unread between what is covered and what it reads."""
    wish = replace(wish, until=None)
    covered = [Span(each.start, min(each.end, wish.now)) for each in covered if each.start < wish.now]
    before = hours(holes(covered))
    assert hours(holes([*covered, *plan(covered, wish)])) <= before


@given(SPANS, WISHES.filter(_sane))
@settings(busy, max_examples=100)
def test_a_plan_that_was_carried_out_is_not_made_again(covered: list[Span], wish: Wish) -> None:
    """At the same moment there is only the look-back left to read, and without one nothing."""
    once = Wish(wish.now, wish.since, wish.until, wish.oldest, wish.lookback)
    after = merged([*covered, *plan(covered, once)])
    again = plan(after, once)
    assert hours(again) <= hours(after)
    assert sum((each.end - each.start for each in again), timedelta()) <= wish.lookback
    assert plan(after, Wish(wish.now, wish.since, wish.until, wish.oldest, NO_LOOKBACK)) == []


@given(SPANS, WISHES.filter(_sane), st.integers(0, 40))
@settings(busy, max_examples=100)
@pytest.mark.shows(17)
def test_a_plan_that_broke_off_is_made_up_for(covered: list[Span], wish: Wish, done: int) -> None:
    """After a crash somewhere in the middle the next plan reads what is left."""
    once = Wish(wish.now, wish.since, wish.until, wish.oldest, NO_LOOKBACK)
    windows = list(cut(plan(covered, once), 3 * HOUR))
    partly = merged([*covered, *windows[: done % (len(windows) + 1)]])
    assert hours([*partly, *plan(partly, once)]) >= hours(windows)


@pytest.mark.parametrize(
    ("covered", "wish", "todo"),
    [
        # the first run
        ([], Wish(at(20)), []),
        ([], Wish(at(20), oldest=at(3)), [span(3, 20)]),
        ([], Wish(at(20), since=at(5), oldest=at(3)), [span(5, 20)]),
        ([], Wish(at(20), oldest=at(25)), []),
        ([], Wish(at(20), oldest=at(3), until=at(10)), [span(3, 10)]),
        ([], Wish(at(20), oldest=at(3), until=at(30)), [span(3, 20)]),
        # the next one: what is new, and the look-back
        ([span(3, 20)], Wish(at(24), lookback=NO_LOOKBACK), [span(20, 24)]),
        ([span(3, 20)], Wish(at(24), lookback=5 * HOUR), [span(15, 24)]),
        ([span(3, 20)], Wish(at(24)), [span(3, 24)]),
        ([span(3, 20)], Wish(at(20), lookback=5 * HOUR), [span(15, 20)]),
        # the ledger's start counts, not what the lists have become since
        ([span(10, 20)], Wish(at(24), oldest=at(3), lookback=NO_LOOKBACK), [span(20, 24)]),
        # a backfill reads what is older, and the look-back as ever
        ([span(10, 20)], Wish(at(24), since=at(2), lookback=2 * HOUR), [span(2, 10), span(18, 24)]),
        ([span(10, 20)], Wish(at(24), since=at(2), until=at(6), lookback=2 * HOUR), [span(2, 6)]),
        ([span(10, 20)], Wish(at(24), since=at(2), until=at(15), lookback=2 * HOUR), [span(2, 10)]),
        ([span(2, 6), span(10, 20)], Wish(at(20), lookback=NO_LOOKBACK), [span(6, 10)]),
        # since is later than the ledger's end: what lies between is read as well
        ([span(3, 10)], Wish(at(24), since=at(15), lookback=NO_LOOKBACK), [span(10, 24)]),
        # until is in the past
        ([span(3, 20)], Wish(at(24), until=at(12)), []),
        ([span(3, 20)], Wish(at(24), until=at(1)), []),
        # deep
        ([span(3, 20)], Wish(at(24), deep=True), [span(3, 24)]),
        ([span(3, 20)], Wish(at(24), since=at(8), deep=True), [span(8, 24)]),
        ([span(3, 20)], Wish(at(24), since=at(8), until=at(12), deep=True), [span(8, 12)]),
        # a ledger from the future: a server's clock that was set back
        ([span(3, 30)], Wish(at(20)), []),
        ([span(25, 30)], Wish(at(20)), []),
    ],
)
def test_plans_worked_by_hand(covered: list[Span], wish: Wish, todo: list[Span]) -> None:
    """What is read, by case."""
    assert plan(covered, wish) == todo


@pytest.mark.parametrize("since", [20, 21, 400])
def test_a_start_that_is_not_before_the_end_is_wrong_usage(since: int) -> None:
    """It names both instants."""
    with pytest.raises(UsageError, match="2026-03-01T20:00:00") as refused:
        plan([], Wish(at(20), since=at(since)))
    assert at(since).isoformat() in str(refused.value)


@pytest.mark.shows(36)
def test_the_ledger_does_not_grow_with_the_runs() -> None:
    """Forty days of hourly runs are one span."""
    covered: list[Span] = []
    for hour in range(1, 24 * 40):
        covered = merged([*covered, *plan(covered, Wish(at(hour), oldest=at(0), lookback=3 * HOUR))])
    assert covered == [span(0, 24 * 40 - 1)]


def test_a_look_back_beyond_the_beginning_of_time_is_the_whole_span() -> None:
    """However long somebody looks back."""
    assert plan([span(3, 20)], Wish(at(24), lookback=timedelta(days=999_999_999))) == [span(3, 24)]
