"""What the histories tell of an instance: a row for each change of status, a row for each price period.

Stands between `account` and `histories` in the sandbox. A telling knows from when until when it is told,
and from when on it reads as it always will; which tellings there are does not depend on the moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from mithril_elt.sandbox.rendering import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mithril_elt.sandbox.account import Instance, PricePeriod, StatusChange

__all__ = ["NEVER_US", "PriceEvent", "PriceTelling", "StatusEvent", "StatusTelling", "Tellings"]

NEVER_US = 1 << 62  # later than any clock


# A page has a hundred thousand events: untracked by the collector, they do not make it walk the account.
class StatusEvent(msgspec.Struct, gc=False):
    """A change of status as the API writes it."""

    timestamp: str
    status: str


class PriceEvent(msgspec.Struct, gc=False):
    """A price period as the API writes it."""

    price_cents: int
    start_time: str
    end_time: str | None


class StatusTelling(msgspec.Struct, gc=False):
    """A change of status that is told from `known_us` until `gone_us`."""

    at_us: int
    event: StatusEvent
    known_us: int
    gone_us: int = NEVER_US
    settled_us: int = 0

    def interim(self, _now_us: int) -> StatusEvent:
        """As it reads before it is settled."""
        return self.event

    def clipped(self, start: str, _now_us: int) -> StatusEvent:
        """As it reads with its time set to the start of a window."""
        return StatusEvent(start, self.event.status)

    def holds_at(self, _at_us: int, _now_us: int) -> bool:
        """Whether it is in force at that later moment, unless another has come: a status always is."""
        return True


class PriceTelling(msgspec.Struct, gc=False):
    """A price period that is told from `known_us` until `gone_us`; its end is known from `settled_us` on."""

    at_us: int
    event: PriceEvent
    known_us: int
    end_us: int
    gone_us: int = NEVER_US
    settled_us: int = 0

    def interim(self, _now_us: int) -> PriceEvent:
        """As it reads before it is settled: still open."""
        return PriceEvent(self.event.price_cents, self.event.start_time, None)

    def clipped(self, start: str, now_us: int) -> PriceEvent:
        """As it reads with its start set to the start of a window."""
        event = self.event if self.settled_us <= now_us else self.interim(now_us)
        return PriceEvent(event.price_cents, start, event.end_time)

    def holds_at(self, at_us: int, now_us: int) -> bool:
        """Whether it is in force at that later moment, as far as is known now."""
        return self.settled_us > now_us or self.end_us > at_us


def _status_tellings(instance: Instance) -> list[StatusTelling]:
    return [_status_telling(change) for change in instance.changes]


def _status_telling(change: StatusChange) -> StatusTelling:
    return StatusTelling(change.at_us, StatusEvent(instant(change.at_us), change.status), change.at_us)


def _price_tellings(instance: Instance) -> list[PriceTelling]:
    return [_price_telling(period) for period in instance.prices] if instance.bid is not None else []


def _price_telling(period: PricePeriod) -> PriceTelling:
    """Until its end has come a period is open, though the story knows its end."""
    end = None if period.end_us is None else instant(period.end_us)
    event = PriceEvent(period.price_cents, instant(period.start_us), end)
    end_us = NEVER_US if period.end_us is None else period.end_us
    return PriceTelling(period.start_us, event, period.start_us, end_us, settled_us=end_us)


@dataclass
class _Kept:
    """The tellings of an instance, and the story that they were made from."""

    changes: list[StatusChange]
    prices: list[PricePeriod]
    status: list[StatusTelling]
    pricing: list[PriceTelling]


@dataclass
class Tellings:
    """The tellings of all instances by fid, in order of time; made once, and anew where a story was rewritten."""

    _kept: dict[str, _Kept] = field(default_factory=dict)

    def status(self, instance: Instance) -> Sequence[Any]:
        """Of its changes of status."""
        return self._of(instance).status

    def pricing(self, instance: Instance) -> Sequence[Any]:
        """Of its prices."""
        return self._of(instance).pricing

    def _of(self, instance: Instance) -> _Kept:
        kept = self._kept.get(instance.fid)
        # Stories are rewritten in place. Comparing them is fast: the same changes are the same objects.
        if kept is None or kept.changes != instance.changes or kept.prices != instance.prices:
            kept = _Kept(
                list(instance.changes), list(instance.prices), _status_tellings(instance), _price_tellings(instance)
            )
            self._kept[instance.fid] = kept
        return kept
