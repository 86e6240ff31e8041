"""Writes a DuckDB file anew, without the room that hundreds of small loads and builds leave in it.

Stands beside `load`, as `compaction` does for files in a folder or a bucket. The new file takes the old one's place in
one step, once it is seen to hold as many rows of each table: whoever reads meanwhile goes on reading the old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from mithril_elt.errors import UsageError, WarehouseError
from mithril_elt.lock import locked, work_folder
from mithril_elt.quoting import quoted_name, quoted_text
from mithril_elt.warehouse import opened, try_write, warehouse_error

__all__ = ["Rewritten", "rewrite"]


@dataclass(frozen=True)
class Rewritten:
    """How large the file was, and is."""

    bytes_before: int
    bytes_after: int


def rewrite(db: Path) -> Rewritten:
    """Copies all that a file holds into a new one, and puts that in its place.

    Raises:
        UsageError: there is no such file.
        LockedError: a run holds it.
        WarehouseError: it is open elsewhere, cannot be read, or the copy cannot be written; then nothing has changed.
    """
    if not db.is_file():
        raise UsageError(f"there is no database {db}: `mithril-elt run --db {db}` makes it")
    file = db.resolve()
    with locked(db):
        try_write(db)
        with opened(db) as connection:
            connection.execute("checkpoint")
        before = file.stat().st_size
        fresh = work_folder(db) / f"{file.name}.anew"  # in the same file system, and its owner's alone
        try:
            _copy(file, fresh)
            fresh.chmod(file.stat().st_mode)
            fresh.replace(file)
        except OSError as error:
            raise WarehouseError(f"{db} cannot be written anew: {error.strerror or error}") from None
        finally:
            _remove(fresh)
        return Rewritten(before, file.stat().st_size)


def _copy(file: Path, fresh: Path) -> None:
    """Copies a database, in the form of storage that it has, so that whoever could open it still can."""
    _remove(fresh)  # what a copy that was killed had come to
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {quoted_text(file)} as old (read_only)")
            version = connection.execute(
                "select tags['storage_version'] from duckdb_databases() where database_name = 'old'"
            ).fetchone()
            form = f" (storage_version '{version[0].rstrip('+')}')" if version and version[0] else ""
            connection.execute(f"attach {quoted_text(fresh)} as new{form}")
            connection.execute("copy from database old to new")
            held = [_rows(connection, database) for database in ("old", "new")]
    except duckdb.Error as error:
        raise warehouse_error(file, error) from error
    if held[0] != held[1]:
        raise WarehouseError(f"{file} was not copied whole, so nothing was changed: report this as a bug")


def _rows(connection: duckdb.DuckDBPyConnection, database: str) -> dict[tuple[str, str], int]:
    """How many rows each table has, by schema and name."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ?", [database]
    ).fetchall()
    return {table: _count(connection, ".".join((database, *map(quoted_name, table)))) for table in tables}


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    found = connection.execute(f"select count(*) from {table}").fetchone()  # noqa: S608  # its own names, quoted
    return int(found[0]) if found else 0


def _remove(fresh: Path) -> None:
    for each in (fresh, fresh.with_name(f"{fresh.name}.wal")):
        each.unlink(missing_ok=True)
