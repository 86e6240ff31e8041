"""Extract and load into `raw`: at several latencies, under limits of requests, with small pages and uneven fleets.

Stands on `served`, `measured` and `tables`; `python -m bench.extract [ROWS] [TIMES]`, or a part of `python -m bench`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from statistics import median

from bench.measured import HERE, Code, Run, alternated, measured
from bench.served import Counts, Served, served
from bench.tables import middle, ratios, spread, table

__all__ = ["Scene", "extract_part", "fresh_folder", "loaded", "scenes"]


@dataclass(frozen=True)
class Scene:
    """An account, and how its API answers."""

    rows: int
    counts_events: bool = False
    bursty: bool = False
    projects: int = 1
    latency_ms: int = 0
    rate_limit: int = 0

    @property
    def account(self) -> tuple[int, bool, bool, int]:
        """What one server serves, however it answers."""
        return self.rows, self.counts_events, self.bursty, self.projects

    @property
    def options(self) -> dict[str, int]:
        """The same, as the server is given it."""
        return dict(zip(("rows", "counts_events", "bursty", "projects"), map(int, self.account), strict=True))

    @property
    def name(self) -> str:
        """What a table calls it."""
        page = "100 events" if self.counts_events else "100 instances"
        fleet = (", bursty" if self.bursty else "") + (f", {self.projects} projects" if self.projects > 1 else "")
        answers = f"{self.rate_limit} requests/s" if self.rate_limit else f"{self.latency_ms} ms"
        return f"{self.rows * self.projects:,} rows, a page {page}{fleet}, {answers}"


def scenes(rows: int) -> list[Scene]:
    """What an account of that size is measured in; where it would take an hour, less."""
    is_long = rows > 1_000_000
    found = [Scene(rows, latency_ms=latency_ms) for latency_ms in ((0, 50) if is_long else (0, 50, 100))]
    found += [] if is_long else [Scene(rows, rate_limit=10)]
    found += [Scene(rows, counts_events=True)]
    found += [] if is_long else [Scene(rows, counts_events=True, latency_ms=50)]
    found += [] if is_long else [Scene(rows, counts_events=True, rate_limit=50)]  # many pages: so that it is felt
    found += [Scene(rows, bursty=True)]
    found += [Scene(rows // 4, projects=4, latency_ms=50)]
    return found


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder for one run, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield Path(folder)


def extract_part(rows: int, times: int, codes: Sequence[Code] = (HERE,)) -> Iterator[str]:
    """The tables, as soon as each line is known: first this checkout, then what it is compared with."""
    head = (
        "account, answers after",
        "code",
        "seconds",
        "of it load",
        "rows/s",
        "CPU s",
        "peak MB",
        "requests",
        "fewest by the week",
        "429",
        "of limit",
    )
    lines: list[list[str]] = []
    for _, group in groupby(scenes(rows), key=lambda scene: scene.account):
        lines += _of_one_account(list(group), times, codes)
    yield table(f"Extract and load, {rows:,} rows (median of {times}; least and most)", head, lines)
    if len(codes) > 1:
        measures = {"seconds": 2, "of it load": 3, "CPU": 5, "peak": 6, "requests": 7}
        yield ratios(lines, [code.name for code in codes], "account, answers after", measures)


def _of_one_account(group: Sequence[Scene], times: int, codes: Sequence[Code]) -> Iterator[list[str]]:
    with served(**group[0].options) as server:
        for n, scene in enumerate(group):
            server.be(latency_ms=scene.latency_ms, rate_limit=scene.rate_limit)
            counts: dict[str, list[Counts]] = {code.name: [] for code in codes}
            works = {code.name: partial(loaded, scene, "ours", server, counts[code.name], code) for code in codes}
            for name, runs in alternated(works, times, warm_up=n == 0).items():
                yield _line(scene, name, runs, counts[name][-times:], server.account.least_requests())


def loaded(scene: Scene, work: str, server: Served, counts: list[Counts], code: Code) -> Run:
    """One load into a new database; the rows must be all there are, and no more."""
    with fresh_folder() as folder:
        arguments = ("bench.works", work, server.url, folder / "a.duckdb", json.dumps(scene.options))
        run = measured(arguments, code=code, cwd=folder)
    counts.append(server.counts())
    if run.told["rows"] != server.account.rows:
        raise RuntimeError(f"{work} loaded {run.told['rows']} rows of {server.account.rows}")
    return run


def _line(scene: Scene, code: str, runs: Sequence[Run], counts: Sequence[Counts], least: int) -> list[str]:
    seconds = [run.seconds for run in runs]
    rows = scene.rows * scene.projects
    refused = f"{median(100 * each.refused / each.requests for each in counts):.0f} %" if scene.rate_limit else ""
    reached = f"{median(100 * each.reached(scene.rate_limit) for each in counts):.0f} %" if scene.rate_limit else ""
    return [
        *(scene.name, code, spread(seconds), middle(run.told["load_s"] for run in runs)),
        *(f"{rows / median(seconds):,.0f}", middle(run.cpu_s for run in runs)),
        *(middle((run.peak_mb for run in runs), 0), middle((each.requests for each in counts), 0), f"{least:,}"),
        *(refused, reached),
    ]


if __name__ == "__main__":
    rows, times = (int(each) for each in [*sys.argv[1:], *("100000", "3")[len(sys.argv) - 1 :]])
    for text in extract_part(rows, times):
        print(text)
