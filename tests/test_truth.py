"""The true figures worked by hand: spells, spot cost, interruptions, starts; and those of the default account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mithril_elt.sandbox.account import HOUR_US, MINUTE_US, PricePeriod, StatusChange
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.truth import Figures, true_figures
from truth_by_hand import DAY_US, SECOND_US, T, make_bid, make_instance, make_reservation, make_truth, spot

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
    """A CPU machine has 0 GPU time; a type that left the list has none known, nor an instance of whom nothing is."""

    def gpu_us(**more: Any) -> int | None:
        return make_truth(10, make_instance((0, "RUNNING"), bid="bid_1", **more)).instances["inst_1"].gpu_us

    assert (gpu_us(), gpu_us(instance_type="it_cpu")) == (80, 0)
    assert gpu_us(instance_type="it_old") is None
    assert gpu_us(listed=False) is None
    assert gpu_us(instance_type="it_never") is None


def test_an_instance_that_is_not_listed_has_the_gpus_of_its_order() -> None:
    """Its bid's type, or that of its listed reservation; a listed instance its own, whatever was ordered."""

    def gpus(*orders: Any, **more: Any) -> int | None:
        one = make_instance((0, "RUNNING"), **{"listed": False, "instance_type": "it_cpu"} | more)
        return make_truth(10, one, *orders).instances["inst_1"].num_gpus

    reservation = make_reservation((0, 1600, 500))
    assert gpus(make_bid(), bid="bid_1") == 8
    assert gpus(reservation, reservation="res_1") == 8
    assert gpus(make_bid(), bid="bid_1", listed=True) == 0
    assert gpus(make_bid(instance_type="it_old"), bid="bid_1") is None
    assert gpus(make_bid(), bid="bid_2") is None
    assert gpus(make_bid(created_at_us=T + 11), bid="bid_1") is None
    assert gpus(replace(reservation, listed=False), reservation="res_1") is None
    assert gpus(make_bid(instance_type="it_cpu"), reservation, bid="bid_1", reservation="res_1") == 0
    assert gpus(reservation, bid="bid_1", reservation="res_1") == 8
    assert gpus() is None


def test_an_instance_is_known_when_the_list_or_a_history_has_it() -> None:
    """Listed from its creation on, also without history; not listed, from its first event on."""
    silent = make_instance(created_at_us=T)
    assert make_truth(0, silent).instances["inst_1"].total_us == 0
    hidden = make_instance((5, "RUNNING"), created_at_us=T, listed=False)
    assert make_truth(5, hidden).instances == {}
    assert make_truth(6, hidden).instances["inst_1"].up_us == 1


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


def test_days_of_the_figures_are_figures() -> None:
    """A day has the same fields as the whole."""
    one = spot(10, [(0, "RUNNING")], [])
    assert isinstance(one.by_day["2024-10-04"], Figures)
    assert isinstance(one, Figures)
