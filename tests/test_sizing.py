"""How long windows are, in how many slices they are asked for, which comes next, and how many travel together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mithril_elt.decode import Page
from mithril_elt.packing import Package, Took
from mithril_elt.past import Past, past_of
from mithril_elt.plans import Pending
from mithril_elt.sizing import Sizing
from mithril_elt.windows import Span, merged

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
KEY = ("proj_a", "status")


def days(first: int, last: int) -> Span:
    """From one day to another, since the start."""
    return Span(START + first * DAY, START + last * DAY)


def hours(first: int, last: int) -> Span:
    """From one hour to another, since the start."""
    return Span(START + first * HOUR, START + last * HOUR)


def sizing(rows: int, requests: int, span: Span | None = None, *, pages_count: str | None = None) -> Sizing:
    """What is known after a window of so many rows and requests, all of one history: ten days, if nothing is said."""
    known = Sizing({}, 16)
    window = span or days(0, 10)
    known.note(*KEY, window, requests, rows, pages_count=pages_count)
    known.note("proj_a", "pricing", window, 1, 0)
    known.go_on([window])
    return known


def test_a_first_window_is_of_six_hours() -> None:
    """Nothing is known yet; a length that was asked for is kept, whatever is known."""
    assert Sizing({}, 16).length() == 6 * HOUR
    assert Sizing({}, 16, 3 * HOUR).length() == 3 * HOUR
    asked_for = sizing(10**9, 10**7)
    asked_for.window = 3 * DAY
    assert asked_for.length() == 3 * DAY


@pytest.mark.parametrize(
    ("rows", "length"),
    [
        (300_000, 10 * DAY),
        (600_000, 5 * DAY),
        (30_000, 100 * DAY),
        (10, 320 * DAY),  # not more than 32 times as long as the one before
        (0, 320 * DAY),
        (10**12, HOUR),
    ],
)
def test_a_window_has_about_three_hundred_thousand_rows(rows: int, length: timedelta) -> None:
    """By what ten days had: in whole hours, one at least."""
    assert sizing(rows, 1).length() == length


def test_a_window_of_all_histories_together_has_no_more() -> None:
    """Both histories of all projects travel in one package."""
    known = sizing(300_000, 10_000)
    known.note("proj_a", "pricing", days(0, 10), 10_000, 300_000)
    known.note("proj_b", "status", days(0, 10), 20_000, 600_000)
    assert known.length() == 60 * HOUR


def test_a_history_of_which_nothing_was_read_is_taken_for_as_dense_as_the_other() -> None:
    """So that a window is not twice as long, because the first of the two has just been read."""
    known = Sizing({}, 16)
    known.note(*KEY, days(0, 10), 1, 300_000)
    assert known.length() == 5 * DAY


def test_the_newest_window_counts_where_it_had_more() -> None:
    """A fleet that grew: a tenth of the time, if ten times as many rows came last."""
    known = sizing(300_000, 10_000)
    known.note(*KEY, days(10, 11), 10_000, 300_000)
    known.go_on([days(10, 11)])
    assert known.length() == DAY


def test_pages_do_not_outgrow_what_memory_holds() -> None:
    """Where they count instances they grow with the window: the next is as much shorter as they were too large."""
    known = sizing(1_000, 1)
    known.go_on([days(0, 10), days(9, 10)], 64 * 2**20)
    assert known.length() == 60 * HOUR


def test_a_long_window_of_small_pages_is_no_bound() -> None:
    """However much longer their size would allow: more than any span of time can be."""
    known = sizing(10, 1, days(0, 366))
    known.go_on([days(0, 366)], 1)
    assert known.length() == 366 * DAY


@pytest.mark.parametrize(
    ("pages", "parts"),
    [
        (1, 1),
        (7, 1),  # two slices would not pay
        (8, 2),
        (288, 72),  # 4 pages each: three would be best
        (1_152, 192),  # 6
        (4_608, 384),  # 12
        (100_000, 5_000),  # 20, not 55
    ],
)
def test_a_window_is_asked_for_in_slices_where_pages_count_events(pages: int, parts: int) -> None:
    """They cover it without holes; as many as cost least, if 16 are asked for at a time."""
    span = days(10, 20)
    slices, none = sizing(100 * pages, pages, pages_count="events").slices(*KEY, span)
    assert merged(slices) == [span]
    assert abs(len(slices) - parts) <= parts // 50
    assert none == ()
    by_instance = sizing(100 * pages, pages, pages_count="instances")  # each slice would have one of each
    assert by_instance.slices(*KEY, span) == ([span], ())
    assert sizing(100 * pages, pages).slices(*KEY, span) == ([span], slices if parts > 1 else ())


def test_where_slices_are_told_more_than_is_in_them_there_are_none_until_that_is_made_good() -> None:
    """An API that tells for each slice what was in force at its start, of every instance."""
    known = sizing(100_000, 1_501, pages_count="events")
    assert known.slices(*KEY, days(10, 20)) == ([days(10, 20)], ())
    known.note(*KEY, days(10, 20), 1_001, 100_000)
    assert len(known.slices(*KEY, days(20, 30)).spans) > 9


def page(instances: int, events: int, *, is_last: bool = False) -> Page:
    """A page of so many instances, with so many events in all."""
    rows = [SimpleNamespace(events=[None] * (events // instances + (n < events % instances))) for n in range(instances)]
    return Page(rows, [], None if is_last else "more", START, 7)


@pytest.mark.parametrize(
    ("pages", "counted"),
    [
        ([page(99, 100)], "events"),
        ([page(1, 100)], "events"),
        ([page(100, 101)], "instances"),
        ([page(100, 100)], None),  # it may be either
        ([page(100, 100), page(100, 100), page(64, 100)], "events"),
        ([page(99, 100, is_last=True)], None),  # not known to be full
        ([page(50, 80), page(50, 90)], None),
    ],
)
def test_a_full_page_shows_what_pages_count(pages: list[Page], counted: str | None) -> None:
    """It has a hundred of it, and more or less of the other."""
    took = Took()
    for each in pages:
        took.note([each], 5)
    assert took == Took(len(pages), 5 * len(pages), 7, counted)


def test_of_a_history_that_nobody_knows_there_is_one_slice() -> None:
    """The density of one history says nothing of another."""
    known = Sizing({}, 16)
    known.note(*KEY, days(0, 10), 1_000, 100_000, pages_count="events")
    assert known.slices("proj_a", "pricing", days(0, 10)) == ([days(0, 10)], ())


def test_the_past_is_added_up_from_the_ledger_in_any_order() -> None:
    """By project and history; of a span its share, rounded up."""
    noon = datetime(2026, 1, 1)  # noqa: DTZ001  # as the ledger has it
    columns = ("project", "history", "from_at", "to_at", "requests", "rows", "pages_count")
    told = [
        ("proj_a", "status", noon + DAY, noon + 2 * DAY, 3, 300, "instances"),
        ("proj_a", "status", noon + 2 * DAY, noon + 3 * DAY, 1, 200, None),
        ("proj_a", "status", noon, noon + DAY, 2, 101, "events"),
        ("proj_b", "status", noon, noon + DAY, 1, 1, None),
    ]
    ledger = [dict(zip(columns, row, strict=True)) for row in told]
    past = past_of(ledger)[KEY]
    assert (past.requests_of(days(5, 6)), past.rows_of(days(5, 6)), past.newest_rows) == (2, 201, 200)
    assert (past.covered, past.pages_count) == ([days(0, 3)], "instances")
    assert past.rows_per_us * (DAY // timedelta(microseconds=1)) == Fraction(601, 3)
    assert past_of(reversed(ledger)) == past_of(ledger)
    del ledger[0]["pages_count"], ledger[1]["pages_count"]  # as an earlier release wrote them
    assert past_of(ledger)[KEY].pages_count == "events"
    assert (Past().rows_of(days(0, 1)), Past().rows_per_us) == (0, Fraction(0))


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]),
        st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10)), max_size=4),
        max_size=3,
    ),
    st.lists(st.integers(1, 12), min_size=1, max_size=8),
)
def test_windows_taken_off_cover_all_in_order_and_once(
    spans: dict[str, list[tuple[int, int]]], lengths: list[int]
) -> None:
    """However long each is to be: of one time for all projects, so that their last come together."""
    wanted = {name: merged(days(start, start + length) for start, length in pairs) for name, pairs in spans.items()}
    pending = Pending({name: list(each) for name, each in wanted.items()})
    taken: dict[str, list[Span]] = {name: [] for name in wanted}
    ends: list[datetime] = []
    n = 0
    while window := pending.take(lengths[n % len(lengths)] * DAY):
        longest = lengths[n % len(lengths)] * DAY
        assert max(span.end for span in window.values()) - min(span.start for span in window.values()) <= longest
        ends.append(max(span.end for span in window.values()))
        for name, span in window.items():
            taken[name].append(span)
        n += 1
        assert n < 1_000
    assert ends == sorted(ends)
    assert {name: merged(each) for name, each in taken.items()} == wanted
    assert all(each == sorted(each) for each in taken.values())
    assert all(first.end <= second.start for each in taken.values() for first, second in pairwise(each))
    assert pending.windows(DAY) == 0


def read(package: Package, rows_a_day: int, page_bytes: int = 1) -> list[Span]:
    """Reads both histories to the end, one after the other; the windows, which are the same for both."""
    found: dict[str, list[Span]] = {}
    for history in ("status", "pricing"):
        for spans in package.each():
            for project, span in spans.items():
                rows = rows_a_day * ((span.end - span.start) // HOUR) // 24
                package.note(project, history, span, Took(1, rows, page_bytes))
                found.setdefault(history, []).append(span)
    assert found.get("status") == found.get("pricing")
    return found.get("status", [])


def test_windows_travel_together_until_they_have_enough_rows() -> None:
    """Six hours, then 32 times as long, then what is left: one package of little; of much, as soon as it is full."""
    whole = {"proj_a": [days(0, 57)]}
    package = Package(Pending(whole), Sizing({}, 16))
    assert read(package, 100) == [hours(0, 6), hours(6, 198), hours(198, 57 * 24)]
    assert (package.is_last, package.rows) == (True, 2 * (25 + 800 + 4875))
    pending, sizing = Pending({"proj_a": [days(0, 57)]}), Sizing({}, 16)
    packages = [Package(pending, sizing) for _ in range(2)]
    found = [(read(package, 6_000), package.is_last) for package in packages]
    first = [hours(0, 6), hours(6, 198), hours(198, 798)]
    assert found == [(first, False), ([hours(798, 57 * 24)], True)]


def test_a_package_of_nothing_is_the_last() -> None:
    """It still brings the lists and the row of the run."""
    package = Package(Pending({"proj_a": []}), Sizing({}, 16))
    assert (read(package, 1), package.is_last, package.windows) == ([], True, [])


def test_where_a_length_was_asked_for_each_window_travels_alone() -> None:
    """A crash costs what the user has said."""
    pending, sizing = Pending({"proj_a": [days(0, 5)]}), Sizing({}, 16, 2 * DAY)
    found = [read(Package(pending, sizing), 1) for _ in range(3)]
    assert found == [[days(0, 2)], [days(2, 4)], [days(4, 5)]]


def test_the_pages_of_the_newest_window_say_how_long_the_next_may_be() -> None:
    """Of both histories the larger ones, whatever those of windows before were."""
    pending, sizing = Pending({"proj_a": [days(0, 400)]}), Sizing({}, 16, 2 * DAY)
    read(Package(pending, sizing), 1, 10**9)
    read(Package(pending, sizing), 1, 2**20)
    sizing.window = None
    assert sizing.length() == 32 * DAY


@pytest.mark.parametrize("ahead", [0, 1])
def test_whichever_history_is_ahead_both_read_the_same_windows(ahead: int) -> None:
    """As where dlt takes resources in turn."""
    package = Package(Pending({"proj_a": [days(0, 57)]}), Sizing({}, 16))
    turns = [package.each(), package.each()]
    found: list[list[dict[str, Span]]] = [[], []]
    for n in (ahead, 1 - ahead, ahead, 1 - ahead, 1 - ahead, ahead, ahead, 1 - ahead):
        if (spans := next(turns[n], None)) is not None:
            found[n].append(spans)
            package.note("proj_a", str(n), spans["proj_a"], Took(1, 1, 1))
    assert found[0] == found[1] == package.windows != []
