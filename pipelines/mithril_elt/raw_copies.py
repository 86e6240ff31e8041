"""Copies of the raw tables in a DuckDB file of their own, wherever the tables are.

Stands under `transform`, which builds marts of another instant on a copy; what is copied is only read.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from mithril_elt.migration import add_new_columns
from mithril_elt.objects import Objects
from mithril_elt.place import Place
from mithril_elt.postgres import Postgres
from mithril_elt.raw_views import make_views
from mithril_elt.warehouse import listed, opened

__all__ = ["copy_raw"]

# What each type of PostgreSQL that dlt makes is in DuckDB.
_TYPES = {
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "character varying": "VARCHAR",
    "double precision": "DOUBLE",
    "integer": "INTEGER",
    "jsonb": "VARCHAR",
    "numeric": "DECIMAL(38, 9)",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
    "timestamp without time zone": "TIMESTAMP",
}
_AS_CSV = "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', nullstr = '\\N'"


def copy_raw(db: Place, scratch: Path, schema: str) -> None:
    """Makes a DuckDB file with the raw tables of a schema, those of an older release with the columns of this one.

    Raises:
        WarehouseError: one of the two cannot be opened, or the tables cannot be read.
    """
    with opened(scratch) as connection:
        if isinstance(db, Objects):  # which nobody changes: they need no copy
            db.register(connection)
            make_views(connection, listed(db, schema), schema)
            return
        connection.execute(f'create schema "{schema}"')
        if isinstance(db, Path):
            _from_file(db, connection, schema)
        else:
            _from_server(db, connection, schema)
        add_new_columns(connection, schema)


def _from_file(db: Path, connection: Any, schema: str) -> None:
    connection.execute(f"attach '{_quoted(db)}' as live (read_only)")
    listed = "select table_name from duckdb_tables() where database_name = 'live' and schema_name = ?"
    for (table,) in connection.execute(listed, [schema]).fetchall():
        connection.execute(f'create table "{schema}"."{table}" as from live."{schema}"."{table}"')


def _from_server(db: Postgres, connection: Any, schema: str) -> None:
    """Each table goes through a file, so that no more of it is in memory than a piece."""
    connection.execute("set timezone = 'UTC'")
    with tempfile.TemporaryDirectory(prefix="mithril-elt-") as folder, db.opened() as session:
        listed = "select table_name, column_name, data_type from information_schema.columns where table_schema = ?"
        tables: dict[str, dict[str, str]] = {}
        for table, name, kind in session.execute(f"{listed} order by 1, ordinal_position", [schema]).fetchall():
            tables.setdefault(table, {})[name] = _TYPES.get(kind, "VARCHAR")
        for table, columns in tables.items():
            file = Path(folder) / "rows.csv"
            session.copy_to(file, f'"{schema}"."{table}"', list(columns))
            described = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            typed = ", ".join(f"'{_quoted(name)}': '{kind}'" for name, kind in columns.items())
            connection.execute(f'create table "{schema}"."{table}" ({described})')
            rows = f"read_csv('{_quoted(file)}', {_AS_CSV}, columns = {{{typed}}})"
            connection.execute(f'insert into "{schema}"."{table}" from {rows}')


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")
