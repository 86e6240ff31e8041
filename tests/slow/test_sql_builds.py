"""Builds of the models: one that is cut short, one whose tests fail, and one of what an older release loaded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.cli.main import dbtRunner
from dbt.parser.manifest import ManifestLoader

from minute_by_minute import at, made_up
from mithril_elt.dbt_project import copy_parsed, memory_limit, parse
from mithril_elt.errors import DataTestError, UsageError, WarehouseError
from mithril_elt.reports import known_up_to, report
from mithril_elt.tables import RAW_TABLES
from mithril_elt.transform import build
from sql_project import empty_raw
from story_in_raw import tell

pytestmark = pytest.mark.xdist_group("sql")

STORY = made_up(3)
AS_OF = at(STORY.as_of).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was loaded and built."""
    db = tmp_path_factory.mktemp("built") / "a.duckdb"
    with duckdb.connect(str(db)) as connection:
        empty_raw(connection)
        tell(connection, STORY)
    done = build(db)
    assert done.models > 60
    assert done.tests > 60
    return db


@pytest.fixture
def db(built: Path) -> Iterator[Path]:
    """The same, put back afterwards: where dbt has read the project, it reads it faster."""
    kept = built.read_bytes()
    yield built
    built.write_bytes(kept)


def changed(db: Path, sql: str) -> None:
    """Runs a statement on a database."""
    with duckdb.connect(str(db)) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(sql)


def found(db: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with duckdb.connect(str(db), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_marts_of_a_build_that_was_cut_short_are_refused(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a build leaves marts of two instants: no report is made of them, and the next build makes them whole."""
    before = report(db, "cost").as_of
    changed(db, "update raw.windows set to_at = to_at - interval 1 minute")
    whole = dbtRunner.invoke

    def some_models_and_no_more(self: dbtRunner, args: list[str]) -> Any:
        outcome = whole(
            self,
            args if args[0] == "parse" else [*args, "--select", "int_project_reads", "int_projects", "dim_projects"],
        )
        if args[0] == "parse":
            return outcome
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dbtRunner, "invoke", some_models_and_no_more)
        with pytest.raises(KeyboardInterrupt):
            build(db)
    assert found(db, "select distinct as_of from marts.dim_projects") != found(
        db, "select distinct as_of from marts.dim_instances"
    )
    for ask in (lambda: report(db, "usage"), lambda: known_up_to(db)):
        with pytest.raises(WarehouseError, match="`mithril-elt build` makes them anew") as refused:
            ask()
        assert refused.value.exit_status == 9
    build(db)
    assert report(db, "cost").as_of != before
    assert found(db, "select number, finished_at is not null from staging.builds order by 1") == [
        (1, True),
        (2, False),
        (3, True),
    ]


@pytest.mark.shows(38)
def test_a_data_test_that_fails_leaves_no_model_as_it_was(db: Path) -> None:
    """Tests run after all models: the marts are of one instant, reports are made, and the build says what is wrong."""
    changed(db, "insert into raw.instances select * from raw.instances limit 1")
    changed(db, "update raw.windows set to_at = to_at - interval 1 minute")
    with pytest.raises(DataTestError, match="stg_mithril__instances"):
        build(db)
    instants = found(db, "select as_of from marts.dim_projects union select as_of from marts.dim_instances")
    assert instants == [(report(db, "usage").as_of.replace(tzinfo=None),)]  # type: ignore[union-attr]
    assert instants[0][0] < AS_OF.replace(tzinfo=None)


def test_a_model_that_cannot_be_built_leaves_the_marts_refused(db: Path) -> None:
    """Where one mart is of before and the others are new, no report is made."""
    changed(db, "alter table raw.reservation_grants drop column quantity")
    changed(db, "alter table raw.reservation_grants add column quantity varchar default 'many'")
    changed(db, "insert into raw.reservation_grants (reservation_fid, starts_at, position) values ('res_a', now(), 9)")
    with pytest.raises(WarehouseError, match="could not be built"):
        build(db)
    with pytest.raises(WarehouseError, match="of two instants"):
        report(db, "reservations")


def test_no_more_memory_is_taken_than_allowed(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that is too low for any model is told in a sentence; with a sensible one all is built."""
    monkeypatch.setenv("MITHRIL_DUCKDB_MEMORY_LIMIT", "9MB")
    with pytest.raises(WarehouseError, match=r"the first: \w+: Out of Memory Error: [^\n]+$"):
        build(db)
    monkeypatch.setenv("MITHRIL_DUCKDB_MEMORY_LIMIT", "500MB")
    assert build(db).models > 60


_OF_MACHINES = {"18.8 GiB": "4GiB", "4.1 GiB": "4GiB", "1.5 TiB": "4GiB", "3.5 GiB": "3.5GiB", "700.5 MiB": "700.5MiB"}


@pytest.mark.parametrize(("its_own", "limit"), _OF_MACHINES.items())
def test_the_limit_of_memory_fits_the_machine(monkeypatch: pytest.MonkeyPatch, its_own: str, limit: str) -> None:
    """4 GiB, or what DuckDB takes of a smaller machine."""
    machine = duckdb.connect(config={"memory_limit": its_own.replace(" ", "")})
    monkeypatch.delenv("MITHRIL_DUCKDB_MEMORY_LIMIT", raising=False)
    monkeypatch.setattr("mithril_elt.dbt_project.duckdb.connect", machine.cursor)
    assert memory_limit() == limit


def test_the_limit_of_memory_is_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment has the last word, if it says a size."""
    monkeypatch.setenv("MITHRIL_DUCKDB_MEMORY_LIMIT", "2GB")
    assert memory_limit() == "2GB"
    monkeypatch.setenv("MITHRIL_DUCKDB_MEMORY_LIMIT", "plenty")
    with pytest.raises(UsageError, match="a size such as 4GB, not 'plenty'"):
        memory_limit()


@pytest.mark.shows(8)
def test_what_an_older_release_loaded_and_built_is_still_read(db: Path) -> None:
    """Columns that it did not know are added, as null; marts whose build nobody noted are taken for whole."""
    added = {
        ("reservation_events", "position"),
        ("windows", "run_ends_at"),
        ("windows", "asked_by"),
        ("windows", "pages_count"),
        ("runs", "withdrawn_rows"),
        ("runs", "lookback_seconds"),
        ("instance_status_events", "withdrawn_at"),
        ("instance_price_periods", "withdrawn_at"),
        *((table.name, "read_at") for table in RAW_TABLES if table.history == "versions"),
    }
    for table, column in added:
        changed(db, f"alter table raw.{table} drop column {column}")
    changed(db, "drop table staging.builds")
    told = {name: report(db, name, by=["project"]) for name in ("usage", "cost", "uptime", "reservations")}
    build(db)
    for name, answer in told.items():
        assert report(db, name, by=["project"]) == answer
    assert found(db, "select number, as_of from staging.builds") == [(1, None)]


def test_a_build_is_noted_before_dbt_begins(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The note says when a build began and for which as_of, and stays open if it dies at once."""
    monkeypatch.setattr(dbtRunner, "invoke", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(db, as_of=datetime(2026, 3, 31, tzinfo=UTC))
    [(started_at, finished_at, as_of)] = found(
        db, "select started_at, finished_at, as_of from staging.builds where number = 2"
    )
    assert abs(datetime.now(UTC) - started_at.replace(tzinfo=UTC)).total_seconds() < 600
    assert (finished_at, as_of) == (None, "2026-03-31T00:00:00Z")


def test_what_was_parsed_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for the next build, and not for the scratch copy of a report of an earlier instant."""
    db, kept, target = tmp_path / "a.duckdb", tmp_path / "kept", tmp_path / "copy"
    nodes = set(parse(db, kept).nodes)
    assert len(nodes) > 100
    monkeypatch.setattr(ManifestLoader, "parse_project", lambda *_, **__: 1 / 0)
    assert set(parse(db, kept).nodes) == nodes
    copy_parsed(kept, target)
    assert set(parse(db, target).nodes) == nodes
    with pytest.raises(WarehouseError):
        parse(db, target, full=True)
