"""How large the file becomes by many small loads, beside a fresh one of the same rows; and whether they become slower.

Stands on `history` and `measured`; a part of `python -m bench`, or `python -m bench.disk [ROWS] [TIMES]`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import duckdb

from bench.extract import fresh_folder
from bench.history import later
from bench.measured import HERE, Code, Run, measured
from bench.tables import table

__all__ = ["disk_part"]

_MB = 2**20
_AT_ENDS = 10  # loads at the beginning and at the end, whose times are compared


def disk_part(rows: int, increments: int, codes: Sequence[Code] = (HERE,)) -> Iterator[str]:
    """A line for each code: a history of so many rows, to which a day of 5,000 is added so many times."""
    lines = []
    for code in codes:
        with fresh_folder() as folder:
            db = folder / "a.duckdb"
            runs = [_loaded(db, rows, day, code) for day in range(increments + 1)][1:]
            grown, fresh = db.stat().st_size, _copied(db, folder / "fresh.duckdb")
            ends = [median(run.seconds for run in part) for part in (runs[:_AT_ENDS], runs[-_AT_ENDS:])]
        lines.append((code.name, f"{grown / _MB:,.1f}", f"{fresh / _MB:,.1f}", f"{grown / fresh:.2f}", *_seconds(ends)))
    head = ("code", "MB", "fresh MB", "ratio", f"seconds, first {_AT_ENDS}", f"last {_AT_ENDS}")
    yield table(f"The file after {increments} loads of a day of 5,000 rows on {rows:,}", head, lines)


def _seconds(ends: Sequence[float]) -> Iterator[str]:
    return (f"{each:.2f}" for each in ends)


def _loaded(db: Path, rows: int, day: int, code: Code) -> Run:
    with later(rows, day) as server:
        run = measured(("mithril_elt", "extract", "--db", db, "--api-url", server.url), code=code, cwd=db.parent)
    print(f"{code.name}, day {day}: {run.seconds:.2f} s, {db.stat().st_size:,} bytes", file=sys.stderr, flush=True)
    return run


def _copied(db: Path, fresh: Path) -> int:
    """The size of a file into which all is copied at once."""
    with duckdb.connect() as connection:
        connection.execute(
            f"attach '{db}' as grown (read_only); attach '{fresh}' as fresh; copy from database grown to fresh"
        )
    return fresh.stat().st_size


if __name__ == "__main__":
    wanted_rows, wanted_times = (int(each) for each in [*sys.argv[1:], *("100000", "100")[len(sys.argv) - 1 :]])
    for text in disk_part(wanted_rows, wanted_times):
        print(text, flush=True)
