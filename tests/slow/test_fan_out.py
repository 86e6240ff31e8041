"""Where the API refuses a project alone: each order is asked once, none is missed, none is asked for nothing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from loading import history_queries, load_sandbox, query, raw
from mithril_elt.findings import Finding, save_findings
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from sandbox_by_hand import NOW, account, bare_account, instance

REFUSES = Readings(project_alone="422")
ORDERS = ("bid_fid", "reservation_fid", "instance_fid")


def orders_asked(sandbox: Sandbox, path: str = "status/history") -> Counter[str]:
    """How often each order was asked for, by its id; `alone` where none was named."""
    asked = history_queries(sandbox, path)
    return Counter(next((each[name] for name in ORDERS if name in each), "alone") for each in asked)


@pytest.mark.parametrize("refusal", ["400", "422"])
def test_every_history_is_read_by_order(refusal: str, tmp_path: Path) -> None:
    """The tables are those of an API that accepts the project alone; the ledger says how it was asked."""
    alone, by_order = tmp_path / "alone.duckdb", tmp_path / "order.duckdb"
    with serve(account()) as sandbox:
        load_sandbox(sandbox, alone)
    with serve(account(), readings=Readings(project_alone=refusal)) as sandbox:  # type: ignore[arg-type]  # one of the two
        load_sandbox(sandbox, by_order)
    assert raw(by_order) == raw(alone)
    assert query(alone, "select distinct asked_by from raw.windows") == [("project",)]
    assert query(by_order, "select distinct asked_by from raw.windows") == [("order",)]


@pytest.mark.shows(34)
def test_each_order_is_asked_once_and_none_is_missed(tmp_path: Path) -> None:
    """Bids, reservations, one that only an instance names, and the instance that has neither; nothing twice."""
    with serve(account(), readings=REFUSES) as sandbox:
        load_sandbox(sandbox, tmp_path / "a.duckdb", projects=("proj_a",), window=timedelta(days=400))
        asked = orders_asked(sandbox)
    assert asked == {
        "alone": 1,
        **dict.fromkeys(("bid_1", "bid_2", "res_1", "res_ended", "res_canceled", "res_cpu", "inst_odd"), 1),
        "res_pending": 1,
    }


def test_it_is_found_out_once_a_run(tmp_path: Path) -> None:
    """Over many windows and both histories one question is refused; the next run asks once again."""
    db = tmp_path / "a.duckdb"
    with serve(make_account(instances=14, days=12), readings=REFUSES) as sandbox:
        load_sandbox(sandbox, db, window=timedelta(days=2))
        refused = [each for each in sandbox.requests if each.status == 422]
        assert len(refused) == len(sandbox.account.projects)
        sandbox.clock.advance(timedelta(days=1))
        load_sandbox(sandbox, db)
        assert len([each for each in sandbox.requests if each.status == 422]) == 2 * len(sandbox.account.projects)


def test_a_saved_finding_saves_the_refused_question(tmp_path: Path) -> None:
    """What a probe has found is believed: nothing is refused."""
    db = tmp_path / "a.duckdb"
    save_findings(db, [Finding("project_alone", "422", why="seen")], at=NOW, url="http://localhost")
    with serve(make_account(instances=14, days=12), readings=REFUSES) as sandbox:
        load_sandbox(sandbox, db)
        assert not [each for each in sandbox.requests if each.status == 422]


def test_a_finding_that_is_wrong_is_said_and_does_no_harm(tmp_path: Path) -> None:
    """Saved as accepted and refused after all: the run warns, asks by order, and has the same rows."""
    db, fresh = tmp_path / "a.duckdb", tmp_path / "fresh.duckdb"
    save_findings(db, [Finding("project_alone", "accepted", why="seen")], at=NOW, url="http://localhost")
    with serve(make_account(instances=14, days=12), readings=REFUSES) as sandbox:
        result = load_sandbox(sandbox, db)
        load_sandbox(sandbox, fresh)
    assert [warning for warning in result.warnings if "refuses histories by project alone" in warning]
    assert raw(db) == raw(fresh)


def test_an_instance_that_has_left_the_list_is_still_asked_for(tmp_path: Path) -> None:
    """It has no order, and the list forgot it before its end was read: its end is in the next run."""
    lone = instance("inst_lone", -60, [(-60, "RUNNING"), (5, "TERMINATED")])
    db = tmp_path / "a.duckdb"
    with serve(bare_account(instances=[lone]), readings=REFUSES) as sandbox:
        load_sandbox(sandbox, db)
        sandbox.clock.advance(timedelta(hours=24))
        lone.listed = False
        load_sandbox(sandbox, db)
    assert query(db, "select status from raw.instance_status_events order by timestamp") == [
        ("STATUS_RUNNING",),
        ("STATUS_TERMINATED",),
    ]


def test_an_order_that_is_over_is_asked_for_no_more(tmp_path: Path) -> None:
    """Once its instances had ended before all that is read; it is asked again for a time before that, and by --deep."""
    over = instance("inst_over", -300, [(-300, "RUNNING"), (-200, "TERMINATED")])
    lives = instance("inst_lives", -300, [(-300, "RUNNING")])
    db = tmp_path / "a.duckdb"
    with serve(bare_account(instances=[over, lives]), readings=REFUSES) as sandbox:
        asked = []
        for _ in range(6):
            load_sandbox(sandbox, db, lookback=timedelta(days=3))
            asked.append(orders_asked(sandbox)["inst_over"])
            sandbox.requests.clear()
            sandbox.clock.advance(timedelta(days=1))
        assert asked == [3, 1, 1, 1, 0, 0]  # three windows first; then as long as the look-back reaches before its end
        load_sandbox(sandbox, db, deep=True)
        assert orders_asked(sandbox)["inst_over"] > 0
        sandbox.requests.clear()
        load_sandbox(sandbox, db, since=NOW - timedelta(days=40))
        assert orders_asked(sandbox)["inst_over"] > 0


def test_an_order_that_the_api_does_not_know_is_asked_by_its_instances(tmp_path: Path) -> None:
    """A reservation of another project, named by an instance of this one: 404, so the instance is asked itself."""
    strange = instance("inst_1", -20, [(-20, "RUNNING")], reservation="res_gone")
    one = bare_account(instances=[strange])
    with serve(one, readings=REFUSES) as sandbox:
        load_sandbox(sandbox, tmp_path / "a.duckdb")
    assert query(tmp_path / "a.duckdb", "select instance_fid from raw.instance_status_events") == [("inst_1",)]
