"""Takes the raw history of one place to another, with ledger, dlt's memory and journal: what comes next goes on.

Stands beside `transform`, on `raw_copies`. All of it is one transaction of the target: a copy that is broken off leaves
nothing, and is begun anew. Models are not copied: a build there makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mithril_elt.errors import UsageError, WarehouseError
from mithril_elt.layout import LAYOUTS
from mithril_elt.lock import locked, still_held
from mithril_elt.migration import make_schema
from mithril_elt.objects import Objects
from mithril_elt.pipeline import forget_working_folder
from mithril_elt.place import Place
from mithril_elt.postgres import Postgres
from mithril_elt.raw_copies import copy_tables
from mithril_elt.warehouse import Translated, loaded_from, make_private, opened, schema_name

__all__ = ["Copied", "copy"]


@dataclass(frozen=True)
class Copied:
    """What a copy took along: the rows of each raw table, its own and dlt's; `ops.actions` is the journal."""

    tables: dict[str, int]

    @property
    def rows(self) -> int:
        """Of all tables together."""
        return sum(self.tables.values())


def copy(source: Place, target: Place, dataset: str | None = None) -> Copied:
    """Copies all raw tables of a place, and its journal, into another that has none; both are locked meanwhile.

    Raises:
        UsageError: source and target are one, one of them is files, nothing was loaded into the source, or the target
            holds something.
        LockedError: a run holds one of them.
        WarehouseError: one of them cannot be read or written, or a newer release wrote the source.
    """
    _check(source, target, dataset)
    raw = schema_name("raw", dataset)
    with locked(source), locked(target):
        if isinstance(target, Path):
            make_private(target)
        with _reading(source, raw) as from_there, opened(target) as to_here:
            _check_empty(to_here, target, dataset)
            to_here.execute("set timezone = 'UTC'")
            to_here.begin()
            make_schema(to_here, raw)
            to_here.execute(f'drop table if exists "{raw}".{LAYOUTS}')  # all that a run leaves that loads nothing
            copied = Copied(_copied(from_there, to_here, raw) | _journal(from_there, to_here, dataset))
            forget_working_folder(target)  # what it remembers is of another history
            still_held(source)
            still_held(target)
            to_here.commit()
    return copied


def _check(source: Place, target: Place, dataset: str | None) -> None:
    for place in (source, target):
        if isinstance(place, Objects):
            raise UsageError(f"{place} has raw history as files, which are read where they are: copy takes no files")
        if isinstance(place, Postgres):
            place.check_dataset(dataset)
    one, other = (place.resolve() if isinstance(place, Path) else place for place in (source, target))
    if one == other:
        raise UsageError(f"{source} is both what is copied and where to: --destination and --to have to differ")


@contextmanager
def _reading(source: Place, raw: str) -> Iterator[Any]:
    """A connection that sees the source as it is at one moment."""
    with loaded_from(source, raw) as connection, Translated(source):
        connection.execute("set timezone = 'UTC'")
        connection.execute("begin transaction" if isinstance(source, Path) else "begin isolation level repeatable read")
        yield connection


def _check_empty(connection: Any, target: Place, dataset: str | None) -> None:
    schemas = [schema_name(layer, dataset) for layer in ("raw", "staging", "marts", "ops")]
    listed = (
        "select table_schema, table_name from information_schema.tables where table_catalog = current_database()"
        " and table_schema in (?, ?, ?, ?) order by 1, 2"
    )
    for schema, table in connection.execute(listed, schemas).fetchall():
        if (schema, table) != (schemas[0], LAYOUTS):
            raise UsageError(f"{target} holds something already ({schema}.{table}): what is copied to has to be empty")


def _journal(source: Any, target: Any, dataset: str | None) -> dict[str, int]:
    """What was asked of instances, if anything was: it belongs to the figures from which it came."""
    schema = schema_name("ops", dataset)
    noted = "select count(*) from information_schema.tables where table_catalog = current_database()"
    [[tables]] = source.execute(f"{noted} and table_schema = ?", [schema]).fetchall()
    if not tables:
        return {}
    make_schema(target, schema)
    return {f"ops.{name}": rows for name, rows in _copied(source, target, schema).items()}


def _copied(source: Any, target: Any, schema: str) -> dict[str, int]:
    """The rows of each table of a schema, all of which have arrived."""
    tables = copy_tables(source, target, schema)
    for table, rows in tables.items():
        [[found]] = target.execute(f'select count(*) from "{schema}"."{table}"').fetchall()  # noqa: S608  # own names
        if found != rows:
            raise WarehouseError(f"of {rows:,} rows of {schema}.{table} {found:,} arrived: nothing is copied")
    return tables
