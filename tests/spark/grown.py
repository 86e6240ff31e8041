"""How a full build on Spark grows: events, workers, seconds, bytes shuffled, and whether the marts are DuckDB's.

`PYTHONPATH=tests:tests/spark python tests/spark/grown.py DB WORKERS [MEMORY]`, on a file that `mithril-elt build` has
built. `python -m bench.models made DB EVENTS` makes one; `skewed` gives one of its instances a million events more.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import duckdb
from cluster import MODELS_ONLY, Cluster, copy_raw, started
from marts import unequal

_COMPARED_IN = "8GB"  # of memory: tens of millions of rows on both sides


def skewed(db: Path, events: int = 1_000_000) -> None:
    """Puts so many events of one instance into the raw tables, 17 seconds apart."""
    cycle = "['RUNNING', 'PREEMPTING', 'RUNNING', 'STOPPING', 'PAUSED', 'STARTING']"
    with duckdb.connect(str(db)) as file:
        file.execute(
            "insert into raw.instance_status_events by name select * exclude (timestamp, status, k),"
            " timestamp '2026-01-01' + to_microseconds(k * 17000000 + 123457) as timestamp,"
            f" 'STATUS_' || {cycle}[1 + k % 6] as status"
            " from (from raw.instance_status_events limit 1), range(?) as ranks(k)",
            [events],
        )


def main(db: Path, workers: int, memory: str = "1g") -> None:
    """Prints what a build took."""
    with tempfile.TemporaryDirectory(prefix="spark-") as place:
        folder = Path(place)
        raw = copy_raw(db, folder / "raw")
        with started(folder, workers=workers, memory=memory) as cluster:
            cluster.configure(executor_memory=memory, shuffles=4 * workers)
            began = time.monotonic()
            nodes = cluster.dbt(raw, "build", "--full-refresh", *MODELS_ONLY)
            seconds = time.monotonic() - began
            print(f"{workers} workers: {len(nodes)} nodes in {seconds:.0f} s; {_worked(cluster)}")
            for name, (_, took, _) in sorted(nodes.items(), key=lambda node: -node[1][1])[:5]:
                print(f"  {name}: {took:.0f} s")
            print(f"  not as on DuckDB: {unequal(db, folder / 'tables', _COMPARED_IN) or 'nothing'}")


def _worked(cluster: Cluster) -> str:
    """What all tasks took: their number on each worker, processor time, bytes shuffled and spilled, the longest one."""
    ended = [event for event in cluster.events() if event["Event"] == "SparkListenerTaskEnd"]
    tasks = Counter(event["Task Info"]["Executor ID"] for event in ended)
    metrics = [event["Task Metrics"] for event in ended]
    cpu_s = sum(each["Executor CPU Time"] for each in metrics) / 1e9
    longest_s = max(each["Executor Run Time"] for each in metrics) / 1e3
    shuffled = sum(each["Shuffle Write Metrics"]["Shuffle Bytes Written"] for each in metrics)
    spilled = sum(each["Disk Bytes Spilled"] for each in metrics)
    return (
        f"tasks by worker {sorted(tasks.values())}, {cpu_s:.0f} s of processor, the longest {longest_s:.0f} s,"
        f" {shuffled / 1e6:.0f} MB shuffled, {spilled / 1e6:.0f} MB spilled"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
