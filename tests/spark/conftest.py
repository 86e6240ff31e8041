"""The cluster that the tests of this folder talk to, and what the models made there of one account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cluster import MODELS_ONLY, Cluster, copy_raw, started

from loading import late_and_corrected, load_sandbox
from mithril_elt.transform import build


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A master and two workers."""
    with started(tmp_path_factory.mktemp("spark")) as running:
        running.configure(shuffles=2)
        yield running


@pytest.fixture(scope="session")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file of two runs, with rows that came late, were withdrawn and corrected; its marts are built."""
    db = tmp_path_factory.mktemp("duckdb") / "a.duckdb"
    with late_and_corrected() as sandbox:
        sandbox.clock.advance(-timedelta(hours=3))
        for _ in range(2):
            load_sandbox(sandbox, db, lookback=timedelta(hours=30))
            sandbox.clock.advance(timedelta(hours=23))
    build(db, full=True)
    return db


@pytest.fixture(scope="session")
def raw(counted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw rows of that file, as folders of Parquet files."""
    return copy_raw(counted, tmp_path_factory.mktemp("raw"))


@pytest.fixture(scope="session")
def made(cluster: Cluster, raw: Path) -> dict[str, tuple[str, float, str]]:
    """What dbt did there on the cluster, for every model."""
    return cluster.dbt(raw, "build", "--full-refresh", *MODELS_ONLY)
