"""Builds and tests the models of `sql/` with dbt, in this process.

Stands between the raw tables and `reports`. The dbt project is read from where the package has it (a
wheel carries it inside, a checkout beside `pipelines/`) and nothing is ever written there: dbt's target
folder is hidden beside the database, so that its parsed project is found again.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mithril_elt.errors import DataTestError, WarehouseError
from mithril_elt.instants import iso
from mithril_elt.lock import locked, work_folder
from mithril_elt.tables import RAW_TABLES
from mithril_elt.warehouse import loaded_from, schema_name, try_write, warehouse_error

if TYPE_CHECKING:
    import duckdb

__all__ = ["BuildResult", "build", "build_scratch", "sql_folder"]

log = logging.getLogger("mithril_elt")

_SQL_TYPES = {"text": "varchar", "bigint": "bigint", "bool": "boolean", "timestamp": "timestamp", "json": "json"}
_SQL_TYPES |= {"usd": "decimal(38, 9)"}

_QUIET = ("--quiet", "--no-print", "--log-level", "none", "--log-level-file", "none", "--no-use-colors")
_PRIVATE = ("--no-send-anonymous-usage-stats", "--no-version-check")


@dataclass
class BuildResult:
    """What a build did."""

    models: int = 0
    tests: int = 0
    seconds: int = 0
    warnings: list[str] = field(default_factory=list)


def sql_folder() -> Path:
    """The folder of the dbt project."""
    here = Path(__file__).resolve().parent
    for folder in (here / "sql", here.parent.parent / "sql"):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise WarehouseError("the SQL models are missing from this installation: install mithril-elt again")


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
            return _invoke(db, work_folder(db) / "dbt", full=full, as_of=as_of, dataset=dataset)


@contextmanager
def build_scratch(db: Path, *, as_of: datetime, dataset: str | None = None) -> Iterator[Path]:
    """A database of its own whose marts end at `as_of`; removed at the end. `db` is only read."""
    _check_loaded(db, dataset)
    with tempfile.TemporaryDirectory(prefix="mithril-elt-") as folder:
        scratch = Path(folder) / "scratch.duckdb"
        _copy_raw(db, scratch, schema_name("raw", dataset))
        _invoke(scratch, Path(folder) / "dbt", full=False, as_of=as_of, dataset=dataset)
        yield scratch


def _check_loaded(db: Path, dataset: str | None) -> None:
    with loaded_from(db, schema_name("raw", dataset)):
        pass


@contextmanager
def _noted(db: Path, as_of: datetime | None, dataset: str | None) -> Iterator[None]:
    """Keeps in `builds` that a build began, and that it came to its end: also if tests failed, not if models did."""
    builds = f'"{schema_name("staging", dataset)}".builds'
    with _writing(db) as connection:
        _add_new_columns(connection, schema_name("raw", dataset))
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


def _add_new_columns(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Adds to raw tables that an older release made the columns they lack: null, as its rows do not say them."""
    query = "select table_name, column_name from duckdb_columns() where database_name = current_database()"
    found = connection.execute(f"{query} and schema_name = ?", [schema]).fetchall()
    tables = {table for table, _ in found}
    for table in RAW_TABLES:
        for column in table.columns:
            if table.name in tables and (table.name, column.name) not in found:
                added = f'"{schema}"."{table.name}" add column "{column.name}" {_SQL_TYPES[column.kind]}'
                connection.execute(f"alter table {added}")


def _copy_raw(db: Path, scratch: Path, schema: str) -> None:
    with _writing(scratch) as connection:
        connection.execute(f"attach '{str(db).replace(chr(39), chr(39) * 2)}' as live (read_only)")
        connection.execute(f'create schema "{schema}"')
        listed = "select table_name from duckdb_tables() where database_name = 'live' and schema_name = ?"
        for (table,) in connection.execute(listed, [schema]).fetchall():
            connection.execute(f'create table "{schema}"."{table}" as from live."{schema}"."{table}"')
        _add_new_columns(connection, schema)


def _invoke(db: Path, target: Path, *, full: bool, as_of: datetime | None, dataset: str | None) -> BuildResult:
    from dbt.adapters.factory import reset_adapters  # noqa: PLC0415  # dbt costs two seconds
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  # as above

    names: dict[str, Any] = {"as_of": as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if as_of else None}
    if dataset:
        names["schema_prefix"] = dataset
    project = str(sql_folder())
    options = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target)]
    options += ["--log-path", str(target), *_QUIET, *_PRIVATE, "--vars", json.dumps(names)]
    # Tests come after all models, so that one that fails leaves none of them as an earlier build made it.
    models = ["build", "--exclude-resource-type", "unit_test", "test"]
    tests = ["test", "--exclude-resource-type", "unit_test", "--partial-parse"]
    result = BuildResult()
    with _environment(MITHRIL_DUCKDB_PATH=str(db), DO_NOT_TRACK="1"):
        try:
            for command in ([*models, "--no-partial-parse" if full else "--partial-parse"], tests):
                _judge(db, dbtRunner().invoke([*command, *options]), result)
        finally:
            _close_connections()
            reset_adapters()
    return result


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _close_connections() -> None:
    """dbt keeps the file open for the life of the process; a report must be able to open it after."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415  # dbt is loaded by then

    DuckDBConnectionManager.close_all_connections()


def _judge(db: Path, outcome: Any, result: BuildResult) -> None:
    """Adds to the result what dbt did; raises what went wrong."""
    if outcome.result is None or not hasattr(outcome.result, "results"):
        raise warehouse_error(db, outcome.exception or RuntimeError("dbt gave no result"))
    result.seconds += int(outcome.result.elapsed_time)
    failed: list[str] = []
    broken: list[str] = []
    for node in outcome.result.results:
        is_test = node.node.resource_type == "test"
        result.tests += is_test
        result.models += not is_test
        if node.status == "fail":
            failed.append(f"{node.node.name} ({node.failures} rows)")
        elif node.status == "error":
            told = f"{node.node.name}: {str(node.message).strip().splitlines()[0]}"
            (failed if is_test else broken).append(told)
        elif node.status == "warn":
            result.warnings.append(f"data test {node.node.name}: {node.failures} rows")
    if broken:
        raise WarehouseError(f"{len(broken)} of the models could not be built in {db}; the first: {broken[0]}")
    if failed:
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        raise DataTestError(f"data tests failed: {', '.join(failed[:3])}{more}: the figures are not to be trusted")
