"""`status --check`: whether figures are fresh and what they hang on was sound, in a sentence and an exit status."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from commands import Cli, assert_one_sentence
from mithril_elt.errors import LockedError, WarehouseError
from mithril_elt.freshness import freshness
from mithril_elt.lock import make_work_folder
from test_warehouse import open_elsewhere

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY = timedelta(hours=26)
Made = Callable[..., Path]


def naive(hours_ago: float) -> datetime:
    """So many hours before NOW, as the tables have it."""
    return (NOW - timedelta(hours=hours_ago)).replace(tzinfo=None)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Makes a database of runs, windows and, if there are any, builds and projects' instants in the marts."""

    def make(
        runs: list[tuple[Any, ...]],
        windows: list[tuple[Any, ...]] = (),  # type: ignore[assignment]  # none
        builds: list[tuple[Any, ...]] | None = None,
        projects: list[tuple[Any, ...]] | None = None,
    ) -> Path:
        db = tmp_path / "m.duckdb"
        db.unlink(missing_ok=True)
        with duckdb.connect(str(db)) as connection:
            connection.execute("create schema raw; create schema staging; create schema marts")
            connection.execute("create table raw.runs (started_at timestamp, outcome text, error text)")
            connection.execute("create table raw.windows (project text, history text, to_at timestamp)")
            _fill(connection, "raw.runs", runs)
            _fill(connection, "raw.windows", windows)
            if builds is not None:
                columns = "number bigint, started_at timestamp, finished_at timestamp, fingerprint text, made_by text"
                connection.execute(f"create table staging.builds ({columns})")
                _fill(connection, "staging.builds", builds)
            if projects is not None:
                connection.execute("create table marts.dim_projects (project_id text, as_of timestamp)")
                _fill(connection, "marts.dim_projects", projects)
        return db

    return make


def _fill(connection: Any, table: str, rows: list[tuple[Any, ...]]) -> None:
    for row in rows:
        connection.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)


DONE = (naive(1), "done", None)
SOUND = [(1, naive(1), naive(0.9), "made of this", "dbt")]
FRESH = [("proj_a", naive(1))]


@pytest.mark.parametrize(
    ("tables", "reason", "words"),
    [
        ({"runs": [DONE], "builds": SOUND, "projects": FRESH}, None, "2026-03-31T11:00:00Z (proj_a), 1.0 h ago"),
        ({"runs": [DONE], "builds": SOUND, "projects": [*FRESH, ("proj_b", naive(30))]}, "stale", "(proj_b), 30.0 h"),
        ({"runs": [DONE], "builds": SOUND, "projects": [*FRESH, ("proj_new", None)]}, None, "(proj_a)"),
        (
            {"runs": [DONE, (naive(0.5), "failed", "no network")], "builds": SOUND, "projects": FRESH},
            "run_failed",
            "of 2026-03-31T11:30:00Z, failed: no network",
        ),
        ({"runs": [(naive(9), "failed", "x"), DONE], "builds": SOUND, "projects": FRESH}, None, "sound"),
        (
            {"runs": [DONE], "builds": [*SOUND, (2, naive(0.5), naive(0.4), None, "dbt")], "projects": FRESH},
            "data_test_failed",
            "the build of 2026-03-31T11:30:00Z",
        ),
        (
            {"runs": [DONE], "builds": [*SOUND, (2, naive(0.5), None, None, None)], "projects": FRESH},
            "build_broken_off",
            "did not come to its end",
        ),
        ({"runs": [DONE], "builds": [(1, naive(1), naive(0.9), None, None)], "projects": FRESH}, None, "sound"),
        ({"runs": []}, "no_run", "there was no run"),
        ({"runs": [DONE]}, "no_run", "no run has read"),
        ({"runs": [DONE], "windows": [("proj_a", "status", naive(2)), ("proj_a", "pricing", naive(3))]}, None, "3.0 h"),
        ({"runs": [DONE], "windows": [("proj_a", "status", naive(2)), ("proj_a", "status", naive(30))]}, None, "2.0 h"),
    ],
)
def test_what_a_database_tells(made: Made, tables: dict[str, Any], reason: str | None, words: str) -> None:
    """The marts' earliest instant, else that of the windows; of runs and builds only the last ones count."""
    found = freshness(made(**tables), None, DAY, NOW)
    assert (found.reason, found.is_ok) == (reason, reason is None), found
    assert words in found.sentence


def test_how_old_is_too_old_is_asked_for(made: Made) -> None:
    """To the second, and both are told."""
    db = made(runs=[DONE], projects=[("proj_a", naive(2))])
    assert freshness(db, None, timedelta(hours=2), NOW).is_ok
    found = freshness(db, None, timedelta(hours=2), NOW + timedelta(seconds=1))
    assert found.facts() | {"sentence": ""} == {
        "ok": False,
        "reason": "stale",
        "sentence": "",
        "as_of": "2026-03-31T10:00:00Z",
        "age_seconds": 7201,
        "max_age_seconds": 7200,
    }


def test_of_a_pinned_build_the_pin_counts(made: Made) -> None:
    """The marts end where they were pinned, whatever was read since."""
    windows = [("proj_a", "status", naive(1)), ("proj_a", "pricing", naive(1))]
    found = freshness(made(runs=[DONE], windows=windows, projects=[("proj_a", naive(99))]), None, DAY, NOW)
    assert found.reason == "stale"


@pytest.mark.parametrize(("held_hours", "reason"), [(1, None), (27, "run_hangs")])
def test_a_run_that_has_the_file_to_itself(made: Made, held_hours: int, reason: str | None) -> None:
    """Is waited for (exit status 8), unless it takes longer than figures may be old."""
    db = made(runs=[DONE])
    since = (NOW - timedelta(hours=held_hours)).isoformat()
    note = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
    (make_work_folder(db) / "holder.json").write_text(json.dumps(note))
    with open_elsewhere(db):
        if reason:
            assert freshness(db, None, DAY, NOW).reason == reason
            return
        with pytest.raises(LockedError, match=f"process {os.getpid()} on"):
            freshness(db, None, DAY, NOW)


def test_a_file_that_something_else_has_open(made: Made) -> None:
    """A notebook that holds it is no run: status 9, as everywhere; nor is a process long gone, or elsewhere."""
    db = made(runs=[DONE])
    for note in ({}, {"pid": 2**22 - 1}, {"host": "elsewhere"}):
        written = {"pid": os.getpid(), "host": socket.gethostname(), "since": NOW.isoformat()} | note
        if note:
            (make_work_folder(db) / "holder.json").write_text(json.dumps(written))
        with open_elsewhere(db), pytest.raises(WarehouseError, match="another process"):
            freshness(db, None, DAY, NOW)


def test_a_build_that_goes_on_is_not_broken_off(made: Made) -> None:
    """Where readers get in meanwhile, as on a server."""
    db = made(runs=[DONE], builds=[*SOUND, (2, naive(0.1), None, None, None)], projects=FRESH)
    note = {"pid": os.getpid(), "host": socket.gethostname(), "since": NOW.isoformat()}
    (make_work_folder(db) / "holder.json").write_text(json.dumps(note))
    assert freshness(db, None, DAY, NOW).is_ok


def test_the_command(cli: Cli, made: Made, tmp_path: Path) -> None:
    """Fresh: a sentence and 0. Not: a sentence on stderr and 7; with `--json` the facts besides. Nothing is written."""
    db = made(runs=[DONE], projects=[("proj_a", (datetime.now(UTC) - timedelta(hours=5)).replace(tzinfo=None))])
    before = sorted(tmp_path.rglob("*"))
    good = cli("status", "--db", db, "--check")
    assert (good.status, good.err, good.out.count("\n")) == (0, "", 1)
    assert "5.0 h ago" in good.out
    assert_one_sentence(cli("status", "--db", db, "--check", "--max-age", "4h"), 7, "5.0 h ago", "4.0 h")
    told = cli("status", "--db", db, "--check", "--max-age", "4h", "--json")
    assert (told.status, json.loads(told.out)["reason"]) == (7, "stale")
    assert_one_sentence(
        cli("status", "--db", tmp_path / "none.duckdb", "--check"), 7, "there was no run", "none.duckdb"
    )
    assert_one_sentence(cli("status", "--db", db, "--check", "--max-age", "soon"), 2, "--max-age")
    assert sorted(tmp_path.rglob("*")) == before
