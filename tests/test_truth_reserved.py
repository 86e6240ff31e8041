"""The true figures worked by hand: pause credits and reservations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mithril_elt.sandbox.account import HOUR_US, MINUTE_US, PricePeriod, Terms
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.truth import true_figures, true_reservation
from truth_by_hand import T, make_instance, make_reservation, make_truth, paused_from

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


def test_an_hour_is_known_through_and_through_or_not_at_all() -> None:
    """Where a rate comes half an hour into an hour, nothing is known to be earned in that hour; the rest is."""
    late = make_reservation((0, 1600, None), (HOUR_US + HOUR_US // 2, 1600, 500))
    truth = make_truth(9 * HOUR_US, paused_from((30 * MINUTE_US, 4 * HOUR_US + 15 * MINUTE_US)), late)
    one = truth.instances["inst_1"]
    assert (one.credit.us, one.credit.rated_us) == (3 * HOUR_US + 45 * MINUTE_US, 2 * HOUR_US + 15 * MINUTE_US)
    assert one.pause_credit_cent_us == (2 * HOUR_US + 15 * MINUTE_US) * 500
    assert one.by_day["2024-10-04"].credit == one.credit
    assert truth.reservations["res_1"].credit == one.credit
    assert truth.pauses[0].pause_credit_cent_us is None


def test_two_pauses_of_one_hour_are_known_together_or_not_at_all() -> None:
    """A short pause before the rate is known leaves the short-pause loss of that hour unknown, not of other pauses."""
    late = make_reservation((0, 1600, None), (20 * MINUTE_US, 1600, 500))
    spans = [(5, 15), (30, 45), (50, 70)]
    pauses = [(from_min * MINUTE_US, until_min * MINUTE_US) for from_min, until_min in spans]
    truth = make_truth(9 * HOUR_US, paused_from(*pauses), late)
    one = truth.instances["inst_1"]
    assert (one.short_paused_us, one.short_pauses.rated_us) == (45 * MINUTE_US, 10 * MINUTE_US)
    assert one.short_pause_loss_cent_us == 10 * MINUTE_US * 500
    losses = [pause.short_pause_loss_cent_us for pause in truth.pauses]
    assert losses == [None, 15 * MINUTE_US * 500, 20 * MINUTE_US * 500]


def test_an_hour_of_unclaimed_time_is_known_or_not() -> None:
    """Likewise for time in which a pause would have earned something."""
    late = make_reservation((0, 1600, None), (30 * MINUTE_US, 1600, 500))
    one = make_truth(3 * HOUR_US, make_instance((0, "ERROR"), reservation="res_1"), late).instances["inst_1"]
    assert (one.unclaimed_us, one.unclaimed_credit_cent_us) == (3 * HOUR_US, 2 * HOUR_US * 500)


def test_with_a_bid_and_a_reservation_it_is_a_spot_instance_and_only_that() -> None:
    """It pays its price; nothing of the reservation is used, paused, credited or given back by it."""
    both = make_instance(
        (0, "RUNNING"), (HOUR_US, "PAUSED"), (4 * HOUR_US, "ERROR"), (8 * HOUR_US, "TERMINATED"),
        prices=[PricePeriod(0, None, 7)], bid="bid_1", reservation="res_1",
    )  # fmt: skip
    reservation = make_reservation((0, 1600, 500))
    truth = make_truth(9 * HOUR_US, both, reservation)
    one, whole = truth.instances["inst_1"], truth.reservations["res_1"]
    assert (one.billed_us, one.spot_cost_cent_us) == (HOUR_US, 7 * HOUR_US)
    assert (one.reserved_used_us, one.allocated_cost_cent_us) == (0, 0)
    assert (one.credit.us, one.short_pauses.us, one.unclaimed.us, one.returned.us) == (0, 0, 0, 0)
    assert (truth.pauses, whole.used_us, whole.unused_us) == ([], 0, 9 * HOUR_US)
    assert (whole.credit.us, whole.returned.us) == (0, 0)
    assert true_reservation(reservation, [both], T + 9 * HOUR_US) == whole
    unlisted = make_truth(9 * HOUR_US, both, replace(reservation, listed=False))
    assert unlisted.pauses == []


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
