"""Opening the DuckDB file: what hinders it is one sentence that says what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from mithril_elt.errors import ContractError, MithrilError, UsageError, WarehouseError
from mithril_elt.warehouse import Translated, loaded_from, open_read_only, try_write, warehouse_error


@contextmanager
def open_elsewhere(db: Path) -> Iterator[None]:
    """Another process that has the file open for writing."""
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.readline()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(db)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        try:
            yield
        finally:
            other.kill()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database with one table in one schema."""
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw; create table raw.runs as select 1 as n")
    return path


def one_sentence(error: MithrilError, path: Path) -> str:
    """What the error says: one line, with the path, exit status 9."""
    assert isinstance(error, WarehouseError)
    assert error.exit_status == 9
    assert str(path) in str(error)
    assert "\n" not in str(error)
    return str(error)


def read(path: Path) -> None:
    """Opens and closes it for reading."""
    open_read_only(path).close()


def read_loaded(path: Path) -> None:
    """Opens and closes it for reading what was loaded."""
    with loaded_from(path, "raw"):
        pass


WAYS = pytest.mark.parametrize("open_it", [read, try_write, read_loaded])
Open = Callable[[Path], None]


def test_it_opens_for_reading_only(db: Path) -> None:
    """What is there can be read; nothing can be written."""
    with open_read_only(db) as connection:
        assert connection.execute("select n from raw.runs").fetchone() == (1,)
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute("create table t (n int)")


def test_many_may_read_at_once(db: Path) -> None:
    """A dashboard does not keep a report from being printed."""
    with open_read_only(db), open_read_only(db) as second:
        assert second.execute("select n from raw.runs").fetchone() == (1,)


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    """To read there must be something; it says which command makes it. Nothing is made."""
    missing = tmp_path / "no" / "a.duckdb"
    for open_it in (read, read_loaded):
        with pytest.raises(UsageError, match=re.escape(f"mithril-elt run --db {missing}")):
            open_it(missing)
    assert not missing.parent.exists()


def test_a_new_file_in_an_existing_folder_can_be_written(tmp_path: Path) -> None:
    """It is made later, by who writes it."""
    try_write(tmp_path / "new.duckdb")
    assert not (tmp_path / "new.duckdb").exists()


@WAYS
@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be looked at as one" * 100, b"short", b"PK\x03"]
)
def test_a_file_that_is_no_database_is_named(open_it: Open, content: bytes, tmp_path: Path) -> None:
    """It is not overwritten; another is to be chosen."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(WarehouseError) as failed:
        open_it(path)
    assert "is not a DuckDB database" in one_sentence(failed.value, path)
    assert path.read_bytes() == content


@WAYS
def test_a_file_that_another_process_writes_is_named(open_it: Open, db: Path) -> None:
    """It says that it is open elsewhere, and that it is to be closed there."""
    with open_elsewhere(db):
        with pytest.raises(WarehouseError) as failed:
            open_it(db)
        assert "open in another process" in one_sentence(failed.value, db)
    open_it(db)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Neither to read nor to write."""
    folder = tmp_path / "folder.duckdb"
    folder.mkdir()
    for open_it in (read, read_loaded):
        with pytest.raises(UsageError, match=re.escape(str(folder))):
            open_it(folder)
    with pytest.raises(WarehouseError) as failed:
        try_write(folder)
    assert "open in another process" not in one_sentence(failed.value, folder)


def test_a_missing_folder_cannot_be_written(tmp_path: Path) -> None:
    """It is told before anything is asked of the API, and for what it is, though its name has `lock` in it."""
    path = tmp_path / "clock" / "a.duckdb"
    with pytest.raises(WarehouseError) as failed:
        try_write(path)
    assert "open in another process" not in one_sentence(failed.value, path)
    assert not path.parent.exists()


@WAYS
def test_a_name_with_lock_in_it_does_not_mislead(open_it: Open, tmp_path: Path) -> None:
    """`blocks.duckdb` that is no database is no database, not one that is open elsewhere."""
    path = tmp_path / "blocks.duckdb"
    path.write_bytes(b"x" * 5_000)
    with pytest.raises(WarehouseError, match="is not a DuckDB database"):
        open_it(path)


def test_nothing_loaded_yet_is_wrong_usage(tmp_path: Path, db: Path) -> None:
    """A database of something else, or of another dataset: it says how to load it."""
    other = tmp_path / "b.duckdb"
    duckdb.connect(str(other)).close()
    for path, schema in ((other, "raw"), (db, "mine_raw")):
        with pytest.raises(UsageError, match="nothing loaded"), loaded_from(path, schema):
            pass


def test_what_was_loaded_can_be_read(db: Path) -> None:
    """And the connection is closed afterwards: the file can be written again."""
    with loaded_from(db, "raw") as connection:
        assert connection.execute("select n from raw.runs").fetchone() == (1,)
    duckdb.connect(str(db)).close()


@pytest.mark.parametrize("said", ["", "\n", "IO Error: no space left on device\n\nLINE 1: …"])
def test_what_duckdb_says_becomes_one_line(said: str, tmp_path: Path) -> None:
    """Its first, or what kind of error it was."""
    error = warehouse_error(tmp_path / "a.duckdb", duckdb.IOException(said))
    sentence = one_sentence(error, tmp_path / "a.duckdb")
    assert ("no space left" in sentence) if said.strip() else ("IOException" in sentence)


def chained(*errors: BaseException) -> BaseException:
    """The first error, caused by the second, and so on."""
    for outer, inner in pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (chained(RuntimeError("dlt"), ValueError("step"), ContractError("the API broke its word")), ContractError),
        (chained(RuntimeError("dlt"), duckdb.IOException("disk full")), WarehouseError),
        (chained(RuntimeError("dlt"), OSError(28, "No space left on device")), WarehouseError),
        (chained(RuntimeError("dlt"), ContractError("first"), OSError("socket")), ContractError),
        (UsageError("as it is"), UsageError),
        (RuntimeError("a bug"), RuntimeError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (chained(KeyboardInterrupt(), OSError("while it waited")), KeyboardInterrupt),
    ],
)
def test_what_dlt_wraps_comes_out_as_what_it_was(
    raised: BaseException, kind: type[BaseException], tmp_path: Path
) -> None:
    """The user's error from wherever it is in the chain; a bug stays a bug, and Ctrl-C is Ctrl-C."""
    with pytest.raises(kind), Translated(tmp_path / "a.duckdb"):
        raise raised


def test_without_an_error_nothing_happens(tmp_path: Path) -> None:
    """The way it mostly is."""
    with Translated(tmp_path / "a.duckdb"):
        pass


def test_a_chain_that_bites_its_tail_ends(tmp_path: Path) -> None:
    """Two errors that are each other's cause."""
    one, two = RuntimeError("one"), RuntimeError("two")
    one.__cause__, two.__cause__ = two, one
    with pytest.raises(RuntimeError, match="one"), Translated(tmp_path / "a.duckdb"):
        raise one
