"""Readings of the two histories' questions: project alone, what a window selects, in which order, on which page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asked import PRICING, STATUS, Api, brief, name

from sandbox_by_hand import iso

Under = Callable[..., Api]


# --- project alone ---


@pytest.mark.parametrize("path", [STATUS, PRICING])
def test_a_project_alone_may_be_refused(path: str, under: Under) -> None:
    """Without an instance or an order both histories are refused, as a sentence or in FastAPI's list form."""
    refused = under(project_alone="400").get(path)
    assert refused.status_code == 400
    assert "instance_fid" in refused.json()["detail"]
    refused = under(project_alone="422").get(path)
    assert refused.status_code == 422
    [error] = refused.json()["detail"]
    assert set(error) == {"type", "loc", "msg"}
    for status in ("400", "422"):
        for narrowed in ({"instance_fid": "inst_spot1"}, {"bid_fid": "bid_1"}, {"reservation_fid": "res_1"}):
            assert under(project_alone=status).json(path, **narrowed) == under().json(path, **narrowed)
        assert under(project_alone=status).get("/v2/instances").status_code == 200


# --- what a window selects ---

SPOT = {"bid_fid": "bid_1", "start_time": iso(-5)}


def test_the_status_in_force_at_the_start(under: Under) -> None:
    """Each instance's last event before the start with its own time, also where nothing follows, also an ending."""
    assert under().told(STATUS, **SPOT) == {"spot2": [(iso(-4), "TERMINATED")]}
    assert under(start_selects="in_force").told(STATUS, **SPOT) == {
        "spot1": [(iso(-9), "RUNNING")],
        "spot2": [(iso(-8), "RUNNING"), (iso(-4), "TERMINATED")],
        "gone": [(iso(-7), "REPLACED")],
    }


def test_the_status_in_force_clipped_to_the_start(under: Under) -> None:
    """The same rows, with the start of the window for their time."""
    assert under(start_selects="clipped").told(STATUS, **SPOT) == {
        "spot1": [(iso(-5), "RUNNING")],
        "spot2": [(iso(-5), "RUNNING"), (iso(-4), "TERMINATED")],
        "gone": [(iso(-5), "REPLACED")],
    }


@pytest.mark.parametrize("selects", ["in_force", "clipped"])
def test_an_event_at_the_very_start_is_the_one_in_force(selects: str, under: Under) -> None:
    """Nothing is added where an event is exactly at the start, where there is no start, or before an instance is."""
    assert under(start_selects=selects).told(STATUS, instance_fid="inst_spot2", start_time=iso(-8)) == {
        "spot2": [(iso(-8), "RUNNING"), (iso(-4), "TERMINATED")]
    }
    assert under(start_selects=selects).told(STATUS) == under().told(STATUS)
    assert under(start_selects=selects).told(STATUS, bid_fid="bid_1", start_time=iso(-11)) == under().told(
        STATUS, bid_fid="bid_1"
    )
    assert under(start_selects=selects).told(STATUS, start_time=iso(1)) == {}


def test_prices_in_force_at_the_start(under: Under) -> None:
    """The period that the start lies in, if it lies in one; its end is told as ever."""
    assert under().told(PRICING, start_time=iso(-3)) == {"spot1": [(iso(-2), 1301)]}
    assert under(start_selects="in_force").told(PRICING, start_time=iso(-3)) == {
        "spot1": [(iso(-9), 1300), (iso(-2), 1301)]
    }
    assert under(start_selects="in_force").told(PRICING, start_time=iso(-4)) == {
        "spot1": [(iso(-9), 1300), (iso(-2), 1301)]
    }
    clipped = under(start_selects="clipped")
    assert clipped.periods(start_time=iso(-1)) == {"spot1": [(iso(-1), None, 1301)]}
    assert clipped.periods(start_time=iso(-5)) == {
        "spot1": [(iso(-5), iso(-2), 1300), (iso(-2), None, 1301)],
        "spot2": [(iso(-5), iso(-4), 1300)],
    }


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ({}, [-8]),
        ({"start_bound": "exclusive"}, []),
        ({"end_bound": "inclusive"}, [-8, -4]),
        ({"start_bound": "exclusive", "end_bound": "inclusive"}, [-4]),
        ({"start_bound": "exclusive", "start_selects": "in_force"}, [-8]),
        ({"start_bound": "exclusive", "start_selects": "clipped", "end_bound": "inclusive"}, [-8, -4]),
    ],
)
def test_the_bounds_of_a_window(readings: dict[str, str], expected: list[float], under: Under) -> None:
    """An event at the start is inside if the start is inclusive, one at the end if the end is."""
    found = under(**readings).told(STATUS, instance_fid="inst_spot2", start_time=iso(-8), end_time=iso(-4))
    assert [at for events in found.values() for at, _ in events] == [iso(at) for at in expected]


def test_the_bounds_of_a_window_of_prices(under: Under) -> None:
    """Prices are inside by their start."""
    window = {"start_time": iso(-9), "end_time": iso(-2)}
    assert under().told(PRICING, **window) == {"spot1": [(iso(-9), 1300)], "spot2": [(iso(-8), 1300)]}
    assert under(start_bound="exclusive", end_bound="inclusive").told(PRICING, **window) == {
        "spot1": [(iso(-2), 1301)],
        "spot2": [(iso(-8), 1300)],
    }


# --- order ---


def test_the_order_of_events(under: Under) -> None:
    """Reversed or shuffled, each instance has the same events, and instances keep their order."""
    plain = under().told(STATUS)
    backwards = under(order="reversed").told(STATUS)
    assert list(backwards.items()) == [(fid, events[::-1]) for fid, events in plain.items()]
    shuffled = under(order="shuffled").told(STATUS)
    assert list(shuffled) == list(plain)
    assert {fid: sorted(events) for fid, events in shuffled.items()} == plain
    assert any(shuffled[fid] not in (events, events[::-1]) for fid, events in plain.items())
    assert shuffled == under(order="shuffled").told(STATUS)


# --- pages of events ---


def pages(api: Api, path: str, **params: Any) -> list[list[tuple[str, list[str]]]]:
    """Each page as instances with the times of their events."""
    return [
        [(name(row), [brief(event)[0] for event in row["events"]]) for row in page]
        for page in api.pages(path, **params)
    ]


def test_a_limit_of_events(under: Under) -> None:
    """A page is full of events; an instance goes on where the page before left it, under its envelope."""
    api = under(limit_counts="events")
    assert pages(api, STATUS, limit=4, bid_fid="bid_1") == [
        [("spot1", [iso(-10), iso(-9.5), iso(-9)]), ("spot2", [iso(-10)])],
        [("spot2", [iso(-8), iso(-4)]), ("gone", [iso(-9), iso(-7)])],
    ]
    assert pages(api, STATUS, limit=3, bid_fid="bid_1")[1] == [("spot2", [iso(-10), iso(-8), iso(-4)])]
    second = api.pages(STATUS, limit=4, bid_fid="bid_1")[1]
    assert second[0]["bid_fid"] == "bid_1"


@pytest.mark.parametrize("order", ["sorted", "reversed", "shuffled"])
@pytest.mark.parametrize("selects", ["inside", "in_force", "clipped"])
@pytest.mark.parametrize("path", [STATUS, PRICING])
def test_pages_of_events_fit_together(path: str, selects: str, order: str, under: Under) -> None:
    """With any limit all pages together have the same events in the same order, and all but the last are full."""
    api = under(limit_counts="events", start_selects=selects, order=order)
    [whole] = pages(api, path, start_time=iso(-9))
    events = [(fid, at) for fid, times in whole for at in times]
    for limit in (1, 2, 3, 7, len(events), len(events) + 1):
        found = pages(api, path, start_time=iso(-9), limit=limit)
        assert [(fid, at) for page in found for fid, times in page for at in times] == events
        assert {sum(len(times) for _, times in page) for page in found[:-1]} <= {limit}
        assert all(len({fid for fid, _ in page}) == len(page) for page in found)


@pytest.mark.parametrize("order", ["sorted", "reversed", "shuffled"])
def test_pages_of_events_fit_together_while_the_account_lives(order: str, under: Under) -> None:
    """What comes between two pages shifts nothing: each event that was there before comes once."""
    api = under(limit_counts="events", order=order)
    before = {(fid, event) for fid, events in api.told(STATUS).items() for event in events}
    seen: list[tuple[str, Any]] = []
    cursor: dict[str, str] = {}
    for hours in range(100):
        body = api.at(hours / 4).json(STATUS, limit=2, **cursor)
        seen += [(name(row), brief(event)) for row in body["instances"] for event in row["events"]]
        if body["next_cursor"] is None:
            break
        cursor = {"next_cursor": body["next_cursor"]}
    assert len(set(seen)) == len(seen)
    assert before <= set(seen)
