"""What stands idle, on PostgreSQL: the same reports, what is paused and noted, a journal that moves with the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from places import rows_of

from acting_api import Server
from acting_by_hand import made, samples, used
from commands import Cli, Ended
from marts_by_hand import MARTS, fill
from mithril_elt.acting.journal import COLUMNS
from mithril_elt.migration import make_schema
from mithril_elt.moving import copy
from mithril_elt.place import Place
from mithril_elt.postgres import Postgres
from mithril_elt.reports import Assumptions, UseTable, report
from mithril_elt.warehouse import opened
from scripted import KEY, Scripted, scripted
from small_account import small_account

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The account of idle and busy instances, in a file."""
    return made(tmp_path / "a.duckdb")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table by which `idle` is idle and `busy` is not, and the one that has ended was idle before."""
    rows = [*samples("idle", -3, 0, 0), *samples("busy", -3, 0, 90), *samples("ended", -10, -1, 0)]
    return used(tmp_path / "use.csv", rows)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """An API that pauses what it is asked to."""
    with scripted(Server()) as running:
        monkeypatch.setenv("MITHRIL_API_KEY", KEY)
        monkeypatch.setenv("MITHRIL_API_URL", running.url)
        yield running


def same_marts(db: Path, place: Postgres) -> None:
    """The marts of the file, in the other place as well."""
    with duckdb.connect(str(db), read_only=True) as file, opened(place) as session:
        session.execute("drop schema if exists marts cascade")
        make_schema(session, "marts")
        for mart, columns in MARTS.items():
            session.execute(f"create table marts.{mart} ({columns.replace('hugeint', 'numeric(38, 0)')})")
            for row in file.execute(f"from marts.{mart}").fetchall():
                marks = ", ".join(f"${place}" for place in range(1, len(row) + 1))
                session.execute(f"insert into marts.{mart} values ({marks})", list(row))


def actions(place: Place) -> list[tuple[str, ...]]:
    """What is noted, but for who noted it and when."""
    return rows_of(place, "ops.actions", [name for name in COLUMNS if name not in {"run_id", "noted_at"}])


def test_reports_of_idle_time_are_those_of_duckdb(place: Postgres, db: Path, table: Path) -> None:
    """With a table of utilisation in a file, and in the database; return-now by what is expected."""
    same_marts(db, place)
    use = UseTable(str(table))
    answers = [report(each, "opportunities", use=use) for each in (db, place)]
    assert answers[0] == answers[1]
    found = {(row[1], row[2], row[-1]) for row in answers[1].rows}
    assert ("inst_idle", "pause_when_unused", False) in found
    assert ("inst_ended", "pause_when_unused", True) in found
    with opened(place) as session:
        session.execute("create schema metrics")
        session.execute("create table metrics.gpus (timestamp timestamptz, instance text, gpu_utilisation float8)")
        for line in table.read_text().splitlines()[1:]:
            session.execute("insert into metrics.gpus values ($1, $2, $3)", line.split(","))
    assert report(place, "opportunities", use=UseTable("metrics.gpus")).rows == answers[0].rows
    for assumed in (Assumptions(), Assumptions.asked("30", "12.50")):
        assert report(place, "return-now", assumptions=assumed) == report(db, "return-now", assumptions=assumed)


def test_reports_of_the_small_account_are_those_of_duckdb(place: Postgres, tmp_path: Path) -> None:
    """Of all that finance reads, each row, total and warning."""
    db = tmp_path / "small.duckdb"
    with duckdb.connect(str(db)) as file:
        fill(file, small_account())
    same_marts(db, place)
    asked: list[tuple[str, tuple[str, ...]]] = [
        ("opportunities", ()),
        ("variance", ("instance-type",)),
        ("variance", ("order", "project")),
        ("return-credits", ("reservation", "day")),
        ("return-now", ()),
        ("chargeback", ("day",)),
        ("rates", ("project",)),
    ]
    for name, by in asked:
        mine, theirs = report(place, name, by=by), report(db, name, by=by)
        assert mine == theirs, (name, by)
        assert mine.rows or name == "return-now"


@pytest.fixture
def act(cli: Cli, table: Path) -> Callable[..., Ended]:
    """Runs the command with that table."""

    def run(*options: str | Path) -> Ended:
        return cli("opportunities", *options, "--utilisation", table, "--for", "8h", "--wait", "1m")

    return run


def test_what_is_paused_and_noted_is_that_of_duckdb(
    place: Postgres, db: Path, act: Callable[..., Ended], cli: Cli, served: Scripted
) -> None:
    """The list, the requests, and the journal to its last column; then the journal as it is read."""
    same_marts(db, place)
    there = ("--destination", "postgres")
    listed = [json.loads(act(*where, "--json").out) for where in (("--db", db), there)]
    assert listed[0] == listed[1]
    assert [each["instance_id"] for each in listed[1]["candidates"] if not each["refusal"]] == [
        "inst_broken",
        "inst_idle",
    ]
    done = act(*there, "--apply", "--yes", "--json")
    assert done.status == 0, done.err
    assert {each["outcome"] for each in json.loads(done.out)["actions"]} == {"paused"}
    sent = [json.loads(each.body)["instances"] for each in served.asked if each.method == "PATCH"]
    assert sent == [["inst_broken", "inst_idle"]]
    told = json.loads(cli("opportunities", *there, "--journal", "--json").out)["actions"]
    assert {(each["instance_id"], each["outcome"]) for each in told} == {
        ("inst_broken", "paused"),
        ("inst_idle", "paused"),
    }
    with scripted(Server()) as again, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MITHRIL_API_URL", again.url)
        assert act("--db", db, "--apply", "--yes", "--json").status == 0
    assert actions(place) == actions(db) != []


def test_a_journal_moves_with_the_rest(place: Postgres, db: Path, act: Callable[..., Ended], served: Scripted) -> None:
    """There and back, row by row; what it is copied to goes on with it. Where nothing was noted there is none."""
    assert act("--db", db, "--apply", "--yes").status == 0, served
    with duckdb.connect(str(db)) as file:
        file.execute("create schema raw; create table raw.runs (run_id varchar); insert into raw.runs values ('r')")
    noted = rows_of(db, "ops.actions", list(COLUMNS))
    copied = copy(db, place)
    assert copied.tables == {"runs": 1, "ops.actions": len(noted)}
    assert rows_of(place, "ops.actions", list(COLUMNS)) == noted
    back = db.with_name("back.duckdb")
    copy(place, back)
    assert rows_of(back, "ops.actions", list(COLUMNS)) == noted
    same_marts(db, place)
    assert act("--destination", "postgres", "--apply", "--yes").status == 2  # they are paused already
    assert len(actions(place)) > len(noted)


def test_without_a_journal_none_is_made(place: Postgres, tmp_path: Path) -> None:
    """A dataset has its own, and another's stays where it is."""
    db = tmp_path / "b.duckdb"
    with duckdb.connect(str(db)) as file:
        file.execute("create schema acme_raw; create table acme_raw.runs (run_id varchar)")
        file.execute("create schema ops; create table ops.actions (run_id varchar)")
    assert copy(db, place, "acme").tables == {"runs": 0}
    with opened(place) as session:
        listed: list[tuple[Any, ...]] = session.execute(
            "select table_schema from information_schema.tables where table_name = 'actions'"
        ).fetchall()
    assert listed == []
