"""The stories of the made-up account follow each other as statuses, prices and sellers' rules allow."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

import pytest

from account_stories import BEFORE, DAY_US, ENDINGS, SIZES, bare, over_spans, spells, up_stretches
from mithril_elt.sandbox.account import HOUR_US, MINUTE_US, Account, Bid, PricePeriod, Reservation
from mithril_elt.sandbox.catalogue import stream
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.grants import ended_us
from mithril_elt.sandbox.spot import SpotPlan, spot_story, with_gap
from mithril_elt.sandbox.story import Break, Tale


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: "seed {} {}x{}".format(*size))
def account(request: pytest.FixtureRequest) -> Account:
    """Accounts of several sizes, the default one among them."""
    return make_account(*request.param)


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
