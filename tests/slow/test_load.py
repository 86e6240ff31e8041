"""The load: what is fetched, what is kept, and what a crash costs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dlt
import pytest

from loading import DATA_TABLES, history_queries, load_sandbox, query, raw, rows_of, tables_in
from mithril_elt.api import Mithril
from mithril_elt.errors import ApiError, LockedError, NotFoundError, UsageError, WarehouseError
from mithril_elt.layout import LAYOUTS
from mithril_elt.load import LoadPlan, Progress, load
from mithril_elt.lock import locked, work_folder
from mithril_elt.pipeline import open_pipeline
from mithril_elt.sandbox.account import HOUR_US, PricePeriod, StatusChange
from mithril_elt.sandbox.clock import Clock
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.source import mithril_source, scope_of
from mithril_elt.tables import RAW_TABLES
from sandbox_by_hand import NOW, bare_account, instance, us

DAYS = 12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small account of every kind of story."""
    with serve(make_account(instances=14, days=DAYS)) as served:
        yield served


@pytest.mark.shows(10, 16)
def test_a_second_run_changes_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    """Run twice at the same moment, every table holds the same rows."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    before = raw(db)
    assert all(before[table] for table in DATA_TABLES)
    again = load_sandbox(sandbox, db)
    assert raw(db) == before
    assert again.late_rows == 0
    assert query(db, "select count(*) from raw.runs where outcome = 'done'") == [(2,)]


@pytest.mark.shows(25)
def test_only_what_is_new_is_fetched_plus_the_look_back(sandbox: Sandbox, tmp_path: Path) -> None:
    """The day after, no window starts before the look-back, and the rows are those of a fresh load."""
    db, fresh = tmp_path / "a.duckdb", tmp_path / "fresh.duckdb"
    load_sandbox(sandbox, db)
    covered_until = sandbox.clock.now_us()
    sandbox.clock.advance(timedelta(days=1))
    sandbox.requests.clear()
    load_sandbox(sandbox, db)
    starts = [datetime.fromisoformat(asked["start_time"]) for asked in history_queries(sandbox)]
    assert starts
    assert min(us(at) for at in starts) >= covered_until - 73 * HOUR_US
    load_sandbox(sandbox, fresh)
    listed = {"instances", "reservations", "spot_bids", "projects", "instance_types"}  # these keep older versions
    assert {k: v for k, v in raw(db).items() if k not in listed} == {
        k: v for k, v in raw(fresh).items() if k not in listed
    }


@pytest.mark.shows(22)
def test_windows_of_any_size_give_the_same_rows(sandbox: Sandbox, tmp_path: Path) -> None:
    """One window for all, or one for each two days: the same rows."""
    load_sandbox(sandbox, tmp_path / "one.duckdb", window=timedelta(days=400))
    load_sandbox(sandbox, tmp_path / "many.duckdb", window=timedelta(days=2))
    assert raw(tmp_path / "one.duckdb") == raw(tmp_path / "many.duckdb")
    assert query(tmp_path / "one.duckdb", "select count(*) from raw.windows") == [(4,)]


@pytest.mark.shows(20)
def test_an_open_price_period_is_found_closed_though_it_began_long_before(tmp_path: Path) -> None:
    """Its start is far outside the look-back; it is asked for again until it has an end, and then no more."""
    began, ended = NOW - timedelta(days=20), NOW + timedelta(hours=5)
    spot = instance("inst_1", -24 * 20, [(-24 * 20, "RUNNING")], bid="bid_1")
    spot.prices.append(PricePeriod(us(began), us(ended), 1300))
    db = tmp_path / "a.duckdb"
    with serve(bare_account(instances=[spot])) as sandbox:
        load_sandbox(sandbox, db)
        assert query(db, "select end_time from raw.instance_price_periods") == [(None,)]
        sandbox.clock.advance(timedelta(days=1))
        load_sandbox(sandbox, db)
        assert query(db, "select end_time from raw.instance_price_periods") == [(ended.replace(tzinfo=None),)]
        sandbox.requests.clear()
        load_sandbox(sandbox, db)
        assert not [asked for asked in history_queries(sandbox, "pricing/history") if "instance_fid" in asked]


@pytest.mark.shows(19, 37)
def test_a_late_row_inside_the_look_back_arrives_and_is_counted(tmp_path: Path) -> None:
    """An event that becomes visible two days late is loaded by the next run; one ten days late by `--deep`."""
    one = instance("inst_1", -24 * 20, [(-24 * 20, "RUNNING")])
    db = tmp_path / "a.duckdb"
    with serve(bare_account(instances=[one])) as sandbox:
        assert load_sandbox(sandbox, db).late_rows == 0
        one.changes.append(StatusChange(us(NOW - timedelta(days=2)), "STATUS_ERROR"))
        result = load_sandbox(sandbox, db)
        assert (result.late_rows, result.late_seconds) == (1, 2 * 86_400)
        one.changes.insert(1, StatusChange(us(NOW - timedelta(days=10)), "STATUS_RELOCATING"))
        assert load_sandbox(sandbox, db).late_rows == 0
        result = load_sandbox(sandbox, db, deep=True)
        assert (result.late_rows, result.late_seconds) == (1, 10 * 86_400)
    statuses = query(db, "select status from raw.instance_status_events order by timestamp")
    assert statuses == [("STATUS_RUNNING",), ("STATUS_RELOCATING",), ("STATUS_ERROR",)]
    assert query(db, "select sum(late_rows), max(late_seconds) from raw.runs") == [(2, 864_000)]


@pytest.mark.shows(17)
def test_a_failure_between_windows_keeps_those_that_are_done(sandbox: Sandbox, tmp_path: Path) -> None:
    """The next run starts with the first window that is missing and ends with the rows of an undisturbed one."""
    db, fresh = tmp_path / "a.duckdb", tmp_path / "fresh.duckdb"

    def stop_at_four(progress: Progress) -> None:
        if progress.windows_done == 4:
            raise ApiError("the network went away")

    with Mithril(sandbox.key, sandbox.url) as api, pytest.raises(ApiError, match="went away"):
        load(api, db, LoadPlan(window=timedelta(days=3)), on_progress=stop_at_four)
    assert query(db, "select outcome, error, windows_done from raw.runs") == [("failed", "the network went away", 4)]
    done = query(db, "select max(to_at) from raw.windows")[0][0].replace(tzinfo=UTC)
    sandbox.requests.clear()
    load_sandbox(sandbox, db, lookback=timedelta(0))
    first_asked = min(datetime.fromisoformat(asked["start_time"]) for asked in history_queries(sandbox))
    assert first_asked >= done - timedelta(seconds=1)
    load_sandbox(sandbox, fresh)
    assert raw(db) == raw(fresh)


@pytest.mark.shows(17)
def test_a_package_that_a_crash_left_is_loaded_first(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between extract and load, the next run loads what was extracted, then goes on."""
    db, fresh = tmp_path / "a.duckdb", tmp_path / "fresh.duckdb"
    with monkeypatch.context() as patched:
        patched.setattr(dlt.Pipeline, "load", _full_disk)
        with pytest.raises(WarehouseError, match="No space left"):
            load_sandbox(sandbox, db)
    assert not db.exists() or "instances" not in tables_in(db, "raw")
    load_sandbox(sandbox, db)
    load_sandbox(sandbox, fresh)
    assert raw(db) == raw(fresh)


def _full_disk(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.shows(17)
def test_a_folder_that_was_copied_is_a_database_of_its_own(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path as a user types it, relative to where they are: what dlt remembers of an earlier place is nothing."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    monkeypatch.chdir(here)
    load_sandbox(sandbox, Path("a.duckdb"))
    shutil.copytree(here, there)
    monkeypatch.chdir(there)
    load_sandbox(sandbox, Path("a.duckdb"))
    assert [len(query(place / "a.duckdb", "select * from raw.runs")) for place in (here, there)] == [1, 2]


def test_a_load_looks_no_further_back_than_its_rows(sandbox: Sandbox, tmp_path: Path) -> None:
    """Every table of rows with an instant in their key is merged so."""
    load_sandbox(sandbox, tmp_path / "a.duckdb")
    tables = open_pipeline(tmp_path / "a.duckdb").default_schema.tables
    scopes = {table.name: tables[table.name].get("x-merge-destination-scope") for table in RAW_TABLES}
    assert scopes == {table.name: scope_of(table) for table in RAW_TABLES}


@pytest.mark.shows(17)
def test_a_lost_working_folder_costs_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    """The ledger is in the database too: without the folder, the next run still reads the look-back only."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    before = raw(db)
    work_folder(db).rename(tmp_path / "gone")
    sandbox.requests.clear()
    load_sandbox(sandbox, db)
    assert raw(db) == before
    assert len(history_queries(sandbox)) == len(sandbox.account.projects)


@pytest.mark.shows(18)
def test_a_lost_database_is_loaded_anew(sandbox: Sandbox, tmp_path: Path) -> None:
    """A working folder that claims everything is covered does not keep an empty database empty."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    before = raw(db)
    db.unlink()
    load_sandbox(sandbox, db)
    assert raw(db) == before


@pytest.mark.shows(11, 15)
def test_an_empty_account_makes_every_table_and_column(tmp_path: Path) -> None:
    """No instance, no reservation, nothing: all tables are there, with the declared columns in their types."""
    db = tmp_path / "a.duckdb"
    with serve(bare_account()) as sandbox:
        load_sandbox(sandbox, db)
    assert tables_in(db, "raw") == sorted([*(table.name for table in RAW_TABLES), LAYOUTS])
    types = {"text": "VARCHAR", "json": "VARCHAR", "bigint": "BIGINT", "bool": "BOOLEAN"}
    types |= {"timestamp": "TIMESTAMP", "usd": "DECIMAL(38,9)"}
    for table in RAW_TABLES:
        found = {name: kind for name, kind, *_ in query(db, f"describe raw.{table.name}")}
        assert {c.name: found.get(c.name) for c in table.columns} == {c.name: types[c.kind] for c in table.columns}
    assert query(db, "select count(*) from raw.windows") != [(0,)]


def test_a_key_without_projects_loads_and_says_so(tmp_path: Path) -> None:
    """Nothing to read is no error: the tables are made and the run is told."""
    with serve(bare_account(projects=[])) as sandbox:
        result = load_sandbox(sandbox, tmp_path / "a.duckdb")
    assert (result.outcome, result.projects, result.windows_planned) == ("done", [], 0)


@pytest.mark.parametrize("selects", ["in_force", "clipped"])
def test_a_window_invents_nothing_at_its_start(selects: str, tmp_path: Path) -> None:
    """The spell or period in force there, be it told with the window's start as its own, is no row of its own."""
    told, plain = tmp_path / "told.duckdb", tmp_path / "plain.duckdb"
    with serve(make_account(7, 14, 9), readings=Readings(start_selects=selects)) as sandbox:  # type: ignore[arg-type]  # one of both
        load_sandbox(sandbox, told, window=timedelta(days=2))
    with serve(make_account(7, 14, 9)) as sandbox:
        load_sandbox(sandbox, plain)
    assert raw(told) == raw(plain)


@pytest.mark.shows(24)
def test_a_backfill_leaves_the_live_watermark_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    """First the last days, then the ones before: the same rows as all at once, the newest end untouched."""
    db, fresh = tmp_path / "a.duckdb", tmp_path / "fresh.duckdb"
    middle = EPOCH + timedelta(microseconds=sandbox.account.now_us) - timedelta(days=5)
    load_sandbox(sandbox, db, since=middle)
    newest = query(db, "select max(to_at) from raw.windows")
    load_sandbox(sandbox, db, since=middle - timedelta(days=40), until=middle)
    assert query(db, "select max(to_at) from raw.windows") == newest
    load_sandbox(sandbox, fresh)
    assert raw(db) == raw(fresh)


def test_until_ends_the_run_there(sandbox: Sandbox, tmp_path: Path) -> None:
    """`--until` in the past reads no further, and no event from later is in the tables."""
    db = tmp_path / "a.duckdb"
    end = EPOCH + timedelta(microseconds=sandbox.account.now_us) - timedelta(days=4)
    result = load_sandbox(sandbox, db, until=end)
    assert result.as_of == end
    [(newest,)] = query(db, "select max(timestamp) from raw.instance_status_events")
    assert newest.replace(tzinfo=UTC) < end


def test_what_leaves_a_list_stays_in_the_database(tmp_path: Path) -> None:
    """A changed instance gets a new version; one that the list no longer has keeps its row, with an end."""
    first, second = instance("inst_1", -50, [(-50, "RUNNING"), (5, "ERROR")]), instance("inst_2", -50)
    account = bare_account(instances=[first, second])
    db = tmp_path / "a.duckdb"
    with serve(account) as sandbox:
        load_sandbox(sandbox, db)
        sandbox.clock.advance(timedelta(hours=10))
        second.listed = False
        load_sandbox(sandbox, db)
    versions = query(db, "select fid, status, _dlt_valid_to is null from raw.instances order by fid, _dlt_valid_from")
    assert versions[:2] == [("inst_1", "STATUS_RUNNING", False), ("inst_1", "STATUS_ERROR", True)]
    assert [(fid, current) for fid, _, current in versions[2:]] == [("inst_2", False)]


def test_reading_one_project_does_not_end_the_versions_of_another(sandbox: Sandbox, tmp_path: Path) -> None:
    """`--project A` after a run of all leaves the instances of B current."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    load_sandbox(sandbox, db, projects=(sandbox.account.projects[0].fid,))
    assert query(db, "select count(*) from raw.instances where _dlt_valid_to is not null") == [(0,)]


def test_the_source_works_in_anyones_own_pipeline(sandbox: Sandbox, tmp_path: Path) -> None:
    """`pipeline.run(mithril_source())`, twice, with dlt's own configuration: the rows of the command line's load."""
    db, ours = tmp_path / "own.duckdb", tmp_path / "ours.duckdb"
    pipeline = dlt.pipeline("own", destination=dlt.destinations.duckdb(str(db)), dataset_name="raw")
    for _ in range(2):
        pipeline.run(mithril_source(api_key=sandbox.key, api_url=sandbox.url), loader_file_format="parquet")
    load_sandbox(sandbox, ours)
    assert raw(db) == raw(ours)
    assert rows_of(db, "raw.windows")


def test_the_source_reads_through_dlts_dataset(sandbox: Sandbox, tmp_path: Path) -> None:
    """What was loaded can be read back with `pipeline.dataset()`, as dlt's users do."""
    pipeline = dlt.pipeline("own", destination=dlt.destinations.duckdb(str(tmp_path / "o.duckdb")), dataset_name="raw")
    pipeline.run(mithril_source(api_key=sandbox.key, api_url=sandbox.url), loader_file_format="parquet")
    assert len(pipeline.dataset()["projects"].fetchall()) == len(sandbox.account.projects)


def test_an_unknown_project_is_told_before_anything_is_written(sandbox: Sandbox, tmp_path: Path) -> None:
    """The sentence names the projects that the key sees; no database appears."""
    with pytest.raises(NotFoundError, match=sandbox.account.projects[0].fid):
        load_sandbox(sandbox, tmp_path / "a.duckdb", projects=("proj_unknown",))
    assert not (tmp_path / "a.duckdb").exists()


def test_since_after_now_is_refused_before_anything_is_written(sandbox: Sandbox, tmp_path: Path) -> None:
    """By the server's clock, not by this machine's."""
    later = EPOCH + timedelta(microseconds=sandbox.account.now_us, hours=1)
    with pytest.raises(UsageError, match="--since"):
        load_sandbox(sandbox, tmp_path / "a.duckdb", since=later)
    assert not (tmp_path / "a.duckdb").exists()


@pytest.mark.shows(31)
def test_a_second_run_at_the_same_time_is_refused(tmp_path: Path) -> None:
    """While one process holds the lock, another is told who has it."""
    db = tmp_path / "a.duckdb"
    with locked(db):
        code = f"from pathlib import Path; from mithril_elt.lock import locked; locked(Path({str(db)!r})).__enter__()"
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert LockedError.__name__ in other.stderr
    assert "since" in other.stderr


@pytest.mark.shows(36)
def test_state_stays_small_however_long_the_history(sandbox: Sandbox, tmp_path: Path) -> None:
    """The ledger of finished windows is one span a project, and open periods are those of living instances."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db, window=timedelta(days=1))
    [state_file] = work_folder(db).glob("*/state.json")
    resources = json.loads(state_file.read_text())["sources"]["mithril"]["resources"]
    for name in ("instance_status_events", "instance_price_periods"):
        assert {len(spans) for spans in resources[name]["covered"].values()} == {1}
    open_periods = sum(map(len, resources["instance_price_periods"]["open"].values()))
    assert open_periods <= len(sandbox.account.instances)


@pytest.mark.shows(18)
def test_a_moving_clock_freezes_at_the_start_of_the_run(tmp_path: Path) -> None:
    """What happens while a run goes on belongs to the next one: the watermark is the run's start."""
    one = instance(
        "inst_1", -48, [(-48, "RUNNING")] + [(n / 100, "ERROR" if n % 2 else "RUNNING") for n in range(1, 90)]
    )
    db = tmp_path / "a.duckdb"
    with serve(bare_account(instances=[one]), clock=Clock(NOW, speed=600)) as sandbox:
        result = load_sandbox(sandbox, db)
    assert result.as_of is not None
    [(newest,)] = query(db, "select max(timestamp) from raw.instance_status_events")
    [(to_at,)] = query(db, "select max(to_at) from raw.windows")
    assert newest.replace(tzinfo=UTC) < result.as_of == to_at.replace(tzinfo=UTC)
