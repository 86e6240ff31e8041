"""The true figures: worked by hand on small stories, and against counting instant by instant on made-up ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mithril_elt.sandbox.account import (
    HOUR_US,
    MINUTE_US,
    Account,
    Instance,
    InstanceType,
    PricePeriod,
    Project,
    Reservation,
    StatusChange,
    Terms,
)
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.truth import PHASES, Figures, InstanceTruth, Truth, true_figures, true_reservation

SECOND_US = 1_000_000
DAY_US = 24 * HOUR_US
MIDNIGHT_US = 20_000 * DAY_US  # 2024-10-04T00:00:00Z
T = MIDNIGHT_US + 6 * HOUR_US  # the small stories begin here, at six in the morning


def make_instance(
    *changes: tuple[int, str],
    prices: list[PricePeriod] | None = None,
    bid: str | None = None,
    reservation: str | None = None,
    **more: Any,
) -> Instance:
    """An instance whose statuses change at microseconds after T."""
    told = [StatusChange(T + at_us, f"STATUS_{status}") for at_us, status in changes]
    return Instance(
        **{
            "fid": "inst_1",
            "name": "one",
            "project": "proj_1",
            "created_by": "user_1",
            "created_at_us": told[0].at_us if told else T,
            "instance_type": "it_1",
            "region": "us-east1-a",
            "bid": bid,
            "reservation": reservation,
            "changes": told,
            "prices": [
                PricePeriod(T + each.start_us, None if each.end_us is None else T + each.end_us, each.price_cents)
                for each in prices or []
            ],
            **more,
        }
    )


def make_reservation(*terms: tuple[int, int, int | None], hours: int = 10, **more: Any) -> Reservation:
    """A reservation of one instance from T on, placed an hour before; terms (at, unit, pause rate) after T."""
    return Reservation(
        **{
            "fid": "res_1",
            "name": "r",
            "project": "proj_1",
            "created_by": "user_1",
            "placed_at_us": T - HOUR_US,
            "start_us": T,
            "end_us": T + hours * HOUR_US,
            "instance_type": "it_1",
            "region": "us-east1-a",
            "instance_quantity": 1,
            "terms": [Terms(T + at_us, unit, pause, 900) for at_us, unit, pause in terms],
            **more,
        }
    )


def make_truth(as_of_us: int, *parts: Instance | Reservation) -> Truth:
    """The figures of these instances and reservations, `as_of_us` after T; type `it_1` has 8 GPUs."""
    types = [
        InstanceType("it_1", "h100", 8),
        InstanceType("it_cpu", "cpu", 0),
        InstanceType("it_old", "a40", 4, listed=False),
    ]
    account = Account(
        seed=0,
        start_us=T,
        now_us=T + as_of_us,
        projects=[Project("proj_1", "p", T)],
        instance_types=types,
        markets=[],
        bids=[],
        reservations=[part for part in parts if isinstance(part, Reservation)],
        instances=[part for part in parts if isinstance(part, Instance)],
    )
    return true_figures(account, T + as_of_us)


def spot(as_of_us: int, changes: list[tuple[int, str]], prices: list[PricePeriod]) -> InstanceTruth:
    return make_truth(as_of_us, make_instance(*changes, prices=prices, bid="bid_1")).instances["inst_1"]


def paused_from(*pauses: tuple[int, int | None]) -> Instance:
    """A reserved instance that runs from T on but for these pauses (from, until or None)."""
    changes = [(0, "RUNNING")]
    for from_us, until_us in pauses:
        changes += [(from_us, "PAUSED"), *([] if until_us is None else [(until_us, "RUNNING")])]
    return make_instance(*changes, reservation="res_1")


# --- by hand: spot cost ---


def test_ninety_minutes_and_thirty_at_two_prices() -> None:
    """90 min at 1300 c/h, then 30 min at 1301 c/h = 2,600.5 c."""
    one = spot(
        2 * HOUR_US,
        [(0, "RUNNING")],
        [PricePeriod(0, 90 * MINUTE_US, 1300), PricePeriod(90 * MINUTE_US, None, 1301)],
    )
    assert 2 * one.spot_cost_cent_us == 5201 * HOUR_US
    assert (one.billed_us, one.unpriced_us, one.up_us, one.gpu_us) == (2 * HOUR_US, 0, 2 * HOUR_US, 16 * HOUR_US)


@pytest.mark.parametrize(
    ("status", "is_billed"),
    [
        ("NEW", False),
        ("CONFIRMED", False),
        ("INITIALIZING", False),
        ("STARTING", False),
        ("RUNNING", True),
        ("PREEMPTING", True),
        ("RELOCATING", True),
        ("STOPPING", False),
        ("PAUSED", False),
        ("PREEMPTED", False),
        ("ERROR", False),
        ("SCHEDULED", False),
    ],
)
def test_only_up_time_is_billed_to_the_millisecond(status: str, *, is_billed: bool) -> None:
    """1.001 s at 3600 c/h cost 1.001 c where the status is billed, else nothing; a reserved instance pays no price."""
    lasts_us = 1_001_000
    prices = [PricePeriod(0, None, 3600)]
    one = spot(2 * lasts_us, [(0, status), (lasts_us, "TERMINATED")], prices)
    assert one.spot_cost_cent_us == (lasts_us * 3600 if is_billed else 0)
    assert one.billed_us == (lasts_us if is_billed else 0)
    owned = make_instance((0, status), prices=prices, reservation="res_1")
    reserved = make_truth(lasts_us, owned).instances["inst_1"]
    assert (reserved.billed_us, reserved.spot_cost_cent_us) == (0, 0)


def test_time_without_a_price_is_billed_and_unpriced() -> None:
    """Before the first period, between two, and after the last: counted apart, not as free."""
    one = spot(100, [(0, "RUNNING")], [PricePeriod(10, 30, 7), PricePeriod(50, 90, 9)])
    assert (one.billed_us, one.priced_us, one.unpriced_us) == (100, 60, 40)
    assert one.spot_cost_cent_us == 20 * 7 + 40 * 9


def test_a_period_ends_where_the_next_begins() -> None:
    """Of overlapping periods the one that began last holds, also after the older one's end, and till its own end."""
    one = spot(100, [(0, "RUNNING")], [PricePeriod(0, 60, 7), PricePeriod(40, 80, 9)])
    assert one.spot_cost_cent_us == 40 * 7 + 40 * 9
    assert one.unpriced_us == 20
    nested = spot(100, [(0, "RUNNING")], [PricePeriod(0, None, 7), PricePeriod(40, 50, 9)])
    assert (nested.spot_cost_cent_us, nested.unpriced_us) == (40 * 7 + 10 * 9, 50)


def test_a_price_while_nothing_is_billed_costs_nothing() -> None:
    """Prices reach over PREEMPTED time; only the time up is paid."""
    one = spot(100, [(0, "RUNNING"), (30, "PREEMPTED"), (60, "RUNNING")], [PricePeriod(0, None, 5)])
    assert one.spot_cost_cent_us == 70 * 5
    assert (one.up_us, one.down_us) == (70, 30)


# --- by hand: spells ---


def test_at_one_instant_the_later_stage_of_life_holds() -> None:
    """Of several statuses with one timestamp the last by lifecycle holds, unknown ones before the endings."""
    assert spot(10, [(0, "RUNNING"), (0, "STARTING")], []).phase_us["running"] == 10
    assert spot(10, [(0, "ERROR"), (0, "FAILED"), (0, "PAUSED")], []).phase_us["unknown"] == 10
    assert spot(10, [(0, "RUNNING"), (5, "TERMINATED"), (5, "FAILED")], []).total_us == 5


def test_an_ending_opens_nothing_and_a_later_event_begins_anew() -> None:
    """Between TERMINATED and a later event no time is counted."""
    one = spot(100, [(0, "RUNNING"), (20, "TERMINATED"), (50, "STARTING"), (60, "RUNNING"), (70, "REPLACED")], [])
    assert (one.total_us, one.up_us, one.phase_us["starting"]) == (40, 30, 10)


def test_what_happens_at_as_of_or_later_does_not_count() -> None:
    """Open spells and prices end at as_of; an event at that very instant is not there yet."""
    changes = [(0, "RUNNING"), (100, "ERROR")]
    at = spot(100, changes, [PricePeriod(0, None, 3)])
    assert (at.up_us, at.interruptions, at.spot_cost_cent_us) == (100, 0, 300)
    after = spot(101, changes, [PricePeriod(0, None, 3)])
    assert (after.up_us, after.down_us, after.interruptions) == (100, 1, 1)
    assert make_truth(-1, make_instance(*changes)).instances == {}


def test_time_is_cut_at_utc_midnight() -> None:
    """Each UTC day has its own part, and only days that the instance lived on are there."""
    until = 42 * HOUR_US  # midnight after the next day, from six in the morning
    one = spot(until + 1, [(17 * HOUR_US, "STARTING"), (18 * HOUR_US - 1, "RUNNING")], [PricePeriod(0, None, 2)])
    days = one.by_day
    assert list(days) == ["2024-10-04", "2024-10-05", "2024-10-06"]
    assert [days[day].up_us for day in days] == [1, DAY_US, 1]
    assert [days[day].spot_cost_cent_us for day in days] == [2, 2 * DAY_US, 2]
    assert days["2024-10-04"].phase_us["starting"] == HOUR_US - 1


def test_types_that_nobody_lists_have_no_gpu_hours() -> None:
    """A CPU machine has 0 GPU time; a type that left the list, or an instance that did, has none known."""

    def gpu_us(**more: Any) -> int | None:
        return make_truth(10, make_instance((0, "RUNNING"), bid="bid_1", **more)).instances["inst_1"].gpu_us

    assert (gpu_us(), gpu_us(instance_type="it_cpu")) == (80, 0)
    assert gpu_us(instance_type="it_old") is None
    assert gpu_us(listed=False) is None
    assert gpu_us(instance_type="it_never") is None


def test_an_instance_is_known_when_the_list_or_a_history_has_it() -> None:
    """Listed from its creation on, also without history; not listed, from its first event on."""
    silent = make_instance(created_at_us=T)
    assert make_truth(0, silent).instances["inst_1"].total_us == 0
    hidden = make_instance((5, "RUNNING"), created_at_us=T, listed=False)
    assert make_truth(5, hidden).instances == {}
    assert make_truth(6, hidden).instances["inst_1"].up_us == 1


# --- by hand: pause credits ---


@pytest.mark.parametrize(
    ("pauses", "credit_cents", "credited_us", "short_us"),
    [
        ([HOUR_US - 1_000], 0, 0, HOUR_US - 1_000),
        ([HOUR_US - 1], 0, 0, HOUR_US - 1),
        ([HOUR_US], 500, HOUR_US, 0),
        ([HOUR_US + 1_000], None, HOUR_US + 1_000, 0),
        ([40 * MINUTE_US, 40 * MINUTE_US], 0, 0, 80 * MINUTE_US),
        ([40 * MINUTE_US, 90 * MINUTE_US], 750, 90 * MINUTE_US, 40 * MINUTE_US),
    ],
)
def test_a_pause_earns_from_one_hour_on(
    pauses: list[int], credit_cents: int | None, credited_us: int, short_us: int
) -> None:
    """At 500 c/h: 59:59.999 gives 0, 60:00.000 gives 500 c, two of 40 minutes give 0; the whole pause counts."""
    spans = [(2 * number * HOUR_US + 1, 2 * number * HOUR_US + 1 + each) for number, each in enumerate(pauses)]
    truth = make_truth(9 * HOUR_US, paused_from(*spans), make_reservation((0, 1600, 500)))
    one = truth.instances["inst_1"]
    assert one.pause_credit_cent_us == (credited_us * 500 if credit_cents is None else credit_cents * HOUR_US)
    assert (one.credited_us, one.short_paused_us) == (credited_us, short_us)
    assert one.short_pause_loss_cent_us == short_us * 500
    assert [pause.paused_us for pause in truth.pauses] == pauses
    assert sum(pause.credited_us for pause in truth.pauses) == credited_us
    assert truth.pause_credit_cent_us == sum(pause.pause_credit_cent_us or 0 for pause in truth.pauses)


def test_a_pause_that_an_ending_cuts_is_two() -> None:
    """40 minutes, TERMINATED, and 40 minutes more are two short pauses, and likewise time that is merely idle."""
    reservation = make_reservation((0, 1600, 500))
    for status in ("PAUSED", "ERROR"):
        changes = [(0, status), (40 * MINUTE_US, "TERMINATED"), (50 * MINUTE_US, status), (90 * MINUTE_US, "RUNNING")]
        truth = make_truth(9 * HOUR_US, make_instance(*changes, reservation="res_1"), reservation)
        one = truth.instances["inst_1"]
        assert (one.credited_us, one.unclaimed_us, one.total_us) == (0, 0, 9 * HOUR_US - 10 * MINUTE_US)


def test_an_open_pause_earns_from_the_moment_it_is_an_hour_old() -> None:
    """A microsecond before, it is a short one for now."""
    parts = (paused_from((HOUR_US, None)), make_reservation((0, 1600, 500)))
    young = make_truth(2 * HOUR_US - 1, *parts)
    assert young.instances["inst_1"].pause_credit_cent_us == 0
    assert young.instances["inst_1"].short_pause_loss_cent_us == (HOUR_US - 1) * 500
    old = make_truth(2 * HOUR_US, *parts)
    assert old.instances["inst_1"].pause_credit_cent_us == HOUR_US * 500
    assert [(pause.is_open, pause.is_credited) for pause in (*young.pauses, *old.pauses)] == [
        (True, False),
        (True, True),
    ]


def test_the_rate_is_that_of_each_moment() -> None:
    """A pause of 2 h over a change from 500 to 620 c/h after half an hour earns 250 + 930 c; costs are split so too."""
    reservation = make_reservation((0, 1600, 500), (HOUR_US + HOUR_US // 2, 1700, 620))
    truth = make_truth(4 * HOUR_US, paused_from((HOUR_US, 3 * HOUR_US)), reservation)
    one = truth.instances["inst_1"]
    assert one.pause_credit_cent_us == (250 + 930) * HOUR_US
    assert one.allocated_cost_cent_us == (1600 + 1700) * HOUR_US
    whole = truth.reservations["res_1"]
    assert whole.allocated_used_cent_us + whole.allocated_unused_cent_us == (1600 * 3 + 1700 * 5) * HOUR_US // 2
    assert whole.committed_cost_cent_us == (1600 * 3 + 1700 * 17) * HOUR_US // 2


def test_the_first_terms_hold_from_the_start() -> None:
    """Whatever instant the first terms carry, their rates are in force from the placing on."""
    reservation = make_reservation((5 * HOUR_US, 1600, 500))
    truth = make_truth(4 * HOUR_US, paused_from((HOUR_US, 3 * HOUR_US)), reservation)
    assert truth.pause_credit_cent_us == 1000 * HOUR_US
    assert truth.allocated_cost_cent_us == 6400 * HOUR_US


def test_terms_without_a_pause_rate_leave_the_one_before_in_force() -> None:
    """The newest rate that was named holds; before any is named, none is known."""
    kept = make_reservation((0, 1600, 500), (HOUR_US, 1600, None))
    assert make_truth(4 * HOUR_US, paused_from((HOUR_US, 3 * HOUR_US)), kept).pause_credit_cent_us == 1000 * HOUR_US
    late = make_reservation((0, 1600, None), (2 * HOUR_US, 1600, 500))
    truth = make_truth(4 * HOUR_US, paused_from((HOUR_US, 3 * HOUR_US)), late)
    one = truth.instances["inst_1"]
    assert (one.credit.us, one.credit.rated_us, one.credit.cent_us) == (2 * HOUR_US, HOUR_US, 500 * HOUR_US)
    assert truth.pauses[0].pause_credit_cent_us is None


def test_where_no_rate_is_known_the_credit_is_unknown_and_not_nothing() -> None:
    """None for credited, short and unclaimed time without a rate; 0 where there is no such time."""
    reservation = make_reservation((0, 1600, None))
    credited = make_truth(9 * HOUR_US, paused_from((HOUR_US, 3 * HOUR_US)), reservation)
    one = credited.instances["inst_1"]
    assert (one.credited_us, one.pause_credit_cent_us, one.short_pause_loss_cent_us) == (2 * HOUR_US, None, 0)
    assert credited.reservations["res_1"].pause_credit_cent_us is None
    assert credited.pauses[0].pause_credit_cent_us is None
    assert one.by_day["2024-10-04"].pause_credit_cent_us is None
    short = make_truth(9 * HOUR_US, paused_from((HOUR_US, HOUR_US + 5)), reservation).instances["inst_1"]
    assert (short.pause_credit_cent_us, short.short_pause_loss_cent_us) == (0, None)
    idle = make_truth(9 * HOUR_US, make_instance((0, "ERROR"), reservation="res_1"), reservation).instances["inst_1"]
    assert (idle.unclaimed_us, idle.unclaimed_credit_cent_us, idle.pause_credit_cent_us) == (9 * HOUR_US, None, 0)


def test_a_pause_is_cut_to_the_window_of_its_reservation() -> None:
    """Only what lies between start and end counts, for the hour as well: 59 min of 2 h inside earn nothing."""
    reservation = make_reservation((0, 1600, 500), hours=3)
    truth = make_truth(9 * HOUR_US, paused_from((HOUR_US, 5 * HOUR_US)), reservation)
    assert truth.instances["inst_1"].pause_credit_cent_us == 1000 * HOUR_US
    assert truth.instances["inst_1"].phase_us["paused"] == 4 * HOUR_US
    assert [(pause.paused_us, pause.is_open) for pause in truth.pauses] == [(2 * HOUR_US, False)]
    late = make_truth(9 * HOUR_US, paused_from((2 * HOUR_US + MINUTE_US, 4 * HOUR_US)), reservation).instances["inst_1"]
    assert (late.credited_us, late.short_pause_loss_cent_us) == (0, 59 * MINUTE_US * 500)
    early = make_instance((-2 * HOUR_US, "PAUSED"), (HOUR_US, "RUNNING"), reservation="res_1")
    assert make_truth(9 * HOUR_US, early, reservation).instances["inst_1"].credited_us == HOUR_US
    outside = make_truth(9 * HOUR_US, paused_from((4 * HOUR_US, 8 * HOUR_US)), reservation)
    assert (outside.pauses, outside.pause_credit_cent_us) == ([], 0)


def test_a_canceled_reservation_ends_its_pauses_and_its_grant() -> None:
    """From the moment it is canceled the window ends there; before, nobody knows."""
    reservation = make_reservation((0, 1600, 500), canceled_at_us=T + 3 * HOUR_US)
    parts = (paused_from((2 * HOUR_US, 8 * HOUR_US)), reservation)
    before = make_truth(3 * HOUR_US - 1, *parts).reservations["res_1"]
    assert (before.committed_us, before.reserved_us) == (10 * HOUR_US, 3 * HOUR_US - 1)
    after = make_truth(9 * HOUR_US, *parts).reservations["res_1"]
    assert (after.committed_us, after.reserved_us, after.used_us) == (3 * HOUR_US, 3 * HOUR_US, 2 * HOUR_US)
    assert after.pause_credit_cent_us == 500 * HOUR_US


def test_an_instance_of_a_reservation_that_no_list_has_earns_nothing() -> None:
    """No list, no terms: hours by phase are counted, cost and credit are not; the pause is still a pause."""
    truth = make_truth(9 * HOUR_US, paused_from((HOUR_US, 3 * HOUR_US)), make_reservation((0, 9, 9), listed=False))
    one = truth.instances["inst_1"]
    assert (one.phase_us["paused"], one.up_us) == (2 * HOUR_US, 7 * HOUR_US)
    assert (one.credited_us, one.pause_credit_cent_us, one.allocated_cost_cent_us) == (0, 0, 0)
    assert [(pause.paused_us, pause.has_terms, pause.credited_us) for pause in truth.pauses] == [
        (2 * HOUR_US, False, 0)
    ]
    assert truth.reservations == {}


def test_unclaimed_time_is_what_a_pause_would_have_earned() -> None:
    """Runs of spells that are neither up nor paused count together from an hour on, and a pause cuts them."""
    reservation = make_reservation((0, 1600, 500))
    broken = make_instance(
        (0, "NEW"), (10 * MINUTE_US, "STARTING"), (HOUR_US, "RUNNING"),
        (2 * HOUR_US, "ERROR"), (2 * HOUR_US + 40 * MINUTE_US, "PAUSED"), (3 * HOUR_US, "FAILED"),
        (4 * HOUR_US - 1, "RUNNING"), (5 * HOUR_US, "STOPPING"), reservation="res_1",
    )  # fmt: skip
    one = make_truth(9 * HOUR_US, broken, reservation).instances["inst_1"]
    assert one.unclaimed_us == HOUR_US + 4 * HOUR_US
    assert one.unclaimed_credit_cent_us == 5 * HOUR_US * 500


# --- by hand: reservations ---


def test_used_and_unused_add_up_to_what_is_reserved() -> None:
    """Two reserved for 10 h at 16 $, one of them up for 4 h inside the window and a minute past it."""
    reservation = make_reservation((0, 1600, 500), instance_quantity=2)
    one = make_instance((6 * HOUR_US, "RUNNING"), (10 * HOUR_US + MINUTE_US, "TERMINATED"), reservation="res_1")
    truth = make_truth(20 * HOUR_US, one, reservation)
    whole = truth.reservations["res_1"]
    assert truth.instances["inst_1"].up_us == 4 * HOUR_US + MINUTE_US
    assert (whole.reserved_us, whole.used_us, whole.unused_us) == (20 * HOUR_US, 4 * HOUR_US, 16 * HOUR_US)
    assert (whole.allocated_used_cent_us, whole.allocated_unused_cent_us) == (6400 * HOUR_US, 25600 * HOUR_US)
    assert truth.allocated_cost_cent_us == truth.committed_cost_cent_us == whole.committed_cost_cent_us
    assert truth.net_cost_cent_us == truth.allocated_cost_cent_us


def test_what_is_committed_is_booked_when_it_is_placed() -> None:
    """Before its start a reservation has cost all and reserved nothing; before it is placed it is not there."""
    reservation = make_reservation((0, 1600, 500))
    early = make_truth(-MINUTE_US, reservation).reservations["res_1"]
    assert (early.committed_cost_cent_us, early.reserved_us, early.unused_us) == (16_000 * HOUR_US, 0, 0)
    assert make_truth(-HOUR_US - 1, reservation).reservations == {}


def test_an_instance_given_back_earns_for_the_time_left() -> None:
    """At the return rate of that moment, 900 c/h here; one that ends with its reservation earns nothing."""
    reservation = make_reservation((0, 1600, 500))
    returned = make_instance((0, "RUNNING"), (4 * HOUR_US, "TERMINATED"), reservation="res_1")
    whole = make_truth(5 * HOUR_US, returned, reservation).reservations["res_1"]
    assert (whole.returned.us, whole.return_credit_cent_us) == (6 * HOUR_US, 5400 * HOUR_US)
    for as_of_us in (3 * HOUR_US, 4 * HOUR_US):  # not yet, or just then
        assert make_truth(as_of_us, returned, reservation).reservations["res_1"].returned.us == 0
    changed = replace(reservation, terms=[*reservation.terms, Terms(T + 4 * HOUR_US, 1, None, 100)])
    assert make_truth(5 * HOUR_US, returned, changed).reservations["res_1"].return_credit_cent_us == 600 * HOUR_US
    kept = make_instance((0, "RUNNING"), (10 * HOUR_US, "TERMINATED"), reservation="res_1")
    assert make_truth(15 * HOUR_US, kept, reservation).reservations["res_1"].return_credit_cent_us == 0


def test_one_reservation_alone_has_the_figures_it_has_in_all() -> None:
    """`true_reservation` gives what `true_figures` gives, for each reservation of the default account."""
    account = make_account()
    truth = true_figures(account, account.now_us)
    for each in account.reservations:
        if each.fid in truth.reservations:
            members = [one for one in account.instances if one.reservation == each.fid]
            assert true_reservation(each, members, account.now_us) == truth.reservations[each.fid]


# --- by hand: interruptions and starts ---


def test_interruptions_and_the_time_to_mend_them() -> None:
    """PREEMPTED or ERROR after anything else; mended at the next RUNNING, timed only where it left up."""
    one = spot(
        1_000,
        [
            (0, "RUNNING"), (10, "PREEMPTING"), (12, "RUNNING"), (20, "PREEMPTING"), (25, "PREEMPTED"),
            (40, "STARTING"), (45, "PREEMPTED"), (50, "ERROR"), (60, "STARTING"), (70, "RUNNING"), (90, "ERROR"),
        ],
        [],
    )  # fmt: skip
    assert one.interruptions == 3  # at 25, 45 and 90; at 50 it was interrupted already
    assert one.recoveries_us == [45]
    assert one.down_us == 15 + 15 + 910


def test_starts_are_timed_from_asking_to_running() -> None:
    """A run of waiting and starting after nothing or after time not up, to the first RUNNING after its beginning."""
    one = spot(
        1_000,
        [
            (0, "NEW"), (1, "STARTING"), (20, "RUNNING"),
            (30, "STARTING"), (40, "RUNNING"),  # after up time: no start
            (50, "STOPPING"), (51, "PAUSED"), (60, "CONFIRMED"), (62, "STARTING"), (70, "RUNNING"),
            (80, "ERROR"), (90, "STARTING"), (95, "ERROR"), (96, "STARTING"), (99, "RUNNING"),
            (200, "PREEMPTED"), (210, "STARTING"),
        ],
        [],
    )  # fmt: skip
    assert one.starts_us == [20, 10, 9, 3]


# --- the default account ---


def test_figures_follow_a_story_that_was_changed_on_the_way() -> None:
    """A pause asked for at now, which drops what was to come, is in the figures two hours later."""
    account = make_account()
    now = account.now_us
    instance = next(each for each in account.instances if each.name == "active-reserved-1")
    before = true_figures(account, now).instances[instance.fid]
    told = [change for change in instance.changes if change.at_us < now]
    paused_us = now + 45 * SECOND_US
    instance.changes = [*told, StatusChange(now, "STATUS_STOPPING"), StatusChange(paused_us, "STATUS_PAUSED")]
    after = true_figures(account, now + 2 * HOUR_US).instances[instance.fid]
    assert after.up_us == before.up_us
    assert after.credited_us - before.credited_us == 2 * HOUR_US - 45 * SECOND_US
    assert after.credit.known_cent_us - before.credit.known_cent_us == (2 * HOUR_US - 45 * SECOND_US) * 500


@pytest.mark.parametrize("before_us", [0, 1, 17 * HOUR_US + 123_457, 6 * DAY_US, 29 * DAY_US])
def test_the_parts_of_the_default_account_add_up(before_us: int) -> None:
    """At any moment: days to instances, phases to wall time, pauses to credits, used and unused to reserved."""
    account = make_account()
    as_of = account.now_us - before_us
    truth = true_figures(account, as_of)
    stories = {each.fid: each for each in account.instances}
    for fid, one in truth.instances.items():
        told = [change for change in stories[fid].changes if change.at_us < as_of]
        is_over = bool(told) and told[-1].status in {"STATUS_TERMINATED", "STATUS_REPLACED"}
        assert one.total_us == ((told[-1].at_us if is_over else as_of) - told[0].at_us if told else 0)
        assert one.up_us + one.down_us + one.planned_us + one.phase_us["unknown"] == one.total_us
        for name in ("up_us", "billed_us", "unpriced_us", "spot_cost_cent_us", "credited_us", "allocated_cost_cent_us"):
            assert sum(getattr(day, name) for day in one.by_day.values()) == getattr(one, name)
        its = [pause for pause in truth.pauses if pause.instance_fid == fid]
        assert sum(pause.credited_us for pause in its) == one.credited_us
        assert sum(pause.pause_credit_cent_us or 0 for pause in its) == one.credit.known_cent_us
    for whole in truth.reservations.values():
        assert whole.used_us + whole.unused_us == whole.reserved_us
    assert truth.gpu_us == sum(one.gpu_us or 0 for one in truth.instances.values())


def test_a_day_that_is_over_stays_as_it_is() -> None:
    """Hours and costs of past days are the same a week later: only credits of an open pause may still grow."""
    account = make_account()
    week_ago = account.now_us - 7 * DAY_US
    then, now = true_figures(account, week_ago), true_figures(account, account.now_us)
    for fid, one in then.instances.items():
        for day, figures in one.by_day.items():
            later = now.instances[fid].by_day[day]
            assert (later.phase_us, later.spot_cost_cent_us) == (figures.phase_us, figures.spot_cost_cent_us)
            assert (later.unpriced_us, later.allocated_cost_cent_us) == (
                figures.unpriced_us,
                figures.allocated_cost_cent_us,
            )


# --- against counting instant by instant ---

LIFECYCLE = (
    "NEW", "CONFIRMED", "INITIALIZING", "STARTING", "RUNNING", "RELOCATING", "PREEMPTING", "STOPPING", "PAUSED",
    "PREEMPTED", "ERROR", "FAILED", "REPLACED", "TERMINATED",
)  # fmt: skip
PHASE = {
    "NEW": "waiting", "CONFIRMED": "waiting", "INITIALIZING": "waiting", "STARTING": "starting", "RUNNING": "running",
    "RELOCATING": "noticed", "PREEMPTING": "noticed", "STOPPING": "stopping", "PAUSED": "paused",
    "PREEMPTED": "interrupted", "ERROR": "interrupted", "FAILED": "unknown",
}  # fmt: skip
STEPS = 36


@dataclass
class Story:
    """Everything in steps of `step_us` from `T`: nothing changes inside a step but the day."""

    step_us: int
    is_spot: bool
    changes: list[tuple[int, str]]
    prices: list[tuple[int, int | None, int]]
    start: int
    end: int
    canceled: int | None
    terms: list[tuple[int, int, int | None]]
    quantity: int
    as_of: int

    def parts(self) -> tuple[Instance, Reservation]:
        """The story as the account's data."""
        instance = make_instance(
            *((step * self.step_us, status) for step, status in self.changes),
            prices=[
                PricePeriod(start * self.step_us, None if end is None else end * self.step_us, cents)
                for start, end, cents in self.prices
            ],
            bid="bid_1" if self.is_spot else None,
            reservation=None if self.is_spot else "res_1",
            created_at_us=T - DAY_US,
        )
        reservation = make_reservation(
            *((step * self.step_us, unit, pause) for step, unit, pause in self.terms),
            placed_at_us=T + self.terms[0][0] * self.step_us,
            start_us=T + self.start * self.step_us,
            end_us=T + self.end * self.step_us,
            canceled_at_us=None if self.canceled is None else T + self.canceled * self.step_us,
            instance_quantity=self.quantity,
        )
        return instance, reservation


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Short lives with everything at once: equal instants, overlapping prices, terms at any time, odd steps."""
    step = st.integers(0, STEPS)
    step_us = draw(st.sampled_from([HOUR_US // 3 - 1, HOUR_US // 3, HOUR_US // 3 + 1, HOUR_US // 2, HOUR_US, 1]))
    start = draw(st.integers(0, STEPS - 1))
    end = draw(st.integers(start + 1, STEPS + 5))
    first = (draw(st.integers(-2, start)), draw(st.integers(1, 99)), draw(st.none() | st.integers(0, 99)))
    changed = draw(st.lists(st.integers(first[0] + 1, STEPS), unique=True, max_size=3).map(sorted))
    likely = st.sampled_from((*LIFECYCLE, *("RUNNING", "PAUSED") * 5))
    return Story(
        step_us=step_us,
        is_spot=draw(st.booleans()),
        changes=draw(st.lists(st.tuples(step, likely), unique=True, min_size=1, max_size=14)),
        prices=[
            (at, draw(st.none() | st.integers(at + 1, STEPS + 3)), draw(st.integers(1, 99)))
            for at in draw(st.lists(step, unique=True, max_size=8).map(sorted))
        ],
        start=start,
        end=end,
        canceled=draw(st.none() | st.integers(start + 1, end)),
        terms=[first, *((at, draw(st.integers(1, 99)), draw(st.none() | st.integers(0, 99))) for at in changed)],
        quantity=draw(st.integers(1, 3)),
        as_of=draw(st.integers(0, STEPS)),
    )


class Counted:
    """The figures of a story, counted step by step from what holds at each."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.steps = range(story.as_of)
        self.status = [self.status_at(step) for step in self.steps]
        canceled = story.canceled
        self.end = story.end if canceled is None or canceled > story.as_of else min(canceled, story.end)

    def status_at(self, step: int) -> str | None:
        past = [(at, LIFECYCLE.index(status)) for at, status in self.story.changes if at <= step]
        status = LIFECYCLE[max(past)[1]] if past else None
        return None if status in {"TERMINATED", "REPLACED"} else status

    def is_up(self, step: int) -> bool:
        return self.status[step] in {"RUNNING", "RELOCATING", "PREEMPTING"}

    def price_at(self, step: int) -> int | None:
        begun = [period for period in self.story.prices if period[0] <= step]
        if not begun:
            return None
        _, end, cents = max(begun, key=lambda period: period[0])
        return cents if end is None or step < end else None

    def is_reserved(self, step: int) -> bool:
        return not self.story.is_spot and self.story.start <= step < self.end and self.is_placed()

    def is_placed(self) -> bool:
        return self.story.terms[0][0] <= self.story.as_of

    def unit_at(self, step: int) -> int:
        return [unit for number, (at, unit, _) in enumerate(self.story.terms) if not number or at <= step][-1]

    def rate_at(self, step: int) -> int | None:
        named = [pause for at, _, pause in self.story.terms if at <= step and pause is not None]
        return named[-1] if named else None

    def is_idle(self, step: int) -> bool:
        return self.status[step] is not None and self.status[step] != "PAUSED" and not self.is_up(step)

    def run_of(self, step: int, *, paused: bool) -> int:
        """How many steps the run around this one has, inside the window."""

        def belongs(other: int) -> bool:
            inside = 0 <= other < self.story.as_of and self.is_reserved(other)
            return inside and (self.status[other] == "PAUSED" if paused else self.is_idle(other))

        first = last = step
        while belongs(first - 1):
            first -= 1
        while belongs(last + 1):
            last += 1
        return last - first + 1

    def earned(self, steps: list[int]) -> tuple[int, int | None]:
        """Time, and what it earns: None if no step of it has a rate."""
        rates = [self.rate_at(step) for step in steps]
        known = [rate for rate in rates if rate is not None]
        step_us = self.story.step_us
        return len(steps) * step_us, None if steps and not known else sum(known) * step_us

    def paused(self, *, is_long: bool) -> list[int]:
        inside = [step for step in self.steps if self.is_reserved(step) and self.status[step] == "PAUSED"]
        return [step for step in inside if (self.run_of(step, paused=True) * self.story.step_us >= HOUR_US) == is_long]

    def unclaimed(self) -> list[int]:
        inside = [step for step in self.steps if self.is_reserved(step) and self.is_idle(step)]
        return [step for step in inside if self.run_of(step, paused=False) * self.story.step_us >= HOUR_US]

    def up_by_day(self) -> dict[str, int]:
        """Up time by UTC day: each step cut at midnight where one lies inside."""
        days: dict[str, int] = {}
        for step in self.steps:
            from_us, until_us = T + step * self.story.step_us, T + (step + 1) * self.story.step_us
            while from_us < until_us:
                cut_us = min(until_us, from_us - from_us % DAY_US + DAY_US)
                day = f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=from_us):%Y-%m-%d}"
                days[day] = days.get(day, 0) + (cut_us - from_us if self.is_up(step) else 0)
                from_us = cut_us
        return {day: us for day, us in days.items() if us}

    def next_running(self, after: int) -> int | None:
        for step in range(after + 1, self.story.as_of):
            if self.status[step] == "RUNNING" and self.status[step - 1] != "RUNNING":
                return (step - after) * self.story.step_us
        return None

    def turns(self) -> tuple[int, list[int], list[int]]:
        """Interruptions, times to mend, times to start."""
        interruptions, mended, started = 0, [], []
        on_its_way = {"waiting", "starting"}
        for step in self.steps:
            now = PHASE.get(self.status[step] or "")
            before = PHASE.get(self.status[step - 1] or "") if step else None
            took = self.next_running(step)
            if now == "interrupted" and before not in {None, "interrupted"}:
                interruptions += 1
                mended += [took] if took is not None and self.is_up(step - 1) else []
            if now in on_its_way and before not in {*on_its_way, "running", "noticed"} and took is not None:
                started.append(took)
        return interruptions, mended, started


@settings(max_examples=400, deadline=None)
@given(stories())
def test_the_sweep_agrees_with_counting_every_step(story: Story) -> None:
    """Every figure of any short life is what one gets by asking, step by step, what holds there."""
    instance, reservation = story.parts()
    truth = make_truth(story.as_of * story.step_us, instance, reservation)
    one = truth.instances["inst_1"]
    counted = Counted(story)
    us = story.step_us

    assert one.phase_us == {
        phase: us * sum(PHASE.get(status or "") == phase for status in counted.status) for phase in PHASES
    }
    billed = [step for step in counted.steps if story.is_spot and counted.is_up(step)]
    prices = [cents for step in billed if (cents := counted.price_at(step)) is not None]
    assert (one.billed_us, one.unpriced_us) == (us * len(billed), us * (len(billed) - len(prices)))
    assert one.spot_cost_cent_us == us * sum(prices)

    used = [step for step in counted.steps if counted.is_reserved(step) and counted.is_up(step)]
    assert one.reserved_used_us == us * len(used)
    assert one.allocated_cost_cent_us == us * sum(counted.unit_at(step) for step in used)
    assert (one.credited_us, one.pause_credit_cent_us) == counted.earned(counted.paused(is_long=True))
    assert (one.short_paused_us, one.short_pause_loss_cent_us) == counted.earned(counted.paused(is_long=False))
    assert (one.unclaimed_us, one.unclaimed_credit_cent_us) == counted.earned(counted.unclaimed())
    assert {day: figures.up_us for day, figures in one.by_day.items() if figures.up_us} == counted.up_by_day()
    assert (one.interruptions, one.recoveries_us, one.starts_us) == counted.turns()


@settings(max_examples=200, deadline=None)
@given(stories())
def test_reservations_agree_with_counting_every_step(story: Story) -> None:
    """Reserved, used and committed time and cost of any reservation are the sums over its steps."""
    story = replace(story, is_spot=False)
    instance, reservation = story.parts()
    truth = make_truth(story.as_of * story.step_us, instance, reservation)
    counted = Counted(story)
    if not counted.is_placed():
        assert truth.reservations == {}
        return
    whole = truth.reservations["res_1"]
    us = story.step_us * story.quantity
    reserved = [step for step in counted.steps if counted.is_reserved(step)]
    assert whole.reserved_us == us * len(reserved)
    assert whole.used_us == truth.instances["inst_1"].reserved_used_us
    cost = us * sum(counted.unit_at(step) for step in reserved)
    assert whole.allocated_used_cent_us + whole.allocated_unused_cent_us == cost
    granted = range(story.start, counted.end)
    # Terms that change after as_of are not known yet: the newest known ones reach to the end.
    assert whole.committed_us == us * len(granted)
    assert whole.committed_cost_cent_us == us * sum(counted.unit_at(min(step, story.as_of)) for step in granted)


def test_days_of_the_figures_are_figures() -> None:
    """A day has the same fields as the whole."""
    one = spot(10, [(0, "RUNNING")], [])
    assert isinstance(one.by_day["2024-10-04"], Figures)
    assert isinstance(one, Figures)
