"""The made-up account: reproducible, consistent in itself, and never without a case that figures go wrong on."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import time
from bisect import bisect_right
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from mithril_elt.errors import UsageError
from mithril_elt.sandbox.account import (
    HOUR_US,
    MINUTE_US,
    Account,
    Bid,
    Instance,
    InstanceType,
    Market,
    PricePeriod,
    Reservation,
    StatusChange,
    Terms,
)
from mithril_elt.sandbox.catalogue import stream
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.grants import Grant, ended_us, grants
from mithril_elt.sandbox.spot import SpotPlan, spot_story, with_gap
from mithril_elt.sandbox.story import Break, Tale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

DAY_US = 24 * HOUR_US
UP = {"RUNNING", "PREEMPTING", "RELOCATING"}
ENDINGS = {"TERMINATED", "REPLACED"}
BEFORE: dict[str, set[str | None]] = {
    "NEW": {None},
    "CONFIRMED": {"NEW", "PAUSED"},
    "INITIALIZING": {"CONFIRMED"},
    "STARTING": {"INITIALIZING", "CONFIRMED", "PREEMPTED", "ERROR", "RELOCATING"},
    "RUNNING": {"STARTING", "PREEMPTING", "RELOCATING", "SCHEDULED", "RUNNING"},
    "STOPPING": {*UP},
    "PAUSED": {"STOPPING"},
    "PREEMPTING": {"RUNNING"},
    "PREEMPTED": {"PREEMPTING", "STARTING", "RELOCATING"},
    "RELOCATING": {"RUNNING"},
    "REPLACED": {"RELOCATING"},
    "ERROR": {"RUNNING"},
    "SCHEDULED": {"RUNNING"},
    "FAILED": {"RUNNING"},
}

SIZES = [(7, 40, 30), (7, 12, 7), (1, 300, 60), (2**40, 90, 14)]


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: "seed {} {}x{}".format(*size))
def account(request: pytest.FixtureRequest) -> Account:
    """Accounts of several sizes, the default one among them."""
    seed, instances, days = request.param
    return make_account(seed, instances, days)


def bare(change: StatusChange) -> str:
    return change.status.removeprefix("STATUS_")


def spells(instance: Instance) -> Iterator[tuple[str, int, int | None, str | None]]:
    """Each change as (status, from, until, next status)."""
    for change, after in pairwise([*instance.changes, None]):
        assert change is not None
        yield bare(change), change.at_us, after.at_us if after else None, bare(after) if after else None


def up_stretches(instance: Instance) -> list[tuple[int, int | None]]:
    """The longest spans in which an instance is up; the last may be open."""
    stretches: list[tuple[int, int | None]] = []
    for status, from_us, until_us, _ in spells(instance):
        if status not in UP:
            continue
        if stretches and stretches[-1][1] == from_us:
            stretches[-1] = (stretches[-1][0], until_us)
        else:
            stretches.append((from_us, until_us))
    return stretches


def digest(account: Account) -> str:
    return hashlib.sha256(repr(account).encode()).hexdigest()


# --- what is promised of every account ---


def test_the_same_arguments_give_an_equal_account() -> None:
    """Twice the same arguments, also in another process with another hash seed: the same account, byte for byte."""
    program = (
        "import hashlib; from mithril_elt.sandbox.fleet import make_account; "
        "print(hashlib.sha256(repr(make_account()).encode()).hexdigest())"
    )
    environment = {"PYTHONHASHSEED": "4"}
    other = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert make_account() == make_account()
    assert other.stdout.strip() == digest(make_account())


def test_another_seed_gives_another_account() -> None:
    """A seed decides ids, prices and stories."""
    one, two = make_account(7), make_account(8)
    assert not {each.fid for each in one.instances} & {each.fid for each in two.instances}
    assert one.markets[0].spot_price_cents != two.markets[0].spot_price_cents
    assert one.instances[20].changes != two.instances[20].changes


def test_has_the_size_and_the_time_that_were_asked_for(account: Account) -> None:
    """As many instances as asked for; the story begins `days` before now and ends three days after."""
    size = (account.seed, len(account.instances), (account.now_us - account.start_us) // DAY_US)
    assert size in SIZES
    assert account.now_us == 1_774_915_200_000_000  # 2026-03-31T00:00:00Z
    instants = [change.at_us for each in account.instances for change in each.changes]
    assert min(instants) >= account.start_us
    assert account.now_us < max(instants) < account.now_us + 3 * DAY_US


def test_now_may_be_any_instant_of_any_zone() -> None:
    """`now` is taken to the microsecond and in its own zone."""
    account = make_account(now=datetime(2026, 1, 1, 2, 0, 0, 123_457, tzinfo=timezone(timedelta(hours=2))), tail_days=1)
    assert account.now_us == 1_767_225_600_123_457
    assert max(change.at_us for each in account.instances for change in each.changes) < account.now_us + DAY_US


@pytest.mark.parametrize("size", [{"instances": 11}, {"days": 6}, {"tail_days": 0}])
def test_refuses_sizes_without_room_for_the_special_cases(size: dict[str, int]) -> None:
    """An account too small for the twelve scripted instances is a usage error that says what is needed."""
    with pytest.raises(UsageError, match="at least 12 instances and 7 days"):
        make_account(**size)  # type: ignore[arg-type]  # mypy cannot see that `now` is not among the keys


def test_refuses_a_clock_without_a_zone() -> None:
    """A naive `now` is a usage error."""
    with pytest.raises(UsageError, match="needs a time zone"):
        make_account(now=datetime(2026, 3, 31))  # noqa: DTZ001 # the naive time is the case


def test_large_accounts_are_fast() -> None:
    """1,000 instances over 90 days take less than the five seconds that were promised."""
    begun = time.perf_counter()
    account = make_account(instances=1_000, days=90)
    assert time.perf_counter() - begun < 5
    assert sum(len(each.prices) for each in account.instances) > 100_000
    assert sum(len(each.changes) for each in account.instances) > 10_000


def test_ids_are_unique_and_well_formed(account: Account) -> None:
    """Every id is a prefix and 16 letters or digits, and names one thing."""
    named: dict[str, Sequence[Any]] = {
        "proj": account.projects,
        "it": account.instance_types,
        "bid": account.bids,
        "res": account.reservations,
        "inst": account.instances,
    }
    fids = [each.fid for kind in named.values() for each in kind]
    assert len(set(fids)) == len(fids)
    for prefix, kind in named.items():
        assert all(re.fullmatch(prefix + "_[A-Za-z0-9]{16}", each.fid) for each in kind)


def test_every_reference_leads_somewhere(account: Account) -> None:
    """Orders and instances name projects, types, bids and reservations of the account, and agree with their order."""
    projects = {each.fid for each in account.projects}
    types = {each.fid for each in account.instance_types}
    bids = {each.fid: each for each in account.bids}
    reservations = {each.fid: each for each in account.reservations}
    for each in account.instances:
        order: Bid | Reservation = bids[each.bid] if each.bid else reservations[each.reservation or ""]
        assert (each.bid is None) != (each.reservation is None)
        assert (each.project, each.created_by) == (order.project, order.created_by)
        assert each.instance_type == order.instance_type
        assert each.region is None or each.region == order.region
        assert each.project in projects
        assert each.instance_type in types


def test_changes_are_in_order_and_make_sense(account: Account) -> None:
    """Changes are sorted strictly, none is before the creation, and they follow each other as statuses can."""
    for each in account.instances:
        instants = [change.at_us for change in each.changes]
        assert all(one < two for one, two in pairwise(instants))
        assert all(each.created_at_us <= at_us for at_us in instants[:1])
        for before, change in pairwise([None, *each.changes]):
            assert change is not None
            last = bare(before) if before else None
            assert last not in ENDINGS
            assert last in BEFORE.get(bare(change), {last})


def test_price_periods_are_in_order_and_do_not_overlap(account: Account) -> None:
    """Each period ends by the time the next begins, none is empty, and only the very last may be open."""
    for each in account.instances:
        for one, two in pairwise(each.prices):
            assert one.end_us is not None
            assert one.start_us < one.end_us <= two.start_us
        assert all(period.price_cents > 0 for period in each.prices)
        assert all(period.end_us is None or period.start_us < period.end_us for period in each.prices[-1:])


def test_spot_instances_pay_the_market_price_while_they_are_up(account: Account) -> None:
    """The periods are the market's steps cut to the up time, and cover it but for the one scripted gap."""
    markets = {(each.instance_type, each.region): each for each in account.markets}
    differing = []
    for number, each in enumerate(account.instances):
        if each.bid is None or each.region is None:
            assert not each.prices
            continue
        market = markets[each.instance_type, each.region]
        expected: list[PricePeriod] = []
        for up_since_us, up_until_us in up_stretches(each):
            steps = zip(market.changed_at_us, [*market.changed_at_us[1:], None], market.spot_price_cents, strict=True)
            for from_us, until_us, cents in list(steps)[bisect_right(market.changed_at_us, up_since_us) - 1 :]:
                if up_until_us is not None and from_us >= up_until_us:
                    break
                ends = [end_us for end_us in (until_us, up_until_us) if end_us is not None]
                expected.append(PricePeriod(max(from_us, up_since_us), min(ends, default=None), cents))
        if each.prices != expected:
            differing.append(number)
            assert (
                with_gap(expected, account.now_us - 50 * HOUR_US + 1_500, account.now_us - 47 * HOUR_US) == each.prices
            )
    assert differing == [8]


def test_spot_instances_yield_to_a_price_above_their_limit(account: Account) -> None:
    """While the price is above its limit, or since a relocation then, an instance is up 5 minutes and a little."""
    markets = {(each.instance_type, each.region): each for each in account.markets}
    limits = {each.fid: each.limit_price_cents for each in account.bids}
    story_ends_us = account.now_us + 3 * DAY_US
    for each in account.instances:
        if each.bid is None or each.region is None:
            continue
        spans = over_spans(markets[each.instance_type, each.region], limits[each.bid])
        moved = [at_us for status, _, at_us, _ in spells(each) if status == "RELOCATING" and at_us]
        for up_us, down_us in up_stretches(each):
            for over_us, under_us in spans:
                end_us = min(under_us, down_us or story_ends_us)
                begin_us = max(over_us, up_us, *(us for us in moved if us < end_us))
                assert end_us - begin_us <= 5 * MINUTE_US + 20_000_000


def over_spans(market: Market, limit_cents: int) -> list[tuple[int, int]]:
    """The spans of closed steps in which the market's price is above the limit."""
    spans: list[tuple[int, int]] = []
    for (from_us, until_us), cents in zip(pairwise(market.changed_at_us), market.spot_price_cents, strict=False):
        if cents > limit_cents:
            begun_us = spans.pop()[0] if spans and spans[-1][1] == from_us else from_us
            spans.append((begun_us, until_us))
    return spans


def test_notices_last_five_minutes_at_most(account: Account) -> None:
    """A notice ends after 5 minutes in PREEMPTED, or sooner in RUNNING or because the user gives up."""
    for each in account.instances:
        for status, from_us, until_us, after in spells(each):
            if status == "PREEMPTING" and until_us is not None:
                assert until_us - from_us <= 5 * MINUTE_US
                assert after != "PREEMPTED" or until_us - from_us == 5 * MINUTE_US


def test_markets_move_on_the_grid_as_often_as_real_ones(account: Account) -> None:
    """Prices change on whole even minutes, 20 to 60 times a day on average, and never to what they are."""
    days = (account.now_us - account.start_us) // DAY_US + 3
    for market in account.markets:
        assert all(at_us % (2 * MINUTE_US) == 0 for at_us in market.changed_at_us)
        assert all(one < two for one, two in pairwise(market.changed_at_us))
        assert all(one != two for one, two in pairwise(market.spot_price_cents))
        assert len(market.changed_at_us) == len(market.spot_price_cents)
        assert market.changed_at_us[0] <= account.start_us
        assert 20 <= len(market.changed_at_us) / days <= 75


def test_a_reservation_never_has_more_live_instances_than_it_reserves(account: Account) -> None:
    """At no moment are more instances of a reservation (or a bid) alive than its quantity."""
    orders: list[Bid | Reservation] = [*account.reservations, *account.bids]
    quantity = {each.fid: each.instance_quantity for each in orders}
    turns: dict[str, list[tuple[int, int]]] = {fid: [] for fid in quantity}
    for each in account.instances:
        for status, from_us, _, _ in spells(each):
            if status == "NEW" or status in ENDINGS:
                turns[each.bid or each.reservation or ""].append((from_us, 1 if status == "NEW" else -1))
    for fid, its_turns in turns.items():
        alive = 0
        for _, turn in sorted(its_turns):
            alive += turn
            assert 0 <= alive <= quantity[fid]


def test_reservations_keep_the_sellers_rules(account: Account) -> None:
    """3 to 336 whole hours, 1 to 8 instances, placed before they start; terms in order, the first from placing on."""
    for each in account.reservations:
        hours, rest = divmod(each.end_us - each.start_us, HOUR_US)
        assert (3 <= hours <= 336, rest) == (True, 0)
        assert 1 <= each.instance_quantity <= 8
        assert account.start_us <= each.placed_at_us < each.start_us
        assert each.terms[0].from_us == each.placed_at_us
        assert all(one.from_us < two.from_us < each.end_us for one, two in pairwise(each.terms))
        assert each.canceled_at_us is None or each.start_us < each.canceled_at_us < each.end_us


def test_reserved_instances_live_inside_their_reservation(account: Account) -> None:
    """They begin after its start and are over within two minutes of its end, unless paused beyond it."""
    reservations = {each.fid: each for each in account.reservations}
    for each in account.instances:
        if each.reservation is None or not each.changes:
            continue
        reservation = reservations[each.reservation]
        ends_us = ended_us(reservation, 2 * account.now_us)
        assert each.changes[0].at_us >= reservation.start_us
        assert all(from_us < ends_us for status, from_us, _, _ in spells(each) if status == "PAUSED")
        assert all(from_us < ends_us + 180_000_000 for status, from_us, _, _ in spells(each) if status not in ENDINGS)


def test_starts_take_as_long_as_real_ones(account: Account) -> None:
    """STARTING lasts 1 to 20 minutes; a restart after a pause takes at most 7 minutes in all."""
    for each in account.instances:
        told = list(spells(each))
        for (before, paused_until_us, _, _), one, two in zip(told, told[1:], told[2:], strict=False):
            if two[0] == "RUNNING" and one[0] == "STARTING":
                assert two[1] - one[1] <= 20 * MINUTE_US + 1_000_000
                assert before != "CONFIRMED" or two[1] - paused_until_us <= 7 * MINUTE_US


def test_most_instants_are_whole_seconds_and_some_have_microseconds() -> None:
    """Timestamps come in the three grains that the API shows."""
    instants = [change.at_us for each in make_account(instances=300, days=60).instances for change in each.changes]
    seconds = sum(at_us % 1_000_000 == 0 for at_us in instants)
    micros = sum(at_us % 1_000 != 0 for at_us in instants)
    assert seconds > len(instants) // 2
    assert len(instants) // 100 < micros < len(instants) // 4


def test_a_gap_takes_nothing_but_itself_away() -> None:
    """Cutting a gap into prices keeps what lies before and behind it, also of an open period."""
    prices = [PricePeriod(0, 10, 5), PricePeriod(10, 20, 6), PricePeriod(20, None, 7)]
    assert with_gap(prices, 4, 6) == [PricePeriod(0, 4, 5), PricePeriod(6, 10, 5), *prices[1:]]
    assert with_gap(prices, 8, 25) == [PricePeriod(0, 8, 5), PricePeriod(25, None, 7)]
    assert with_gap(prices, 10, 20) == [prices[0], prices[2]]


def test_time_only_goes_on_in_a_tale() -> None:
    """A change told for an earlier instant than the last comes right behind it."""
    tale = Tale(stream(1))
    assert [tale.tell_exactly("RUNNING", 50), tale.tell_exactly("ERROR", 50), tale.tell_exactly("RUNNING", 9)] == [
        50,
        51,
        52,
    ]


def test_a_relocation_that_ends_above_the_limit_ends_in_a_preemption() -> None:
    """The instance does not stay up, and billed, until the price has fallen."""
    hour = HOUR_US
    moved = Break("RELOCATING", 5 * hour, 5 * hour + 5 * MINUTE_US, "STARTING")
    told = spot_story(stream(1), [(5 * hour + MINUTE_US, 7 * hour)], SpotPlan(hour, breaks=[moved]))
    assert [bare(change) for change in told[-4:]] == ["RELOCATING", "PREEMPTED", "STARTING", "RUNNING"]
    assert told[-3].at_us == moved.until_us
    assert told[-2].at_us > 7 * hour


# --- the special cases: each names the instances or orders of an account that show it ---


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


# --- grants ---


def reservation(*terms: Terms, canceled_at_us: int | None = None) -> Reservation:
    """Two instances from 1,000 to 2,000, placed at 900."""
    return Reservation(
        "res_1", "r", "proj_1", "user_1", 900, 1_000, 2_000, "it_1", "us-east1-a", 2, [*terms],
        canceled_at_us=canceled_at_us,
    )  # fmt: skip


def test_grants_follow_the_terms_that_are_known() -> None:
    """A change of terms cuts the grant in force when it happens; before that, the grant reaches to the end."""
    order = reservation(Terms(900, 10, 3, 4), Terms(1_500, 11, None, 5))
    assert grants(order, 899) == []
    assert grants(order, 900) == [Grant(1_000, 2_000, 2, 10, 3, 4)]
    assert grants(order, 1_499) == [Grant(1_000, 2_000, 2, 10, 3, 4)]
    assert grants(order, 1_500) == [Grant(1_000, 1_500, 2, 10, 3, 4), Grant(1_500, 2_000, 2, 11, None, 5)]
    assert grants(order, 9_999) == grants(order, 1_500)


def test_grants_end_when_the_reservation_is_canceled() -> None:
    """From the moment it is canceled, nothing is granted past it, and terms that were to follow never are."""
    order = reservation(Terms(900, 10, 3, 4), Terms(1_500, 11, 3, 4), canceled_at_us=1_200)
    assert grants(order, 1_199) == [Grant(1_000, 2_000, 2, 10, 3, 4)]
    assert grants(order, 1_200) == [Grant(1_000, 1_200, 2, 10, 3, 4)]
    assert grants(order, 1_600) == [Grant(1_000, 1_200, 2, 10, 3, 4)]
    assert (ended_us(order, 1_199), ended_us(order, 1_200)) == (2_000, 1_200)


def test_terms_that_change_before_the_start_replace_the_first() -> None:
    """A change between placing and start leaves no empty grant behind."""
    order = reservation(Terms(900, 10, 3, 4), Terms(950, 12, 3, 4))
    assert grants(order, 1_600) == [Grant(1_000, 2_000, 2, 12, 3, 4)]


def test_the_default_account_is_of_the_documented_time() -> None:
    """Without arguments: 40 instances, 30 days to the end of March 2026."""
    account = make_account()
    assert len(account.instances) == 40
    assert account.start_us == int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000
