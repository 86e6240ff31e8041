"""`copy`: the history of one place in another, to the last row and sign, where runs go on as if nothing had been."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from places import administering, command, rows_of, unlike
from postgres import Postgres as Server

from loading import load_sandbox, query
from mithril_elt.errors import LockedError, UsageError, WarehouseError
from mithril_elt.moving import copy
from mithril_elt.place import Place
from mithril_elt.postgres import Postgres
from mithril_elt.reports import report
from mithril_elt.reports.catalog import DEFINITIONS
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.transform import build
from mithril_elt.warehouse import opened

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore::ResourceWarning")]

READINGS = Readings(late_hours=24, withdrawn_hours=24, corrected_hours=24, leaves_list_hours=24)
WAY = {"lookback": timedelta(hours=30), "window": timedelta(days=3)}
STRANGE = ["", r"\N", "N", '"', '""', "a,b", "a\nb", "a\r\nb\r", "\t", "null", "𝔾ПУ é", "'; drop", "\\.", " ", "\\"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An account whose story goes on for five days after ten."""
    with serve(make_account(7, 16, 10, tail_days=5), readings=READINGS) as running:
        running.clock.advance(-timedelta(hours=3))
        yield running


@pytest.fixture
def db(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A file that two runs have filled."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db, **WAY)
    sandbox.clock.advance(timedelta(hours=35))
    load_sandbox(sandbox, db, **WAY)
    return db


def _columns(place: Place, schema: str = "raw") -> dict[str, list[str]]:
    listed = "select table_name, column_name from information_schema.columns where table_schema = ?"
    found: dict[str, list[str]] = {}
    with opened(place) as connection:
        for table, column in connection.execute(f"{listed} order by 1, ordinal_position", [schema]).fetchall():
            found.setdefault(table, []).append(column)
    return found


def _raw(place: Place, schema: str = "raw") -> dict[str, list[tuple[str, ...]]]:
    """All there is in raw, the ledger and dlt's own tables included."""
    return {table: rows_of(place, f"{schema}.{table}", names) for table, names in _columns(place, schema).items()}


def _figures(place: Place) -> list[Any]:
    asked = [
        (name, by)
        for name, definition in DEFINITIONS.items()
        for by in ((), *((each,) for each in definition.groupings))
    ]
    return [report(place, "summary"), *(report(place, name, by=by) for name, by in asked)]


def test_a_copy_has_all_and_runs_go_on(place: Postgres, sandbox: Sandbox, db: Path, tmp_path: Path) -> None:
    """To PostgreSQL and back: the same rows and figures; then a run asks as much, and leaves the same."""
    back = tmp_path / "back.duckdb"
    copy(db, place)
    assert copy(place, back).tables == {table: len(rows) for table, rows in _raw(db).items()}
    places = (db, place, back)
    assert _raw(db) == _raw(place) == _raw(back)
    for each in places:
        assert not build(each).only_changed
    assert unlike(place, db) == unlike(place, back) == []
    assert _figures(db) == _figures(place)
    first = sum(int(requests) for (requests,) in rows_of(db, "raw.runs", ["requests"]))
    sandbox.clock.advance(timedelta(hours=20))
    asked = {load_sandbox(sandbox, each, **WAY).requests for each in places}
    assert len(asked) == 1
    assert asked.pop() < first
    assert [build(each).only_changed for each in places] == [True, True, True]
    assert unlike(place, db) == unlike(place, back) == []
    sandbox.clock.advance(timedelta(hours=100))  # a day after the end of the story
    load_sandbox(sandbox, place, lookback=timedelta(days=30))
    build(place)
    assert differences(place, sandbox.account) == []


def test_tables_are_those_that_a_load_makes(place: Postgres, sandbox: Sandbox, db: Path) -> None:
    """Types, digits and what may be null, so that whoever loads next finds what is expected."""
    described = (
        "select table_name, column_name, data_type, is_nullable, numeric_precision, numeric_scale, datetime_precision"
        " from information_schema.columns where table_schema = ? order by 1, 2"
    )
    load_sandbox(sandbox, place)
    with opened(place) as session:
        loaded = session.execute(described, ["raw"]).fetchall()
        session.execute("drop schema raw cascade")
        copy(db, place)
        assert session.execute(described, ["raw"]).fetchall() == loaded


def test_every_value_arrives_as_it_is(place: Postgres, db: Path, tmp_path: Path) -> None:
    """Empty texts, nulls, and what CSV has signs for; the largest numbers and amounts; microseconds."""
    with duckdb.connect(str(db)) as connection:
        for number, text in enumerate(STRANGE):
            connection.execute(
                "insert into raw.projects (fid, name, version_hash, _dlt_load_id) values (?, ?, ?, '')",
                [f"p{number}", text, text],
            )
        connection.execute(
            "insert into raw.spot_bids (fid, project, version_hash, _dlt_load_id, instance_quantity, limit_price_usd,"
            " created_at, _dlt_valid_from) values ('b', '', '', '', -9223372036854775807,"
            " 99999999999999999999999999999.999999999, '9999-12-31 23:59:59.999999', '2026-03-29 01:59:59.000001+02'),"
            " ('c', '', '', '', 0, -0.000000001, '0001-01-01', '1970-01-01 00:00:00+00'),"
            " ('d', '', '', '', null, null, null, null)"
        )
        before = _all(connection)
    copy(db, place)
    back = tmp_path / "back.duckdb"
    copy(place, back)
    with duckdb.connect(str(back), read_only=True) as connection:
        assert _all(connection) == before
    assert _raw(place) == _raw(db)


def _all(connection: duckdb.DuckDBPyConnection) -> list[list[tuple[Any, ...]]]:
    """As values, not as text."""
    return [
        sorted(connection.execute(f"from raw.{table}").fetchall(), key=repr)
        for table in ("projects", "spot_bids", "runs", "windows")
    ]


def test_what_postgres_cannot_hold_is_said(place: Postgres, db: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A text with a zero sign in it has another one there."""
    with duckdb.connect(str(db)) as connection:
        connection.execute("update raw.instances set name = 'a' || chr(0) || 'b'")
    copy(db, place)
    assert set(rows_of(place, "raw.instances", ["name"])) == {("a\ufffdb",)}
    assert "U+FFFD" in caplog.text


def test_a_type_that_no_raw_table_has_is_refused(place: Postgres, db: Path) -> None:
    """Rather than brought into one that is near it."""
    with duckdb.connect(str(db)) as connection:
        connection.execute("alter table raw.projects add column size hugeint")
    with pytest.raises(WarehouseError, match=r'column "size" of raw.projects .* HUGEINT'):
        copy(db, place)
    assert _columns(place) == {}


def test_only_an_empty_place_is_copied_to(place: Postgres, sandbox: Sandbox, db: Path, tmp_path: Path) -> None:
    """What is there is never mixed with what comes: raw rows, or marts alone. Source and target are two."""
    copy(db, place)
    before = _raw(place)
    with pytest.raises(UsageError, match="holds something already"):
        copy(db, place)
    other = tmp_path / "other.duckdb"
    load_sandbox(sandbox, other)
    with pytest.raises(UsageError, match="holds something already"):
        copy(place, other)
    assert _raw(place) == before
    with pytest.raises(UsageError, match="both"):
        copy(place, place)
    with pytest.raises(UsageError, match="there is no database"):
        copy(tmp_path / "none.duckdb", place)
    build(place)
    with opened(place) as session:
        session.execute("drop schema raw cascade")
    with pytest.raises(UsageError, match="holds something already"):
        copy(db, place)


def test_a_run_that_loaded_nothing_leaves_a_place_empty(place: Postgres, db: Path) -> None:
    """It has noted its layout, and no more."""
    from mithril_elt.migration import migrate  # noqa: PLC0415  # only here

    with opened(place) as session:
        migrate(session, "raw")
    copy(db, place)
    assert _raw(place) == _raw(db)


def test_both_are_locked(place: Postgres, db: Path) -> None:
    """A run at either end would move what is being copied."""
    for held in (place, db):
        with _holding(held), pytest.raises(LockedError):
            copy(db, place)
    copy(db, place)


class _holding:  # noqa: N801  # read as a function
    """Another process that holds the lock of a place."""

    def __init__(self, place: Place) -> None:
        where = f"Path({str(place)!r})" if isinstance(place, Path) else "Postgres.configured()"
        program = (
            "from pathlib import Path; from mithril_elt.lock import locked; from mithril_elt.postgres import Postgres\n"
            f"with locked({where}): print('held', flush=True); input()"
        )
        self._process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"held\n"

    def __exit__(self, *_: object) -> None:
        self._process.communicate(b"\n", timeout=30)


KILLED = """
import os, signal, sys
from pathlib import Path
from mithril_elt import raw_copies
from mithril_elt.moving import copy
from mithril_elt.postgres import Postgres

moved, last = raw_copies.move_rows, int(sys.argv[3])
def killed(source, target, name, columns):
    global last
    rows = moved(source, target, name, columns)
    last -= 1
    if last < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return rows
raw_copies.move_rows = killed
copy(*(Path(each) if each else Postgres.configured() for each in sys.argv[1:3]))
"""


def test_a_copy_that_is_killed_leaves_nothing_and_is_repeated(place: Postgres, db: Path, tmp_path: Path) -> None:
    """After the first, the eighth and the last table, in both directions."""
    back = tmp_path / "back.duckdb"
    last = len(_columns(db)) - 1
    for source, target in ((db, place), (place, back)):
        for after in (0, 8, last):
            words = ["" if isinstance(each, Postgres) else str(each) for each in (source, target)]
            process = subprocess.run([sys.executable, "-c", KILLED, *words, str(after)], check=False, timeout=120)
            assert process.returncode == -signal.SIGKILL
            assert _columns(target) == {}
        copy(source, target)
    assert _raw(back) == _raw(place) == _raw(db)


def test_a_connection_that_drops_is_told_and_the_copy_repeated(
    place: Postgres, postgres: Server, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the session in the middle: one sentence, and the same command does it."""
    from mithril_elt import raw_copies  # noqa: PLC0415  # only here

    moved = raw_copies.move_rows

    def dropped(source: Any, target: Any, name: str, columns: Any) -> int:
        with suppress(Exception), administering(postgres) as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [place.database]
            )
        return moved(source, target, name, columns)

    with monkeypatch.context() as patch:
        patch.setattr(raw_copies, "move_rows", dropped)
        with pytest.raises(WarehouseError):
            copy(db, place)
    copy(db, place)
    assert _raw(place) == _raw(db)


def test_the_command_says_what_it_did(place: Postgres, sandbox: Sandbox, db: Path, tmp_path: Path) -> None:
    """There and back as a user types it, with a dataset; what is refused ends with 2 and one sentence."""
    load_sandbox(sandbox, db, dataset="acme")
    there = command(sandbox, "copy", "--db", str(db), "--to", "postgres", "--dataset", "acme", "--json")
    assert there.returncode == 0, there.stderr
    facts = json.loads(there.stdout)
    assert facts["rows"] == sum(facts["tables"].values()) > 100
    assert _raw(place, "acme_raw") == _raw(db, "acme_raw")
    words = ("copy", "--destination", "postgres", "--to", "duckdb", "--db", "back.duckdb", "--dataset", "acme")
    back = command(sandbox, *words)
    assert "mithril-elt build --db back.duckdb --dataset acme" in back.stdout, back.stderr
    assert query(tmp_path / "back.duckdb", "select count(*) from acme_raw.runs") == [(1,)]
    again = command(sandbox, *words)
    assert (again.returncode, again.stderr.count("Error:")) == (2, 1)
    assert not any("pw_7h1s" in each.stdout + each.stderr for each in (there, back, again))


@pytest.mark.usefixtures("place")
def test_the_commands_of_the_page_run(sandbox: Sandbox, db: Path) -> None:
    """Those that name PostgreSQL, one after the other."""
    db.rename("mithril.duckdb")
    text = (Path(__file__).parents[2] / "docs" / "postgresql.md").read_text()
    lines = [line for block in text.split("```sh\n")[1:] for line in block.split("```")[0].splitlines()]
    asked = [line for line in lines if line.startswith("mithril-elt") and "postgres" in line]
    assert len(asked) == 3
    for line in asked:
        ended = command(sandbox, *line.split()[1:])
        assert (ended.returncode, bool(ended.stdout)) == (0, True), ended.stderr
