"""The true figures worked by hand: spot time beside the market's reserved price and the bid's limit."""

from __future__ import annotations

from mithril_elt.sandbox.account import HOUR_US, MINUTE_US, Account, InstanceType, Market, PricePeriod
from mithril_elt.sandbox.bargains import Beside, Spot
from mithril_elt.sandbox.figures import Truth
from mithril_elt.sandbox.truth import true_figures
from truth_by_hand import T, make_bid, make_instance

# Hours after T at which the market told another price.
_TOLD_US = [T - 90 * MINUTE_US, T + 30 * MINUTE_US, T + HOUR_US, T + 3 * HOUR_US + 1]


def _truth(*, limit_cents: int, price_cents: int, region: str | None = "us-east1-a", listed: bool = True) -> Truth:
    instance = make_instance(
        (0, "RUNNING"),
        prices=[PricePeriod(30 * MINUTE_US, None, price_cents)],
        bid="bid_1",
        region=region,
        listed=listed,
    )
    return true_figures(
        Account(
            seed=0,
            start_us=T,
            now_us=T + 4 * HOUR_US,
            projects=[],
            instance_types=[InstanceType("it_1", "h100", 8)],
            markets=[Market("it_1", "us-east1-a", _TOLD_US, [9] * 4, [2000, 9999, None, 3000])],
            bids=[make_bid(limit_price_cents=limit_cents)],
            reservations=[],
            instances=[instance],
        ),
        T + 4 * HOUR_US,
    )


def test_each_hour_has_the_price_that_it_begins_with() -> None:
    """Half an hour at 2,000 c; what is told within an hour counts from the next, so that three hours have no price."""
    one = _truth(limit_cents=1000, price_cents=900).instances["inst_1"]
    half = HOUR_US // 2
    assert one.spot == Spot(
        Beside(half, 3 * HOUR_US, 900 * half, 2000 * half),
        Beside(half + 3 * HOUR_US, 0, 900 * (half + 3 * HOUR_US), 1000 * (half + 3 * HOUR_US)),
        0,
    )
    assert one.by_day["2024-10-04"].spot == one.spot


def test_near_the_limit_is_above_ninety_per_cent_of_it() -> None:
    """901 c is, of 1,000 c, and 900 c is not."""
    one = _truth(limit_cents=1000, price_cents=901).instances["inst_1"]
    assert one.spot.near_limit_us == one.priced_us == 3 * HOUR_US + HOUR_US // 2


def test_without_a_place_there_is_no_market_but_that_of_the_bid() -> None:
    """A listed instance without a region is compared with nothing; one that is not listed is where its bid is."""
    assert _truth(limit_cents=1, price_cents=1, region=None).instances["inst_1"].spot.market.known_us == 0
    unlisted = _truth(limit_cents=1, price_cents=1, region=None, listed=False).instances["inst_1"]
    assert unlisted.spot.market.known_us == HOUR_US // 2
