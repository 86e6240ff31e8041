"""Opening the database, a DuckDB file, PostgreSQL or files, and what its errors mean to a user.

Stands under `load`, `transform` and `reports`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from mithril_elt.errors import MithrilError, UsageError, WarehouseError
from mithril_elt.layout import check_layout, check_releases
from mithril_elt.objects import Objects
from mithril_elt.place import Place, choice, file_of
from mithril_elt.postgres import Postgres
from mithril_elt.raw_files import RawFiles, raw_files

if TYPE_CHECKING:
    from mithril_elt.tables import RawTable

__all__ = [
    "Translated",
    "listed",
    "loaded_from",
    "make_private",
    "open_read_only",
    "opened",
    "read_files",
    "read_from",
    "readable",
    "schema_name",
    "try_write",
    "warehouse_error",
]

_HELD_ELSEWHERE = ("Could not set lock on file", "being used by another process")
_READER_S = 3
_OF_THE_FILE = (*_HELD_ELSEWHERE, "not a valid DuckDB database", "WAL file", "Cannot open file")


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

    Where the raw tables are files it is one to the file in which they are modelled, which can read them.

    Raises:
        WarehouseError: whatever the database says, also to what is asked of it.
    """
    if isinstance(db, Postgres):
        with db.opened() as session:
            yield session
        return
    try:
        with duckdb.connect(str(file_of(db))) as connection:
            if isinstance(db, Objects):
                db.register(connection)
            yield connection
    except duckdb.Error as error:
        raise warehouse_error(db, error) from error


def readable(db: Place) -> AbstractContextManager[Any]:
    """Keeps the file of models open for other connections of this process, which then can read a bucket as well."""
    return opened(db) if isinstance(db, Objects) and not db.is_local else nullcontext()


def try_write(db: Place) -> None:
    """Opens the database for writing and closes it again, so that a hindrance shows before anything is asked.

    It waits for who reads a report or makes a page of the dashboard, which has the file open for a moment.

    Raises:
        WarehouseError: it cannot be opened, or a newer release wrote it.
    """
    if isinstance(db, Objects):
        db.check()
    file = file_of(db)
    if file is not None and file.parent.is_dir() and not file.exists():
        return
    patient_until = time.monotonic() + _READER_S
    while True:
        try:
            with opened(db) as connection:
                check_layout(connection, db)
        except WarehouseError as error:
            is_read = any(words in str(error.__cause__) for words in _HELD_ELSEWHERE)
            if not is_read or time.monotonic() > patient_until:
                raise
            time.sleep(0.1)
        else:
            return


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
    if isinstance(db, Postgres):
        return db.error(error)
    said = str(error)
    if isinstance(db, Objects):
        if not isinstance(error, duckdb.Error) or not any(words in said for words in _OF_THE_FILE):
            return db.error(error)
        db = db.file
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
            if isinstance(self.db, Objects) and self.db.is_said_by_it(cause):
                raise self.db.error(cause) from error
            of_job = getattr(cause, "client_exception", None)  # dlt's, which is no cause of its error
            if isinstance(self.db, Objects) and of_job and self.db.is_said_by_it(of_job):
                raise self.db.error(of_job) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()  # two errors may be each other's context
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def read_from(db: Place) -> Iterator[Any]:
    """A connection that only reads, closed afterwards; raises as `open_read_only` does."""
    if not isinstance(db, Postgres):
        with open_read_only(db if isinstance(db, Path) else db.file) as connection:
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
    if isinstance(db, Objects):
        found = listed(db, schema)
        if not found.noted:
            raise UsageError(f"{db} has nothing loaded in {schema}: `mithril-elt extract {choice(db)}` loads it")
        with read_files(found, schema) as connection:
            yield connection
        return
    with read_from(db) as connection:
        query = "select count(*) from information_schema.tables where table_schema = ? and table_name = 'runs'"
        found = connection.execute(query, [schema]).fetchone()
        if not found or not found[0]:
            raise UsageError(f"{db} has nothing loaded in {schema}: `mithril-elt extract {choice(db)}` loads it")
        yield connection


def listed(db: Objects, schema: str) -> RawFiles:
    """The files of the raw tables of a schema that are there now.

    Raises:
        WarehouseError: the storage cannot be reached, or a newer release wrote there.
    """
    with db.reached():
        found = raw_files(db, schema)
    check_releases(found.releases, db)
    return found


@contextmanager
def read_files(
    found: RawFiles, schema: str, tables: Iterable[RawTable] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a database in memory, with raw tables of a schema, all or some, as views over those files."""
    from mithril_elt.raw_views import make_views  # noqa: PLC0415  # imports pyarrow, which a report need not pay

    with found.place.reached(), tempfile.TemporaryDirectory(prefix="mithril-elt-") as folder:
        try:
            with duckdb.connect(config={"temp_directory": folder}) as connection:
                found.place.register(connection)
                connection.execute("set timezone = 'UTC'")
                make_views(connection, found, schema, tables)
                yield connection
        except duckdb.Error as error:
            raise warehouse_error(found.place, error) from error
