"""dbt in this process: the project of `sql/`, parsed once for a database, its models and then its tests.

Stands under `transform`. The project is read from where the package has it (a wheel carries it inside, a
checkout beside `pipelines/`) and nothing is ever written there: dbt's target folder is given by the caller.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from mithril_elt.errors import DataTestError, UsageError, WarehouseError
from mithril_elt.place import Place, file_of
from mithril_elt.postgres import Postgres
from mithril_elt.warehouse import schema_name, warehouse_error

__all__ = ["BuildResult", "copy_parsed", "fingerprint", "memory_limit", "parse", "run", "sql_folder"]

_LIMIT = "MITHRIL_DUCKDB_MEMORY_LIMIT"
_PARSED = "partial_parse.msgpack"  # what dbt keeps of a project in its target folder

_OF_DBT = frozenset(
    {"target", "logs", "dbt_packages"}
)  # what dbt by hand leaves in the project, folders called x.yml too

_QUIET = ("--quiet", "--no-print", "--log-level", "none", "--log-level-file", "none", "--no-use-colors")
_PRIVATE = ("--no-send-anonymous-usage-stats", "--no-version-check")
_LEAN = ("--no-write-json",)  # artifacts that nobody reads here cost a fifth of a small build
_ONLY_TABLES = ("--exclude", "config.materialized:view", "config.materialized:seed")  # the rest hangs on no rows


@dataclass
class BuildResult:
    """What a build did."""

    models: int = 0
    tests: int = 0
    seconds: int = 0
    only_changed: bool = False
    warnings: list[str] = field(default_factory=list)


def sql_folder() -> Path:
    """The folder of the dbt project."""
    here = Path(__file__).resolve().parent
    for folder in (here / "sql", here.parent.parent / "sql"):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise WarehouseError("the SQL models are missing from this installation: install mithril-elt again")


def fingerprint(db: Place, timezone: str = "UTC") -> str:
    """A hash of the project, of what runs it, of the zone and of the file's name, by which its views call tables.

    Builds that differ in it may make what differs.
    """
    folder, said = sql_folder(), hashlib.sha256()
    said.update(f"days of {timezone}\n".encode())
    file = file_of(db)
    said.update(f"in {file.stem if file else 'a server'}\n".encode())
    engine = ("dbt-duckdb", "duckdb") if file else ("dbt-postgres",)
    for name in ("mithril-elt", "dbt-core", *engine):
        said.update(f"{name} {version(name)}\n".encode())
    for file in sorted(path for path in folder.rglob("*") if path.suffix in {".sql", ".csv", ".yml"}):
        if file.relative_to(folder).parts[0] in _OF_DBT:
            continue
        said.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return said.hexdigest()


def parse(db: Place, target: Path, *, full: bool = False, dataset: str | None = None) -> Any:
    """dbt's manifest of the project for a database; what `target` has of an earlier time is not parsed again.

    It holds for every database of the same file name and every `as_of`.

    Raises:
        WarehouseError: the project cannot be parsed.
    """
    keeping = "--no-partial-parse" if full else "--partial-parse"
    outcome = _dbt(db, target, "parse", keeping, names=_names(dataset))
    if not outcome.success:
        raise warehouse_error(db, outcome.exception or RuntimeError("dbt could not parse the models"))
    return outcome.result


def copy_parsed(kept: Path, target: Path) -> None:
    """Makes a target folder with what another one has of a project, if it can be had."""
    target.mkdir()
    with suppress(OSError):
        shutil.copy(kept / _PARSED, target)


def run(
    db: Place,
    target: Path,
    manifest: Any,
    *,
    as_of: datetime | None,
    dataset: str | None,
    timezone: str = "UTC",
    only_changed: bool = False,
) -> BuildResult:
    """Makes all models of a database, then tests them.

    Tests come after all models, so that one that fails leaves none of them as an earlier build made it.
    `timezone`: the zone of days and months. `only_changed`: what may have changed since the build before is made and
    tested anew, the rest is kept.

    Raises:
        DataTestError: a test failed; its name says which.
        WarehouseError: a model could not be built.
    """
    names = _names(dataset)
    names["as_of"] = as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if as_of else None
    names["only_changed"] = only_changed
    names["report_timezone"] = timezone
    result = BuildResult(only_changed=only_changed)
    # On a server a table that is replaced takes the views on it along, so there they are made as well.
    changed = _ONLY_TABLES if file_of(db) else ()
    anew = changed if only_changed else ("--full-refresh",)
    for command, left in (("build", ("unit_test", "test", *anew)), ("test", ("unit_test",))):
        outcome = _dbt(db, target, command, "--exclude-resource-type", *left, names=names, manifest=manifest)
        _judge(db, outcome, result)
    return result


def _names(dataset: str | None) -> dict[str, Any]:
    return {"schema_prefix": dataset} if dataset else {}


def _dbt(db: Place, target: Path, *command: str, names: dict[str, Any], manifest: Any = None) -> Any:
    from dbt.adapters.factory import reset_adapters  # noqa: PLC0415  # dbt costs two seconds
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  # as above

    project = str(sql_folder())
    options = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target)]
    options += ["--log-path", str(target), *_QUIET, *_PRIVATE, *_LEAN, "--vars", json.dumps(names)]
    if isinstance(db, Postgres):
        place = {
            **db.environment,
            "MITHRIL_DBT_TARGET": "postgres",
            "MITHRIL_STAGING": schema_name("staging", names.get("schema_prefix")),
        }
    else:
        place = {"MITHRIL_DUCKDB_PATH": str(file_of(db)), "MITHRIL_DBT_TARGET": "duckdb", _LIMIT: memory_limit()}
    with _environment(**place, DO_NOT_TRACK="1"):
        try:
            return dbtRunner(manifest=manifest).invoke([*command, *options])
        finally:
            _close_connections()
            reset_adapters()


def memory_limit() -> str:
    """How much memory DuckDB may take in a build, beside 0.5 GB for all else: what does not fit goes to the disk.

    What the environment says; else 4 GiB, which costs no time, or what DuckDB takes of a smaller machine by itself.

    Raises:
        UsageError: the environment says what is no size.
    """
    said = os.environ.get(_LIMIT)
    with duckdb.connect() as connection:
        [(its_own,)] = connection.execute("select current_setting('memory_limit')").fetchall()
        try:
            connection.execute(f"set memory_limit = '{said or '4GiB'}'")
        except duckdb.Error:
            raise UsageError(f"{_LIMIT} is a size such as 4GB, not {said!r}") from None
    amount, unit = str(its_own).split()  # as in 18.8 GiB
    is_less = unit != "TiB" and (unit != "GiB" or Decimal(amount) < 4)
    return said or (amount + unit if is_less else "4GiB")


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


def _judge(db: Place, outcome: Any, result: BuildResult) -> None:
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
            told = f"{node.node.name}: {_reason(str(node.message))}"
            (failed if is_test else broken).append(told)
        elif node.status == "warn":
            result.warnings.append(f"data test {node.node.name}: {node.failures} rows")
    if broken:
        raise WarehouseError(f"{len(broken)} of the models could not be built in {db}; the first: {broken[0]}")
    if failed:
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        raise DataTestError(f"data tests failed: {', '.join(failed[:3])}{more}: the figures are not to be trusted")


def _reason(message: str) -> str:
    """What went wrong, by the first line of a message that says more than which node it was."""
    said = [line.strip() for line in message.strip().splitlines()]
    return next((line for line in said if " Error in " not in line), said[0])
