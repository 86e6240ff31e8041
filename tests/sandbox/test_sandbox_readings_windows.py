"""Readings of the two histories' questions: project alone, what a window selects, in which order, on which page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import serve
from sandbox_by_hand import account, asking, iso, walk

A = {"project": "proj_a"}
STATUS = "/v2/instances/status/history"
PRICING = "/v2/instances/pricing/history"


def told(path: str, readings: Readings, **params: Any) -> dict[str, list[tuple[str, Any]]]:
    """The events by instance as (time, status or price), asked for on one page."""
    with serve(account(), readings=readings) as running, asking(running) as client:
        [page] = walk(client, path, "instances", **A | params)
    return {row["instance_fid"].removeprefix("inst_"): [brief(event) for event in row["events"]] for row in page}


def brief(event: dict[str, Any]) -> tuple[str, Any]:
    """An event as (time, bare status), or as (start, price)."""
    if "status" in event:
        return event["timestamp"], event["status"].removeprefix("STATUS_")
    return event["start_time"], event["price_cents"]


# --- project alone ---


@pytest.mark.parametrize("path", [STATUS, PRICING])
def test_a_project_alone_may_be_refused(path: str) -> None:
    """Without an instance or an order both histories are refused, as a sentence or in FastAPI's list form."""
    with serve(account(), readings=Readings(project_alone="400")) as running, asking(running) as client:
        answer = client.get(path, params=A)
        assert answer.status_code == 400
        assert "instance_fid" in answer.json()["detail"]
        for narrowed in ({"instance_fid": "inst_spot1"}, {"bid_fid": "bid_1"}, {"reservation_fid": "res_1"}):
            assert client.get(path, params=A | narrowed).status_code == 200
    with serve(account(), readings=Readings(project_alone="422")) as running, asking(running) as client:
        answer = client.get(path, params=A)
        assert answer.status_code == 422
        [error] = answer.json()["detail"]
        assert set(error) == {"type", "loc", "msg"}
        assert client.get(path, params=A | {"bid_fid": "bid_1"}).status_code == 200
        assert client.get("/v2/instances", params=A).status_code == 200


# --- what a window selects ---

SPOT = {"bid_fid": "bid_1", "start_time": iso(-5)}


def test_the_status_in_force_at_the_start() -> None:
    """Each instance's last event before the start with its own time, also where nothing follows, also an ending."""
    assert told(STATUS, Readings(), **SPOT) == {"spot2": [(iso(-4), "TERMINATED")]}
    assert told(STATUS, Readings(start_selects="in_force"), **SPOT) == {
        "spot1": [(iso(-9), "RUNNING")],
        "spot2": [(iso(-8), "RUNNING"), (iso(-4), "TERMINATED")],
        "gone": [(iso(-7), "REPLACED")],
    }


def test_the_status_in_force_clipped_to_the_start() -> None:
    """The same rows, with the start of the window for their time."""
    assert told(STATUS, Readings(start_selects="clipped"), **SPOT) == {
        "spot1": [(iso(-5), "RUNNING")],
        "spot2": [(iso(-5), "RUNNING"), (iso(-4), "TERMINATED")],
        "gone": [(iso(-5), "REPLACED")],
    }


@pytest.mark.parametrize("selects", ["in_force", "clipped"])
def test_an_event_at_the_very_start_is_the_one_in_force(selects: Any) -> None:
    """Nothing is added where an event is exactly at the start, where there is no start, or before an instance is."""
    readings = Readings(start_selects=selects)
    assert told(STATUS, readings, instance_fid="inst_spot2", start_time=iso(-8)) == {
        "spot2": [(iso(-8), "RUNNING"), (iso(-4), "TERMINATED")]
    }
    assert told(STATUS, readings) == told(STATUS, Readings())
    assert told(STATUS, readings, bid_fid="bid_1", start_time=iso(-11)) == told(STATUS, Readings(), bid_fid="bid_1")
    assert told(STATUS, readings, start_time=iso(1)) == {}


def test_prices_in_force_at_the_start() -> None:
    """The period that the start lies in, if it lies in one; its end is told as ever."""
    assert told(PRICING, Readings(), start_time=iso(-3)) == {"spot1": [(iso(-2), 1301)]}
    assert told(PRICING, Readings(start_selects="in_force"), start_time=iso(-3)) == {
        "spot1": [(iso(-9), 1300), (iso(-2), 1301)]
    }
    assert told(PRICING, Readings(start_selects="in_force"), start_time=iso(-4)) == {
        "spot1": [(iso(-9), 1300), (iso(-2), 1301)]
    }
    with serve(account(), readings=Readings(start_selects="clipped")) as running, asking(running) as client:
        [row] = client.get(PRICING, params=A | {"start_time": iso(-1)}).json()["instances"]
        assert row["events"] == [{"price_cents": 1301, "start_time": iso(-1), "end_time": None}]
        rows = client.get(PRICING, params=A | {"start_time": iso(-5)}).json()["instances"]
    assert [row["events"] for row in rows] == [
        [
            {"price_cents": 1300, "start_time": iso(-5), "end_time": iso(-2)},
            {"price_cents": 1301, "start_time": iso(-2), "end_time": None},
        ],
        [{"price_cents": 1300, "start_time": iso(-5), "end_time": iso(-4)}],
    ]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (Readings(), [-8]),
        (Readings(start_bound="exclusive"), []),
        (Readings(end_bound="inclusive"), [-8, -4]),
        (Readings(start_bound="exclusive", end_bound="inclusive"), [-4]),
        (Readings(start_bound="exclusive", start_selects="in_force"), [-8]),
        (Readings(start_bound="exclusive", start_selects="clipped", end_bound="inclusive"), [-8, -4]),
    ],
)
def test_the_bounds_of_a_window(readings: Readings, expected: list[float]) -> None:
    """An event at the start is inside if the start is inclusive, one at the end if the end is."""
    found = told(STATUS, readings, instance_fid="inst_spot2", start_time=iso(-8), end_time=iso(-4))
    assert [at for events in found.values() for at, _ in events] == [iso(at) for at in expected]


def test_the_bounds_of_a_window_of_prices() -> None:
    """Prices are inside by their start."""
    window = {"start_time": iso(-9), "end_time": iso(-2)}
    assert told(PRICING, Readings(), **window) == {"spot1": [(iso(-9), 1300)], "spot2": [(iso(-8), 1300)]}
    assert told(PRICING, Readings(start_bound="exclusive", end_bound="inclusive"), **window) == {
        "spot1": [(iso(-2), 1301)],
        "spot2": [(iso(-8), 1300)],
    }


# --- order ---


def test_the_order_of_events() -> None:
    """Reversed or shuffled, each instance has the same events, and instances keep their order."""
    plain = told(STATUS, Readings())
    backwards = told(STATUS, Readings(order="reversed"))
    assert list(backwards.items()) == [(fid, events[::-1]) for fid, events in plain.items()]
    shuffled = told(STATUS, Readings(order="shuffled"))
    assert list(shuffled) == list(plain)
    assert {fid: sorted(events) for fid, events in shuffled.items()} == plain
    assert any(shuffled[fid] not in (events, events[::-1]) for fid, events in plain.items())
    assert shuffled == told(STATUS, Readings(order="shuffled"))


# --- pages ---


def pages(client: httpx.Client, limit: int, path: str = STATUS, **params: Any) -> list[list[tuple[str, list[str]]]]:
    """Each page as instances with the times of their events."""
    return [
        [(row["instance_fid"].removeprefix("inst_"), [brief(event)[0] for event in row["events"]]) for row in page]
        for page in walk(client, path, "instances", limit=limit, **A | params)
    ]


def test_a_limit_of_events() -> None:
    """A page is full of events; an instance goes on where the page before left it, under its envelope."""
    with serve(account(), readings=Readings(limit_counts="events")) as running, asking(running) as client:
        assert pages(client, 4, bid_fid="bid_1") == [
            [("spot1", [iso(-10), iso(-9.5), iso(-9)]), ("spot2", [iso(-10)])],
            [("spot2", [iso(-8), iso(-4)]), ("gone", [iso(-9), iso(-7)])],
        ]
        assert pages(client, 3, bid_fid="bid_1")[1] == [("spot2", [iso(-10), iso(-8), iso(-4)])]
        [_, second] = walk(client, STATUS, "instances", limit=4, bid_fid="bid_1", **A)
        assert second[0]["bid_fid"] == "bid_1"


@pytest.mark.parametrize("order", ["sorted", "reversed", "shuffled"])
@pytest.mark.parametrize("selects", ["inside", "in_force", "clipped"])
@pytest.mark.parametrize("path", [STATUS, PRICING])
def test_pages_of_events_fit_together(path: str, selects: Any, order: Any) -> None:
    """With any limit all pages together have the same events in the same order, and all but the last are full."""
    readings = Readings(limit_counts="events", start_selects=selects, order=order)
    with serve(account(), readings=readings) as running, asking(running) as client:
        [whole] = pages(client, 100, path, start_time=iso(-9))
        events = [(fid, at) for fid, times in whole for at in times]
        for limit in range(1, len(events) + 2):
            found = pages(client, limit, path, start_time=iso(-9))
            assert [(fid, at) for page in found for fid, times in page for at in times] == events
            assert {sum(len(times) for _, times in page) for page in found[:-1]} <= {limit}
            assert all(len({fid for fid, _ in page}) == len(page) for page in found)
