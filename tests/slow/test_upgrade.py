"""A database that release 0.1.0 wrote: this release goes on with it, and it is as if it had loaded all of it itself."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from earlier_release import account, load_in_runs, unpack

from loading import load_sandbox, query, raw, rows_of, tables_in
from mithril_elt.errors import MithrilError
from mithril_elt.layout import LAYOUT
from mithril_elt.lock import work_folder
from mithril_elt.recovery import recover
from mithril_elt.reports import render, report
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.tables import RAW_TABLES
from mithril_elt.transform import build

# The sandbox of 0.1.0 had other prices of the market, which no report used; the next run reads them all again.
OF_THE_MARKET = re.compile(r"^spot .*: (reserved_market_cost_cent_us|compared_\w+|uncompared_\w+) is ")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The account of the archive, served."""
    with serve(account()) as served:
        yield served


@pytest.fixture(scope="module")
def fresh(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same runs by this release, and one now."""
    db = tmp_path_factory.mktemp("fresh") / "mithril.duckdb"
    load_in_runs(sandbox, db)
    load_sandbox(sandbox, db)
    build(db)
    return db


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The database of the archive."""
    db = unpack(tmp_path)
    assert query(db, "select distinct version from raw.runs") == [("0.1.0",)]
    assert query(db, "select count(*) from raw.instance_status_events") > [(100,)]
    assert not query(db, "select 1 from duckdb_columns() where column_name = 'withdrawn_at'")
    return db


def marts(db: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All marts, row for row."""
    return {table: rows_of(db, f"marts.{table}") for table in tables_in(db, "marts")}


@pytest.mark.shows(8)
@pytest.mark.parametrize("folder", ["kept", pytest.param("lost", marks=pytest.mark.long)])
def test_the_next_run_goes_on_as_if_it_had_loaded_all(folder: str, old: Path, fresh: Path, sandbox: Sandbox) -> None:
    """Raw tables and marts equal those of this release's own runs at the same times, and the account's true figures."""
    if folder == "lost":
        shutil.rmtree(work_folder(old))
    load_sandbox(sandbox, old)
    build(old)
    assert raw(old) == raw(fresh)
    assert marts(old) == marts(fresh)
    assert differences(old, sandbox.account) == []


def test_no_more_is_read_than_by_this_release(old: Path, fresh: Path, sandbox: Sandbox) -> None:
    """What the old ledger calls covered is not read again."""
    done = load_sandbox(sandbox, old)
    [newest] = query(fresh, "select windows_done, requests from raw.runs order by started_at desc limit 1")
    assert (done.windows_done, done.requests) == newest


def test_the_models_can_be_built_before_anything_is_loaded(old: Path, sandbox: Sandbox) -> None:
    """`build` gives the raw tables the columns that they lack; the figures are those of then."""
    build(old)
    found_other = [each for each in differences(old, sandbox.account) if not OF_THE_MARKET.search(each)]
    assert found_other == []
    found = {(table, column) for table, column in query(old, "select table_name, column_name from duckdb_columns()")}
    assert {(table.name, each.name) for table in RAW_TABLES for each in table.columns} <= found


def test_recover_finds_nothing_amiss(old: Path, fresh: Path, sandbox: Sandbox) -> None:
    """And leaves what the next run can go on with."""
    assert recover(old) == []
    load_sandbox(sandbox, old)
    assert raw(old) == raw(fresh)


def test_the_old_marts_are_read_or_refused_with_the_command_that_makes_them(old: Path) -> None:
    """A report between the installation and the next run never prints what this release does not understand."""
    for name in ("usage", "uptime", "cost", "pause-credits", "reservations", "summary", "reconciliation"):
        try:
            assert render(report(old, name), "json")
        except MithrilError as error:
            assert "mithril-elt build" in str(error), name  # noqa: PT017  # either is right


def test_the_layout_is_noted_with_the_first_run(old: Path, sandbox: Sandbox) -> None:
    """So that an older release knows, from then on, to leave it alone."""
    load_sandbox(sandbox, old)
    assert query(old, "select layout from raw.layouts") == [(LAYOUT,)]
    load_sandbox(sandbox, old)
    assert query(old, "select layout from raw.layouts") == [(LAYOUT,)]


@pytest.mark.shows(8)
def test_what_the_old_release_loaded_is_all_still_there(old: Path, sandbox: Sandbox) -> None:
    """Each event and period, each version of each row of a list, each reading of the vendor's summary, each run."""
    keys = {
        "instance_status_events": "instance_fid, timestamp, status",
        "instance_price_periods": "instance_fid, start_time, price_cents",
        "reservation_usage": "reservation_fid, as_of, net_cost_cents",
        "runs": "run_id, started_at, rows",
        "windows": "project, history, from_at, to_at, run_id",
    }
    keys |= {table.name: "fid, version_hash" for table in RAW_TABLES if table.history == "versions"}
    before = {table: set(query(old, f"select {key} from raw.{table}")) for table, key in keys.items()}
    load_sandbox(sandbox, old)
    assert all(before.values())
    for table, key in keys.items():
        assert before[table] <= set(query(old, f"select {key} from raw.{table}")), table


def test_tables_are_declared_as_this_release_makes_them(old: Path, fresh: Path, sandbox: Sandbox) -> None:
    """The same columns of the same types, in whatever order."""
    load_sandbox(sandbox, old)
    declared = "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'raw' order by all"
    assert query(old, declared) == query(fresh, declared)
