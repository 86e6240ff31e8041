"""What the sandbox says of reservations: the list, their histories, and the vendor's own sums."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from mithril_elt.sandbox.clock import Clock
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.rendering import hours, rounded_cents
from mithril_elt.sandbox.server import serve
from mithril_elt.sandbox.truth import true_figures
from sandbox_by_hand import NOW, NOW_US, account, asking, iso, told

A = {"project": "proj_a"}


def test_a_reservation_row(api: httpx.Client) -> None:
    """A row has the prices as money, the whole price as it was when placed, and its listed instances."""
    rows = {row["fid"]: row for row in api.get("/v2/reservation", params=A).json()["data"]}
    assert rows["res_1"] == {
        "fid": "res_1",
        "name": "res_1",
        "project": "proj_a",
        "created_by": "user_bob",
        "created_at": iso(-30),
        "instance_quantity": 2,
        "instance_type": "it_h100",
        "region": "us-east1-a",
        "instances": ["inst_res1", "inst_res2"],
        "status": "Active",
        "start_time": iso(-24),
        "end_time": iso(12),
        "total_price": "$1,152.00",  # 36 hours x 2 x $16.00
        "unit_price": "$17.00",
    }
    assert {fid: row["status"] for fid, row in rows.items()} == {
        "res_1": "Active",
        "res_pending": "Pending",
        "res_ended": "Ended",
        "res_canceled": "Canceled",
    }
    assert (rows["res_pending"]["unit_price"], rows["res_pending"]["total_price"]) == ("$1.99", "$5.97")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ["pending", "ended", "1", "canceled"]),
        ({"sort_dir": "asc"}, ["canceled", "1", "ended", "pending"]),
        ({"sort_by": "start_time"}, ["pending", "ended", "1", "canceled"]),
        ({"sort_by": "end_time"}, ["1", "pending", "ended", "canceled"]),
        ({"region": "eu-central1-b"}, ["pending"]),
        ({"instance_type": "it_cpu"}, ["ended"]),
        ({"instance_type": "it_cpu", "region": "eu-central1-b"}, []),
    ],
)
def test_filters_and_orders_of_reservations(api: httpx.Client, params: dict[str, str], expected: list[str]) -> None:
    """Each filter keeps just what it names, and rows come in the order asked for."""
    rows = api.get("/v2/reservation", params=A | params).json()["data"]
    assert [row["fid"].removeprefix("res_") for row in rows] == expected
    assert api.get("/v2/reservation", params={"project": "proj_b"}).json() == {"data": [], "next_cursor": None}


def events(client: httpx.Client, fid: str) -> list[tuple[Any, ...]]:
    """A reservation's history as (kind, time, unit price, pause rate, return rate)."""
    rows = client.get(f"/v2/reservation/{fid}/history").raise_for_status().json()["events"]
    names = ("event_type", "timestamp", "unit_price_cents", "pause_credit_cents", "return_credit_cents")
    return [tuple(row[name] for name in names) for row in rows]


def bare(kind: str, at: float) -> tuple[Any, ...]:
    """An event that names no price."""
    return (kind, iso(at), None, None, None)


def test_the_history_of_a_reservation(api: httpx.Client) -> None:
    """Terms as they are set and changed, and Paused only while all of its instances are."""
    assert events(api, "res_1") == [
        bare("Placed", -30),
        ("Terms Set", iso(-30), 1600, 500, 650),
        bare("Active", -24),
        ("Terms Changed", iso(-10), 1700, 620, 800),
        bare("Paused", -5),
        bare("Resumed", -4),
    ]


def test_an_instance_that_is_over_holds_no_pause_back() -> None:
    """A reservation is Paused while all that is left of it is, and not once nothing is left."""
    one = account()
    stories = {each.fid: each for each in one.instances}
    stories["inst_res2"].changes[:] = told([(-23, "RUNNING"), (-8, "TERMINATED")])
    stories["inst_res1"].changes[:] = told([(-24, "RUNNING"), (-6, "PAUSED"), (-4, "TERMINATED")])
    with serve(one) as running, asking(running) as client:
        assert events(client, "res_1")[-2:] == [bare("Paused", -6), bare("Resumed", -4)]


def test_the_histories_of_others(api: httpx.Client) -> None:
    """A pending one is only placed, here without a pause rate; others were canceled or came to their end."""
    assert events(api, "res_pending") == [bare("Placed", -1), ("Terms Set", iso(-1), 199, None, None)]
    assert events(api, "res_canceled")[-2:] == [bare("Active", -48), bare("Canceled", -30)]
    assert events(api, "res_ended")[-2:] == [bare("Active", -20), bare("Ended", -10)]


def test_a_reservation_lives_by_the_clock(api: httpx.Client, clock: Clock) -> None:
    """Events, state and prices come when their time has come."""
    seen = {}
    for at in (-31, -25, -4.5, 2.5, 13):
        clock.set(NOW + timedelta(hours=at))
        rows = {row["fid"]: row for row in api.get("/v2/reservation", params=A).json()["data"]}
        row = rows.get("res_1", {})
        seen[at] = (row.get("status"), row.get("unit_price"), len(row.get("instances", [])))
    assert seen == {
        -31: (None, None, 0),
        -25: ("Pending", "$16.00", 0),
        -4.5: ("Paused", "$17.00", 2),
        2.5: ("Active", "$18.00", 2),
        13: ("Ended", "$18.00", 2),
    }
    assert events(api, "res_1")[-2:] == [("Terms Changed", iso(2), 1800, 700, 900), bare("Ended", 12)]
    clock.set(NOW - timedelta(hours=31))
    assert api.get("/v2/reservation/res_canceled/history").json()["events"][-1]["event_type"] == "Active"


def usage(client: httpx.Client, fid: str) -> Any:
    """The vendor's answer."""
    return client.get(f"/v2/reservation/{fid}/usage").raise_for_status().json()


def test_the_usage_of_a_reservation(api: httpx.Client) -> None:
    """The sums worked by hand, the grants known by now, and the events that set prices."""
    assert usage(api, "res_1") == {
        "summary": {
            "committed_cost_cents": 2 * 14 * 1600 + 2 * 22 * 1700,
            "flex_use_credits_cents": 2 * 2 * 620,  # two pauses of two hours each
            "early_termination_credits_cents": 0,
            "net_cost_cents": 119_600 - 2_480,
            "reserved_instance_hours": "PT48H",
            "active_instance_hours": "PT43H",
            "idle_instance_hours": "PT5H",
            "as_of": iso(0),
        },
        "grants": [
            {
                "starts_at": iso(-24),
                "ends_at": iso(-10),
                "quantity": 2,
                "unit_price": 1600,
                "price_credit": 500,
                "return_credit": 650,
            },
            {
                "starts_at": iso(-10),
                "ends_at": iso(12),
                "quantity": 2,
                "unit_price": 1700,
                "price_credit": 620,
                "return_credit": 800,
            },
        ],
        "pricing_events": [
            {
                "event_type": "Terms Set",
                "timestamp": iso(-30),
                "unit_price_cents": 1600,
                "pause_credit_cents": 500,
                "return_credit_cents": 650,
            },
            {
                "event_type": "Terms Changed",
                "timestamp": iso(-10),
                "unit_price_cents": 1700,
                "pause_credit_cents": 620,
                "return_credit_cents": 800,
            },
        ],
    }


def test_an_instance_given_back_earns_the_return_rate(api: httpx.Client) -> None:
    """Two hours before the end, at 650 c an hour."""
    summary = usage(api, "res_ended")["summary"]
    assert summary["early_termination_credits_cents"] == 1_300
    assert summary["net_cost_cents"] == 10 * 1600 - 1_300
    assert (summary["active_instance_hours"], summary["idle_instance_hours"]) == ("PT8H", "PT2H")


def test_a_canceled_reservation_costs_what_it_lasted(api: httpx.Client) -> None:
    """Its grant ends when it was canceled."""
    answer = usage(api, "res_canceled")
    assert [(grant["starts_at"], grant["ends_at"]) for grant in answer["grants"]] == [(iso(-48), iso(-30))]
    assert answer["summary"]["committed_cost_cents"] == 18 * 1600


def test_the_usage_of_a_whole_fleet_is_the_truth() -> None:
    """For every reservation of a made-up account the sums are the account's true figures, rounded to cents."""
    fleet = make_account()
    truth = true_figures(fleet, NOW_US)
    with serve(fleet) as running, asking(running) as client:
        for fid, expected in truth.reservations.items():
            summary = usage(client, fid)["summary"]
            assert summary["committed_cost_cents"] == rounded_cents(expected.committed_cost_cent_us)
            assert summary["flex_use_credits_cents"] == rounded_cents(expected.pause_credit_cent_us or 0)
            assert summary["idle_instance_hours"] == hours(expected.unused_us)
    assert any(expected.pause_credit_cent_us for expected in truth.reservations.values())
