"""The simulated extract of large accounts: what it asks for, and how near a load comes to a server's limit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bench.scale import START, Account, extract_plan, reached
from mithril_elt.windows import Span


def test_a_first_run_reads_every_row_once() -> None:
    """Both histories, as few pages as they fill, and one more for each slice at most; packages do not grow."""
    account = Account(1_000, 200, 10)
    told = extract_plan(account)
    assert told.rows == 1_000 * 200 * 20 * 2
    assert told.rows // 100 <= told.requests <= told.rows // 100 * 5 // 4
    assert told.rows // told.packages >= 250_000
    assert told.windows % account.projects == 0


def test_pages_that_count_instances_take_fewer_requests() -> None:
    """A page then brings a hundred instances with all their rows."""
    by_events, by_instances = (
        extract_plan(Account(1_000, 200, 10, pages_count=each)) for each in ("events", "instances")
    )
    assert by_instances.rows == by_events.rows
    assert by_instances.requests * 10 < by_events.requests


def test_a_day_costs_what_is_new_and_the_look_back() -> None:
    """However long the history is: four days of rows."""
    asked = []
    for days in (100, 400):
        account = Account(1_000, days, 10)
        day = extract_plan(account, Span(START, START + timedelta(days=days - 1)))
        assert day.rows == 4 * 1_000 * 20 * 2
        asked.append(day.requests)
    assert asked[0] == asked[1]


@pytest.mark.parametrize("limit", [10, 50])
def test_the_pace_stays_near_the_limit(limit: int) -> None:
    """Nine tenths of what is allowed at least, never more, and few refusals."""
    found = reached(limit, 0.05, 3_000)
    assert 0.9 * limit < found.per_second <= 1.02 * limit
    assert 0 < found.refused < 0.05
