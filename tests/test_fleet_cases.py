"""No made-up account is without a case that figures go wrong on."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from account_stories import DAY_US, SIZES, bare, spells, up_stretches
from mithril_elt.sandbox.account import HOUR_US, MINUTE_US, Account, Instance, InstanceType, Reservation
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.grants import ended_us

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: "seed {} {}x{}".format(*size))
def account(request: pytest.FixtureRequest) -> Account:
    """Accounts of several sizes, the default one among them."""
    return make_account(*request.param)


def type_of(account: Account, instance: Instance) -> InstanceType:
    return next(each for each in account.instance_types if each.fid == instance.instance_type)


def reservation_of(account: Account, instance: Instance) -> Reservation | None:
    return next((each for each in account.reservations if each.fid == instance.reservation), None)


def sequences(account: Account, *wanted: str) -> list[Instance]:
    """Instances that go through these statuses one right after the other, before now."""
    found = []
    for each in account.instances:
        told = [bare(change) for change in each.changes if change.at_us < account.now_us]
        if any(tuple(told[start : start + len(wanted)]) == wanted for start in range(len(told))):
            found.append(each)
    return found


def pauses(account: Account) -> list[tuple[Reservation, int, int]]:
    """Pauses of listed reservations that begin before now: the reservation, from when, until when."""
    found = []
    for each in account.instances:
        reservation = reservation_of(account, each)
        if reservation is None or not reservation.listed:
            continue
        for status, from_us, until_us, _ in spells(each):
            if status == "PAUSED" and from_us < account.now_us and until_us is not None:
                found.append((reservation, from_us, until_us))
    return found


def pauses_of(account: Account, lasts_us: int) -> list[int]:
    """Closed pauses of exactly that length at a known rate."""
    return [
        from_us
        for reservation, from_us, until_us in pauses(account)
        if until_us - from_us == lasts_us and until_us < account.now_us and reservation.terms[0].pause_credit_cents
    ]


def open_pauses(account: Account) -> list[int]:
    """How long the pauses that are open at now have lasted, of reservations that go on."""
    return [
        account.now_us - from_us
        for reservation, from_us, until_us in pauses(account)
        if until_us > account.now_us and ended_us(reservation, account.now_us) > account.now_us
    ]


def pauses_past_the_end(account: Account) -> list[int]:
    return [
        from_us
        for reservation, from_us, until_us in pauses(account)
        if from_us < ended_us(reservation, account.now_us) < until_us < account.now_us
    ]


def pauses_over_a_change(account: Account) -> list[int]:
    return [
        from_us
        for reservation, from_us, until_us in pauses(account)
        for terms in reservation.terms[1:]
        if from_us < terms.from_us < until_us
    ]


def returned(account: Account) -> list[Instance]:
    found = []
    for each in account.instances:
        reservation = reservation_of(account, each)
        ends = [change.at_us for change in each.changes if bare(change) == "TERMINATED"]
        if reservation and ends and ends[0] < min(ended_us(reservation, account.now_us), account.now_us):
            found.append(each)
    return found


def busy_stretches(account: Account) -> list[str]:
    """Markets whose price changes every two minutes for at least an hour."""
    found = []
    for market in account.markets:
        steps = Counter(at_us // HOUR_US for at_us in market.changed_at_us if at_us < account.now_us)
        if max(steps.values()) == 30:
            found.append(market.region)
    return found


def stays(account: Account, status: str) -> list[Instance]:
    """Instances that have that status at now."""
    return [
        each
        for each in account.instances
        if [bare(change) for change in each.changes if change.at_us <= account.now_us][-1:] == [status]
    ]


CASES: dict[str, Callable[[Account], object]] = {
    "two types of one name": lambda a: max(Counter(each.name for each in a.instance_types).values()) == 2,
    "a type that left the list, and was used": lambda a: [
        each for each in a.instances if not type_of(a, each).listed and up_stretches(each)
    ],
    "a CPU machine whose reservation no list has": lambda a: [
        each
        for each in a.instances
        if type_of(a, each).num_gpus == 0 and (order := reservation_of(a, each)) and not order.listed
    ],
    "several instances of one bid": lambda a: max(Counter(each.bid for each in a.instances if each.bid).values()) > 1,
    "two projects": lambda a: len(a.projects) == 2,
    "several users": lambda a: len({each.created_by for each in a.instances}) > 1,
    "a notice that passes": lambda a: sequences(a, "RUNNING", "PREEMPTING", "RUNNING"),
    "a preemption that is made good": lambda a: sequences(a, "PREEMPTING", "PREEMPTED", "STARTING", "RUNNING"),
    "a preemption for good": lambda a: sequences(a, "PREEMPTED", "TERMINATED"),
    "a relocation": lambda a: sequences(a, "RUNNING", "RELOCATING", "RUNNING"),
    "a replacement": lambda a: sequences(a, "RELOCATING", "REPLACED"),
    "an error on spot": lambda a: [each for each in sequences(a, "ERROR", "STARTING", "RUNNING") if each.bid],
    "an error on a reservation": lambda a: [each for each in sequences(a, "ERROR", "STARTING") if each.reservation],
    "a start in all its steps": lambda a: sequences(a, "NEW", "CONFIRMED", "INITIALIZING", "STARTING", "RUNNING"),
    "a pause in all its steps": lambda a: sequences(a, "STOPPING", "PAUSED", "CONFIRMED", "STARTING", "RUNNING"),
    "a pause of 59:59.999": lambda a: pauses_of(a, HOUR_US - 1_000),
    "a pause of 60:00.000": lambda a: pauses_of(a, HOUR_US),
    "a pause of 60:00.001": lambda a: pauses_of(a, HOUR_US + 1_000),
    "two pauses of 40 minutes": lambda a: len(pauses_of(a, 40 * MINUTE_US)) == 2,
    "a pause of days": lambda a: [from_us for _, from_us, until_us in pauses(a) if until_us - from_us > 2 * DAY_US],
    "a pause that goes past the end of its reservation": pauses_past_the_end,
    "a long pause that is open at now": lambda a: [lasts_us for lasts_us in open_pauses(a) if lasts_us > HOUR_US],
    "a pause open at now, younger than an hour": lambda a: [us for us in open_pauses(a) if us < HOUR_US],
    "terms that change in the middle of a pause": pauses_over_a_change,
    "a pause without a known rate": lambda a: [
        from_us
        for order, from_us, until_us in pauses(a)
        if until_us - from_us >= HOUR_US and all(terms.pause_credit_cents is None for terms in order.terms)
    ],
    "a returned instance": returned,
    "a canceled reservation": lambda a: [
        each for each in a.reservations if each.canceled_at_us and each.canceled_at_us < a.now_us
    ],
    "a pending reservation": lambda a: [
        each for each in a.reservations if each.placed_at_us < a.now_us < each.start_us
    ],
    "an ended reservation": lambda a: [
        each for each in a.reservations if each.canceled_at_us is None and each.end_us < a.now_us
    ],
    "an unknown status in the past": lambda a: sequences(a, "RUNNING", "SCHEDULED", "RUNNING"),
    "an unknown status at now": lambda a: stays(a, "FAILED"),
    "a status twice in a row": lambda a: sequences(a, "RUNNING", "RUNNING"),
    "an instance that the list has no more": lambda a: [
        each for each in a.instances if not each.listed and each.changes
    ],
    "a gap in the prices of a running instance": lambda a: [
        each
        for each in a.instances
        for from_us, until_us in up_stretches(each)
        for one, two in pairwise(each.prices)
        if from_us < (one.end_us or 0) < two.start_us < (until_us or a.now_us)
    ],
    "a price that is open at now": lambda a: [
        each
        for each in stays(a, "RUNNING")
        for period in each.prices
        if period.start_us <= a.now_us < (period.end_us or a.now_us + 1)
    ],
    "an instance with no history yet and no region": lambda a: [
        each
        for each in a.instances
        if each.created_at_us < a.now_us and each.region is None and not each.prices
        if all(change.at_us > a.now_us for change in each.changes)
    ],
    "a reserved instance that runs now, and hours on": lambda a: [
        each
        for each in stays(a, "RUNNING")
        if (order := reservation_of(a, each))
        and order.listed
        and order.end_us > a.now_us + 2 * HOUR_US
        and all(change.at_us > a.now_us + 2 * HOUR_US for change in each.changes if change.at_us > a.now_us)
    ],
    "terms that will change after now": lambda a: [
        each for each in a.reservations if each.start_us < a.now_us < each.terms[-1].from_us < each.end_us
    ],
    "a market that moves every two minutes for an hour": busy_stretches,
    "the dearest price ever seen": lambda a: max(max(each.spot_price_cents) for each in a.markets) >= 8 * 11_250,
}


@pytest.mark.parametrize("case", CASES)
def test_every_account_has_the_special_case(account: Account, case: str) -> None:
    """Each case that figures go wrong on is in the default account, the smallest and the large ones."""
    assert CASES[case](account)


@pytest.mark.parametrize("seed", range(100, 112))
def test_the_smallest_account_of_any_seed_has_every_special_case(seed: int) -> None:
    """Twelve instances and seven days hold every case, whatever the seed."""
    account = make_account(seed, 12, 7, tail_days=1)
    assert [case for case, find in CASES.items() if not find(account)] == []


@pytest.mark.parametrize("seed", range(100, 112))
def test_larger_accounts_grow_after_now(seed: int) -> None:
    """Beyond the twelve there are orders that are placed only after now, and instances that come with them."""
    account = make_account(seed, 40, 7, tail_days=1)
    placed = [each.created_at_us for each in account.bids] + [each.placed_at_us for each in account.reservations]
    assert max(placed) > account.now_us
    assert [each for each in account.instances if each.created_at_us > account.now_us and each.changes]
