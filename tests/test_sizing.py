"""How long windows are and in how many slices they are asked for; and which window comes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def sizing(rows: int, requests: int, span: Span | None = None, *, at_a_time: int = 16) -> Sizing:
    """What is known after a window of so many rows and requests: of ten days, if nothing else is said."""
    known = Sizing({}, at_a_time)
    known.note(*KEY, span or days(0, 10), requests, rows)
    return known


def test_a_first_window_is_a_day() -> None:
    """Nothing is known yet; a length that was asked for is kept, whatever is known."""
    assert Sizing({}, 16).length() == DAY
    assert Sizing({}, 16, 3 * HOUR).length() == 3 * HOUR
    asked_for = sizing(10**9, 10**7)
    asked_for.window = 3 * DAY
    assert asked_for.length() == 3 * DAY


@pytest.mark.parametrize(
    ("rows", "length"),
    [
        (1_000_000, 10 * DAY),
        (2_000_000, 5 * DAY),
        (100_000, 100 * DAY),
        (10, 320 * DAY),  # not more than 32 times as long as the one before
        (0, 320 * DAY),
        (10**12, HOUR),
    ],
)
def test_a_window_has_about_a_million_rows(rows: int, length: timedelta) -> None:
    """By what ten days had: in whole hours, one at least."""
    assert sizing(rows, 1).length() == length


def test_a_window_of_all_histories_together_has_a_million_rows() -> None:
    """Both histories of all projects travel in one package."""
    known = sizing(1_000_000, 10_000)
    known.note("proj_a", "pricing", days(0, 10), 10_000, 1_000_000)
    known.note("proj_b", "status", days(0, 10), 20_000, 2_000_000)
    assert known.length() == 60 * HOUR


def test_the_newest_window_counts_where_it_had_more() -> None:
    """A fleet that grew: a tenth of the time, if ten times as many rows came last."""
    known = sizing(1_000_000, 10_000)
    known.note(*KEY, days(10, 11), 10_000, 1_000_000)
    assert known.length() == DAY


def test_pages_do_not_outgrow_what_memory_holds() -> None:
    """Where they count instances they grow with the window: the next is as much shorter as they were too large."""
    known = sizing(1_000, 1)
    known.largest_page_bytes = 64 * 2**20
    assert known.length() == 60 * HOUR


@pytest.mark.parametrize(
    ("rows", "requests", "parts"),
    [
        (100, 1, 1),
        (700, 7, 1),  # two slices would not pay
        (1_600, 16, 4),
        (100_000, 1_000, 50),  # 20 pages each
        (12_800, 128, 32),  # two rounds of 16, of four pages
        (100_000, 999, 1),  # pages count instances
    ],
)
def test_a_window_is_asked_for_in_slices_where_pages_count_events(rows: int, requests: int, parts: int) -> None:
    """They cover it without holes; where pages count instances there is one."""
    span = days(10, 20)
    slices = sizing(rows, requests).slices(*KEY, span)
    assert merged(slices) == [span]
    assert abs(len(slices) - parts) <= 1
    assert (len(slices) == 1) is (parts == 1)


def test_of_a_history_that_nobody_knows_there_is_one_slice() -> None:
    """The density of one history says nothing of another."""
    assert sizing(100_000, 1_000).slices("proj_a", "pricing", days(0, 10)) == [days(0, 10)]


def test_the_past_is_added_up_from_the_ledger_in_any_order() -> None:
    """By project and history; of a span its share, rounded up."""
    noon = datetime(2026, 1, 1)  # noqa: DTZ001  # as the ledger has it
    ledger = [
        ("proj_a", "status", noon + DAY, noon + 2 * DAY, 3, 300),
        ("proj_a", "status", noon, noon + DAY, 1, 101),
        ("proj_b", "status", noon, noon + DAY, 1, 1),
    ]
    past = past_of(ledger)[KEY]
    assert (past.requests_of(days(5, 6)), past.rows_of(days(5, 6))) == (2, 201)
    assert past.rows_per_us * (DAY // timedelta(microseconds=1)) == 300
    assert past.covered == [days(0, 2)]
    assert past_of(reversed(ledger))[KEY].newest_rows == past.newest_rows == 300
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
