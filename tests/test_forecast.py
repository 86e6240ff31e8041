"""What a plan tells beside what the run then asks for, where histories are asked by order."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from loading import load_sandbox
from mithril_elt.api import Mithril
from mithril_elt.findings import Finding, save_findings
from mithril_elt.forecast import Forecast, forecast
from mithril_elt.load import LoadPlan
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from sandbox_by_hand import NOW, account, bare_account, instance


def planned(sandbox: Sandbox, db: Path) -> Forecast:
    """The forecast of a run."""
    with Mithril(sandbox.key, sandbox.url) as api:
        return forecast(api, db, LoadPlan())


@pytest.mark.shows(34)
@pytest.mark.parametrize("is_probed", [False, True])
def test_a_request_is_told_for_each_order_that_is_due(tmp_path: Path, *, is_probed: bool) -> None:
    """And one for each project that is refused, unless a probe has found it out: as many as are made."""
    db = tmp_path / "a.duckdb"
    with serve(account(), readings=Readings(project_alone="422")) as sandbox:
        load_sandbox(sandbox, db)
        if is_probed:
            save_findings(db, [Finding("project_alone", "422", why="seen")], at=NOW, url=sandbox.url)
        sandbox.clock.advance(timedelta(days=1))
        told = planned(sandbox, db)
        made = load_sandbox(sandbox, db)
    assert told.requests == made.requests
    assert sum(window.requests for window in told.windows) > 4 * len(told.windows)


def test_an_order_that_is_over_is_not_told(tmp_path: Path) -> None:
    """The plan remembers what the runs do; without dlt's folder it tells one more for each history, not fewer."""
    over = instance("inst_over", -300, [(-300, "RUNNING"), (-200, "TERMINATED")])
    lives = instance("inst_lives", -300, [(-300, "RUNNING")])
    db = tmp_path / "a.duckdb"
    with serve(bare_account(instances=[over, lives]), readings=Readings(project_alone="422")) as sandbox:
        load_sandbox(sandbox, db)
        sandbox.clock.advance(timedelta(days=9))
        load_sandbox(sandbox, db)
        told = planned(sandbox, db)
        (tmp_path / ".a.duckdb.dlt").rename(tmp_path / "gone")
        forgotten = planned(sandbox, db)
        made = load_sandbox(sandbox, db)
    assert (told.requests, forgotten.requests) == (made.requests, made.requests + 2)


def test_a_first_run_is_told_by_order_where_a_probe_has_found_it_out(tmp_path: Path) -> None:
    """Nothing was loaded yet, and the plan knows whom to ask all the same; a run may make its windows longer."""
    db = tmp_path / "a.duckdb"
    with serve(account(), readings=Readings(project_alone="422")) as sandbox:
        save_findings(db, [Finding("project_alone", "422", why="seen")], at=NOW, url=sandbox.url)
        told = planned(sandbox, db)
        made = load_sandbox(sandbox, db)
    assert made.requests <= told.requests < 2 * made.requests
