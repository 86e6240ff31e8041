"""Spot instances: a story that follows the market price and the bid's limit, and the prices it pays.

Stands after `markets` and `story` in the sandbox's fleet: `orders` and `special` ask it for stories.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import HOUR_US, MINUTE_US, PricePeriod, StatusChange
from mithril_elt.sandbox.story import SECOND_US, UP, Break, Tale, span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from mithril_elt.sandbox.markets import MarketLine

__all__ = ["NOTICE_US", "SpotPlan", "billed_prices", "spot_story", "with_gap"]

NOTICE_US = 5 * MINUTE_US


@dataclass(frozen=True)
class SpotPlan:
    """What the market does not decide: when it is ordered, how long it waits for its price, what else befalls it."""

    created_us: int
    patience_us: int = 8 * HOUR_US
    breaks: Sequence[Break] = ()


def spot_story(random: Random, above: Sequence[tuple[int, int]], plan: SpotPlan) -> list[StatusChange]:
    """The story of an instance whose limit the price passes in the spans `above`; it ends only if it must.

    Above the limit: PREEMPTING, and after 5 minutes' notice PREEMPTED, or RUNNING if the price falls
    within them. Preempted, it starts again when the price has fallen, or is TERMINATED when its patience ends.
    """
    tale = Tale(random)
    confirmed_us = tale.ordered(plan.created_us)
    market = _Patience(above, plan.patience_us)
    ready_us = tale.initialized(market.fallen_us(confirmed_us, random))
    running_us = _start(tale, market, ready_us)
    for trouble in _troubles(above, plan.breaks):
        if running_us is None:
            break
        if trouble.status == "PREEMPTING" and trouble.until_us > running_us:
            running_us = _preempted(tale, market, trouble, running_us)
        elif trouble.status != "PREEMPTING" and trouble.from_us > running_us:
            running_us = _broken(tale, market, trouble)
    return tale.changes


class _Patience:
    """The spans above the limit, and how long one waits for the price to fall."""

    def __init__(self, above: Sequence[tuple[int, int]], patience_us: int) -> None:
        self._above = above
        self._begins = [from_us for from_us, _ in above]
        self.patience_us = patience_us

    def span_at(self, at_us: int) -> tuple[int, int] | None:
        """The span that covers the instant."""
        number = bisect_right(self._begins, at_us) - 1
        if number < 0 or self._above[number][1] <= at_us:
            return None
        return self._above[number]

    def fallen_us(self, at_us: int, random: Random) -> int:
        """`at_us`, or a little after the price has fallen, if it is above the limit then."""
        while covering := self.span_at(at_us):
            at_us = covering[1] + span(random, 10 * SECOND_US, 110 * SECOND_US)
        return at_us


def _troubles(above: Sequence[tuple[int, int]], breaks: Sequence[Break]) -> list[Break]:
    """What can befall a running instance, in order of time; the price passing the limit is PREEMPTING."""
    passes = [Break("PREEMPTING", from_us, until_us) for from_us, until_us in above]
    return sorted([*passes, *breaks], key=lambda trouble: trouble.from_us)


def _start(tale: Tale, market: _Patience, ready_us: int) -> int | None:
    """STARTING as soon as the price allows, 1 to 20 minutes, then RUNNING; returns when it runs (None: never).

    If the price passes the limit before it runs, it is PREEMPTED and tries again.
    """
    while True:
        starting_us = tale.tell("STARTING", market.fallen_us(ready_us, tale.random))
        running_us = starting_us + span(tale.random, MINUTE_US, 20 * MINUTE_US)
        covering = market.span_at(running_us)
        if covering is None:
            return tale.tell("RUNNING", running_us)
        since_us = tale.tell("PREEMPTED", max(covering[0], starting_us) + span(tale.random, SECOND_US, 9 * SECOND_US))
        if covering[1] > since_us + market.patience_us:
            tale.tell("TERMINATED", since_us + market.patience_us)
            return None
        ready_us = covering[1] + span(tale.random, 10 * SECOND_US, 110 * SECOND_US)


def _preempted(tale: Tale, market: _Patience, trouble: Break, running_us: int) -> int | None:
    """The price passed the limit: notice, then RUNNING again or PREEMPTED; returns when it runs (None: never)."""
    noticed_us = max(trouble.from_us, running_us) + span(tale.random, 2 * SECOND_US, 20 * SECOND_US)
    noticed_us = tale.tell("PREEMPTING", noticed_us)
    preempted_us = noticed_us + NOTICE_US
    back_us = trouble.until_us + span(tale.random, 2 * SECOND_US, 20 * SECOND_US)
    if back_us < preempted_us:
        return tale.tell("RUNNING", back_us)
    tale.tell_exactly("PREEMPTED", preempted_us)
    if trouble.until_us > preempted_us + market.patience_us:
        tale.tell("TERMINATED", preempted_us + market.patience_us)
        return None
    return _start(tale, market, trouble.until_us + span(tale.random, 10 * SECOND_US, 110 * SECOND_US))


def _broken(tale: Tale, market: _Patience, trouble: Break) -> int | None:
    """A break that is not the market's; returns when the instance runs again (None: never)."""
    tale.tell_exactly(trouble.status, trouble.from_us)
    if trouble.then == "STARTING":
        if trouble.status == "RELOCATING" and market.span_at(trouble.until_us):
            tale.tell_exactly("PREEMPTED", trouble.until_us)
        return _start(tale, market, trouble.until_us)
    at_us = tale.tell_exactly(trouble.then, trouble.until_us)
    return at_us if trouble.then == "RUNNING" else None


def billed_prices(line: MarketLine, changes: Sequence[StatusChange]) -> list[PricePeriod]:
    """The market's price over each unbroken stretch in which the instance is up; the last may be open."""
    prices: list[PricePeriod] = []
    up_since_us: int | None = None
    for change in changes:
        if change.status in UP and up_since_us is None:
            up_since_us = change.at_us
        elif change.status not in UP and up_since_us is not None:
            prices += line.prices(up_since_us, change.at_us)
            up_since_us = None
    if up_since_us is not None:
        prices += line.prices(up_since_us, None)
    return prices


def with_gap(prices: Sequence[PricePeriod], from_us: int, until_us: int) -> list[PricePeriod]:
    """The periods without what they say of [from_us, until_us)."""
    kept: list[PricePeriod] = []
    for period in prices:
        if period.start_us < from_us:
            before_us = from_us if period.end_us is None else min(from_us, period.end_us)
            kept.append(PricePeriod(period.start_us, before_us, period.price_cents))
        if period.end_us is None or period.end_us > until_us:
            kept.append(PricePeriod(max(period.start_us, until_us), period.end_us, period.price_cents))
    return kept
