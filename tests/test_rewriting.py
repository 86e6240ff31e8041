"""A database file that is written anew is smaller, and the same in all else; whatever hinders it changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from commands import in_process
from mithril_elt import rewriting
from mithril_elt.errors import LockedError, UsageError, WarehouseError
from mithril_elt.lock import locked, work_folder
from mithril_elt.rewriting import rewrite
from test_warehouse import open_elsewhere

ODD = 'a "quoted" one'


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    """A file with more room than rows, of a mode of its own: a table, one of an odd name, a view with a description."""
    db = tmp_path / "it's grown.duckdb"
    with duckdb.connect(str(db)) as connection:
        connection.execute("create schema raw; create schema marts")
        connection.execute(
            "create table raw.told as select range as n, hash(range)::varchar as said from range(300000)"
        )
        connection.execute('create table "a ""quoted"" one" (n decimal(38, 12) not null)')
        connection.execute('insert into "a ""quoted"" one" values (0.000000000001)')
        connection.execute("create view marts.few as select n from raw.told where n < 3")
        connection.execute("comment on view marts.few is 'the first three'")
        connection.execute("checkpoint")
        connection.execute("delete from raw.told where n >= 1000")
    db.chmod(0o640)
    return db


def what_it_holds(db: Path) -> list[object]:
    """Rows, columns and descriptions of a file."""
    with duckdb.connect(str(db), read_only=True) as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "from raw.told order by n",
                'from "a ""quoted"" one"',
                "from marts.few order by n",
                "select table_name, column_name, data_type, is_nullable from duckdb_columns() where not internal",
                "select view_name, comment from duckdb_views() where not internal",
            )
        ]


def test_it_is_smaller_and_the_same_in_all_else(grown: Path) -> None:
    held, before = what_it_holds(grown), grown.stat()
    done = rewrite(grown)
    after = grown.stat()
    assert (done.bytes_before, done.bytes_after) == (before.st_size, after.st_size)
    assert after.st_size < before.st_size / 2
    assert after.st_mode == before.st_mode
    assert what_it_holds(grown) == held
    assert {each.name for each in work_folder(grown).iterdir()} == {"lock"}


def test_a_link_stays_a_link(grown: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to(grown)
    held = what_it_holds(grown)
    rewrite(link)
    assert link.is_symlink()
    assert what_it_holds(grown) == held


def test_what_a_copy_that_was_killed_left_is_overwritten(grown: Path) -> None:
    rewrite(grown)
    (work_folder(grown) / f"{grown.name}.anew").write_bytes(b"half a database")
    held = what_it_holds(grown)
    rewrite(grown)
    assert what_it_holds(grown) == held


def test_a_copy_that_lacks_rows_does_not_take_its_place(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, before = what_it_holds(grown), grown.stat().st_ino
    counted = rewriting._rows
    monkeypatch.setattr(
        rewriting,
        "_rows",
        lambda connection, database: (
            counted(connection, database)
            if database == "old"
            else {**counted(connection, database), ("raw", "told"): 9}
        ),
    )
    with pytest.raises(WarehouseError, match="was not copied whole"):
        rewrite(grown)
    assert (what_it_holds(grown), grown.stat().st_ino) == (held, before)
    assert not (work_folder(grown) / f"{grown.name}.anew").exists()


def test_one_that_a_run_holds_is_left_alone(grown: Path) -> None:
    with locked(grown):
        code = "import pathlib, sys; from mithril_elt.rewriting import rewrite; rewrite(pathlib.Path(sys.argv[1]))"
        ended = subprocess.run(
            [sys.executable, "-c", code, str(grown)], capture_output=True, text=True, check=False, timeout=60
        )
    assert LockedError.__name__ in ended.stderr


def test_one_that_is_open_elsewhere_is_left_alone(grown: Path) -> None:
    with open_elsewhere(grown), pytest.raises(WarehouseError, match="open in another process"):
        rewrite(grown)


def test_none_is_made_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no database"):
        rewrite(tmp_path / "none.duckdb")
    assert not list(tmp_path.glob("*none*"))


def test_the_command_says_how_large_it_was_and_is(grown: Path) -> None:
    before = grown.stat().st_size
    said = json.loads(in_process("compact", "--json", "--db", grown).out)
    assert said == {"bytes_before": before, "bytes_after": grown.stat().st_size}
    assert "bytes now" in in_process("compact", "--db", grown).out
