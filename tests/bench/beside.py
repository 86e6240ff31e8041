"""This project beside its peers, and beside what the machine and the server allow, in turn on the same account.

Stands on `extract`; a part of `python -m bench`, or `python -m bench.beside [ROWS] [TIMES]`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from statistics import median

from bench.extract import Scene, loaded
from bench.measured import HERE, Run, alternated
from bench.peers import WORKERS
from bench.served import Counts, served
from bench.tables import middle, spread, table
from bench.topspeed import top_speed

__all__ = ["beside_part"]

_NAMES = {
    "ours": "mithril-elt",
    "rest_api": "dlt rest_api_source, parquet",
    "parallel": f"dlt resource, {WORKERS} workers, parquet",
    "limits": "limits: see below",
}


def beside_part(rows: int, times: int) -> Iterator[str]:
    """Few large pages without latency, then many small ones that come later; each with its limits."""
    yield from _one_scene(Scene(rows), times)
    yield from _one_scene(Scene(rows, counts_events=True, latency_ms=50), times)


def _one_scene(scene: Scene, times: int) -> Iterator[str]:
    with served(**scene.options) as server:
        server.be(latency_ms=scene.latency_ms)
        counts: dict[str, list[Counts]] = {name: [] for name in _NAMES}
        works = {name: partial(loaded, scene, name, server, counts[name], HERE) for name in _NAMES}
        runs = alternated(works, times)
        lines = [_line(scene, name, runs[name], counts[name]) for name in _NAMES if name != "limits"]
        head = ("loaded by", "seconds", "rows/s", "CPU s", "peak MB", "requests")
        yield table(f"{scene.name} (median of {times}; least and most)", head, lines)
        server.be()
        yield _limits(scene, runs["limits"], top_speed(server))


def _line(scene: Scene, name: str, runs: list[Run], counts: list[Counts]) -> tuple[str, ...]:
    seconds = [run.seconds for run in runs]
    return (
        _NAMES[name],
        spread(seconds),
        f"{scene.rows * scene.projects / median(seconds):,.0f}",
        middle(run.cpu_s for run in runs),
        middle((run.peak_mb for run in runs), 0),
        middle((each.requests for each in counts), 0),
    )


def _limits(scene: Scene, runs: list[Run], top: tuple[float, float]) -> str:
    steps = {
        "the same requests by bare aiohttp, 16 at a time, nothing decoded": "fetch_s",
        "decoding alone (msgspec, typed)": "decode_s",
        "DuckDB alone, from Arrow": "ingest_s",
    }
    lines = []
    for name, key in steps.items():
        seconds = [run.told[key] for run in runs]
        lines.append((name, spread(seconds), f"{scene.rows * scene.projects / median(seconds):,.0f}"))
    requests_s, mb_s = top
    told = f"\nThe server by itself, packed, asked by a raw client: {requests_s:,.0f} requests/s, {mb_s:,.0f} MB/s.\n"
    return table("Limits of the same", ("step", "seconds", "rows/s"), lines) + told


if __name__ == "__main__":
    wanted_rows, wanted_times = (int(each) for each in [*sys.argv[1:], *("100000", "3")[len(sys.argv) - 1 :]])
    for text in beside_part(wanted_rows, wanted_times):
        print(text, flush=True)
