"""What a new day touches on Iceberg: partitions and rows written, of those that there are, table by table.

`PYTHONPATH=tests:tests/spark python tests/spark/touched.py EVENTS DAYS` builds a made-up account of so many status
events in full, then a day more of it as what changed, and prints that.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
from cluster import MODELS_ONLY, Cluster, copy_raw, started
from iceberg import SETTINGS, VARIABLES, commits
from marts import unequal

from bench.models import a_day_later, made
from mithril_elt.transform import build

__all__ = ["KEPT", "Touched", "counts", "touched"]

# What keeps its rows, and the instant whose days are its partitions.
KEPT = {
    "staging.int_history_days": "told_on",
    "staging.int_status_changes": "started_at",
    "staging.int_credit_spans": "hour_at",
    "staging.int_credit_hours": "hour_at",
    "staging.int_reserved_use_hours": "hour_at",
    "marts.fct_instance_hours": "hour_at",
    "marts.fct_status_spells": "started_at",
    "marts.fct_usage_daily": "day",
    "marts.fct_uptime_daily": "day",
    "marts.fct_interruptions": "interrupted_at",
    "marts.fct_starts": "asked_at",
    "marts.fct_pause_credits": "started_at",
    "marts.fct_cost_daily": "day",
}


@dataclass(frozen=True)
class Touched:
    """The most partitions that a statement touched, of so many; the rows that were written, of so many."""

    partitions: int
    of_partitions: int
    rows: int
    of_rows: int


def counts(cluster: Cluster) -> dict[str, int]:
    """How many commits each table remembers."""
    return {table: len(commits(_folder(cluster, table))) for table in KEPT}


def touched(cluster: Cluster, db: Path, since: Mapping[str, int]) -> dict[str, Touched]:
    """What was done to each table since; `db`: the DuckDB file that has the same rows."""
    found = {}
    with duckdb.connect(str(db), read_only=True) as file:
        file.execute("set timezone = 'UTC'")
        for table, instant in KEPT.items():
            done = commits(_folder(cluster, table))[since[table] :]
            own = "where instance_id is not null" if table.endswith("cost_daily") else ""  # the others are counted anew
            asked = f"select count(distinct cast({instant} as date)), count(*) from {table} {own}"
            days, rows = file.execute(asked).fetchall()[0]
            found[table] = Touched(
                max(each.partitions for each in done), days, sum(each.added_rows for each in done), rows
            )
    return found


def main(events: int, days: int) -> None:
    """Prints what both builds took, and what the second touched."""
    with tempfile.TemporaryDirectory(prefix="spark-") as place:
        folder = Path(place)
        db = folder / "a.duckdb"
        made(db, events, days)
        with started(folder, more=SETTINGS, variables=VARIABLES) as cluster:
            cluster.configure()
            _built(cluster, db, only_changed=False)
            since = counts(cluster)
            a_day_later(db, events, days)
            _built(cluster, db, only_changed=True)
            for table, each in touched(cluster, db, since).items():
                part = f"{each.partitions} of {each.of_partitions} days"
                print(f"{table}: {part}, {each.rows:,} of {each.of_rows:,} rows written")


def _built(cluster: Cluster, db: Path, *, only_changed: bool) -> None:
    build(db, full=True)
    raw = copy_raw(db, cluster.folder / "raw")
    began_s = time.monotonic()
    full = () if only_changed else ("--full-refresh",)
    nodes = cluster.dbt(raw, "build", *full, *MODELS_ONLY, only_changed=only_changed)
    worked_s = sum(took_s for _, took_s, _ in nodes.values())
    print(
        f"{'what changed' if only_changed else 'all'}: {time.monotonic() - began_s:.0f} s, {worked_s:.0f} s of models"
    )
    print(f"  not as on DuckDB: {unequal(db, cluster.folder / 'tables') or 'nothing'}")


def _folder(cluster: Cluster, table: str) -> Path:
    schema, name = table.split(".")
    return cluster.folder / "tables" / f"{schema}.db" / name


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
