"""Auction prices: each market as a line of steps on a grid of two minutes, and what it means for a bid.

Stands after `catalogue` in the sandbox's fleet: the stories of spot instances follow these lines.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import MINUTE_US, Market, PricePeriod
from mithril_elt.sandbox.catalogue import GONE, TRADED, Offer, stream

if TYPE_CHECKING:
    from random import Random

    from mithril_elt.sandbox.account import InstanceType

__all__ = ["GRID_US", "MarketLine", "Spike", "make_markets"]

GRID_US = 2 * MINUTE_US
_DAY_STEPS = 720
_CEILING_PERCENT = 250


@dataclass(frozen=True)
class Spike:
    """From `from_us` until `until_us` the price stands near `price_cents`, new every `step_us` (all on the grid)."""

    from_us: int
    until_us: int
    price_cents: int
    step_us: int = GRID_US


@dataclass(frozen=True)
class MarketLine:
    """A market, with what the stories of its instances ask of it."""

    market: Market
    usual_price_cents: int
    ends_us: int
    _above: dict[int, list[tuple[int, int]]] = field(default_factory=dict, compare=False)

    @cached_property
    def _periods(self) -> list[PricePeriod]:
        """The line as price periods; they are shared by all instances of the market."""
        ends: list[int | None] = [*self.market.changed_at_us[1:], None]
        return [
            PricePeriod(*period)
            for period in zip(self.market.changed_at_us, ends, self.market.spot_price_cents, strict=True)
        ]

    def prices(self, from_us: int, until_us: int | None) -> list[PricePeriod]:
        """The price periods of an instance that is billed from `from_us` until `until_us` (None: to the end)."""
        at = self.market.changed_at_us
        first = bisect_right(at, from_us) - 1
        last = len(at) - 1 if until_us is None else bisect_left(at, until_us) - 1
        periods = self._periods[first : last + 1]
        periods[0] = PricePeriod(from_us, periods[0].end_us, periods[0].price_cents)
        if until_us is not None:
            periods[-1] = PricePeriod(periods[-1].start_us, until_us, periods[-1].price_cents)
        return periods

    def above(self, limit_cents: int) -> list[tuple[int, int]]:
        """The spans in which the price is above the limit, in order of time."""
        if limit_cents not in self._above:
            steps = zip(pairwise([*self.market.changed_at_us, self.ends_us]), self.market.spot_price_cents, strict=True)
            spans: list[tuple[int, int]] = []
            for (from_us, until_us), price_cents in steps:
                if price_cents <= limit_cents:
                    continue
                if spans and spans[-1][1] == from_us:
                    spans[-1] = (spans[-1][0], until_us)
                else:
                    spans.append((from_us, until_us))
            self._above[limit_cents] = spans
        return self._above[limit_cents]


def make_markets(
    seed: int,
    types: dict[str, InstanceType],
    start_us: int,
    ends_us: int,
    spikes: dict[tuple[str, str], list[Spike]],
) -> dict[tuple[str, str], MarketLine]:
    """The line of each market by (key of the type, region), from `start_us` or just before to `ends_us`.

    Left alone, a price stays below 2.5 times its usual one; only `spikes` go beyond.
    """
    lines = {}
    for offer in (*TRADED, GONE):
        for region in offer.regions:
            random = stream(seed, "market", offer.key, region)
            steps = _steps(random, offer, start_us // GRID_US * GRID_US, ends_us)
            for spike in spikes.get((offer.key, region), []):
                steps = _with_spike(random, steps, spike)
            changes = _changes(steps)
            market = Market(
                instance_type=types[offer.key].fid,
                region=region,
                changed_at_us=list(changes),
                spot_price_cents=list(changes.values()),
                reserved_price_cents=_reserved(stream(seed, "reserved", offer.key, region), offer, list(changes)),
            )
            lines[offer.key, region] = MarketLine(market, offer.usual_price_cents, ends_us)
    return lines


def _steps(random: Random, offer: Offer, from_us: int, ends_us: int) -> dict[int, int]:
    """Price by time: a level that moves every few days, noise around it, now and then a flash of an hour."""
    usual = offer.usual_price_cents
    steps: dict[int, int] = {}
    at_us, price = from_us, usual
    level, level_ends_us, flash_ends_us = usual, from_us, 0
    while at_us < ends_us:
        if at_us >= level_ends_us:
            level = usual * random.randint(60, 150) // 100
            level_ends_us = at_us + GRID_US * random.randint(_DAY_STEPS // 2, 5 * _DAY_STEPS)
        if at_us >= flash_ends_us and random.randrange(120) == 0:
            flash_ends_us = at_us + GRID_US * random.randint(2, 30)
        flash = at_us < flash_ends_us
        aim = 2 * level if flash else level
        price += (aim - price) // (2 if flash else 6) + usual * random.randint(-50, 50) // 1000
        price = min(max(price, usual * 2 // 5), usual * _CEILING_PERCENT // 100 - 1)
        steps[at_us] = price
        at_us += GRID_US * (1 if flash else random.randint(1, 40))
    return steps


def _reserved(random: Random, offer: Offer, changed_at_us: list[int]) -> list[int | None]:
    """What a reserved instance-hour costs at each change: another price every few days, now and then none is told."""
    prices: list[int | None] = []
    price: int | None = None
    holds_until_us = 0
    for at_us in changed_at_us:
        if at_us >= holds_until_us:
            price = offer.usual_price_cents * random.randint(120, 190) // 100 if random.randrange(12) else None
            holds_until_us = at_us + GRID_US * random.randint(_DAY_STEPS, 7 * _DAY_STEPS)
        prices.append(price)
    return prices


def _with_spike(random: Random, steps: dict[int, int], spike: Spike) -> dict[int, int]:
    """The steps with the spike in place of what lay there; after it the price is what it would have been."""
    after = max((at_us for at_us in steps if at_us <= spike.until_us), default=None)
    kept = {at_us: price for at_us, price in steps.items() if not spike.from_us <= at_us < spike.until_us}
    spiked = {
        at_us: spike.price_cents + number % 2 + random.randrange(5) * 2
        for number, at_us in enumerate(range(spike.from_us, spike.until_us, spike.step_us))
    }
    back = {} if after is None else {spike.until_us: steps[after]}
    return dict(sorted({**kept, **spiked, **back}.items()))


def _changes(steps: dict[int, int]) -> dict[int, int]:
    """The steps without those that change nothing."""
    changes: dict[int, int] = {}
    price = None
    for at_us, next_price in steps.items():
        if next_price != price:
            changes[at_us] = price = next_price
    return changes
