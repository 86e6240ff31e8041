"""Rows that the API takes back: marked, never lost, and never on less than a plain answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dlt
import pytest

from loading import load_sandbox, query
from mithril_elt.sandbox.account import Instance, PricePeriod
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.source import mithril_source
from sandbox_by_hand import NOW, bare_account, instance, us


@pytest.fixture
def told() -> Instance:
    """An instance with an event that will turn out to be false, two days before NOW."""
    return instance("inst_1", -24 * 20, [(-24 * 20, "RUNNING"), (-48, "ERROR"), (-47, "RUNNING")], bid="bid_1")


@pytest.fixture
def sandbox(told: Instance) -> Iterator[Sandbox]:
    """It and another one, served."""
    other = instance("inst_2", -24 * 20, [(-24 * 20, "RUNNING"), (-48, "ERROR")])
    with serve(bare_account(instances=[told, other])) as served:
        yield served


def events(db: Path, fid: str = "inst_1") -> list[tuple[str, bool]]:
    """The statuses of an instance in order of time, and whether each is withdrawn."""
    return [
        (status.removeprefix("STATUS_"), withdrawn)
        for status, withdrawn in query(
            db,
            "select status, withdrawn_at is not null from raw.instance_status_events"
            f" where instance_fid = '{fid}' order by timestamp",
        )
    ]


PRICES = "select price_cents, withdrawn_at is null from raw.instance_price_periods order by start_time"
TOLD = [("RUNNING", False), ("ERROR", False), ("RUNNING", False)]
GONE = [("RUNNING", False), ("ERROR", True), ("RUNNING", False)]


@pytest.mark.shows(21)
def test_an_event_that_is_not_told_again_is_withdrawn(sandbox: Sandbox, told: Instance, tmp_path: Path) -> None:
    """It stays in the table with the time at which it was found gone; nothing else is touched; the run counts it."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    assert events(db) == TOLD
    false = told.changes.pop(1)
    sandbox.clock.advance(timedelta(hours=1))
    result = load_sandbox(sandbox, db)
    assert events(db) == GONE
    assert events(db, "inst_2") == [("RUNNING", False), ("ERROR", False)]
    assert (result.withdrawn_rows, result.late_rows) == (1, 0)
    assert query(db, "select sum(withdrawn_rows) from raw.runs") == [(1,)]
    assert query(db, "select max(withdrawn_at) from raw.instance_status_events") == [
        ((NOW + timedelta(hours=1)).replace(tzinfo=None),)
    ]
    assert load_sandbox(sandbox, db).withdrawn_rows == 0
    told.changes.insert(1, false)
    sandbox.clock.advance(timedelta(hours=1))
    load_sandbox(sandbox, db)
    assert events(db) == TOLD


@pytest.mark.shows(21)
def test_all_of_a_window_may_be_withdrawn(sandbox: Sandbox, tmp_path: Path) -> None:
    """A window that comes empty takes back all that it held, and nothing of before it."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    for each in sandbox.account.instances:
        del each.changes[1:]
    load_sandbox(sandbox, db)
    assert events(db) == [("RUNNING", False), ("ERROR", True), ("RUNNING", True)]
    assert events(db, "inst_2") == [("RUNNING", False), ("ERROR", True)]


def test_what_is_not_asked_for_is_not_withdrawn(sandbox: Sandbox, told: Instance, tmp_path: Path) -> None:
    """Outside the look-back a false event stays until `--deep` asks for it."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    told.changes.pop(1)
    assert load_sandbox(sandbox, db, lookback=timedelta(hours=12)).withdrawn_rows == 0
    assert events(db) == TOLD
    assert load_sandbox(sandbox, db, deep=True).withdrawn_rows == 1
    assert events(db) == GONE


def test_an_instance_that_the_api_has_forgotten_keeps_its_rows(sandbox: Sandbox, tmp_path: Path) -> None:
    """A 404 is no answer about an event: what was billed does not vanish with the memory of the API."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    sandbox.account.instances[0].created_at_us += 10**15  # as if it had never been
    result = load_sandbox(sandbox, db, deep=True)
    assert events(db) == TOLD
    assert result.withdrawn_rows == 0
    assert [warning for warning in result.warnings if "do not know an instance" in warning]


@pytest.mark.shows(21)
def test_a_row_that_pages_skip_is_not_withdrawn(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window that misses a row while it is walked proves nothing: the instance itself is asked, and has it."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    with monkeypatch.context() as patched:
        patched.setattr("mithril_elt.history_reading.asked", lambda *_, **__: iter(()))
        result = load_sandbox(sandbox, db)
    assert result.withdrawn_rows == 0
    assert events(db) == TOLD


@pytest.mark.shows(21)
def test_a_price_that_is_corrected_or_withdrawn_is_replaced(tmp_path: Path) -> None:
    """Another price for the same start replaces it; a start that is gone is marked; an open one that is gone too."""
    spot = instance("inst_1", -24 * 20, [(-24 * 20, "RUNNING")], bid="bid_1")
    old = us(NOW - timedelta(days=15))
    starts = [old, *(us(NOW - timedelta(hours=h)) for h in (40, 30))]
    spot.prices = [
        PricePeriod(starts[0], starts[1], 1300),
        PricePeriod(starts[1], starts[2], 1313),
        PricePeriod(starts[2], None, 1400),
    ]
    db = tmp_path / "a.duckdb"
    with serve(bare_account(instances=[spot])) as sandbox:
        load_sandbox(sandbox, db)
        spot.prices[1:] = [PricePeriod(starts[1], None, 1300)]
        sandbox.clock.advance(timedelta(hours=1))
        assert load_sandbox(sandbox, db).withdrawn_rows == 1
        found = query(db, PRICES)
        assert found == [(1300, True), (1300, True), (1400, False)]
        sandbox.clock.advance(timedelta(days=8))
        load_sandbox(sandbox, db)
        spot.prices.pop()  # an open period, long before the look-back: it is asked for, and gone
        assert load_sandbox(sandbox, db).withdrawn_rows == 1
        found = query(db, PRICES)
    assert found == [(1300, True), (1300, False), (1400, False)]


def test_by_order_too(tmp_path: Path) -> None:
    """Where each order is asked for itself, what it does not tell again is withdrawn just so."""
    one = instance("inst_1", -72, [(-72, "RUNNING"), (-48, "ERROR"), (-47, "RUNNING")])
    db = tmp_path / "a.duckdb"
    with serve(bare_account(instances=[one]), readings=Readings(project_alone="400")) as sandbox:
        load_sandbox(sandbox, db)
        one.changes.pop(1)
        load_sandbox(sandbox, db)
    assert events(db) == GONE


def test_in_anyones_own_pipeline_too(sandbox: Sandbox, told: Instance, tmp_path: Path) -> None:
    """`mithril_source()` asks the pipeline's own destination what it holds."""
    db = tmp_path / "own.duckdb"
    pipeline = dlt.pipeline("own", destination=dlt.destinations.duckdb(str(db)), dataset_name="raw")
    for _ in range(2):
        pipeline.run(mithril_source(api_key=sandbox.key, api_url=sandbox.url), loader_file_format="parquet")
        told.changes[1:2] = []
    assert events(db) == [("RUNNING", False), ("ERROR", True), ("RUNNING", False)]
