"""What a spot instance pays beside the market's price of a reserved one, and beside the limit of its bid.

Stands between `sweep` and `figures` in the sandbox. Where a price or a limit is not known, the time is told apart.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import HOUR_US
from mithril_elt.sandbox.sweep import cut_at_hours

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mithril_elt.sandbox.account import Account, Bid, Instance, Market
    from mithril_elt.sandbox.figures import InstanceTruth
    from mithril_elt.sandbox.sweep import Piece

__all__ = ["Bargain", "Beside", "Spot", "add_bargain", "bargains"]


@dataclass
class Beside:
    """What was paid in the time for which there is another price, and that time at it; the rest of the time apart."""

    known_us: int = 0
    unknown_us: int = 0
    paid_cent_us: int = 0
    cent_us: int = 0


@dataclass
class Spot:
    """Priced spot time beside the market's reserved price and beside the bid's limit."""

    market: Beside = field(default_factory=Beside)
    limit: Beside = field(default_factory=Beside)
    near_limit_us: int = 0

    @property
    def compared(self) -> dict[str, int]:
        """The figures by the names of the mart's columns."""
        return {
            "compared_us": self.market.known_us,
            "uncompared_us": self.market.unknown_us,
            "compared_cost_cent_us": self.market.paid_cent_us,
            "reserved_market_cost_cent_us": self.market.cent_us,
            "unlimited_us": self.limit.unknown_us,
            "limited_cost_cent_us": self.limit.paid_cent_us,
            "limit_cost_cent_us": self.limit.cent_us,
            "near_limit_us": self.near_limit_us,
        }


@dataclass(frozen=True)
class Bargain:
    """What a spot instance is held against: its market, and the limit of its bid; None where there is none."""

    market: Market | None = None
    limit_cents: int | None = None


def bargains(account: Account, as_of_us: int) -> Callable[[Instance], Bargain]:
    """What each instance is held against. One that the list does not have is traded where its bid is."""
    markets: Mapping[tuple[str, str | None], Market] = {(m.instance_type, m.region): m for m in account.markets}
    bids: Mapping[str, Bid] = {each.fid: each for each in account.bids if each.created_at_us <= as_of_us}

    def bargain_of(instance: Instance) -> Bargain:
        bid = bids.get(instance.bid or "")
        traded = instance if instance.listed else bid
        market = markets.get((traded.instance_type, traded.region)) if traded else None
        return Bargain(market, bid.limit_price_cents if bid else None)

    return bargain_of


def add_bargain(truth: InstanceTruth, piece: Piece, bargain: Bargain) -> None:
    """Adds a piece of billed time that has a price."""
    if piece.price_cents is None:
        return
    for part in cut_at_hours(piece):
        reserved_cents = _reserved_cents(bargain.market, part.from_us // HOUR_US * HOUR_US)
        for figures in truth.counted_at(part.from_us):
            _compare(figures.spot.market, part, reserved_cents)
            _compare(figures.spot.limit, part, bargain.limit_cents)
            if bargain.limit_cents is not None and 10 * piece.price_cents > 9 * bargain.limit_cents:
                figures.spot.near_limit_us += part.until_us - part.from_us


def _compare(beside: Beside, part: Piece, cents: int | None) -> None:
    lasts_us = part.until_us - part.from_us
    if cents is None:
        beside.unknown_us += lasts_us
        return
    beside.known_us += lasts_us
    beside.paid_cent_us += lasts_us * (part.price_cents or 0)
    beside.cent_us += lasts_us * cents


def _reserved_cents(market: Market | None, at_us: int) -> int | None:
    """What a reserved instance-hour costs at that moment: as it was told last."""
    told = 0 if market is None else bisect_right(market.changed_at_us, at_us)
    return market.reserved_price_cents[told - 1] if market and told else None
