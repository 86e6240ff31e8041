"""Clocks that are wrong, times that cannot be, and things that are known by half: warned of, loaded, never lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loading import load_sandbox, query
from mithril_elt.api import Mithril
from mithril_elt.lists import read_lists
from mithril_elt.sandbox.account import Project
from mithril_elt.sandbox.clock import Clock
from mithril_elt.sandbox.server import serve
from sandbox_by_hand import NOW, account, bare_account, hours, instance
from scripted import KEY, Answer, Asked, scripted

DAY = timedelta(days=1)


def test_the_vendors_sums_are_read_before_the_end_of_the_run_and_the_lists_after(tmp_path: Path) -> None:
    """So the sums can be compared with figures up to that end, and no instance of the histories is missing."""
    with serve(account(), clock=Clock(NOW, speed=3600)) as sandbox:
        result = load_sandbox(sandbox, tmp_path / "a.duckdb")
    paths = [each.path for each in sandbox.requests]
    end = paths.index("/v2/me")
    usage = [n for n, path in enumerate(paths) if path.endswith("/usage")]
    lists = [n for n, path in enumerate(paths) if path in {"/v2/instances", "/v2/spot/bids"}]
    assert max(usage) < end < min(lists)
    [(newest,)] = query(tmp_path / "a.duckdb", "select max(as_of) from raw.reservation_usage")
    assert result.as_of is not None
    assert newest.replace(tzinfo=UTC) <= result.as_of + timedelta(seconds=1)  # `Date` has whole seconds


@pytest.mark.shows(18)
def test_a_server_that_was_ahead_does_not_stop_the_loads_after(tmp_path: Path) -> None:
    """A year ahead once: the run after, at the right time, reads on from there, and says so."""
    one = instance("inst_1", -48, [(-48, "RUNNING"), (12, "ERROR")])
    db = tmp_path / "a.duckdb"
    with serve(bare_account(instances=[one])) as sandbox:
        load_sandbox(sandbox, db)
        sandbox.clock.advance(365 * DAY)
        del one.changes[1:]
        load_sandbox(sandbox, db, window=400 * DAY)
        one.changes += instance("inst_1", 0, [(12, "ERROR")]).changes
        sandbox.clock.set(NOW + DAY)
        result = load_sandbox(sandbox, db)
        assert [warning for warning in result.warnings if "went back" in warning]
        assert result.as_of == NOW + DAY
        sandbox.clock.advance(DAY)
        assert not load_sandbox(sandbox, db).warnings
    assert query(db, "select status from raw.instance_status_events order by timestamp") == [
        ("STATUS_RUNNING",),
        ("STATUS_ERROR",),
    ]


def test_a_server_ahead_of_this_machine_is_told_of(tmp_path: Path) -> None:
    """Its clock holds; but figures then end in what is the future here, and the run says by how much."""
    ahead = datetime.now(UTC) + timedelta(minutes=10)
    with serve(bare_account(), clock=Clock(ahead)) as sandbox:
        result = load_sandbox(sandbox, tmp_path / "a.duckdb")
    assert [warning for warning in result.warnings if "ahead of this machine's" in warning]


@pytest.mark.shows(18)
def test_an_event_of_the_future_is_read_when_its_time_has_come(tmp_path: Path) -> None:
    """A server that tells it early changes nothing: the run before its time leaves it out, the next one has it."""
    one = instance("inst_1", -48, [(-48, "RUNNING"), (5, "ERROR")])
    db = tmp_path / "a.duckdb"
    with serve(bare_account(instances=[one])) as sandbox:
        load_sandbox(sandbox, db)
        assert query(db, "select count(*), max(timestamp) < max(read_at) from raw.instance_status_events") == [
            (1, True)
        ]
        sandbox.clock.advance(timedelta(hours=6))
        load_sandbox(sandbox, db)
        assert query(db, "select count(*) from raw.instance_status_events") == [(2,)]


@pytest.mark.shows(15)
def test_projects_without_data_and_instances_without_history_are_loaded(tmp_path: Path) -> None:
    """An empty project has its windows; an instance that never spoke has its row."""
    projects = [Project("proj_a", "a", hours(-100)), Project("proj_b", "b", hours(-100))]
    db = tmp_path / "a.duckdb"
    with serve(bare_account(projects=projects, instances=[instance("inst_silent", -5)])) as sandbox:
        load_sandbox(sandbox, db)
    assert query(db, "select fid from raw.instances") == [("inst_silent",)]
    assert query(db, "select distinct project, history from raw.windows order by all") == [
        (project, history) for project in ("proj_a", "proj_b") for history in ("pricing", "status")
    ]


def test_all_projects_come_to_the_end_together(tmp_path: Path) -> None:
    """A project with a long story and one with a short one: the last window of each is in the same package."""
    projects = [Project("proj_a", "a", hours(-1000)), Project("proj_b", "b", hours(-1000))]
    old = instance("inst_old", -24 * 28, [(-24 * 28, "RUNNING")])
    new = instance("inst_new", -24, [(-24, "RUNNING")], project="proj_b")
    db = tmp_path / "a.duckdb"
    with serve(bare_account(projects=projects, instances=[old, new])) as sandbox:
        load_sandbox(sandbox, db)
    last = query(
        db, "select project, _dlt_load_id from raw.windows where to_at = run_ends_at group by all order by project"
    )
    assert [project for project, _ in last] == ["proj_a", "proj_b"]
    assert len({load_id for _, load_id in last}) == 1
    assert query(db, "select count(distinct run_ends_at) from raw.windows") == [(1,)]


def test_a_reservation_that_is_not_told_of_does_not_end_the_load() -> None:
    """Listed, but its history and its sums are not to be had: a warning, and everything else is loaded."""

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/v2/reservation/"):
            return Answer(501, {"detail": "not for you"})
        rows = [{"fid": "res_1", "project": "proj_a", "status": "Active"}] if asked.path == "/v2/reservation" else []
        bare = asked.path in {"/v2/projects", "/v2/instance-types", "/v2/pricing/history"}
        return Answer(body=[] if bare else {"fid": "user_1"} if asked.path == "/v2/me" else {"data": rows})

    with scripted(answer) as server, Mithril(KEY, server.url) as api:
        lists = read_lists(api, ["proj_a"])
        assert [warning for warning in api.novelties.warnings if "nothing is told of res_1" in warning]
    assert (lists.tables["reservations"].num_rows, lists.tables["reservation_usage"].num_rows) == (1, 0)
