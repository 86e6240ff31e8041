"""Last month's report again, identical to the byte, whatever was loaded since; and none that mixes two instants."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from worlds import Comparison

from loading import load_sandbox, query
from mithril_elt.api import Mithril
from mithril_elt.errors import ApiError
from mithril_elt.load import LoadPlan, Progress, load
from mithril_elt.reports import FORMATS, REPORT_NAMES, render, report
from mithril_elt.reports.catalog import REPORTS
from mithril_elt.reports.marts import read_marts
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import serve


def printed(db: Path) -> dict[str, str]:
    """Every report in every format, and by each grouping but the hour for machines."""
    pages = {}
    with read_marts(db, "marts") as marts:
        for name in REPORT_NAMES:
            whole = report(marts, name)
            pages |= {f"{name} {form}": render(whole, form, width=120) for form in FORMATS}
            for by in REPORTS[name].groupings if name in REPORTS else ():
                if by != "hour":  # a thousand rows of what the days add up
                    pages[f"{name} by {by}"] = render(report(marts, name, by=(by,)), "json")
    return pages


@pytest.mark.parametrize("seed", [7, pytest.param(8, marks=pytest.mark.long)])
def test_a_report_is_printed_again_to_the_byte(seed: int, comparison: Comparison, tmp_path: Path) -> None:
    """Printed on its day, and again as of that day after four more days of runs, changed terms and lists: the same."""
    db = tmp_path / "a.duckdb"
    readings = Readings(leaves_list_hours=1, start_selects="in_force")
    with serve(make_account(seed, instances=16, days=8, tail_days=4), readings=readings) as sandbox:
        sandbox.clock.advance(-timedelta(days=2))
        load_sandbox(sandbox, db)
        comparison.models.build(db)
        then = utc(sandbox.clock.now_us())
        first = printed(db)
        assert differences(db, sandbox.account) == []
        for _ in range(3):
            sandbox.clock.advance(timedelta(days=1, hours=7, minutes=7))
            load_sandbox(sandbox, db)
        comparison.models.build(db)
        assert printed(db) != first
        comparison.models.build(db, then)
        assert differences(db, sandbox.account) == []
    again = printed(db)
    assert again.keys() == first.keys()
    assert [page for page in first if first[page] != again[page]] == []


@pytest.mark.shows(17)
def test_a_run_that_is_cut_short_moves_no_figure(comparison: Comparison, tmp_path: Path) -> None:
    """Some of its windows are loaded, of one project more than of the other: the reports stay the same."""
    db = tmp_path / "a.duckdb"

    def stop(progress: Progress) -> None:
        if 1 <= progress.windows_done < progress.windows_planned:
            raise ApiError("stopped on purpose")

    with serve(make_account(instances=14, days=9)) as sandbox:
        sandbox.clock.advance(-timedelta(days=4))
        load_sandbox(sandbox, db)
        comparison.models.build(db)
        before = printed(db)
        sandbox.clock.advance(timedelta(days=4))
        with Mithril(sandbox.key, sandbox.url) as api, pytest.raises(ApiError):
            load(api, db, LoadPlan(window=timedelta(days=1)), on_progress=stop)
        [(windows,)] = query(db, "select count(*) from raw.windows where to_at <> run_ends_at")
        assert windows > 0
        comparison.models.build(db)
        assert printed(db) == before
        load_sandbox(sandbox, db)
        comparison.models.build(db)
        assert differences(db, sandbox.account) == []
