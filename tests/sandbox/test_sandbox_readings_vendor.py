"""Readings of the vendor's own summary: how it counts pauses and activity. Nothing else hangs on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from asked import STATUS, Api

from mithril_elt.instants import parse_iso_duration
from mithril_elt.sandbox.account import HOUR_US, Account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.truth import true_figures
from sandbox_by_hand import NOW_US, account, told

Served = Callable[[Account, Readings], Api]
Summary = Callable[..., Any]

# Two hours of pause and one of 54 minutes, each led in by STOPPING and out by two spells more, at 620 c an hour;
# and an hour of RELOCATING.
RES1 = [
    *((-24, "RUNNING"), (-12, "RELOCATING"), (-11, "RUNNING")),
    *((-6.25, "STOPPING"), (-6, "PAUSED"), (-4, "CONFIRMED"), (-3.75, "STARTING"), (-3.5, "RUNNING")),
]
RES2 = [
    *((-24, "RUNNING"), (-2, "STOPPING"), (-1.9, "PAUSED")),
    *((-1, "CONFIRMED"), (-0.9, "INITIALIZING"), (-0.8, "RUNNING")),
]


@pytest.fixture(scope="module")
def summary(served: Served) -> Summary:
    """What the vendor says of res_1 with two stories, under some readings: served once for each of these."""

    @cache
    def serving(**readings: Any) -> Api:
        return served(account(), Readings(**readings))

    def said(res1: list[tuple[float, str]], res2: list[tuple[float, str]], **readings: Any) -> Any:
        api = serving(**readings)
        for each in api.sandbox.account.instances:
            if each.reservation == "res_1":
                each.changes[:] = told(res1 if each.fid == "inst_res1" else res2)
        return api.json("/v2/reservation/res_1/usage")["summary"]

    return said


@pytest.mark.parametrize(
    ("clock", "hours"),
    [
        ("whole", [2]),
        ("past_first_hour", [1]),
        ("any_length", [2, 0.9]),
        ("from_stopping", [2.25, 1]),
        ("until_running", [2.5, 1.1]),
        ("from_stopping_until_running", [2.75, 1.2]),
    ],
)
def test_how_the_vendor_counts_pauses(summary: Summary, clock: str, hours: list[float]) -> None:
    """The credit changes with it, and the net cost; nothing else does."""
    usual = summary(RES1, RES2)
    counted = summary(RES1, RES2, pause_clock=clock)
    credit = round(sum(hours) * 620)
    assert counted == usual | {
        "flex_use_credits_cents": credit,
        "net_cost_cents": usual["committed_cost_cents"] - credit,
    }


@pytest.mark.parametrize(
    ("story", "clock", "hours"),
    [
        # the clock stops when the way to RUNNING ends otherwise, and a STOPPING that leads elsewhere does not start it
        ([(-6, "PAUSED"), (-4, "CONFIRMED"), (-3.5, "ERROR"), (-3, "STARTING"), (-2, "RUNNING")], "until_running", 2.5),
        ([(-6, "PAUSED"), (-4, "NEW"), (-3, "TERMINATED")], "until_running", 3),
        ([(-6, "PAUSED"), (-4, "CONFIRMED"), (-3, "PAUSED"), (-1, "RUNNING")], "until_running", 5),
        ([(-7, "STOPPING"), (-6, "CONFIRMED"), (-5, "PAUSED"), (-4, "RUNNING")], "from_stopping", 1),
        ([(-7, "STOPPING"), (-6, "TERMINATED"), (-5, "PAUSED"), (-4, "RUNNING")], "from_stopping", 1),
        ([(-2, "STOPPING"), (-1.5, "PAUSED")], "from_stopping", 2),
        ([(-2, "STOPPING")], "from_stopping", 0),
        ([(-1.5, "PAUSED"), (-0.75, "STARTING")], "from_stopping_until_running", 1.5),
        # a pause of an hour has nothing past its first hour
        ([(-6, "PAUSED"), (-5, "RUNNING")], "past_first_hour", 0),
        ([(-6, "PAUSED"), (-5.5, "RUNNING"), (-3, "PAUSED"), (-2.5, "RUNNING")], "any_length", 1),
        # the first hour of a pause was before the rate changed at -10
        ([(-11, "PAUSED"), (-9, "RUNNING")], "past_first_hour", 1),
        # a pause before the reservation counts from its start at -24 on
        ([(-26, "PAUSED"), (-22, "RUNNING")], "any_length", 2 * 500 / 620),
    ],
)
def test_where_the_clock_starts_and_stops(
    summary: Summary, story: list[tuple[float, str]], clock: str, hours: float
) -> None:
    """One instance that runs but for this, the other not at all paused."""
    counted = summary([(-30, "RUNNING"), *story], [(-24, "RUNNING")], pause_clock=clock)
    assert counted["flex_use_credits_cents"] == round(hours * 620)


@pytest.mark.parametrize(
    ("active", "hours"), [("up", 48 - 2.75 - 1.2), ("running", 48 - 1 - 2.75 - 1.2), ("not_paused", 48 - 2.9)]
)
def test_how_the_vendor_counts_activity(summary: Summary, active: str, hours: float) -> None:
    """Active and idle hours change with it, and add up to those reserved; nothing else changes."""
    usual = summary(RES1, RES2)
    counted = summary(RES1, RES2, active_hours=active)
    assert {key: value for key, value in counted.items() if "idle" not in key and "active" not in key} == {
        key: value for key, value in usual.items() if "idle" not in key and "active" not in key
    }
    active_us, idle_us = (
        parse_iso_duration(counted[f"{kind}_instance_hours"]) // timedelta(microseconds=1)
        for kind in ("active", "idle")
    )
    assert active_us == round(hours * HOUR_US)
    assert active_us + idle_us == 48 * HOUR_US


def test_a_spot_instance_that_names_the_reservation_is_no_part_of_it(served: Served) -> None:
    """Nothing that it does is used, paused or credited, whatever the clock; nor does it hold a pause back."""
    one = account()
    for each in one.instances:
        if each.fid == "inst_res2":
            each.bid = "bid_1"
            each.changes[:] = told(RES2)
        if each.fid == "inst_res1":
            each.changes[:] = told(RES1)
    api = served(one, Readings(pause_clock="from_stopping_until_running", active_hours="not_paused"))
    counted = api.json("/v2/reservation/res_1/usage")["summary"]
    assert counted["flex_use_credits_cents"] == round(2.75 * 620)
    assert counted["idle_instance_hours"] == "PT2H"
    events = [event["event_type"] for event in api.json("/v2/reservation/res_1/history")["events"]]
    assert events[-2:] == ["Paused", "Resumed"]


def test_a_pause_whose_rate_came_late_is_credited_from_then_on(served: Served) -> None:
    """The vendor credits what it has a rate for, though the hour in which the rate came is not known to us."""
    one = account()
    reservation = next(each for each in one.reservations if each.fid == "res_1")
    first, second, *_ = reservation.terms
    reservation.terms[:] = [
        type(first)(first.from_us, 1600, None, None),
        type(second)(NOW_US - 9 * HOUR_US // 2, 1600, 600, None),
    ]
    for each in one.instances:
        if each.reservation == "res_1":
            each.changes[:] = told([(-24, "RUNNING"), (-6, "PAUSED"), (-4, "RUNNING")])
    api = served(one, Readings())
    assert api.json("/v2/reservation/res_1/usage")["summary"]["flex_use_credits_cents"] == 2 * 300
    assert true_figures(one, NOW_US).reservations["res_1"].pause_credit_cent_us is None


def test_nothing_but_the_summary_hangs_on_it(served: Served) -> None:
    """The histories and the grants are the same."""
    usual = served(account(), Readings())
    other = served(account(), Readings(pause_clock="any_length", active_hours="running"))
    for path in (STATUS, "/v2/reservation", "/v2/reservation/res_1/history"):
        assert other.json(path) == usual.json(path)
    grants = [api.json("/v2/reservation/res_1/usage")["grants"] for api in (usual, other)]
    assert grants[0] == grants[1]
