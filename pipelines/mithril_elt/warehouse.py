"""Opening the DuckDB file, and what its errors mean to a user.

Stands under `load`, `transform` and `reports`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mithril_elt.errors import MithrilError, UsageError, WarehouseError
from mithril_elt.layout import check_layout

__all__ = ["Translated", "loaded_from", "make_private", "open_read_only", "schema_name", "try_write", "warehouse_error"]

_HELD_ELSEWHERE = ("Could not set lock on file", "being used by another process")


def schema_name(layer: str, dataset: str | None) -> str:
    """The schema of `raw`, `staging` or `marts`, behind the prefix that the load was given, if any."""
    return f"{dataset}_{layer}" if dataset else layer


def open_read_only(db: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection.

    Raises:
        UsageError: there is no such file.
        WarehouseError: it is no DuckDB file, another process has it open for writing, or a newer release wrote it.
    """
    if not db.is_file():
        raise UsageError(f"there is no database {db}: `mithril-elt run --db {db}` makes it")
    try:
        connection = duckdb.connect(str(db), read_only=True)
        try:
            check_layout(connection, db)
        except BaseException:
            connection.close()
            raise
    except duckdb.Error as error:
        raise warehouse_error(db, error) from None
    return connection


def try_write(db: Path) -> None:
    """Opens the file for writing and closes it again, so that a hindrance shows before anything is asked.

    Raises:
        WarehouseError: it cannot be opened, or a newer release wrote it.
    """
    if db.parent.is_dir() and not db.exists():
        return
    try:
        with duckdb.connect(str(db)) as connection:
            check_layout(connection, db)
    except duckdb.Error as error:
        raise warehouse_error(db, error) from None


def make_private(db: Path) -> None:
    """Makes the file, for its owner's eyes alone; one that is there keeps its mode, which somebody may have chosen.

    DuckDB makes the log beside it, which is there while the file is open for writing, by the umask of the process:
    the command line sets that, a program that calls `load` has its own.
    """
    if not db.exists():
        duckdb.connect(str(db)).close()
        db.chmod(0o600)


def warehouse_error(db: Path, error: BaseException) -> WarehouseError:
    """One sentence for what DuckDB says of a file."""
    said = str(error)
    if any(words in said for words in _HELD_ELSEWHERE):
        return WarehouseError(
            f"{db} is open in another process: close it there (a notebook, a DuckDB shell) and try again"
        )
    if "not a valid DuckDB database" in said:
        return WarehouseError(f"{db} is not a DuckDB database: choose another file with --db")
    if "WAL file" in said:  # not in a folder of that name
        return WarehouseError(f"the log {db}.wal cannot be read: `mithril-elt recover --db {db}` sets it aside")
    said = " ".join(said.split())[:300] or type(error).__name__
    return WarehouseError(f"{db} cannot be used: {said}")


class Translated:
    """Turns what dlt wraps into its own failures back into the error that a user can act on."""

    def __init__(self, db: Path) -> None:
        self.db = db

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, Exception):  # Ctrl-C stays Ctrl-C, whatever it broke off
            return
        for cause in _causes(error):
            if isinstance(cause, MithrilError):
                raise cause from None
            if isinstance(cause, (duckdb.Error, OSError)):
                raise warehouse_error(self.db, cause) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()  # two errors may be each other's context
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def loaded_from(db: Path, schema: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a database into whose `schema` something was loaded.

    Raises:
        UsageError: no such file, or nothing loaded in it yet.
        WarehouseError: it is no DuckDB file, or another process has it open for writing.
    """
    with open_read_only(db) as connection:
        query = "select count(*) from information_schema.tables where table_schema = ? and table_name = 'runs'"
        found = connection.execute(query, [schema]).fetchone()
        if not found or not found[0]:
            raise UsageError(f"{db} has nothing loaded in {schema}: `mithril-elt extract --db {db}` loads it")
        yield connection
