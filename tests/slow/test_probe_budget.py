"""The probe never asks more than it may, whatever answers: counted by the server, not by the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mithril_elt.errors import ApiError, ContractError, KeyRefusedError, MithrilError, NotFoundError
from mithril_elt.probe import MOST_REQUESTS, Probed, probe
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import serve
from mithril_elt.wire import Refused
from scripted import KEY, Answer, Asked, Scripted, scripted

PROJECTS = Answer(body=[{"fid": f"proj_{number}", "name": f"n{number}", "created_at": None} for number in range(9)])
INSTANCE = {
    "fid": "inst_1",
    "name": "one",
    "project": "proj_0",
    "created_at": "2026-03-01T00:00:00Z",
    "created_by": "user_1",
    "instance_type": "it_1",
    "status": "STATUS_RUNNING",
    "region": None,
    "bid": "bid_1",
    "reservation": None,
}
EVENTS = [{"timestamp": f"2026-03-01T0{hour}:00:00Z", "status": "STATUS_RUNNING"} for hour in range(9)]
PRICES = [{"start_time": f"2026-03-01T0{hour}:00:00Z", "end_time": None, "price_cents": hour} for hour in range(9)]


def listed(asked: Asked) -> tuple[str, list[Any]]:
    """The envelope of what is asked for, and a row."""
    if asked.path == "/v2/instances":
        return "data", [INSTANCE]
    events = PRICES if "pricing" in asked.path else EVENTS
    return "instances", [{"instance_fid": "inst_1", "events": events, "bid_fid": "bid_1", "reservation_fid": None}]


def answered(asked: Asked, *, empty: bool = False, cursor: bool = False) -> Answer:
    """The projects, or one row of what is asked for, or none; at the end of the list or not."""
    if asked.path == "/v2/projects":
        return PROJECTS
    name, rows = listed(asked)
    number = int(asked.query.get("next_cursor", "0")) + 1
    return Answer(body={name: [] if empty else rows, "next_cursor": str(number) if cursor else None})


def refused_by(status: int) -> Callable[[Asked], Answer]:
    """An API that has projects and instances, and answers every history with that status."""

    def script(asked: Asked) -> Answer:
        return Answer(status, {"detail": "no"}) if "history" in asked.path else answered(asked)

    return script


def every_other(failure: Answer) -> Callable[[Asked], Answer]:
    """An API that fails every first time."""
    times: list[None] = []

    def script(asked: Asked) -> Answer:
        times.append(None)
        return failure if len(times) % 2 else answered(asked)

    return script


def alike(served: Scripted) -> Probed | MithrilError:
    """What comes of a probe of that server, after a look at how often it was asked, and for what."""
    try:
        found: Probed | MithrilError = probe(KEY, served.url)
    except MithrilError as error:
        found = error
    assert len(served.asked) <= MOST_REQUESTS
    assert {asked.method for asked in served.asked} <= {"GET"}
    assert KEY not in repr(found)
    return found


@pytest.mark.parametrize(
    "script",
    [
        lambda asked: answered(asked, cursor=True),
        lambda asked: answered(asked, empty=True, cursor=True),
        lambda asked: answered(asked, empty=True),
        answered,
        lambda asked: answered(asked, empty="next_cursor" not in asked.query, cursor=True),
        refused_by(400),
        refused_by(422),
        refused_by(404),
        every_other(Answer(503, {"detail": "later"})),
        every_other(Answer(429, {"detail": "slow"}, {"Retry-After": "0"})),
        every_other(Answer(how="reset")),
    ],
    ids=range(11),
)
def test_what_answers_somehow_is_probed_within_the_budget(script: Callable[[Asked], Answer]) -> None:
    """Endless lists, empty pages, refusals of everything, failures every other time: an outcome, in 12 requests."""
    with scripted(script) as served:
        found = alike(served)
    assert isinstance(found, Probed)
    assert found.requests <= MOST_REQUESTS


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, {"detail": f"no {KEY}"}), KeyRefusedError),
        (Answer(403, {"detail": "no"}), KeyRefusedError),
        (Answer(500, {"detail": "oh"}), ApiError),
        (Answer(503, {"detail": "later"}, {"Retry-After": "9999"}), ApiError),
        (Answer(how="reset"), ApiError),
        (Answer(body={"items": []}), ContractError),
        (Answer(302, headers={"Location": "https://elsewhere.example"}), ContractError),
    ],
)
def test_what_does_not_answer_is_an_error_as_everywhere(answer: Answer, kind: type[MithrilError]) -> None:
    """From the first question on, or only once there are instances."""
    with scripted(answer) as served:
        assert type(alike(served)) is kind
    with scripted(lambda asked: answer if "history" in asked.path else answered(asked)) as served:
        assert type(alike(served)) is kind


def test_what_the_api_does_not_have_is_an_error() -> None:
    """405 and 501 are refusals of more than a reading; a project that is gone is 404."""
    for status, kind in ((405, Refused), (501, Refused)):
        with scripted(refused_by(status)) as served:
            assert type(alike(served)) is kind
    with scripted(lambda asked: Answer(404) if asked.path == "/v2/instances" else answered(asked)) as served:
        assert type(alike(served)) is NotFoundError


def test_a_connection_that_dies_after_each_answer_costs_no_more() -> None:
    """A reset where the connection was kept open is not sent again behind the client's back."""
    turns: list[str] = []

    def script(asked: Asked) -> Answer:
        turns.append(asked.path)
        return Answer(how="reset") if len(turns) > 1 and turns[-2] != asked.path else answered(asked)

    with scripted(script) as served:
        alike(served)


@pytest.mark.parametrize(("faults", "seed"), [(0.1, 0), (0.3, 1), (0.3, 2), (0.6, 3)])
def test_a_sandbox_that_fails_now_and_then(faults: float, seed: int) -> None:
    """Retries are part of the budget; what was found before it was spent is right."""
    account = make_account(instances=14, days=7)
    account.seed = seed
    with serve(account, faults=faults, readings=Readings(order="reversed", limit_counts="events")) as sandbox:
        try:
            found = probe(sandbox.key, sandbox.url)
        except ApiError:
            found = None
    assert len(sandbox.requests) <= MOST_REQUESTS
    if found:
        seen = {finding.reading: finding.seen for finding in found.findings}
        assert seen["limit_counts"] in ("events", None)
        assert seen["order"] in ("reversed", None)


def test_only_a_few_projects_are_looked_at() -> None:
    """A key that sees many projects, none of which has instances, is not asked about all of them."""
    with scripted(lambda asked: answered(asked, empty=True)) as served:
        found = alike(served)
        assert [asked.query["project"] for asked in served.asked if asked.path == "/v2/instances"] == [
            "proj_0",
            "proj_1",
            "proj_2",
        ]
    assert isinstance(found, Probed)
    assert {finding.reading: finding.seen for finding in found.findings if finding.seen} == {"last_cursor": "null"}
