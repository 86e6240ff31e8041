"""The resources of one dlt run: the lists, windows of both histories, and the ledger of what is covered.

Stands inside `source`, on `reading` and `history_reading`. Each function here makes the generator behind one dlt
resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from mithril_elt.histories import History
from mithril_elt.history_reading import HistoryReading
from mithril_elt.reading import Reading
from mithril_elt.rows import Rows, arrow

__all__ = ["history_tables", "list_tables", "run_tables", "window_tables"]


def list_tables(reading: Reading, name: str) -> Callable[[], Iterator[pa.Table]]:
    """The generator behind the resource of a list: one table, the whole list."""

    def tables() -> Iterator[pa.Table]:
        table = reading.all_lists().tables[name]
        reading.rows += table.num_rows
        yield table

    return tables


def history_tables(reading: Reading, history: History) -> Callable[[], Iterator[pa.Table]]:
    """The generator behind the resource of a history: a table a page, window by window, oldest first."""

    def tables() -> Iterator[pa.Table]:
        reading.unfinished.add(history.name)
        yield arrow(history.table, [])  # so that the table is there even if no window is due
        reading.all_lists()  # they tell how far back there is something
        with reading.open_api() as api:
            for table in HistoryReading(reading, api, history).tables():
                reading.rows += table.num_rows
                yield table
        reading.unfinished.discard(history.name)

    return tables


def window_tables(reading: Reading) -> Callable[[], Iterator[pa.Table]]:
    """The generator behind the ledger: a row for each window that was read to its end."""

    return _after_the_histories(reading, "windows", lambda: reading.ledger)


def run_tables(reading: Reading, rows: Callable[[], Rows]) -> Callable[[], Iterator[pa.Table]]:
    """The generator behind the log of runs: the row of this one, if all that it was to read is read."""
    return _after_the_histories(reading, "runs", rows)


def _after_the_histories(reading: Reading, name: str, rows: Callable[[], Rows]) -> Callable[[], Iterator[pa.Table]]:
    def tables() -> Iterator[pa.Table]:
        while reading.unfinished:  # where dlt takes resources in turn, not one after the other
            yield arrow(name, [])
        yield arrow(name, rows())

    return tables
