"""Builds and tests the models of `sql/` with dbt, in this process.

Stands between the raw tables and `reports`, over `dbt_project`. dbt's target folder is hidden beside the
database, so that its parsed project is found again.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mithril_elt.dbt_project import BuildResult, copy_parsed, parse, run, sql_folder
from mithril_elt.errors import DataTestError
from mithril_elt.instants import iso
from mithril_elt.lock import locked, work_folder
from mithril_elt.migration import add_new_columns, migrate
from mithril_elt.warehouse import loaded_from, schema_name, try_write, warehouse_error

if TYPE_CHECKING:
    import duckdb

__all__ = ["BuildResult", "build", "build_scratch", "sql_folder"]

log = logging.getLogger("mithril_elt")


def build(db: Path, *, full: bool = False, as_of: datetime | None = None, dataset: str | None = None) -> BuildResult:
    """Builds all models of a database and tests them.

    `full`: parse the project anew as well. `as_of`: an earlier end of all figures. A build that does not come
    to its end leaves marts of two instants: it is noted in `staging.builds`, and reports refuse them.

    Raises:
        UsageError: nothing was loaded yet.
        DataTestError: a test failed; its name says which.
        LockedError, WarehouseError: the database is not to be had, or a model could not be built.
    """
    _check_loaded(db, dataset)
    with locked(db):
        try_write(db)
        log.info("building and testing the models …")
        with _noted(db, as_of, dataset):
            target = work_folder(db) / "dbt"
            manifest = parse(db, target, full=full, dataset=dataset)
            return run(db, target, manifest, as_of=as_of, dataset=dataset)


@contextmanager
def build_scratch(db: Path, *, as_of: datetime, dataset: str | None = None) -> Iterator[Path]:
    """A database of its own whose marts end at `as_of`; removed at the end. `db` is only read."""
    _check_loaded(db, dataset)
    with tempfile.TemporaryDirectory(prefix="mithril-elt-") as folder:
        scratch, target = Path(folder) / db.name, Path(folder) / "dbt"
        _copy_raw(db, scratch, schema_name("raw", dataset))
        copy_parsed(work_folder(db) / "dbt", target)
        run(scratch, target, parse(db, target, dataset=dataset), as_of=as_of, dataset=dataset)
        yield scratch


def _check_loaded(db: Path, dataset: str | None) -> None:
    with loaded_from(db, schema_name("raw", dataset)):
        pass


@contextmanager
def _noted(db: Path, as_of: datetime | None, dataset: str | None) -> Iterator[None]:
    """Keeps in `builds` that a build began, and that it came to its end: also if tests failed, not if models did."""
    builds = f'"{schema_name("staging", dataset)}".builds'
    with _writing(db) as connection:
        migrate(connection, schema_name("raw", dataset))
        connection.execute(f"create schema if not exists {builds.partition('.')[0]}")
        connection.execute(
            f"create table if not exists {builds}"
            " (number bigint, started_at timestamp, finished_at timestamp, as_of varchar)"
        )
        begin = f"insert into {builds} select coalesce(max(number), 0) + 1, ?, null, ? from {builds}"  # noqa: S608  # own
        connection.execute(begin, [_now(), iso(as_of)])
    try:
        yield
    except DataTestError:
        _note_end(db, builds)
        raise
    _note_end(db, builds)


def _note_end(db: Path, builds: str) -> None:
    with _writing(db) as connection:
        end = f"update {builds} set finished_at = ? where number = (select max(number) from {builds})"  # noqa: S608  # own
        connection.execute(end, [_now()])


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@contextmanager
def _writing(db: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb  # noqa: PLC0415  # already paid for by try_write

    try:
        with duckdb.connect(str(db)) as connection:
            yield connection
    except duckdb.Error as error:
        raise warehouse_error(db, error) from error


def _copy_raw(db: Path, scratch: Path, schema: str) -> None:
    with _writing(scratch) as connection:
        connection.execute(f"attach '{str(db).replace(chr(39), chr(39) * 2)}' as live (read_only)")
        connection.execute(f'create schema "{schema}"')
        listed = "select table_name from duckdb_tables() where database_name = 'live' and schema_name = ?"
        for (table,) in connection.execute(listed, [schema]).fetchall():
            connection.execute(f'create table "{schema}"."{table}" as from live."{schema}"."{table}"')
        add_new_columns(connection, schema)
