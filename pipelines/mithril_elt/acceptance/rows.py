"""Rows of the raw tables of a scratch database, and in what two readings of the same time differ.

Stands in `acceptance` on `warehouse` and `tables`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from mithril_elt.histories import HISTORIES
from mithril_elt.instants import naive_utc
from mithril_elt.tables import RAW_TABLES, RawTable, raw_table
from mithril_elt.warehouse import loaded_from

__all__ = ["Difference", "Row", "Rows", "between", "compared_columns", "differences", "loaded_rows"]

Row = tuple[Any, ...]
Rows = Counter[Row]

_OF_A_READING = frozenset({"read_at", "withdrawn_at"})
_COMPARED = tuple(each.name for each in RAW_TABLES if each.name not in {"runs", "windows", "reservation_usage"})
_INSTANTS = {history.table: history.instant for history in HISTORIES}
_INSTANTS |= {"market_prices": "timestamp", "reservation_events": "timestamp"}


@dataclass(frozen=True)
class Difference:
    """A row that one of two readings has more often than the other; `subject`: the first part of its key."""

    table: str
    subject: str
    row: Row

    def __str__(self) -> str:
        shown = (value.isoformat() if isinstance(value, datetime) else str(value) for value in self.row if value)
        return f"{self.table}: {' '.join(shown)}"[:160]


def compared_columns(table: RawTable) -> list[str]:
    """The columns that tell of the account, not of the reading that brought them."""
    return [column.name for column in table.columns if column.name not in _OF_A_READING]


def loaded_rows(db: Path) -> dict[str, Rows]:
    """The rows of the raw tables, by table: of versions those that hold, of events those that are not withdrawn.

    The vendor's sums, which go on with every second, and the ledgers are no part of it.

    Raises:
        UsageError, WarehouseError: the database is not to be had.
    """
    with loaded_from(db, "raw") as connection:
        return {name: _rows_of(connection, raw_table(name)) for name in _COMPARED}


def _rows_of(connection: duckdb.DuckDBPyConnection, table: RawTable) -> Rows:
    wanted = ["true"] + (["_dlt_valid_to is null"] if table.history == "versions" else [])
    if any(column.name == "withdrawn_at" for column in table.columns):
        wanted.append("withdrawn_at is null")
    columns = ", ".join(f'"{name}"' for name in compared_columns(table))
    query = f"select {columns} from raw.{table.name} where {' and '.join(wanted)}"  # noqa: S608  # own names
    return Counter(connection.execute(query).fetchall())


def between(rows: Mapping[str, Rows], start: datetime, end: datetime) -> dict[str, Rows]:
    """The same without the events that lie outside; what has no instant stays."""
    first, last = (naive_utc(at) for at in (start, end))
    kept = dict(rows)
    for name in _INSTANTS.keys() & rows.keys():
        place = compared_columns(raw_table(name)).index(_INSTANTS[name])
        kept[name] = Counter({row: count for row, count in rows[name].items() if first <= row[place] < last})
    return kept


def differences(one: Mapping[str, Rows], other: Mapping[str, Rows]) -> list[Difference]:
    """What one reading has and the other has not, or more often, of the tables that both have."""
    return [each for name in sorted(one.keys() & other.keys()) for each in _differing(name, one[name], other[name])]


def _differing(name: str, one: Rows, other: Rows) -> Iterator[Difference]:
    table = raw_table(name)
    place = compared_columns(table).index(table.key[0])
    for row in ((one - other) + (other - one)).elements():
        yield Difference(name, str(row[place]), row)
