"""Builds that count only what has changed: whatever came meanwhile, the marts are those of a build from nothing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from recorded import Recorded, recorded
from worlds import Comparison

from loading import late_and_corrected, load_sandbox, query, tables_in
from mithril_elt.dbt_project import BuildResult
from mithril_elt.errors import DataTestError
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.server import Sandbox
from mithril_elt.transform import build

HISTORIES = ("instance_status_events", "instance_price_periods")
LOOKBACK = timedelta(hours=30)
_OLD = "(select min(timestamp) + interval 60 hour from raw.instance_status_events)"
_OLDEST = "(select min(timestamp) from raw.instance_status_events)"
_NEW = "(select max(timestamp) - interval 20 hour from raw.instance_status_events)"

# What may come between two builds, as statements on the raw tables: each leaves what a load might leave.
LATE, PRICES = "late events, far behind the look-back", "prices corrected, periods closed and opened"
TOLD_AGAIN = "; ".join(f"update raw.{table} set read_at = read_at + interval 1 microsecond" for table in HISTORIES)
CHANGES = {
    "nothing": "select 1",
    LATE: "insert into raw.instance_status_events by name select * replace"
    f" ({_OLD} as timestamp, 'STATUS_ERROR' as status) from (from raw.instance_status_events where status ="
    " 'STATUS_RUNNING' qualify row_number() over (partition by instance_fid order by timestamp) = 1)",
    "events withdrawn, new and old": "update raw.instance_status_events set withdrawn_at = read_at where timestamp"
    f" between {_OLD} - interval 9 hour and {_OLD} + interval 9 hour or timestamp > {_NEW}",
    "all events of some instances withdrawn": "update raw.instance_status_events set withdrawn_at = read_at"
    " where instance_fid in (select distinct instance_fid from raw.instance_status_events order by 1 limit 2)",
    "events told again": "update raw.instance_status_events set withdrawn_at = null",
    PRICES: "update raw.instance_price_periods set price_cents = price_cents + 7,"
    " end_time = case when hash(start_time) % 2 = 0 then start_time + interval 3 hour end"
    " where hash(instance_fid, start_time) % 7 = 0",
    "prices withdrawn": "update raw.instance_price_periods set withdrawn_at = read_at where hash(start_time) % 9 = 0",
    "instances moved to another order": "update raw.instances set bid = null, reservation = (select min(fid) from"
    " raw.reservations where project = instances.project) where bid is not null and hash(fid) % 3 = 0",
    "a type with other GPUs": "update raw.instance_types set num_gpus = num_gpus + 1",
    "other prices and quantities granted": "update raw.reservation_grants set unit_price_cents = unit_price_cents + 1,"
    " quantity = quantity + 1 where reservation_fid = (select min(reservation_fid) from raw.reservation_grants)",
    "other pause rates": "update raw.reservation_events set pause_credit_cents = pause_credit_cents + 3"
    " where reservation_fid = (select max(reservation_fid) from raw.reservation_events)",
    "reservations end sooner": "update raw.reservations set end_time = end_time - interval 50 hour"
    " where hash(fid) % 2 = 0",
    "a status that nobody foresaw": "update raw.instance_status_events set status = 'STATUS_DREAMING'"
    " where status = 'STATUS_PAUSED' and hash(instance_fid) % 2 = 0",
    "as_of goes back": "update raw.windows set to_at = to_at - interval 31 hour where to_at = run_ends_at;"
    " update raw.windows set run_ends_at = to_at where to_at + interval 31 hour = run_ends_at",
}


@dataclass(frozen=True)
class Twins:
    """A database that is built over and over, and how to build a copy of it from nothing."""

    sandbox: Sandbox
    db: Path
    comparison: Comparison

    def load(self, **wanted: Any) -> None:
        """Loads what is new."""
        load_sandbox(self.sandbox, self.db, lookback=LOOKBACK, **wanted)

    def change(self, sql: str) -> None:
        """Changes what is loaded, as a load would: rows that are other than before are of a load of their own."""
        with duckdb.connect(str(self.db)) as connection:
            connection.execute("set timezone = 'UTC'")
            for table in HISTORIES:
                connection.execute(f"create temp table {table} as select hash(told) as told from raw.{table} as told")
            connection.execute(sql)
            for table in HISTORIES:
                connection.execute(
                    f"update raw.{table} as told set _dlt_load_id = ? where hash(told) not in (from temp.{table})",
                    [f"{time.time_ns()}"],
                )

    def replace_in_views(self, text: str, by: str) -> None:
        """Makes those views of intermediate models anew that have the text; at least one has."""
        ours = "from duckdb_views() where schema_name = 'staging' and view_name like 'int\\_%' escape '\\'"
        with duckdb.connect(str(self.db)) as connection:
            views = [sql for (sql,) in connection.execute(f"select sql {ours}").fetchall() if text in sql]
            for sql in views:
                connection.execute(sql.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1).replace(text, by))
        assert views

    def unequal(self, as_of: datetime | None = None) -> list[str]:
        """The marts in which the database, as built, is not a copy that is built from nothing."""
        twin = self.db.with_name("twin.duckdb")
        with duckdb.connect(str(twin)) as connection:
            connection.execute(f"attach '{self.db}' as live (read_only)")
            connection.execute("create schema raw")
            for table in tables_in(self.db, "raw"):
                connection.execute(f"create table raw.{table} as from live.raw.{table}")
        self.comparison.models.build(twin, as_of)
        tables = tables_in(twin, "marts")
        mine, theirs = (
            {table: query(db, f"from marts.{table} order by all") for table in tables} for db in (self.db, twin)
        )
        twin.unlink()
        assert tables_in(self.db, "marts") == tables
        assert sum(map(len, theirs.values())) > 300
        return [table for table in tables if mine[table] != theirs[table]]

    def copied(self, folder: Path) -> Twins:
        """The same in a copy of its own, with what is beside it; the clock is shared."""
        shutil.copytree(self.db.parent, folder, dirs_exist_ok=True)
        return replace(self, db=folder / self.db.name)


@pytest.fixture(scope="module")
def begun(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Seven days of one project were loaded and built; five more are to come, and the other project."""
    with late_and_corrected() as sandbox:
        sandbox.clock.advance(-timedelta(hours=3))
        twins = Twins(sandbox, tmp_path_factory.mktemp("begun") / "a.duckdb", comparison)
        twins.load(projects=(sandbox.account.projects[0].fid,))
        assert not build(twins.db).only_changed
        yield twins


@pytest.fixture(scope="module")
def models(begun: Twins, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """What dbt runs in a build that counts only what has changed."""
    plain, pinned = (begun.copied(tmp_path_factory.mktemp(name)).db for name in ("plain", "pinned"))
    return recorded(plain, pinned)


@pytest.fixture
def twins(begun: Twins, tmp_path: Path) -> Iterator[Twins]:
    """A copy of what was built, with the clock as it was then."""
    now = utc(begun.sandbox.clock.now_us())
    yield begun.copied(tmp_path / "own")
    begun.sandbox.clock.set(now)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("at_once", [3, pytest.param(1, marks=pytest.mark.long)])
def test_whatever_changes_the_marts_are_those_of_a_build_from_nothing(
    at_once: int, twins: Twins, models: Recorded
) -> None:
    """Run after run with late, withdrawn and corrected rows, and between them all that may happen to the raw tables.

    So many changes come between two builds.
    """
    twins.load()
    for number, (change, sql) in enumerate(CHANGES.items()):
        if number % 4 == 1:
            twins.sandbox.clock.advance(timedelta(hours=19, minutes=7))
            twins.load(deep=number == 9)
        twins.change(sql)
        if number % at_once == at_once - 1 or number == len(CHANGES) - 1:
            models.build(twins.db)
            assert twins.unequal() == [], change


@pytest.mark.timeout(600)
def test_as_of_may_be_pinned_and_let_go(twins: Twins, models: Recorded) -> None:
    """As of three days ago, of now after another day of runs, of the middle of the story, of now again."""
    pinned = [utc(twins.sandbox.clock.now_us()) - timedelta(days=days, minutes=17) for days in (3, 5)]
    for as_of in (pinned[0], None, pinned[1], None):
        if as_of is None:
            twins.sandbox.clock.advance(timedelta(hours=23))
            twins.load()
        models.build(twins.db, as_of)
        assert twins.unequal(as_of) == [], as_of


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("column", "is_right"), [("first_told_at", True), ("as_of", False)])
def test_what_was_not_there_counts_from_its_beginning(
    column: str, twins: Twins, models: Recorded, *, is_right: bool
) -> None:
    """A spot instance that began two hours after a pinned as_of, of which all is known already; a fault shows it."""
    counted_from = "coalesce(known_instances.{}, known_instances.as_of)".format
    broken = models.broken({counted_from("first_told_at"): counted_from(column)})
    broken.build(twins.db, utc(twins.sandbox.clock.now_us()) - timedelta(days=5, hours=9))
    broken.build(twins.db)
    assert (twins.unequal() == []) is is_right


# What is left out, and the change that shows it; each is a text of the statements and what stands there instead.
FAULTS = {
    "new loads are forgotten": ({"earlier.load_id is null as is_new": "false as is_new"}, ""),
    "late rows are counted from the newest day on": ({"min(changed_at)": "max(changed_at)"}, LATE),
    "late rows are forgotten": ({"where is_changed": "where is_changed and false"}, LATE),
    "withdrawn rows are forgotten": ({}, "events withdrawn, new and old"),
    "a price is told by its start": ({}, PRICES),
    "as_of does not move": (
        {
            "known_instances.as_of <> earlier.as_of": "false",
            "case when terms.as_of <> earlier.as_of": "case when false",
        },
        "",
    ),
    "the last settled spell is taken for the first": (
        {"previous_status as status_before_settled": "'' as status_before_settled"},
        "",
    ),
    "hours that are counted again are not forgotten": (
        {"and counted.hour_at >= hours_from_at\n": "and counted.hour_at > hours_from_at + interval 9 hour\n"},
        "",
    ),
    "facts are not compared": ({"known_instances.facts <> earlier.facts": "false"}, "instances moved to another order"),
    "terms are not compared": ({"coalesce(reservation_terms.is_changed, false)": "false"}, "other pause rates"),
}
# What is left out in a view, which builds that count only what has changed leave as it is; as DuckDB words it.
IN_VIEWS = {
    "withdrawn rows are forgotten": ("(withdrawn_at IS NULL)", "(true)"),
    "a price is told by its start": (", price_periods.ends_at, price_periods.price_cents)", ")"),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_left_out_is_seen(fault: str, twins: Twins, models: Recorded) -> None:
    """With a fault in what finds the changes, or in what is done with them, a day of runs or a change shows it."""
    texts, change = FAULTS[fault]
    broken = models.broken(texts)
    if fault in IN_VIEWS:
        twins.replace_in_views(*IN_VIEWS[fault])
    twins.change(TOLD_AGAIN)  # so that all that is kept of the histories is made with the fault
    broken.build(twins.db)
    twins.sandbox.clock.advance(timedelta(hours=26))
    twins.load()
    twins.change(CHANGES[change or "nothing"])
    broken.build(twins.db)
    assert twins.unequal() != []


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("least", "is_right"), [("-3600000000", True), ("0", False)])
def test_a_pause_that_comes_to_last_an_hour_is_counted_from_its_start(
    least: str, twins: Twins, models: Recorded, *, is_right: bool
) -> None:
    """It is too short at one build and long enough at the next, without any event between; a fault shows it."""
    twins.change(
        "insert into raw.instance_status_events by name select distinct on (instance_fid) * replace"
        " ((select max(to_at) from raw.windows) - interval 55 minute as timestamp, 'STATUS_PAUSED' as status,"
        " null as withdrawn_at) from raw.instance_status_events"
        " where instance_fid in (select fid from raw.instances where reservation is not null)"
    )
    models.build(twins.db)
    assert query(twins.db, "select 1 from marts.fct_pause_credits where is_open and short_pause_loss_cent_us > 0")
    twins.change(
        "update raw.windows set to_at = to_at + interval 20 minute, run_ends_at = run_ends_at + interval 20 minute,"
        " read_at = read_at + interval 20 minute where to_at = run_ends_at"
    )
    models.broken({"-3600000000": least}).build(twins.db)
    assert query(twins.db, "select 1 from marts.fct_pause_credits where is_open and is_credited")
    assert (twins.unequal() == []) is is_right


@pytest.mark.timeout(600)
def test_rows_that_no_load_took_away_are_missed_and_all_is_counted_anew(twins: Twins) -> None:
    """A build that goes by loads does not see what is deleted by hand, but that something is; the next one sees all."""
    with duckdb.connect(str(twins.db)) as connection:
        connection.execute(f"delete from raw.instance_status_events where timestamp = {_OLDEST}")
    with pytest.raises(DataTestError, match="assert_days_hold_all_that_is_told"):
        build(twins.db)
    assert not build(twins.db).only_changed
    assert twins.unequal() == []


@pytest.mark.timeout(600)
def test_only_what_a_sound_build_left_is_kept(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after a build that was killed, that failed a test, that was of other models, or that was made by hand."""
    asked: list[bool] = []

    def made(*_: Any, only_changed: bool, **__: Any) -> BuildResult:
        asked.append(only_changed)
        return BuildResult()

    monkeypatch.setattr("mithril_elt.transform.parse", lambda *_, **__: None)
    monkeypatch.setattr("mithril_elt.transform.run", made)
    build(twins.db)
    build(twins.db, as_of=datetime(2026, 3, 25, tzinfo=UTC))
    build(twins.db)
    assert asked == [True, True, True]
    build(twins.db, full=True)
    for damage in (
        "update staging.builds set finished_at = null where number = (select max(number) from staging.builds)",
        "update staging.builds set fingerprint = 'of other models'",
        "update staging.int_changed_instances set counted_by = 'by hand'",
    ):
        twins.change(damage)
        build(twins.db)
        build(twins.db)
    assert asked[3:] == [False, False, True, False, True, False, True]

    def failed(*_: Any, **__: Any) -> BuildResult:
        raise DataTestError("a test failed")

    with monkeypatch.context() as patch, suppress(DataTestError):
        patch.setattr("mithril_elt.transform.run", failed)
        build(twins.db)
    build(twins.db)
    assert asked[10:] == [False]
