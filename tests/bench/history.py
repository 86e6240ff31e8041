"""A long history without hours of loading it: a true load of up to a million rows, multiplied by SQL in `raw`.

Stands under `increments`. Only prices older than any look-back are multiplied, as an auction does that prices every two
minutes: each period is cut into many. So ledger and state stay what a true load left, and the next run finds in its
windows what it would have found.
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


def later(rows: int, days: int) -> AbstractContextManager[Served]:
    """The server of the account behind a history of so many rows, so many days after it: 5,000 rows in each."""
    return served(min(rows, TRULY_LOADED), later_days=days)


def prepared(db: Path, rows: int, code: Code) -> int:
    """Makes a database with a history of at least so many rows, and builds its models; how many there are."""
    with later(rows, 0) as server:
        measured(("mithril_elt", "extract", "--db", db, "--api-url", server.url), code=code, cwd=db.parent)
        fleet, there_are = server.account.fleet, server.account.rows
    last_us = fleet.end_us - _UNTOUCHED_DAYS * DAY_US
    old = fleet.before(last_us)
    if there_are < rows:
        pieces = 1 - (there_are - rows) // old
        measured(("bench.history", db, str(pieces), str(fleet.start_us), str(last_us)), code=code)
        there_are += (pieces - 1) * old
    measured(("mithril_elt", "build", "--db", db), code=code, cwd=db.parent)
    return there_are


def multiply(db: str, pieces: int, first_us: int, last_us: int) -> None:
    """Cuts each price period that begins in that time into so many, told in the order of time, as loads would have."""
    import duckdb  # noqa: PLC0415  # only in a process of its own

    with duckdb.connect(db) as connection:
        connection.execute("set timezone = 'UTC'")
        span = [as_instant(first_us), as_instant(last_us)]
        told_then = "start_time >= ?::timestamp and start_time < ?::timestamp and end_time is not null"
        connection.execute(
            f"create temp table whole as select *, date_diff('microsecond', start_time, end_time) // {pieces}"
            f" as piece_us from raw.instance_price_periods where {told_then}",
            span,
        )
        connection.execute(f"delete from raw.instance_price_periods where {told_then}", span)
        for start_us in range(first_us, last_us, 7 * DAY_US):
            connection.execute(
                "insert into raw.instance_price_periods by name select whole.* exclude (piece_us) replace ("
                " start_time + to_microseconds(n * piece_us) as start_time,"
                f" case when n = {pieces} - 1 then end_time else start_time + to_microseconds((n + 1) * piece_us) end"
                f" as end_time, 100 + (price_cents + 7 * n) % 900 as price_cents)"
                f" from whole cross join range({pieces}) as pieces(n)"
                " where start_time >= ?::timestamp and start_time < ?::timestamp order by start_time",
                [as_instant(start_us), as_instant(min(start_us + 7 * DAY_US, last_us))],
            )


if __name__ == "__main__":
    name, *numbers = sys.argv[1:]
    multiply(name, *map(int, numbers))
