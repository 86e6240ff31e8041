"""Iceberg's tables on a Spark cluster: builds of what changed make DuckDB's marts, and write only where it changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from cluster import MODELS_ONLY, Cluster, copy_raw, started
from iceberg import SETTINGS, VARIABLES, commits
from marts import unequal
from touched import KEPT, counts, touched

from bench.models import a_day_later, made
from loading import late_and_corrected, load_sandbox, query
from mithril_elt.transform import build

pytestmark = pytest.mark.timeout(2400)

EVENTS, DAYS = 160_000, 40


@dataclass
class Place:
    """A DuckDB file that is loaded and built again and again, and the same raw rows on the cluster."""

    cluster: Cluster
    db: Path
    unlike: list[dict[str, tuple[int, int]]] = field(default_factory=list)

    def build(self, *, only_changed: bool, with_tests: bool = False) -> None:
        """Builds both, DuckDB from nothing, and notes in which marts they differ."""
        build(self.db, full=True)
        raw = copy_raw(self.db, self.cluster.folder / "raw")
        full = () if only_changed else ("--full-refresh",)
        left = ("--exclude-resource-type", "unit_test") if with_tests else MODELS_ONLY
        done = self.cluster.dbt(raw, "build", *full, *left, only_changed=only_changed)
        assert {name: said for name, said in done.items() if said[0] not in {"success", "pass"}} == {}
        assert len(done) > (200 if with_tests else 80)
        self.unlike.append(unequal(self.db, self.cluster.folder / "tables"))


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
            place.build(only_changed=number > 0, with_tests=number == 2)
            sandbox.clock.advance(timedelta(hours=23))
    return place


def test_marts_are_those_of_duckdb_after_every_load(followed: Place) -> None:
    """All anew, then what changed, twice, with all data tests at last: row for row, and to the last digit."""
    assert followed.unlike == [{}, {}, {}]
    assert len(query(followed.db, "from marts.fct_instance_hours")) > 1000


def test_what_changed_was_withdrawn_and_corrected_too(followed: Place) -> None:
    """The loads after the first brought more than new rows: of what was counted, rows were forgotten."""
    later = commits(followed.cluster.folder / "tables" / "marts.db" / "fct_instance_hours")[1:]
    assert [commit.deleted_rows > 0 for commit in later] == [True, False, True, False]
    assert query(followed.db, "from raw.instance_status_events where withdrawn_at is not null")


def test_only_a_sound_build_of_all_models_is_gone_on_from(followed: Place) -> None:
    """Not one of another zone, nor one after which something was built by itself; a model alone is refused anyway."""
    cluster, raw = followed.cluster, followed.cluster.folder / "raw"
    with pytest.raises(RuntimeError, match="only_changed goes on from a build that made all models as they are"):
        cluster.dbt(raw, "run", only_changed=True, report_timezone="Europe/Berlin")
    status, _, said = cluster.dbt(raw, "run", "--select", "fct_starts", only_changed=True)["fct_starts"]
    assert (status, "build all models, or select +fct_starts as well" in said) == ("error", True)
    with pytest.raises(RuntimeError, match="only_changed goes on from a build that made all models as they are"):
        cluster.dbt(raw, "run", only_changed=True)


def test_a_new_day_touches_only_its_partitions(cluster: Cluster, tmp_path: Path) -> None:
    """Of forty days those are written that it is in, and those that its look-back told otherwise."""
    place = Place(cluster, tmp_path / "a.duckdb")
    made(place.db, EVENTS, DAYS)
    place.build(only_changed=False)
    since = counts(cluster)
    a_day_later(place.db, EVENTS, DAYS)
    place.build(only_changed=True)
    assert place.unlike == [{}, {}]
    found = touched(cluster, place.db, since)
    _tidied(cluster)
    assert {table: each for table, each in found.items() if each.of_partitions <= DAYS} == {}
    del found["staging.int_history_days"]  # after a full build all its days are marked as changed, and unmarked now
    del found["marts.fct_cost_daily"]  # its rows of no instance are counted again in each build
    assert {table: each for table, each in found.items() if not 0 < each.partitions <= 5} == {}
    assert len(found) == len(KEPT) - 2


def _tidied(cluster: Cluster) -> None:
    """Old snapshots, small files and files that nobody knows go as the documentation says, and no row with them."""
    lost = cluster.folder / "tables" / "marts.db" / "fct_instance_hours" / "data" / "lost.parquet"
    lost.write_bytes(b"of a build that was killed")
    os.utime(lost, (0, 0))  # younger ones may be of a build that goes on
    told = cluster.drive("tidied.py", "marts.fct_instance_hours")
    (snapshots, files), (snapshots_after, files_after) = told["before"], told["after"]
    assert told["others"] == 0
    assert (snapshots > 2, snapshots_after <= 2) == (True, True)
    assert files_after < files - 1
    assert not lost.exists()
