"""Brings the raw tables of an older release up to this one's, before anything else is written to them.

Stands under `pipeline` and `transform`, on `layout`. All of it is one transaction: a database is of one layout or of
the other, whenever it is killed.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from mithril_elt.layout import LAYOUT, LAYOUTS
from mithril_elt.postgres import Session
from mithril_elt.tables import RAW_TABLES, SQL_TYPES

__all__ = ["add_new_columns", "make_schema", "migrate"]

# What rows of an older release get in a column that has come since; null in all others, as they do not say it.
_FILLED = {("reservation_events", "position"): "0"}  # of the key: until then each was the only one of its kind


def migrate(connection: Any, schema: str) -> None:
    """Adds to the raw tables of a schema what they lack, and notes in it that this release writes it."""
    table = f'"{schema}".{LAYOUTS}'
    connection.begin()
    make_schema(connection, schema)
    connection.execute(f"create table if not exists {table} (layout bigint, version varchar, since timestamp)")
    add_new_columns(connection, schema)
    if isinstance(connection, Session):
        _index_histories(connection, schema)
    known = f"select 1 from {table} where layout = $1 and version = $2"  # noqa: S608  # own names
    begun = f"insert into {table} select $1, $2, now() at time zone 'UTC' where not exists ({known})"
    connection.execute(begun, [LAYOUT, version("mithril-elt")])
    connection.commit()


def make_schema(connection: Any, schema: str) -> None:
    """Makes a schema that is not there. PostgreSQL asks for the right to make one even where it is."""
    known = "select 1 from information_schema.schemata where catalog_name = current_database() and schema_name = $1"
    if not connection.execute(known, [schema]).fetchall():
        connection.execute(f'create schema "{schema}"')


def add_new_columns(connection: Any, schema: str) -> None:
    """Adds to raw tables that an older release made the columns they lack."""
    query = "select table_name, column_name from information_schema.columns where table_catalog = current_database()"
    found = connection.execute(f"{query} and table_schema = ?", [schema]).fetchall()
    tables = {table for table, _ in found}
    for table in RAW_TABLES:
        for column in table.columns:
            if table.name in tables and (table.name, column.name) not in found:
                name = f'"{schema}"."{table.name}"'
                connection.execute(f'alter table {name} add column "{column.name}" {SQL_TYPES[column.kind]}')
                filled = _FILLED.get((table.name, column.name))
                if filled is not None:
                    connection.execute(f'update {name} set "{column.name}" = {filled}')  # noqa: S608  # own names


def _index_histories(connection: Session, schema: str) -> None:
    """Has PostgreSQL note which blocks of a history hold which times and loads, so that what is new is found there.

    Rows come by the time, so an index of blocks (BRIN) is a thousandth of the table, and next to nothing to keep. Other
    engines keep such notes by themselves.
    """
    query = "select tablename, indexname from pg_indexes where schemaname = ?"
    indexed = connection.execute(query, [schema]).fetchall()
    made = "select table_name from information_schema.tables where table_schema = ?"
    there = {table for (table,) in connection.execute(made, [schema]).fetchall()}
    for table in RAW_TABLES:
        for column in [*table.instants, "_dlt_load_id"] if table.instants and table.name in there else ():
            name = f"{table.name}_by_{column}"
            if (table.name, name) not in indexed:
                place = f'"{schema}"."{table.name}" using brin ("{column}") with (autosummarize = on)'
                connection.execute(f'create index "{name}" on {place}')
