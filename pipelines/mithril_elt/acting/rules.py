"""What may be paused, as the user sets it, and what is told of each instance that was looked at.

Stands at the beginning of `acting`: rules and a table of use → `candidates` → `pausing` → `journal` → `earned`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["LEAST_PAUSE", "PAUSED", "REASONS", "Candidate", "Rules"]

PAUSED = "STATUS_PAUSED"
LEAST_PAUSE = timedelta(hours=1)  # a shorter one earns nothing
_US = timedelta(microseconds=1)

# Why an instance is not paused, by the code that machines get.
REASONS = {
    "unknown": "the marts know no such instance",
    "spot": "it is on spot: only reserved instances can be paused",
    "no_reservation": "it belongs to no reservation whose terms are known",
    "not_open": "its reservation is not open now",
    "ended": "it has ended, or no history of it is known",
    "paused": "it is paused already",
    "on_its_way": "somebody has asked it to start or to stop; to pause it all the same, name it with --instance",
    "too_young": "it was made, or came to where it is, within the safe age",
    "ends_too_soon": "its reservation ends before a pause of an hour would",
    "no_rate": "what a pause of it earns is not known",
    "earns_nothing": "a pause of it earns nothing",
    "in_use": "its GPUs are in use, or were within the time that they have to be idle",
    "use_unknown": "it runs, and nothing tells that it is idle; to pause it all the same, name it with --instance",
}


@dataclass(frozen=True)
class Rules:
    """What may be paused.

    `named`: the instances that the user named; if any, no other is paused. `safe_age`: what is younger is left alone.
    `idle_for`: how long GPUs have to be out of use. `lasts`: how long the pause is to last; None is until the
    reservation ends.
    """

    named: tuple[str, ...] = ()
    safe_age: timedelta = timedelta(hours=6)
    idle_for: timedelta = timedelta(hours=1)
    lasts: timedelta | None = None


@dataclass(frozen=True)
class Candidate:
    """An instance that was looked at: what it is, what a pause would earn, or a code in `refusal` why it will not do.

    `opportunity` is that of the report, `idle_since` since when it lasts; `idle_us` and `at_stake_cent_us` are what it
    says of the instance so far. Instants are UTC without a zone. `expected_cent_us`: what a pause of `planned` earns at
    the rate in force, None where no end is known.
    """

    instance_id: str
    instance_name: str = ""
    project_id: str = ""
    reservation_id: str = ""
    status: str = ""
    opportunity: str = ""
    idle_since: datetime | None = None
    pause_credit_cents: int | None = None
    planned: timedelta | None = None
    idle_us: int = 0
    at_stake_cent_us: int | None = None
    refusal: str = ""
    as_of: datetime | None = None

    @property
    def expected_cent_us(self) -> int | None:
        """What the planned pause earns, in the integers of the marts."""
        planned_us = self.planned_us
        return None if planned_us is None or self.pause_credit_cents is None else planned_us * self.pause_credit_cents

    @property
    def planned_us(self) -> int | None:
        """How long the planned pause lasts, microseconds."""
        return None if self.planned is None else self.planned // _US
