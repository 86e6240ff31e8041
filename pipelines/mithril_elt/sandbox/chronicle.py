"""The tellings of all instances: made once, kept, and made anew where a story was rewritten.

Stands between `told_statuses`, `told_prices` and `histories` in the sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mithril_elt.sandbox.account import HOUR_US
from mithril_elt.sandbox.lifecycle import NEVER_US
from mithril_elt.sandbox.told_prices import price_tellings
from mithril_elt.sandbox.told_statuses import status_tellings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mithril_elt.sandbox.account import Instance, Reservation
    from mithril_elt.sandbox.tellings import Wording

__all__ = ["Chronicle"]

_AHEAD_US = 24 * HOUR_US


@dataclass
class _Kept:
    """Tellings, the story that they were made from, and until when they reach."""

    story: list[Any]
    until_us: int
    tellings: Sequence[Any]

    def serves(self, story: list[Any], now_us: int) -> bool:
        # Stories are rewritten in place. Comparing them is fast: what was not rewritten is the same object.
        return now_us <= self.until_us and self.story == story


@dataclass
class Chronicle:
    """What is told of each instance under the readings, in order of time.

    The number of a telling stays its own from moment to moment, unless the story before it is rewritten.
    """

    wording: Wording
    reservations: Mapping[str, Reservation]
    _statuses: dict[str, _Kept] = field(default_factory=dict)
    _prices: dict[str, _Kept] = field(default_factory=dict)

    def statuses(self, instance: Instance, now_us: int) -> Sequence[Any]:
        """Its events of status, also those that are told no more or not yet."""
        kept = self._statuses.get(instance.fid)
        if kept is None or not kept.serves(instance.changes, now_us):
            kept = _Kept(list(instance.changes), NEVER_US, status_tellings(instance, self.wording))
            self._statuses[instance.fid] = kept
        return kept.tellings

    def prices(self, instance: Instance, now_us: int) -> Sequence[Any]:
        """Its price periods, likewise."""
        kept = self._prices.get(instance.fid)
        # A reserved instance's prices follow from its changes.
        story: list[Any] = instance.changes if instance.bid is None else instance.prices
        if kept is None or not kept.serves(story, now_us):
            # Only pieces of an open period have no last one: they are made for a day ahead.
            until_us = now_us + _AHEAD_US if self.wording.readings.price_periods == "split" else NEVER_US
            reservation = self.reservations.get(instance.reservation or "")
            tellings = price_tellings(instance, reservation, self.wording, until_us)
            kept = self._prices[instance.fid] = _Kept(list(story), until_us, tellings)
        return kept.tellings
