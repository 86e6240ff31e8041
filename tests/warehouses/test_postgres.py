"""The models on PostgreSQL: the same rows, to the last digit, as on DuckDB, whatever is loaded and however built."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from postgres import Postgres, marts_of

from loading import late_and_corrected, load_sandbox
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.server import Sandbox
from mithril_elt.transform import build
from sql_project import empty_raw

pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.timeout(600)]

MODELS = ("build", "--exclude-resource-type", "unit_test")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An account whose story goes on for five days after a week."""
    with late_and_corrected() as running:
        running.clock.advance(-timedelta(hours=3))
        yield running


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt keeps what it parsed."""
    return tmp_path_factory.mktemp("target")


def test_every_rule_holds_there_too(postgres: Postgres, target: Path, tmp_path: Path) -> None:
    """The given and expected rows of the models' unit tests."""
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        empty_raw(connection)
    postgres.copy_raw(tmp_path / "a.duckdb")
    postgres.dbt(target, *MODELS, "--full-refresh")
    assert len(postgres.dbt(target, "test", "--select", "test_type:unit")) > 80


@pytest.mark.long
def test_marts_are_those_of_duckdb_after_every_run(
    postgres: Postgres, sandbox: Sandbox, target: Path, tmp_path: Path
) -> None:
    """All anew, then only what changed: late, withdrawn and corrected rows, as_of moved, and pinned to before."""
    db = tmp_path / "a.duckdb"
    for number in range(4):
        load_sandbox(sandbox, db, lookback=timedelta(hours=30))
        pinned = utc(sandbox.clock.now_us()) - timedelta(days=2, minutes=17) if number == 2 else None
        build(db, full=True, as_of=pinned)
        postgres.copy_raw(db)
        names = {"as_of": pinned.strftime("%Y-%m-%dT%H:%M:%SZ")} if pinned else {}
        anew = ("--full-refresh",) if number == 0 else ()
        done = postgres.dbt(target, *MODELS, *anew, only_changed=number > 0, **names)
        assert len(done) > 150
        assert postgres.unequal(db) == []
        sandbox.clock.advance(timedelta(hours=23))
    assert sum(len(rows) for *_, rows in marts_of(db)) > 2000


def test_days_are_those_of_the_zone_asked_for(
    postgres: Postgres, sandbox: Sandbox, target: Path, tmp_path: Path
) -> None:
    """A day of the report's zone, across a change of its clocks, is the same on both."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    zone = {"report_timezone": "Europe/Berlin"}
    build(db, timezone=zone["report_timezone"])
    postgres.copy_raw(db)
    postgres.dbt(target, *MODELS, "--full-refresh", **zone)
    assert postgres.unequal(db) == []
