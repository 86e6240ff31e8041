"""Databases on the server and files beside them: asked, compared, and worked on by commands as a user types them.

Stands under the tests of this folder, on `postgres`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg2
from postgres import Postgres as Server

from loading import DATA_TABLES, RUN_COLUMNS, query
from mithril_elt.postgres import Postgres
from mithril_elt.sandbox.server import Sandbox
from mithril_elt.warehouse import opened

__all__ = ["administering", "command", "rows_of", "unlike", "url_of"]


def url_of(server: Server, name: str, user: str = "postgres", password: str = "pw_7h1s") -> str:  # noqa: S107  # trusted there
    """The address of a database of the server, as a user would write it."""
    return f"postgresql://{user}:{password}@localhost/{name}?host={server.folder}&sslmode=prefer"


class administering:  # noqa: N801  # read as a function
    """A cursor outside all transactions, of that database."""

    def __init__(self, server: Server, database: str = "postgres") -> None:
        self._connection = psycopg2.connect(host=str(server.folder), user="postgres", dbname=database)
        self._connection.autocommit = True

    def __enter__(self) -> Any:
        return self._connection.cursor()

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def rows_of(place: Postgres | Path, table: str, columns: list[str]) -> list[tuple[str, ...]]:
    """The rows of a table as text, sorted."""
    named = ", ".join(f'"{name}"' for name in columns)
    with opened(place) as connection:
        connection.execute("set timezone = 'UTC'")
        return sorted(tuple(map(str, row)) for row in connection.execute(f"select {named} from {table}").fetchall())


def unlike(place: Postgres, db: Path, *, with_marts: bool = True) -> list[str]:
    """The raw tables and marts that are not the same in both, but for the columns that tell of the run."""
    listed = "select table_schema, table_name, column_name from information_schema.columns order by ordinal_position"
    tables: dict[str, list[str]] = {}
    for schema, table, column in query(db, listed):
        if (schema == "raw" and table in DATA_TABLES) or (schema == "marts" and with_marts):
            tables.setdefault(f"{schema}.{table}", []).append(column)
    kept = {table: [name for name in columns if name not in RUN_COLUMNS] for table, columns in tables.items()}
    return [table for table, columns in kept.items() if rows_of(place, table, columns) != rows_of(db, table, columns)]


def command(sandbox: Sandbox, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a user types it, against the sandbox."""
    environ = {**os.environ, "MITHRIL_API_KEY": sandbox.key, "MITHRIL_API_URL": sandbox.url}
    words = [sys.executable, "-m", "mithril_elt", *arguments]
    return subprocess.run(words, env=environ, capture_output=True, text=True, timeout=120, check=False)
