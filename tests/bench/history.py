"""A long history without hours of loading it: a true load of up to a million rows, multiplied by SQL in `raw`.

Stands under `increments`. Only rows older than any look-back are multiplied, under ids of other instances, so ledger
and state stay what a true load left, and the next run finds in its windows what it would have found.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

from bench.fleet import DAY_US, as_instant
from bench.measured import Code, measured
from bench.served import Served, served

__all__ = ["later", "prepared"]

TRULY_LOADED = 1_000_000
_UNTOUCHED_DAYS = 4  # more than the look-back of three
_TABLES = {"instance_status_events": "timestamp", "instance_price_periods": "start_time"}


def later(rows: int, days: int) -> AbstractContextManager[Served]:
    """The server of the account behind a history of so many rows, so many days after it: 5,000 rows in each."""
    return served(min(rows, TRULY_LOADED), later_days=days)


def prepared(db: Path, rows: int, code: Code) -> int:
    """Makes a database with a history of at least so many rows, and builds its models; how many there are."""
    with later(rows, 0) as server:
        measured(("mithril_elt", "extract", "--db", db, "--api-url", server.url), code=code, cwd=db.parent)
        fleet, there_are = server.account.fleet, server.account.rows
    last_us = fleet.end_us - _UNTOUCHED_DAYS * DAY_US
    old = 2 * fleet.before(last_us)
    if there_are < rows:
        copies = -(-(rows - there_are) // old)
        measured(("bench.history", db, str(copies), str(fleet.start_us), str(last_us)), code=code)
        there_are += copies * old
    measured(("mithril_elt", "build", "--db", db), code=code, cwd=db.parent)
    return there_are


def multiply(db: str, copies: int, first_us: int, last_us: int) -> None:
    """Adds so many copies of the rows in that time, of other instances, in the order of time, as loads would have."""
    import duckdb  # noqa: PLC0415  # only in a process of its own

    with duckdb.connect(db) as connection:
        for start_us in range(first_us, last_us, 7 * DAY_US):
            span = [as_instant(start_us), as_instant(min(start_us + 7 * DAY_US, last_us))]
            for table, instant in _TABLES.items():
                connection.execute(
                    f"insert into raw.{table} "
                    f"select rows.* replace (instance_fid || '_' || copies.n as instance_fid) "
                    f"from raw.{table} as rows cross join range({copies}) as copies(n) "
                    f"where {instant} >= ?::timestamp and {instant} < ?::timestamp "
                    f"order by {instant}",
                    span,
                )


if __name__ == "__main__":
    name, *numbers = sys.argv[1:]
    multiply(name, *map(int, numbers))
