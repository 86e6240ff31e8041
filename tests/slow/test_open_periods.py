"""Price periods that were open: found closed however long they lasted, at the least cost, and forgotten in time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loading import history_queries, load_sandbox, query
from mithril_elt.ledger import add_covered, covered_spans
from mithril_elt.lock import work_folder
from mithril_elt.open_periods import OpenPeriods
from mithril_elt.sandbox.account import Instance, PricePeriod
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.windows import Span
from sandbox_by_hand import NOW, bare_account, instance, us

DAY = timedelta(days=1)
LONG_AGO = NOW - 20 * DAY


def spot(*edges: datetime | None, status: str = "RUNNING") -> Instance:
    """A spot instance that runs since long ago, with price periods between those edges."""
    one = instance("inst_1", -24 * 20, [(-24 * 20, status)], bid="bid_1")
    one.prices = [
        PricePeriod(us(start), us(end) if end else None, 1300 + number)
        for number, (start, end) in enumerate(pairwise(edges))
        if start
    ]
    return one


def asked_again(sandbox: Sandbox) -> int:
    """How many questions about a single instance's prices were asked since the last count."""
    count = sum("instance_fid" in each for each in history_queries(sandbox, "pricing/history"))
    sandbox.requests.clear()
    return count


def ends(db: Path) -> list[datetime | None]:
    """The ends of the periods, in order of their starts."""
    return [
        end and end.replace(tzinfo=UTC)
        for (end,) in query(db, "select end_time from raw.instance_price_periods order by start_time")
    ]


@pytest.mark.parametrize(("reading", "questions"), [("inside", 1), ("in_force", 0), ("clipped", 1)])
@pytest.mark.shows(20, 34)
def test_a_long_period_costs_one_question_a_run_at_most(reading: str, questions: int, tmp_path: Path) -> None:
    """A server that tells the period in force at the start of a window tells its end with it: nothing is asked."""
    db, end = tmp_path / "a.duckdb", NOW + timedelta(hours=30)
    account = bare_account(instances=[spot(LONG_AGO, end, None)])
    with serve(account, readings=Readings(start_selects=reading)) as sandbox:  # type: ignore[arg-type]  # one of the three
        load_sandbox(sandbox, db)
        asked_again(sandbox)
        sandbox.clock.advance(DAY)
        load_sandbox(sandbox, db)
        assert (ends(db), asked_again(sandbox)) == ([None], questions)
        sandbox.clock.advance(DAY)
        load_sandbox(sandbox, db)
        assert (ends(db), asked_again(sandbox)) == ([end, None], questions)
        sandbox.clock.advance(DAY)
        load_sandbox(sandbox, db)
        assert asked_again(sandbox) == 0


@pytest.mark.shows(20)
def test_an_end_that_becomes_known_after_the_next_start_is_found(tmp_path: Path) -> None:
    """The next period shows first, the end of the old one, hours before it, only a day later: the gap is known then."""
    db = tmp_path / "a.duckdb"
    end, start = NOW + timedelta(hours=10), NOW + timedelta(hours=14)
    one = spot(LONG_AGO, None)
    with serve(bare_account(instances=[one])) as sandbox:
        load_sandbox(sandbox, db)
        one.prices.append(PricePeriod(us(start), None, 1400))
        sandbox.clock.advance(DAY)
        load_sandbox(sandbox, db)
        assert ends(db) == [None, None]
        one.prices[0] = PricePeriod(us(LONG_AGO), us(end), 1300)
        sandbox.clock.advance(DAY)
        load_sandbox(sandbox, db)
    assert ends(db) == [end, None]


def test_periods_that_the_api_never_closes_are_let_go(tmp_path: Path) -> None:
    """Followed by another, or of an instance that is over: after the look-back nothing is asked any more."""
    db, followed_at = tmp_path / "a.duckdb", NOW - 6 * DAY
    one = spot(LONG_AGO, None)
    one.prices.append(PricePeriod(us(followed_at), None, 1400))
    one.changes += instance("inst_1", 0, [(1, "TERMINATED")]).changes
    with serve(bare_account(instances=[one])) as sandbox:
        load_sandbox(sandbox, db)
        assert asked_again(sandbox) == 0
        assert still_open(db) == {"inst_1": {followed_at.isoformat(): None}}
        counts = []
        for _ in range(7):
            sandbox.clock.advance(DAY)
            load_sandbox(sandbox, db)
            counts.append(asked_again(sandbox))
    assert counts == [1, 1, 1, 1, 1, 0, 0]
    assert still_open(db) == {}


def still_open(db: Path) -> dict[str, dict[str, str | None]]:
    """The periods that are remembered as open, of each instance."""
    state = json.loads((work_folder(db) / "mithril" / "state.json").read_text())
    kept: dict[str, dict[str, str | None]] = state["sources"]["mithril"]["resources"]["instance_price_periods"]["open"][
        "proj_a"
    ]
    return kept


def test_prices_of_reserved_instances_are_not_asked_again(tmp_path: Path) -> None:
    """They are billed by their reservation: no cost hangs on when such a period ends."""
    reserved = spot(LONG_AGO, None)
    reserved.bid, reserved.reservation = None, "res_1"
    with serve(bare_account(instances=[reserved]), readings=Readings(reserved_prices=True)) as sandbox:
        load_sandbox(sandbox, tmp_path / "a.duckdb")
        asked_again(sandbox)
        sandbox.clock.advance(DAY)
        load_sandbox(sandbox, tmp_path / "a.duckdb")
        assert asked_again(sandbox) == 0


@pytest.mark.shows(8)
def test_what_the_release_before_remembered_is_understood() -> None:
    """It kept the start of the newest open period of an instance, as a text."""
    state = {"open": {"proj_a": {"inst_1": NOW.isoformat()}}}
    periods = OpenPeriods(state, "proj_a")
    assert list(periods) == [("inst_1", NOW)]
    periods.note("inst_1", NOW, NOW + DAY)
    assert state["open"] == {"proj_a": {}}


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=60))
@pytest.mark.shows(36)
def test_few_are_remembered_however_many_are_open(told: list[tuple[int, bool]]) -> None:
    """The newest of an instance is always among them if it is open; besides, three at most, the longest."""
    state: dict[str, object] = {}
    periods = OpenPeriods(state, "proj_a")
    still_open: dict[int, bool] = {}
    for hour, is_open in told:
        periods.note("inst_1", NOW + timedelta(hours=hour), None if is_open else NOW + timedelta(hours=hour + 1))
        still_open[hour] = is_open
    kept = {(at - NOW) // timedelta(hours=1) for _, at in periods}
    now_open = {hour for hour, is_open in still_open.items() if is_open}
    assert len(kept) <= 4
    assert kept <= now_open
    if len(now_open) == len(still_open) and now_open:
        assert max(now_open) in kept


@pytest.mark.shows(18)
def test_a_clock_that_was_ahead_covers_nothing_past_it() -> None:
    """What was called covered past the server's clock is not, once the clock is right again."""
    state: dict[str, object] = {}
    add_covered(state, "p", Span(NOW, NOW + 400 * DAY))
    assert covered_spans(state, "p", until=NOW + DAY) == [Span(NOW, NOW + DAY)]
    assert covered_spans(state, "p", until=NOW) == []
    add_covered(state, "p", Span(NOW + DAY, NOW + 2 * DAY), until=NOW + DAY)
    assert covered_spans(state, "p") == [Span(NOW, NOW + 2 * DAY)]
