"""Iceberg's tables on a Spark cluster: builds of what changed make DuckDB's marts, and write only where it changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from cluster import Cluster, copy_raw, started
from iceberg import SETTINGS, VARIABLES, Commit, commits
from marts import unequal

from bench.models import a_day_later, made
from loading import late_and_corrected, load_sandbox, query
from mithril_elt.transform import build

pytestmark = pytest.mark.timeout(2400)

MODELS_ONLY = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
DAYS, EVENTS = 40, 160_000
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
}


@dataclass
class Place:
    """A DuckDB file that is loaded and built again and again, and the same raw rows on the cluster."""

    cluster: Cluster
    db: Path
    unlike: list[dict[str, tuple[int, int]]] = field(default_factory=list)

    def build(self, *options: str, only_changed: bool) -> None:
        """Builds both, DuckDB from nothing, and notes in which marts they differ."""
        build(self.db, full=True)
        raw = copy_raw(self.db, self.cluster.folder / "raw")
        done = self.cluster.dbt(raw, "build", *options, *MODELS_ONLY, only_changed=only_changed)
        assert {status for status, *_ in done.values()} == {"success"}
        assert len(done) > 80
        self.unlike.append(unequal(self.db, self.cluster.folder / "tables"))

    def commits(self, table: str) -> list[Commit]:
        """What was done to a table."""
        schema, name = table.split(".")
        return commits(self.cluster.folder / "tables" / f"{schema}.db" / name)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A master and two workers; the driver's own zone is none of the figures' business."""
    zone = {"TZ": "Asia/Kolkata"}
    with started(tmp_path_factory.mktemp("iceberg"), more=SETTINGS, variables=VARIABLES | zone) as running:
        running.configure(shuffles=2)
        yield running


@pytest.fixture(scope="module")
def followed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An account that is loaded day after day: rows come late, are withdrawn and corrected."""
    place = Place(cluster, tmp_path_factory.mktemp("followed") / "a.duckdb")
    with late_and_corrected() as sandbox:
        sandbox.clock.advance(-timedelta(hours=3))
        for number in range(3):
            load_sandbox(sandbox, place.db, lookback=timedelta(hours=30))
            place.build(*(() if number else ("--full-refresh",)), only_changed=number > 0)
            sandbox.clock.advance(timedelta(hours=23))
    return place


def test_marts_are_those_of_duckdb_after_every_load(followed: Place) -> None:
    """All anew, then what changed, twice: row for row, and to the last digit."""
    assert followed.unlike == [{}, {}, {}]
    assert len(query(followed.db, "from marts.fct_instance_hours")) > 1000


def test_what_changed_was_withdrawn_and_corrected_too(followed: Place) -> None:
    """The loads after the first brought more than new rows: rows that were counted were forgotten."""
    later = followed.commits("marts.fct_instance_hours")[1:]
    assert [commit.deleted_rows > 0 for commit in later] == [True, False, True, False]
    assert query(followed.db, "from raw.instance_status_events where withdrawn_at is not null")


def test_only_a_sound_build_of_all_models_is_gone_on_from(followed: Place) -> None:
    """Not one of other settings, nor one after which something was built by itself; a model alone is refused anyway."""
    cluster, raw = followed.cluster, followed.cluster.folder / "raw"
    with pytest.raises(RuntimeError, match="only_changed goes on from a build that made all models as they are"):
        cluster.dbt(raw, "run", *MODELS_ONLY, only_changed=True, report_timezone="Europe/Berlin")
    with pytest.raises(RuntimeError, match=r"build all models, or select \+fct_starts as well"):
        cluster.dbt(raw, "run", "--select", "fct_starts", only_changed=True)
    with pytest.raises(RuntimeError, match="only_changed goes on from a build that made all models as they are"):
        cluster.dbt(raw, "run", only_changed=True)


def test_a_new_day_touches_only_its_partitions(cluster: Cluster, followed: Place, tmp_path: Path) -> None:
    """Of forty days those are written that the day is in, or its look-back told otherwise; nothing else is looked for."""
    assert followed.unlike
    place = Place(cluster, tmp_path / "a.duckdb")
    made(place.db, EVENTS, DAYS)
    place.build("--full-refresh", only_changed=False)
    before = {table: len(place.commits(table)) for table in KEPT}
    a_day_later(place.db, EVENTS, DAYS)
    place.build(only_changed=True)
    assert place.unlike == [{}, {}]
    for table, instant in KEPT.items():
        days = _days(place.db, table, instant)
        touched = [commit.partitions for commit in place.commits(table)[before[table] :]]
        print(f"{table}: {max(touched)} of {days} partitions, {place.commits(table)[before[table] :]}")
        assert days > DAYS
        assert 0 < max(touched) <= 5


def _days(db: Path, table: str, instant: str) -> int:
    """How many days a table has rows of."""
    with duckdb.connect(str(db), read_only=True) as file:
        file.execute("set timezone = 'UTC'")
        found = file.execute(f"select count(distinct cast({instant} as date)) from {table}").fetchall()
    return int(found[0][0])
