"""Windows that are asked for in slices, and walks that are parted while they run: the rows are those of one walk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from loading import history_queries, load_sandbox, query, raw
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve

ORDERS = ("sorted", "reversed", "shuffled")


def pages_of(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asks for pages of so many rows."""
    for module in ("client", "histories", "sizing"):
        monkeypatch.setattr(f"mithril_elt.{module}.PAGE_LIMIT", limit)


def refused(sandbox: Sandbox) -> int:
    """How many questions for a history were refused."""
    return sum(request.status == 400 for request in sandbox.requests)


@pytest.mark.shows(23)
@pytest.mark.parametrize("order", ORDERS)
def test_a_walk_that_proves_long_is_parted_and_loses_no_row(
    order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After four pages, again and again; what was read until then is read twice and is there once."""
    with serve(make_account(7, 12, 7), readings=Readings(limit_counts="events", order=order)) as sandbox:  # type: ignore[arg-type]  # one of three
        load_sandbox(sandbox, tmp_path / "whole.duckdb", window=timedelta(days=400))
        walked = len({each["start_time"] for each in history_queries(sandbox)})
        pages_of(2, monkeypatch)
        monkeypatch.setattr("mithril_elt.histories._LONG_PAGES", 4)
        load_sandbox(sandbox, tmp_path / "parted.duckdb", window=timedelta(days=400))
        parted = len({each["start_time"] for each in history_queries(sandbox)})
    assert walked == 1
    assert parted > 20
    assert raw(tmp_path / "parted.duckdb") == raw(tmp_path / "whole.duckdb")


@pytest.mark.shows(22, 25)
@pytest.mark.parametrize("order", ORDERS)
def test_a_window_in_slices_has_the_rows_of_one_walk(
    order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deep run knows from the first how much there is: many walks side by side, and nothing changes."""
    db = tmp_path / "a.duckdb"
    with serve(make_account(7, 12, 7), readings=Readings(limit_counts="events", order=order)) as sandbox:  # type: ignore[arg-type]  # one of three
        pages_of(5, monkeypatch)
        load_sandbox(sandbox, db)
        before, asked = raw(db), len(history_queries(sandbox))
        again = load_sandbox(sandbox, db, deep=True)
        starts = {each["start_time"] for each in history_queries(sandbox)[asked:]}
    assert raw(db) == before
    assert (again.late_rows, again.withdrawn_rows) == (0, 0)
    assert len(starts) >= 5
    assert query(db, f"select count(*) from raw.windows where run_id = '{again.run_id}'") == [(2 * 2,)]


@pytest.mark.shows(34)
def test_where_a_project_alone_is_refused_its_slices_cost_one_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first slice finds it out; the orders are asked for the whole window."""
    db = tmp_path / "a.duckdb"
    readings = Readings(limit_counts="events", project_alone="400")
    with serve(make_account(7, 12, 7), readings=readings) as sandbox:
        pages_of(5, monkeypatch)
        load_sandbox(sandbox, db)
        before, asked = raw(db), refused(sandbox)
        load_sandbox(sandbox, db, deep=True)
        assert raw(db) == before
        assert refused(sandbox) - asked == len(sandbox.account.projects)


def test_where_pages_count_instances_a_window_is_one_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice would have the page of every instance that is in it."""
    db = tmp_path / "a.duckdb"
    with serve(make_account(7, 12, 7), readings=Readings(limit_counts="instances")) as sandbox:
        pages_of(5, monkeypatch)
        monkeypatch.setattr("mithril_elt.histories._LONG_PAGES", 2)
        load_sandbox(sandbox, db)
        before, asked = raw(db), len(history_queries(sandbox))
        load_sandbox(sandbox, db, deep=True)
        queries = history_queries(sandbox)[asked:]
    assert raw(db) == before
    assert len({(each["project"], each["start_time"]) for each in queries}) == len(sandbox.account.projects)
