"""PATCH: pausing and starting reserved instances, what is refused, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.sandbox.truth import true_figures
from sandbox_by_hand import NOW, account, asking, iso

PAUSE, START = "STATUS_PAUSED", "STATUS_RUNNING"
SECOND_US = 1_000_000


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The small account with a clock that stands at NOW."""
    with serve(account()) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client of it."""
    with asking(sandbox) as client:
        yield client


@pytest.fixture(scope="module")
def refusing() -> Iterator[httpx.Client]:
    """A client of one that is only asked for what it refuses, so that its account stays as it is."""
    with serve(account()) as running, asking(running) as client:
        yield client


def switch(client: httpx.Client, status: str, *fids: str) -> tuple[int, Any]:
    """Asks for a status; how it was answered."""
    answer = client.patch("/v2/instances", json={"instances": list(fids), "status": status})
    return answer.status_code, answer.json()


def status(client: httpx.Client, fid: str) -> str:
    """The bare status of an instance."""
    row = client.get(f"/v2/instances/{fid}/status").raise_for_status().json()
    return str(row["status"]).removeprefix("STATUS_")


def story(client: httpx.Client, fid: str) -> list[tuple[str, str]]:
    """What the status history tells of an instance from NOW on."""
    params = {"project": "proj_a", "instance_fid": fid, "start_time": iso(0)}
    rows = client.get("/v2/instances/status/history", params=params).raise_for_status().json()["instances"]
    return [(event["timestamp"], event["status"]) for row in rows for event in row["events"]]


def test_a_pause_takes_45_seconds(sandbox: Sandbox, api: httpx.Client) -> None:
    """STOPPING at once, PAUSED 45 s later, and what was to come before is forgotten."""
    assert switch(api, PAUSE, "inst_res1", "inst_res2") == (
        200,
        {"instances": {"inst_res1": "STATUS_STOPPING", "inst_res2": "STATUS_STOPPING"}},
    )
    assert status(api, "inst_res1") == "STOPPING"
    sandbox.clock.advance(timedelta(seconds=45, microseconds=-1))
    assert status(api, "inst_res1") == "STOPPING"
    sandbox.clock.advance(timedelta(microseconds=1))
    assert status(api, "inst_res1") == "PAUSED"
    sandbox.clock.advance(timedelta(hours=11))
    assert status(api, "inst_res1") == "PAUSED"
    assert story(api, "inst_res1") == [(iso(0), "STATUS_STOPPING"), ("2026-03-31T00:00:45Z", "STATUS_PAUSED")]


def test_a_start_takes_three_minutes(sandbox: Sandbox, api: httpx.Client) -> None:
    """CONFIRMED at once, STARTING after 20 s, RUNNING after three minutes; the planned end still comes."""
    sandbox.clock.set(NOW + timedelta(hours=3, seconds=30))
    at = sandbox.clock.now_us()
    assert switch(api, START, "inst_res1") == (200, {"instances": {"inst_res1": "STATUS_CONFIRMED"}})
    seen = []
    for after_us in (0, 20 * SECOND_US - 1, 1, 160 * SECOND_US - 1, 1):
        sandbox.clock.advance(timedelta(microseconds=after_us))
        seen.append(status(api, "inst_res1"))
    assert seen == ["CONFIRMED", "CONFIRMED", "STARTING", "STARTING", "RUNNING"]
    assert sandbox.clock.now_us() == at + 180 * SECOND_US
    sandbox.clock.set(NOW + timedelta(hours=12))
    assert status(api, "inst_res1") == "TERMINATED"


def test_no_request_makes_a_reservation_longer(sandbox: Sandbox, api: httpx.Client) -> None:
    """An instance that ends while it is on its way ends on time and gets no further."""
    sandbox.clock.set(NOW + timedelta(hours=12, seconds=-30))
    assert switch(api, START, "inst_res1")[0] == 200
    sandbox.clock.set(NOW + timedelta(days=1))
    assert [kind for _, kind in story(api, "inst_res1")[-3:]] == [
        "STATUS_CONFIRMED",
        "STATUS_STARTING",
        "STATUS_TERMINATED",
    ]


def test_the_true_figures_know_of_the_pause(sandbox: Sandbox, api: httpx.Client) -> None:
    """A pause of one hour that was asked for earns its credit in the vendor's sums and in the account's truth."""
    before = api.get("/v2/reservation/res_1/usage").json()["summary"]["flex_use_credits_cents"]
    switch(api, PAUSE, "inst_res2")
    sandbox.clock.advance(timedelta(hours=1, seconds=45))
    switch(api, START, "inst_res2")
    sandbox.clock.advance(timedelta(minutes=30))
    after = api.get("/v2/reservation/res_1/usage").json()["summary"]["flex_use_credits_cents"]
    assert after - before == 620
    phases = true_figures(sandbox.account, sandbox.clock.now_us()).instances["inst_res2"].phase_us
    assert phases["stopping"] == 45 * SECOND_US
    assert phases["paused"] == 3 * 3600 * SECOND_US  # two hours of it were before
    assert phases["waiting"] == 20 * SECOND_US
    assert phases["starting"] == 160 * SECOND_US


def test_what_is_already_so_or_cannot_be_keeps_its_status(sandbox: Sandbox, api: httpx.Client) -> None:
    """200 with the old status: running ones are started, paused ones paused, ended ones anything."""
    assert switch(api, START, "inst_res1") == (200, {"instances": {"inst_res1": "STATUS_RUNNING"}})
    assert switch(api, PAUSE, "inst_back") == (200, {"instances": {"inst_back": "STATUS_TERMINATED"}})
    sandbox.clock.set(NOW - timedelta(hours=5))
    assert switch(api, PAUSE, "inst_res1") == (200, {"instances": {"inst_res1": "STATUS_PAUSED"}})
    sandbox.clock.set(NOW)
    assert story(api, "inst_res1") == []
    assert status(api, "inst_res1") == "RUNNING"


def test_an_instance_on_its_way_is_not_ready(sandbox: Sandbox, api: httpx.Client) -> None:
    """409 while it is stopping or starting, and then nothing is changed, not even for the others."""
    switch(api, PAUSE, "inst_res1")
    for wanted in (PAUSE, START):
        code, body = switch(api, wanted, "inst_res2", "inst_res1")
        assert (code, body) == (409, {"detail": "inst_res1 is STATUS_STOPPING and cannot be changed now"})
    assert status(api, "inst_res2") == "RUNNING"
    sandbox.clock.advance(timedelta(seconds=45))
    switch(api, START, "inst_res1")
    sandbox.clock.advance(timedelta(seconds=30))
    assert switch(api, PAUSE, "inst_res1")[0] == 409


@pytest.mark.parametrize("fid", ["inst_spot1", "inst_odd"])
def test_only_reserved_instances_can_be_paused(refusing: httpx.Client, fid: str) -> None:
    """501 for a spot instance and for one of no order; the reserved one beside it stays as it is."""
    code, body = switch(refusing, PAUSE, "inst_res1", fid)
    assert (code, list(body)) == (501, ["detail"])
    assert status(refusing, "inst_res1") == "RUNNING"


@pytest.mark.parametrize("fid", ["inst_none", "inst_gone", "inst_later"])
def test_an_instance_that_no_list_has(refusing: httpx.Client, fid: str) -> None:
    """404, and nothing is changed."""
    assert switch(refusing, PAUSE, "inst_res1", fid) == (404, {"detail": "Instance not found"})
    assert status(refusing, "inst_res1") == "RUNNING"


def test_an_instance_whose_reservation_no_list_has(sandbox: Sandbox, api: httpx.Client) -> None:
    """A CPU machine can be paused like any other reserved instance."""
    assert switch(api, PAUSE, "inst_cpu")[0] == 200
    sandbox.clock.advance(timedelta(minutes=1))
    assert status(api, "inst_cpu") == "PAUSED"


@pytest.mark.parametrize(
    ("body", "loc", "kind"),
    [
        ({"instances": ["inst_res1", "inst_res1"], "status": PAUSE}, ["body", "instances"], "value_error"),
        ({"instances": ["inst_res1"], "status": "STATUS_TERMINATED"}, ["body", "status"], "literal_error"),
        ({"instances": ["inst_res1"]}, ["body", "status"], "missing"),
        ({"status": PAUSE}, ["body", "instances"], "missing"),
        ({"instances": "inst_res1", "status": PAUSE}, ["body", "instances"], "list_type"),
        ({"instances": [1], "status": PAUSE}, ["body", "instances", 0], "string_type"),
    ],
)
def test_bodies_that_make_no_sense(refusing: httpx.Client, body: dict[str, Any], loc: list[Any], kind: str) -> None:
    """They are answered 422 in FastAPI's shape, and nothing is changed."""
    answer = refusing.patch("/v2/instances", json=body)
    assert answer.status_code == 422
    [error] = answer.json()["detail"]
    assert (error["loc"], error["type"]) == (loc, kind)
    assert status(refusing, "inst_res1") == "RUNNING"
