"""A new day of 5,000 rows on a long history, and a run that finds nothing new: whole runs, models included.

Stands on `history` and `measured`; a part of `python -m bench`, or `python -m bench.increments [ROWS] [TIMES]`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from bench.extract import fresh_folder
from bench.history import later, prepared
from bench.measured import HERE, Code, Run, alternated, measured
from bench.tables import middle, ratios, spread, table

__all__ = ["increments_part"]

_HEAD = ("what is new", "code", "seconds", "extract s", "build s", "CPU s", "peak MB", "requests", "rows read")


def increments_part(rows: int, times: int, codes: Sequence[Code] = (HERE,)) -> Iterator[str]:
    """The table of a history of about that size: each code has a database of its own, which grows by a day a run."""
    with fresh_folder() as folder:
        dbs = {code.name: folder / f"{n}.duckdb" for n, code in enumerate(codes)}
        for code in codes:
            print(f"{code.name}: a history of {rows:,} rows is made", file=sys.stderr, flush=True)
            there_are = prepared(dbs[code.name], rows, code)
        days = dict.fromkeys(dbs, 0)
        grown = {code.name: partial(_a_day_later, dbs[code.name], rows, days, code) for code in codes}
        empty = {code.name: partial(_once_more, dbs[code.name], rows, days, code) for code in codes}
        lines = _lines("a day of 5,000 more rows", alternated(grown, times))
        lines += _lines("nothing new", alternated(empty, times))
    yield table(f"`mithril-elt run` on {there_are:,} rows (median of {times}; least and most)", _HEAD, lines)
    if len(codes) > 1:
        measures = {"seconds": 2, "extract": 3, "build": 4, "CPU": 5, "peak": 6, "requests": 7}
        yield ratios(lines, [code.name for code in codes], "what is new", measures)


def _a_day_later(db: Path, rows: int, days: dict[str, int], code: Code) -> Run:
    days[code.name] += 1
    return _once_more(db, rows, days, code)


def _once_more(db: Path, rows: int, days: dict[str, int], code: Code) -> Run:
    """One whole run, up to the day that it has come to."""
    with later(rows, days[code.name]) as server:
        run = measured(("mithril_elt", "run", "--json", "--db", db, "--api-url", server.url), code=code, cwd=db.parent)
    if run.told["outcome"] != "done":
        raise RuntimeError(f"a run ended as {run.told['outcome']}")
    return run


def _lines(what: str, runs: dict[str, list[Run]]) -> list[tuple[str, ...]]:
    return [
        (
            what,
            name,
            spread([run.seconds for run in each]),
            *(
                f"{median(run.told['stages_ms'].get(stage, 0) for run in each) / 1000:,.2f}"
                for stage in ("extract", "build")
            ),
            middle(run.cpu_s for run in each),
            middle((run.peak_mb for run in each), 0),
            *(middle((run.told[fact] for run in each), 0) for fact in ("requests", "rows")),
        )
        for name, each in runs.items()
    ]


if __name__ == "__main__":
    wanted_rows, wanted_times = (int(each) for each in [*sys.argv[1:], *("100000", "3")[len(sys.argv) - 1 :]])
    for text in increments_part(wanted_rows, wanted_times):
        print(text, flush=True)
