"""Opening the database, a DuckDB file or PostgreSQL, and what its errors mean to a user.

Stands under `load`, `transform` and `reports`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from mithril_elt.errors import MithrilError, UsageError, WarehouseError
from mithril_elt.layout import check_layout
from mithril_elt.postgres import Place, choice

__all__ = [
    "Translated",
    "loaded_from",
    "make_private",
    "open_read_only",
    "opened",
    "read_from",
    "schema_name",
    "try_write",
    "warehouse_error",
]

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


@contextmanager
def opened(db: Place) -> Iterator[Any]:
    """A connection for writing: DuckDB's, or a `Session` that is asked in the same way.

    Raises:
        WarehouseError: whatever the database says, also to what is asked of it.
    """
    if not isinstance(db, Path):
        with db.opened() as session:
            yield session
        return
    try:
        with duckdb.connect(str(db)) as connection:
            yield connection
    except duckdb.Error as error:
        raise warehouse_error(db, error) from error


def try_write(db: Place) -> None:
    """Opens the database for writing and closes it again, so that a hindrance shows before anything is asked.

    Raises:
        WarehouseError: it cannot be opened, or a newer release wrote it.
    """
    if isinstance(db, Path) and db.parent.is_dir() and not db.exists():
        return
    with opened(db) as connection:
        check_layout(connection, db)


def make_private(db: Path) -> None:
    """Makes the file, for its owner's eyes alone; one that is there keeps its mode, which somebody may have chosen.

    DuckDB makes the log beside it, which is there while the file is open for writing, by the umask of the process:
    the command line sets that, a program that calls `load` has its own.
    """
    if not db.exists():
        duckdb.connect(str(db)).close()
        db.chmod(0o600)


def warehouse_error(db: Place, error: BaseException) -> WarehouseError:
    """One sentence for what DuckDB says of a file, or a server of a database."""
    if not isinstance(db, Path):
        return db.error(error)
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

    def __init__(self, db: Place) -> None:
        self.db = db

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, Exception):  # Ctrl-C stays Ctrl-C, whatever it broke off
            return
        for cause in _causes(error):
            if isinstance(cause, MithrilError):
                raise cause from None
            if isinstance(cause, (duckdb.Error, OSError)) or type(cause).__module__.startswith("psycopg2"):
                raise warehouse_error(self.db, cause) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()  # two errors may be each other's context
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def read_from(db: Place) -> Iterator[Any]:
    """A connection that only reads, closed afterwards; raises as `open_read_only` does."""
    if isinstance(db, Path):
        with open_read_only(db) as connection:
            yield connection
        return
    with db.opened() as session:
        session.execute("set default_transaction_read_only = on")
        check_layout(session, db)
        yield session


@contextmanager
def loaded_from(db: Place, schema: str) -> Iterator[Any]:
    """A read-only connection to a database into whose `schema` something was loaded.

    Raises:
        UsageError: no such file, or nothing loaded in it yet.
        WarehouseError: it is no DuckDB file, or another process has it open for writing.
    """
    with read_from(db) as connection:
        query = "select count(*) from information_schema.tables where table_schema = ? and table_name = 'runs'"
        found = connection.execute(query, [schema]).fetchone()
        if not found or not found[0]:
            raise UsageError(f"{db} has nothing loaded in {schema}: `mithril-elt extract {choice(db)}` loads it")
        yield connection
