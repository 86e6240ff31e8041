"""Clears what a crash left that `run` cannot clear by itself; loses nothing that was loaded.

Stands beside `load`. A run that was killed needs none of this: the next one loads what it left. This is for files that
were cut short with the power: DuckDB's log beside the database, and what dlt keeps in the working folder. Both can be
done without: the database knows how far it was loaded, and the next run reads on from there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from mithril_elt.errors import LayoutError, WarehouseError
from mithril_elt.lock import locked, work_folder
from mithril_elt.pipeline import load_left_over, reopen_pipeline
from mithril_elt.place import Place
from mithril_elt.tables import RAW_TABLES
from mithril_elt.warehouse import Translated, schema_name, try_write, warehouse_error

__all__ = ["recover"]


def recover(db: Place, dataset: str | None = None) -> list[str]:
    """What was done, a sentence each; none where nothing was to be done.

    Raises:
        LockedError: a run holds the database.
        WarehouseError: it cannot be opened, even without its log.
    """
    with locked(db):
        if isinstance(db, Path):
            return [*_database(db, dataset), *_package(db, dataset), *_doubled(db, schema_name("raw", dataset))]
        try_write(db)
        return _package(db, dataset)


def _database(db: Path, dataset: str | None) -> list[str]:
    """Sets the log aside if the database cannot be opened with it."""
    wal = db.with_name(f"{db.name}.wal")
    try:
        try_write(db)
    except LayoutError:
        raise
    except WarehouseError:
        if not wal.is_file():
            raise
    else:
        return []
    kept = work_folder(db) / f"{wal.name}-{_now()}"
    wal.rename(kept)
    try:
        try_write(db)
    except WarehouseError:
        kept.rename(wal)
        raise
    reopen_pipeline(db, dataset)  # it may know of more than the database has now
    return [f"The log {wal.name} could not be read: set aside as {kept}. What was in it is read again by the next run."]


def _package(db: Place, dataset: str | None) -> list[str]:
    """Loads what dlt has left over; what cannot be loaded is dropped, with dlt's own memory of it."""
    try:
        with Translated(db):
            _, was_left = load_left_over(db, dataset)
    except Exception as error:  # noqa: BLE001  # whatever dlt or DuckDB make of a file that was cut short
        with Translated(db):
            reopen_pipeline(db, dataset)
        left = f"What a crash left in {work_folder(db)} cannot be loaded ({type(error).__name__})"
        return [f"{left}: it is dropped, the next run reads it again."]
    return ["What a crash left is loaded, or dropped and read again by the next run."] if was_left else []


def _doubled(db: Path, schema: str) -> list[str]:
    """Takes out rows that a list has twice, alike in every column: release 0.1.0 could double them when killed."""
    found = 0
    try:
        with duckdb.connect(str(db)) as connection:
            for table in (each for each in RAW_TABLES if each.history == "versions"):
                found += _without_doubles(connection, schema, table.name)
    except duckdb.Error as error:
        raise warehouse_error(db, error) from error
    return [f"{found:,} rows of lists were there twice: one of each is kept."] if found else []


def _without_doubles(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> int:
    """How many rows of that table were deleted; none where there is no such table."""
    known = "select column_name from duckdb_columns() where schema_name = ? and table_name = ?"
    columns = ", ".join(f'"{name}"' for (name,) in connection.execute(known, [schema, table]).fetchall())
    if not columns:
        return 0
    name = f'"{schema}"."{table}"'
    kept = f"select min(rowid) from {name} group by {columns}"  # noqa: S608  # own names
    (deleted,) = connection.execute(f"delete from {name} where rowid not in ({kept})").fetchall()  # noqa: S608  # as above
    return int(deleted[0])


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
