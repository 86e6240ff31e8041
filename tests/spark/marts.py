"""The marts that Spark made beside those of a DuckDB file: row for row, and to the last digit.

Stands under the tests of this folder. Tables of Spark are read as the Parquet files that they are, and its views and
Iceberg's tables as `driver` has written them, so that it is DuckDB that compares, and millions of rows need no memory
of their own.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

__all__ = ["unequal"]


def unequal(db: Path, tables: Path, memory: str = "1GB") -> dict[str, tuple[int, int]]:
    """The marts that are not the same: how many rows only DuckDB has, and how many only Spark."""
    found: dict[str, tuple[int, int]] = {}
    with duckdb.connect() as connection:
        connection.execute(f"set timezone = 'UTC'; set memory_limit = '{memory}'; set preserve_insertion_order = false")
        connection.execute(f"set temp_directory = '{tables.parent / 'spill-duckdb'}'")
        connection.execute(f"attach '{db}' as d (read_only)")
        inside = "where database_name = 'd' and schema_name = 'marts'"
        listed = (
            f"select table_name from duckdb_tables() {inside} union all select view_name from duckdb_views() {inside}"
        )
        for (table,) in connection.execute(listed).fetchall():
            kept = tables / "shown.db" / table
            ours = f"d.marts.{table}"
            theirs = f"'{kept if kept.exists() else tables / 'marts.db' / table}/*.parquet'"
            columns = connection.execute(f"describe {ours}").fetchall()
            there = {name: kind for name, kind, *_ in connection.execute(f"describe from {theirs}").fetchall()}
            assert list(there) == [name for name, *_ in columns], table
            named = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind, *_ in columns)
            for name, kind, *_ in columns:
                assert there[name] == _SPARKS.get(kind, kind), (table, name, there[name])
            sides = (f"select {named} from {ours}", f"select {named} from {theirs}")
            mine, sparks = (
                int(str(connection.execute(f"select count(*) from ({a} except all {b})").fetchall()[0][0]))
                for a, b in (sides, sides[::-1])
            )
            if mine or sparks:
                found[table] = (mine, sparks)
    return found


_SPARKS = {"HUGEINT": "DECIMAL(38,0)", "TIMESTAMP": "TIMESTAMP WITH TIME ZONE"}  # what DuckDB reads Spark's types as
