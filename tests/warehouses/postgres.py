"""A PostgreSQL of its own for tests: started on a socket in a folder, filled from a DuckDB file, asked for its marts.

Stands under the tests of this folder. What is copied is what a load leaves, column by column.
"""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest

from mithril_elt.transform import sql_folder

__all__ = ["Postgres", "marts_of", "started"]

_TYPES = {"HUGEINT": "numeric(38, 0)", "DOUBLE": "double precision", "JSON": "jsonb"}
_NULL = r"\N"


@dataclass(frozen=True)
class Postgres:
    """A server that listens on a socket in its folder, and the database in it."""

    folder: Path
    database: str = "postgres"

    @property
    def environment(self) -> dict[str, str]:
        """What libpq, and so dbt, is told."""
        told = {"HOST": str(self.folder), "USER": "postgres", "DATABASE": self.database, "TZ": "UTC"}
        return {f"PG{name}": value for name, value in told.items()} | {"MITHRIL_DBT_TARGET": "postgres"}

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A cursor, whose work is committed."""
        connection = psycopg2.connect(host=str(self.folder), user="postgres", dbname=self.database)
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.connected() as cursor:
            cursor.execute(sql)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def copy_raw(self, db: Path) -> None:
        """Makes the raw tables those of a DuckDB file."""
        with duckdb.connect(str(db), read_only=True) as file, self.connected() as cursor:
            file.execute("set timezone = 'UTC'")
            cursor.execute("create schema if not exists raw")
            for table, columns in _tables(file, "raw").items():
                described = ", ".join(f'"{name}" {_TYPES.get(kind, kind)}' for name, kind in columns)
                cursor.execute(f'create table if not exists raw."{table}" ({described})')
                cursor.execute(f'truncate raw."{table}"')
                rows = file.execute(f'from raw."{table}"').fetchall()
                cursor.copy_expert(f"copy raw.\"{table}\" from stdin (format csv, null '{_NULL}')", _as_csv(rows))

    def dbt(self, target: Path, *arguments: str, **names: Any) -> list[Any]:
        """The results of a dbt command, all of which succeeded; `names` are variables."""
        from dbt.adapters.factory import reset_adapters  # noqa: PLC0415  # dbt costs two seconds
        from dbt.cli.main import dbtRunner  # noqa: PLC0415  # as above

        sql = str(sql_folder())
        own = ["--project-dir", sql, "--profiles-dir", sql, "--target-path", str(target), "--log-path", str(target)]
        quiet = ["--quiet", "--log-level", "none", "--warn-error", "--vars", json.dumps(names)]
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of dbt's own code; those about the project come as errors
            for name, value in (self.environment | {"DO_NOT_TRACK": "1"}).items():
                patch.setenv(name, value)
            try:
                outcome = dbtRunner().invoke([*arguments, *own, *quiet])
            finally:
                reset_adapters()
        assert outcome.exception is None, str(outcome.exception)
        results = list(outcome.result.results)
        wrong = [each for each in results if str(each.status) not in {"success", "pass", "skipped"}]
        assert not wrong, "\n".join(f"{each.node.name}: {each.status} {each.message}" for each in wrong)
        return results

    def unequal(self, db: Path) -> list[str]:
        """The marts that are not, row for row and to the last digit, those of a DuckDB file."""
        theirs = marts_of(db)
        mine = {table: sorted(self.rows(_all_of(table, columns)), key=_place) for table, columns, _ in theirs}
        return [table for table, _, rows in theirs if mine[table] != rows]


def marts_of(db: Path) -> list[tuple[str, list[str], list[tuple[Any, ...]]]]:
    """The marts of a DuckDB file: name, columns, and rows in an order that both engines agree on."""
    with duckdb.connect(str(db), read_only=True) as file:
        tables = {table: [name for name, _ in columns] for table, columns in _tables(file, "marts").items()}
        rows = {table: file.execute(_all_of(table, columns)).fetchall() for table, columns in tables.items()}
    return [(table, columns, sorted(rows[table], key=_place)) for table, columns in tables.items()]


@contextmanager
def started(folder: Path) -> Iterator[Postgres]:
    """A server with its data in a folder; it is stopped afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pgserver, about a folder that this machine may lack
        import pgserver  # noqa: PLC0415  # as above

        server = pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(folder)
    finally:
        server.cleanup()


def _tables(file: duckdb.DuckDBPyConnection, schema: str) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    listed = "select table_name, column_name, data_type from duckdb_columns() where schema_name = ?"
    for table, name, kind in file.execute(f"{listed} order by table_name, column_index", [schema]).fetchall():
        found.setdefault(table, []).append((name, kind))
    return found


def _all_of(table: str, columns: Sequence[str]) -> str:
    named = ", ".join(f'"{name}"' for name in columns)
    return f'select {named} from marts."{table}"'  # own names


def _place(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Where a row stands among others: null first; a whole number is the same however it is kept."""
    return tuple((value is not None, f"{value:f}" if isinstance(value, Decimal) else str(value)) for value in row)


def _as_csv(rows: Sequence[tuple[Any, ...]]) -> io.StringIO:
    text = io.StringIO()
    csv.writer(text).writerows([_NULL if value is None else value for value in row] for row in rows)
    text.seek(0)
    return text
