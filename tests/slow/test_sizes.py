"""What no size may change: of pages, of histories, of what was done before a run was broken off."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from loading import load_sandbox, query, raw
from mithril_elt.api import Mithril
from mithril_elt.errors import ApiError
from mithril_elt.load import LoadPlan, Progress, load
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve

WINDOW = timedelta(days=2)


@pytest.mark.shows(23)
@pytest.mark.parametrize(("limit", "counts"), [(1, "instances"), (1, "events"), (7, "events")])
def test_pages_of_any_size_give_the_same_rows(
    limit: int, counts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row a page, or seven, or a hundred: the same tables, and many more requests."""
    with serve(make_account(7, 12, 7), readings=Readings(limit_counts=counts)) as sandbox:  # type: ignore[arg-type]  # one of both
        whole = load_sandbox(sandbox, tmp_path / "whole.duckdb")
        monkeypatch.setattr("mithril_elt.client.PAGE_LIMIT", limit)
        cut = load_sandbox(sandbox, tmp_path / "cut.duckdb")
    assert raw(tmp_path / "cut.duckdb") == raw(tmp_path / "whole.duckdb")
    assert cut.requests > 1.5 * whole.requests


@pytest.mark.shows(17)
def test_a_run_goes_on_from_wherever_it_was_broken_off(tmp_path: Path) -> None:
    """After each of its windows, one run after the other: the tables of an undisturbed one, no window read twice."""
    db = tmp_path / "a.duckdb"
    with serve(make_account(7, 14, 9)) as sandbox:
        load_sandbox(sandbox, tmp_path / "whole.duckdb", window=WINDOW)
        times = 0
        while _broken_off_after_a_window(sandbox, db):
            times += 1
    assert times >= 3
    assert raw(db) == raw(tmp_path / "whole.duckdb")
    spans = "select count(*), count(distinct (project, history, from_at)) from raw.windows"
    [(windows, distinct)] = query(db, spans)
    assert windows == distinct


def _broken_off_after_a_window(sandbox: Sandbox, db: Path) -> bool:
    """Runs until a window of each project is done; whether there was another one to do."""

    def stop(progress: Progress) -> None:
        if progress.windows_done < progress.windows_planned:
            raise ApiError("the network went away")

    with Mithril(sandbox.key, sandbox.url) as api:
        try:
            load(api, db, LoadPlan(window=WINDOW, lookback=timedelta(0)), on_progress=stop)
        except ApiError:
            return True
        return False


_LOADED = """
import sys
from datetime import timedelta
from pathlib import Path
from mithril_elt.api import Mithril
from mithril_elt.load import LoadPlan, load
key, url, db = sys.argv[1:]
with Mithril(key, url) as api:
    result = load(api, Path(db), LoadPlan(window=timedelta(days=7)))
status = Path("/proc/self/status").read_text()
print(result.rows, next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.shows(36)
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak of memory is read from /proc")
def test_memory_does_not_grow_with_the_history(tmp_path: Path) -> None:
    """Six times as long a history, read window by window: the peak is higher by less than a quarter."""
    (few, low_kb), (many, high_kb) = (_loaded(tmp_path / f"{days}.duckdb", days) for days in (20, 120))
    assert many > 4 * few > 4000
    assert high_kb * 4 < low_kb * 5, (low_kb, high_kb)


def _loaded(db: Path, days: int) -> tuple[int, int]:
    """How many rows were loaded in a process of its own, and the most kilobytes that it had."""
    with serve(make_account(instances=60, days=days)) as sandbox:
        command = [sys.executable, "-c", _LOADED, sandbox.key, sandbox.url, str(db)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows, peak_kb = done.stdout.split()
    return int(rows), int(peak_kb)
