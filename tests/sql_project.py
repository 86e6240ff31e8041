"""The dbt project in tests: an empty raw, dbt in process, and its compiled models run by DuckDB alone."""

from __future__ import annotations

import csv
import json
import pickle
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
import yaml

from mithril_elt.tables import RAW_TABLES, RawTable
from mithril_elt.transform import sql_folder

__all__ = ["SQL", "Compiled", "Node", "compiled", "dbt", "empty_raw", "insert", "succeeded"]

SQL = sql_folder()
_VERSION_BOUNDS = "null::timestamptz as _dlt_valid_from, null::timestamptz as _dlt_valid_to"


def empty_raw(connection: duckdb.DuckDBPyConnection) -> None:
    """Every raw table as the load makes it, without a row."""
    connection.execute("set timezone = 'UTC'")
    connection.execute("create schema raw")
    for table in RAW_TABLES:
        connection.register("declared", table.arrow_schema.empty_table())
        connection.execute(
            f"create table raw.{table.name} as select *, '' as _dlt_load_id{_bounds(table)} from declared"
        )
        connection.unregister("declared")
        connection.execute(f"alter table raw.{table.name} alter _dlt_load_id set default '0'")
        connection.execute(f"alter table raw.{table.name} alter _dlt_load_id set not null")


def _bounds(table: RawTable) -> str:
    return f", {_VERSION_BOUNDS}" if table.history == "versions" else ""


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows into a raw table; a column that a row leaves out is null, and all are of one load."""
    for row in rows:
        names = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        connection.execute(f"insert into raw.{table} ({names}) values ({marks})", list(row.values()))


def dbt(db: Path, target: Path, *arguments: str) -> Any:
    """dbt on a database, warnings taken for errors; nothing is written but the database and `target`."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415  # dbt costs two seconds
    from dbt.adapters.factory import reset_adapters  # noqa: PLC0415  # as above
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  # as above

    own = ["--project-dir", str(SQL), "--profiles-dir", str(SQL), "--target-path", str(target)]
    quiet = ["--warn-error", "--quiet", "--log-level", "none", "--log-path", str(target)]
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of dbt's own code; those about the project come as errors
        patch.setenv("MITHRIL_DUCKDB_PATH", str(db))
        patch.setenv("DO_NOT_TRACK", "1")
        try:
            return dbtRunner().invoke([*quiet, *arguments, *own])
        finally:
            DuckDBConnectionManager.close_all_connections()
            reset_adapters()


def succeeded(outcome: Any) -> list[Any]:
    """The results of a dbt command; fails with what went wrong if anything did."""
    assert outcome.exception is None, str(outcome.exception)
    wrong = [r for r in outcome.result.results if str(r.status) not in {"success", "pass"}]
    assert not wrong, "\n".join(f"{r.node.name}: {r.status} {r.message}" for r in wrong)
    return list(outcome.result.results)


@dataclass(frozen=True)
class Node:
    """A compiled model or data test: `relation` is its schema and name."""

    name: str
    kind: str
    layer: str
    relation: str
    depends_on: tuple[str, ...]
    sql: str


@dataclass(frozen=True)
class Compiled:
    """The compiled project: models in the order in which they can be built, and data tests by name."""

    models: tuple[Node, ...]
    tests: dict[str, Node]

    def build(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes every model anew from the raw tables of a connection, as tables in staging and marts."""
        connection.execute("create schema if not exists staging; create schema if not exists marts")
        self._seed(connection)
        for model in self.models:
            connection.execute(f"create or replace table {model.relation} as {model.sql}")

    def failures(self, connection: duckdb.DuckDBPyConnection, name: str) -> int:
        """How many rows a data test finds at fault."""
        return len(connection.execute(self.tests[name].sql).fetchall())

    def all_failures(self, connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
        """Every data test that finds rows at fault, and how many."""
        found = {name: self.failures(connection, name) for name in self.tests}
        return {name: rows for name, rows in found.items() if rows}

    @staticmethod
    def _seed(connection: duckdb.DuckDBPyConnection) -> None:
        for path in sorted((SQL / "seeds").glob("*.csv")):
            (seed,) = yaml.safe_load(path.with_suffix(".yml").read_text())["seeds"]
            columns = ", ".join(f"{name} {kind}" for name, kind in seed["config"]["column_types"].items())
            with path.open() as file:
                rows = [[cell or None for cell in row.values()] for row in csv.DictReader(file)]
            connection.execute(f"create or replace table staging.{path.stem} ({columns})")
            marks = ", ".join("?" for _ in rows[0])
            connection.executemany(f"insert into staging.{path.stem} values ({marks})", rows)


def compiled(folder: Path, **variables: Any) -> Compiled:
    """The project as dbt compiles it, with every name free of the database it was compiled for.

    Compiling takes long: what one test file has compiled the others of the same run find again.
    """
    shared = next((above for above in folder.parents if above.parent.name.startswith("pytest-of-")), folder)
    kept = shared / f"compiled {sorted(variables.items())}.pickle".replace("/", "_")
    if not kept.exists():
        found = folder / "compiled.pickle"
        found.write_bytes(pickle.dumps(_compiled(folder, variables)))
        found.rename(kept)  # at once, for those who look at the same time
    return cast("Compiled", pickle.loads(kept.read_bytes()))  # noqa: S301  # written by this very run


def _compiled(folder: Path, variables: Mapping[str, Any]) -> Compiled:
    db = folder / "compiled.duckdb"
    if not db.exists():
        with duckdb.connect(str(db)) as connection:
            empty_raw(connection)
    outcome = dbt(db, folder / "target", "compile", "--vars", json.dumps({"test_all_keys": True, **variables}))
    nodes = {result.node.unique_id: _node(result.node) for result in succeeded(outcome)}
    models = {key: node for key, node in nodes.items() if node.kind == "model"}
    order = TopologicalSorter({key: [d for d in node.depends_on if d in models] for key, node in models.items()})
    tests = {node.name: node for node in nodes.values() if node.kind == "test"}
    return Compiled(tuple(models[key] for key in order.static_order()), tests)


def _node(node: Any) -> Node:
    return Node(
        name=node.name,
        kind=str(node.resource_type),
        layer=node.fqn[1],
        relation=f"{node.schema}.{node.name}",
        depends_on=tuple(node.depends_on_nodes),
        sql=node.compiled_code.replace('"compiled".', ""),
    )
