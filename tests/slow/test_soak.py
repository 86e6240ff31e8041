"""Hours of runs in one process, with faults and a rate limit: nothing grows but the data, and the figures are right."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest
from soaked import Measured, kept_bytes, runner

from loading import load_sandbox, query
from mithril_elt.lock import work_folder
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import serve
from mithril_elt.transform import build

MINUTES = int(os.environ.get("SOAK_MINUTES", "0"))  # without any, as few runs as show a trend
DAYS = 12 + 4 * MINUTES  # for a run of six hours every four seconds; what is left is read by the last one
STEP = timedelta(hours=6)
WARM = 3  # runs after which all is loaded and cached
ENOUGH = 30  # runs after which a trend of memory can be told from noise
MIB = 1 << 20
INSTANCES = 30


def shown(run: Measured) -> str:
    """A line of the table over time."""
    disk = f"{run.database_bytes / MIB:>7.1f} {run.folder_bytes / MIB:>7.2f} {run.temporary_bytes:>5}"
    memory = f"{run.rss_bytes / MIB:>8.1f} {run.handles:>7} {run.threads:>7}"
    return f"{run.number:>5} {run.took_ms / 1000:>7.1f} {memory} {run.state_bytes:>7} {disk}  {run.failed or ''}"


def grown(runs: list[Measured], figure: Callable[[Measured], int]) -> float:
    """How much more a figure is in the last third of the runs than in the middle one: the medians."""
    third = len(runs) // 3
    return median(map(figure, runs[-third:])) - median(map(figure, runs[-2 * third : -third]))


@pytest.mark.long
@pytest.mark.shows(36, 40)
@pytest.mark.timeout(MINUTES * 60 + 600)
def test_nothing_grows_but_the_data(tmp_path: Path) -> None:
    """Handles, threads, the working folder, dlt's state, temporary files; memory hardly; the database by its rows."""
    db, temporary = tmp_path / "a.duckdb", tmp_path / "tmp"
    temporary.mkdir()
    account = make_account(7, INSTANCES, DAYS)
    now, until_s = utc(account.now_us), time.monotonic() + MINUTES * 60
    runs: list[Measured] = []
    print("\n  run seconds  RSS MiB handles threads   state  DB MiB  folder   tmp")  # noqa: T201  # the table of the proof
    with (
        serve(account, faults=0.03, rate_limit=200) as sandbox,
        runner(db, sandbox.key, sandbox.url, temporary) as process,
    ):
        sandbox.clock.advance(timedelta(days=10 - DAYS))
        while time.monotonic() < until_s or len(runs) < 3 * WARM:
            runs.append(process.run())
            print(shown(runs[-1]), flush=True)  # noqa: T201  # as above
            sandbox.requests.clear()
            sandbox.clock.advance(min(STEP, now - utc(sandbox.clock.now_us())))
        sandbox.clock.set(now)
        last = process.run()
        while last.failed:
            last = process.run()
        runs.append(last)
        print(shown(runs[-1]))  # noqa: T201  # as above
    assert differences(db, account) == []
    assert sum(run.failed is not None for run in runs) <= len(runs) // 5
    _check_growth(runs[WARM:])
    _check_size(db, tmp_path / "fresh.duckdb", runs[-1])  # a name of its own: what dbt parsed is kept beside it


def _check_growth(runs: list[Measured]) -> None:
    assert grown(runs, lambda run: run.handles) <= 1
    assert grown(runs, lambda run: run.threads) <= 1
    assert grown(runs, lambda run: run.temporary_bytes) == 0
    assert grown(runs, lambda run: run.folder_bytes) < 64 << 10
    assert grown(runs, lambda run: run.state_bytes) < 2 << 10
    if len(runs) >= ENOUGH:
        # Not flat: 0.4 to 0.7 MiB a build stay with native code, none with Python's objects (dbt in process, DuckDB).
        assert grown(runs, lambda run: run.rss_bytes) < len(runs) // 3 * MIB


def _check_size(db: Path, fresh: Path, last: Measured) -> None:
    """The database and its folder are about as large as those of one run that brought the same."""
    with serve(make_account(7, INSTANCES, DAYS)) as sandbox:
        load_sandbox(sandbox, fresh)
    build(fresh)
    rows = "select count(*) from raw.instance_price_periods"
    assert query(db, rows) == query(fresh, rows)
    assert last.database_bytes < 2 * fresh.stat().st_size
    assert last.folder_bytes < 2 * kept_bytes(work_folder(fresh))
