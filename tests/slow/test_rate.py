"""How hard the API is worked by a whole run of several projects: counted at the server, whatever it answers."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from between import between
from commands import Cli
from loading import load_sandbox, query, raw
from mithril_elt.sandbox.account import Account, Project
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from sandbox_by_hand import NOW, bare_account, instance, us
from scripted import Answer, Asked

PROJECTS = ("proj_a", "proj_b", "proj_c", "proj_d", "proj_e")
BY_ORDER = Readings(project_alone="422")
LATE_S = 1.0  # exact-ok: a request may have been so long on its way, on a machine that is busy


def five_projects() -> Account:
    """Five projects of eight lone instances, so that each of them is asked for by itself; two weeks."""
    owners = [Project(fid, fid.removeprefix("proj_"), us(NOW) - 20 * 24 * 3_600_000_000) for fid in PROJECTS]
    lone = [
        instance(f"inst_{owner}{n}", -300, [(-300, "RUNNING"), (-200 + n, "ERROR"), (-5, "RUNNING")], project=owner)
        for owner in PROJECTS
        for n in range(8)
    ]
    return bare_account(projects=owners, instances=lone)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """An API that refuses a project alone."""
    with serve(five_projects(), readings=BY_ORDER) as served:
        yield served


@pytest.fixture(scope="module")
def whole(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a run without limits brings."""
    db = tmp_path_factory.mktemp("whole") / "a.duckdb"
    load_sandbox(sandbox, db)
    return dict(raw(db))


class SometimesBusy:
    """Spoils every seventh answer, whatever is asked, but never two in a row for one question."""

    def __init__(self) -> None:
        self.answers, self._lock = 0, threading.Lock()

    def __call__(self, _: Asked, answer: Answer) -> Answer:
        with self._lock:
            self.answers += 1
            return Answer(503, {"detail": "busy"}) if self.answers % 7 == 0 else replace(answer, after_s=0.02)


def fullest(came_at_s: list[float], per_second: int) -> float:  # exact-ok: of a steady clock; a share
    """The fullest span between any two requests, as a share of what may come in it."""
    came = sorted(came_at_s)
    return max(
        (last - first) / ((came[last] - came[first] + LATE_S) * per_second)
        for first in range(len(came))
        for last in range(first + 1, len(came))
    )


@pytest.mark.shows(35)
@pytest.mark.parametrize(("per_second", "concurrency", "least_at_once"), [(20, 16, 1), (100_000, 3, 2)])
def test_a_whole_run_keeps_to_its_limits(  # noqa: PLR0917  # pytest passes all of them by name
    cli: Cli,
    sandbox: Sandbox,
    whole: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    per_second: int,
    concurrency: int,
    least_at_once: int,
) -> None:
    """All projects share one budget, retries are in it, and the tables are those of a run without limits.

    In no span of time come more requests than its length allows, nor are more answered at a time.
    """
    monkeypatch.setenv("MITHRIL_API_KEY", sandbox.key)
    db = tmp_path / "a.duckdb"
    limits = ("--requests-per-second", str(per_second), "--concurrency", str(concurrency))
    with between(sandbox, spoil=SometimesBusy(), concerns=lambda _: True) as (server, _):
        ended = cli("extract", "--db", db, "--api-url", server.url, *limits, "--json")
    assert ended.status == 0, ended.err
    facts = json.loads(ended.out)
    asked = server.asked
    assert facts["requests"] == len(asked) > 150
    assert facts["retries"] > 20
    assert max(each.at_once for each in asked) in range(least_at_once, concurrency + 1)
    assert fullest([each.at_s for each in asked], per_second) <= 1
    assert dict(raw(db)) == whole


@pytest.mark.shows(35)
@pytest.mark.parametrize("per_second", [pytest.param(10, marks=pytest.mark.long), 50])
def test_a_server_that_refuses_what_is_too_fast_is_met_at_its_pace(
    whole: dict[str, object], tmp_path: Path, per_second: int
) -> None:
    """A bucket of a second's worth, filled at that pace: nothing is lost, and few of the answers are refusals."""
    db = tmp_path / "a.duckdb"
    with serve(five_projects(), readings=BY_ORDER, rate_limit=per_second) as sandbox:
        result = load_sandbox(sandbox, db)
        statuses = Counter(each.status for each in sandbox.requests)
    share = statuses[429] * 100 // statuses.total()
    print(f"\n{per_second}/s: {statuses.total()} requests, {statuses[429]} of them refused ({share} %)")  # noqa: T201  # the figure of the proof
    assert result.retries == statuses[429] > 0
    assert share < 20
    assert dict(raw(db)) == whole
    assert query(db, "select outcome from raw.runs") == [("done",)]
