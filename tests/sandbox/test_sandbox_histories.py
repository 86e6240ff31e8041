"""The sandbox's two histories over a real socket: whose, which events, and nothing that has not happened yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from mithril_elt.sandbox.clock import Clock
from mithril_elt.sandbox.server import serve
from sandbox_by_hand import NOW, account, asking, instance, iso, walk

A = {"project": "proj_a"}
STATUS = "/v2/instances/status/history"
PRICING = "/v2/instances/pricing/history"


def told(client: httpx.Client, path: str, **params: Any) -> dict[str, list[dict[str, Any]]]:
    """The events by instance."""
    [page] = walk(client, path, "instances", **A | params)
    return {one["instance_fid"].removeprefix("inst_"): one["events"] for one in page}


def statuses(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Events as pairs of time and bare status."""
    return [(event["timestamp"], event["status"].removeprefix("STATUS_")) for event in events]


def period(start: float, end: float | None, price_cents: int) -> dict[str, Any]:
    """A period as the API writes it."""
    return {"price_cents": price_cents, "start_time": iso(start), "end_time": None if end is None else iso(end)}


def test_the_status_history_of_a_project(api: httpx.Client) -> None:
    """A project alone is enough: each instance with an event, the unlisted one too, oldest first, events by time."""
    answer = told(api, STATUS)
    assert list(answer) == ["dropped", "cpu", "res1", "res2", "back", "odd", "spot1", "spot2", "gone"]
    assert statuses(answer["spot1"]) == [(iso(-10), "NEW"), (iso(-9.5), "STARTING"), (iso(-9), "RUNNING")]
    assert statuses(answer["gone"]) == [(iso(-9), "RUNNING"), (iso(-7), "REPLACED")]
    assert statuses(answer["odd"]) == [(iso(-12), "SCHEDULED")]


def test_a_history_names_its_order_only_if_there_is_one(api: httpx.Client) -> None:
    """`bid_fid` and `reservation_fid` are absent where there is none."""
    rows = {row.pop("instance_fid"): row for row in api.get(STATUS, params=A).json()["instances"]}
    orders = {fid: {key: row[key] for key in row if key != "events"} for fid, row in rows.items()}
    assert orders["inst_spot1"] == {"bid_fid": "bid_1"}
    assert orders["inst_cpu"] == {"reservation_fid": "res_cpu"}
    assert orders["inst_odd"] == {}


def test_what_has_not_happened_is_not_told(api: httpx.Client, clock: Clock) -> None:
    """An event shows from its very moment on, and not a microsecond before."""
    clock.set(NOW + timedelta(hours=1, microseconds=-1))
    assert statuses(told(api, STATUS)["spot1"])[-1] == (iso(-9), "RUNNING")
    assert api.get("/v2/instances/inst_spot1/status").json()["status"] == "STATUS_RUNNING"
    clock.advance(timedelta(microseconds=1))
    assert statuses(told(api, STATUS)["spot1"])[-1] == (iso(1), "PREEMPTING")
    assert api.get("/v2/instances/inst_spot1/status").json()["status"] == "STATUS_PREEMPTING"
    assert "later" in told(api, STATUS)


def test_the_price_history_of_a_project(api: httpx.Client) -> None:
    """Spot instances only: a reserved one's prices are not told, and a period that goes past now is open."""
    assert told(api, PRICING) == {
        "spot1": [period(-9, -2, 1300), period(-2, None, 1301)],
        "spot2": [period(-8, -4, 1300)],
    }


def test_an_open_period_closes_when_its_end_has_come(api: httpx.Client, clock: Clock) -> None:
    """The end of a period shows from its very moment on; the last one stays open."""
    clock.set(NOW + timedelta(hours=1, microseconds=-1))
    assert told(api, PRICING)["spot1"][1:] == [period(-2, None, 1301)]
    clock.advance(timedelta(microseconds=1))
    assert told(api, PRICING)["spot1"][1:] == [period(-2, 1, 1301), period(1, None, 1400)]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (
            {"start_time": iso(-9)},
            {"spot1": [-9], "spot2": [-8, -4], "gone": [-9, -7], "res1": [-6, -4], "res2": [-5, -3]},
        ),
        ({"start_time": iso(-9), "end_time": iso(-6)}, {"spot1": [-9], "spot2": [-8], "gone": [-9, -7]}),
        ({"start_time": iso(-5), "end_time": iso(-4)}, {"res2": [-5]}),
        ({"end_time": iso(-24)}, {"dropped": [-48, -30], "cpu": [-30]}),
        ({"start_time": iso(-3), "end_time": iso(20)}, {"res2": [-3]}),
        ({"start_time": iso(-2)}, {}),
        ({"start_time": iso(-4), "end_time": iso(-5)}, {}),
        (
            {"start_time": "2026-03-31T00:00:00+04:00", "end_time": "2026-03-30T16:00:00-05:00"},
            {"res1": [-4], "spot2": [-4]},
        ),
    ],
)
def test_a_window_selects_status_events(
    api: httpx.Client, window: dict[str, str], expected: dict[str, list[float]]
) -> None:
    """Events in [start_time, end_time) and no others; instances without any are left out; any zone will do."""
    found = {fid: [event["timestamp"] for event in events] for fid, events in told(api, STATUS, **window).items()}
    assert found == {fid: [iso(at) for at in times] for fid, times in expected.items()}


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"start_time": iso(-8), "end_time": iso(-2)}, {"spot2": [-8]}),
        ({"start_time": iso(-8)}, {"spot1": [-2], "spot2": [-8]}),
        ({"end_time": iso(-8)}, {"spot1": [-9]}),
        ({"start_time": iso(-1)}, {}),
    ],
)
def test_a_window_selects_price_periods_by_their_start(
    api: httpx.Client, window: dict[str, str], expected: dict[str, list[float]]
) -> None:
    """A period belongs to the window in which it starts, whole, whenever it ends."""
    found = {fid: [event["start_time"] for event in events] for fid, events in told(api, PRICING, **window).items()}
    assert found == {fid: [iso(at) for at in times] for fid, times in expected.items()}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"instance_fid": "inst_res1"}, ["res1"]),
        ({"instance_fid": "inst_gone"}, ["gone"]),
        ({"instance_fid": "inst_silent"}, []),
        ({"bid_fid": "bid_1"}, ["spot1", "spot2", "gone"]),
        ({"bid_fid": "bid_2"}, []),
        ({"reservation_fid": "res_1"}, ["res1", "res2"]),
        ({"reservation_fid": "res_cpu"}, ["cpu"]),
        ({"reservation_fid": "res_pending"}, []),
        ({"bid_fid": "bid_1", "instance_fid": "inst_spot2"}, ["spot2"]),
    ],
)
def test_the_history_of_an_instance_or_an_order(api: httpx.Client, params: dict[str, str], expected: list[str]) -> None:
    """An instance, a bid or a reservation narrows the history, also where no list has it."""
    assert list(told(api, STATUS, **params)) == expected


@pytest.mark.parametrize(
    ("params", "detail"),
    [
        ({"instance_fid": "inst_none"}, "Instance not found"),
        ({"instance_fid": "inst_b"}, "Instance not found"),
        ({"instance_fid": "inst_later"}, "Instance not found"),
        ({"bid_fid": "bid_b"}, "Bid not found"),
        ({"bid_fid": "bid_later"}, "Bid not found"),
        ({"reservation_fid": "res_none"}, "Reservation not found"),
    ],
)
def test_the_history_of_nobody(api: httpx.Client, params: dict[str, str], detail: str) -> None:
    """What the project does not have, or not yet, is answered 404 by both histories."""
    for path in (STATUS, PRICING):
        answer = api.get(path, params=A | params)
        assert (answer.status_code, answer.json()) == (404, {"detail": detail})


def test_instances_without_events_take_no_place_on_a_page() -> None:
    """A page is full of instances that have events in the window, and the last one has no cursor."""
    one = account()
    one.instances[:] = [
        instance(f"inst_{number}", -50 + number, [(-2 if number % 3 == 1 else -4, "NEW")]) for number in range(12)
    ]
    with serve(one) as running, asking(running) as client:
        pages = walk(client, STATUS, "instances", limit=2, start_time=iso(-3), **A)
    assert [[row["instance_fid"] for row in page] for page in pages] == [["inst_1", "inst_4"], ["inst_7", "inst_10"]]


def test_a_history_can_be_walked_while_its_account_lives(api: httpx.Client, clock: Clock) -> None:
    """Events that come between two pages show on the later page, and no instance comes twice."""
    first = api.get(STATUS, params=A | {"limit": 6}).json()
    clock.advance(timedelta(hours=4))
    rest = api.get(STATUS, params=A | {"next_cursor": first["next_cursor"]}).json()
    fids = [row["instance_fid"] for row in first["instances"] + rest["instances"]]
    assert fids[5:] == ["inst_odd", "inst_spot1", "inst_spot2", "inst_gone", "inst_later"]
    assert len(set(fids)) == len(fids)
    assert rest["instances"][0]["events"][-1]["status"] == "STATUS_PREEMPTING"
