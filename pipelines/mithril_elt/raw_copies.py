"""Copies of the raw tables in a DuckDB file of their own, wherever the tables are.

Stands under `transform`, which builds marts of another instant on a copy; what is copied is only read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mithril_elt.batches import make_table, move_rows, tables_of
from mithril_elt.migration import add_new_columns
from mithril_elt.objects import Objects
from mithril_elt.place import Place
from mithril_elt.quoting import quoted_text
from mithril_elt.raw_views import make_views
from mithril_elt.warehouse import listed, opened

__all__ = ["copy_raw", "copy_tables"]


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
            connection.execute("set timezone = 'UTC'")
            with db.opened() as session:
                copy_tables(session, connection, schema)
        add_new_columns(connection, schema)


def _from_file(db: Path, connection: Any, schema: str) -> None:
    connection.execute(f"attach {quoted_text(db)} as live (read_only)")
    listed = "select table_name from duckdb_tables() where database_name = 'live' and schema_name = ?"
    for (table,) in connection.execute(listed, [schema]).fetchall():
        connection.execute(f'create table "{schema}"."{table}" as from live."{schema}"."{table}"')


def copy_tables(source: Any, target: Any, schema: str) -> dict[str, int]:
    """Makes all tables of a schema, with their rows, where there is the schema but none of them; the rows of each.

    Raises:
        WarehouseError: a table has what cannot be copied.
    """
    rows = {}
    for table, columns in tables_of(source, schema).items():
        name = f'"{schema}"."{table}"'
        make_table(target, name, columns)
        rows[table] = move_rows(source, target, name, columns)
    return rows
