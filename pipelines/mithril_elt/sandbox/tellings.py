"""What the histories tell of an instance: a row for each event of status, a row for each price period.

Stands under `told_statuses` and `told_prices` in the sandbox. A telling knows from when until when it is
told, and from when on it reads as it always will; which tellings there are does not depend on the moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from mithril_elt.sandbox.lifecycle import NEVER_US
from mithril_elt.sandbox.rendering import instants

if TYPE_CHECKING:
    from mithril_elt.sandbox.readings import Readings
    from mithril_elt.sandbox.rendering import Instants

__all__ = ["PriceEvent", "PriceTelling", "StatusEvent", "StatusTelling", "Wording"]

_WRONG_BY_CENTS = 13


@dataclass(frozen=True)
class Wording:
    """How the sandbox tells: its readings, and what writes instants as they have it."""

    readings: Readings
    instant: Instants

    @classmethod
    def of(cls, readings: Readings) -> Wording:
        """The wording of those readings."""
        return cls(readings, instants(readings.times, readings.fractions))

    @property
    def no_end(self) -> msgspec.UnsetType | None:
        """How it is said that a period has no end yet: by null, or by no key."""
        return msgspec.UNSET if self.readings.optional_keys == "absent" else None


# A page has a hundred thousand events: untracked by the collector, they do not make it walk the account.
class StatusEvent(msgspec.Struct, gc=False):
    """A status and since when, as the API writes it."""

    timestamp: str
    status: str


class PriceEvent(msgspec.Struct, gc=False):
    """A price period as the API writes it."""

    price_cents: int
    start_time: str
    end_time: str | msgspec.UnsetType | None


class StatusTelling(msgspec.Struct, gc=False):
    """An event of status that is told from `known_us` until `gone_us`."""

    at_us: int
    event: StatusEvent
    known_us: int
    gone_us: int = NEVER_US
    settled_us: int = 0

    def interim(self, _now_us: int, _wording: Wording) -> StatusEvent:
        """As it reads before it is settled: no otherwise."""
        return self.event

    def clipped(self, event: StatusEvent, start: str) -> StatusEvent:
        """That event with its time set to the start of a window."""
        return StatusEvent(start, event.status)

    def holds_at(self, _at_us: int, _now_us: int) -> bool:
        """Whether it is in force at that later moment if nothing else has come: a status always is."""
        return True


class PriceTelling(msgspec.Struct, gc=False):
    """A price period that is told from `known_us` until `gone_us`.

    Its end is known from `end_known_us` on, its right price from `right_us` on, both from `settled_us` on.
    """

    at_us: int
    event: PriceEvent
    known_us: int
    end_us: int
    end_known_us: int
    right_us: int
    settled_us: int
    gone_us: int = NEVER_US

    def interim(self, now_us: int, wording: Wording) -> PriceEvent:
        """As it reads before it is settled: perhaps open, perhaps of a wrong price."""
        wrong_by_cents = _WRONG_BY_CENTS if now_us < self.right_us else 0
        end = wording.no_end if now_us < self.end_known_us else self.event.end_time
        return PriceEvent(self.event.price_cents + wrong_by_cents, self.event.start_time, end)

    def clipped(self, event: PriceEvent, start: str) -> PriceEvent:
        """That event with its start set to the start of a window."""
        return PriceEvent(event.price_cents, start, event.end_time)

    def holds_at(self, at_us: int, now_us: int) -> bool:
        """Whether it is in force at that later moment, as far as is known now."""
        return now_us < self.end_known_us or at_us < self.end_us
