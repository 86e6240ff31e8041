"""The shape of the true figures: plain sums by instance, UTC day, pause and reservation.

Stands beside `truth` in the sandbox, which fills them. Times are whole microseconds, money whole
cent-microseconds; dollars = cent-microseconds / 360,000,000,000.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mithril_elt.sandbox.account import DAY_US
from mithril_elt.sandbox.bargains import Spot

__all__ = [
    "PHASES",
    "UP",
    "Earned",
    "Figures",
    "InstanceTruth",
    "PauseTruth",
    "ReservationTruth",
    "Truth",
    "phase_of",
]

_PHASE_OF = {
    "NEW": "waiting",
    "CONFIRMED": "waiting",
    "INITIALIZING": "waiting",
    "STARTING": "starting",
    "RUNNING": "running",
    "PREEMPTING": "noticed",
    "RELOCATING": "noticed",
    "STOPPING": "stopping",
    "PAUSED": "paused",
    "PREEMPTED": "interrupted",
    "ERROR": "interrupted",
}
PHASES = (*dict.fromkeys(_PHASE_OF.values()), "unknown")
UP = frozenset({"running", "noticed"})
_PLANNED = ("waiting", "starting", "stopping", "paused")


def phase_of(status: str) -> str:
    """The phase of a status without its prefix; one that nobody knows is `unknown`."""
    return _PHASE_OF.get(status, "unknown")


@dataclass
class Earned:
    """Time that earns at a rate, the part of it whose rate is known, and what that part earns."""

    us: int = 0
    rated_us: int = 0
    known_cent_us: int = 0

    @property
    def cent_us(self) -> int | None:
        """What is known to be earned; None where there is such time and no rate is known for any of it."""
        return None if self.us and not self.rated_us else self.known_cent_us

    def add(self, lasts_us: int, rate_cents: int | None) -> None:
        """Adds a span at one rate, or at none that is known."""
        self.us += lasts_us
        if rate_cents is not None:
            self.rated_us += lasts_us
            self.known_cent_us += lasts_us * rate_cents

    def include(self, other: Earned) -> None:
        """Adds all of another."""
        self.us += other.us
        self.rated_us += other.rated_us
        self.known_cent_us += other.known_cent_us


@dataclass
class Figures:
    """What adds up over time: of one instance in all, or on one UTC day."""

    phase_us: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PHASES, 0))
    billed_us: int = 0
    priced_us: int = 0
    spot_cost_cent_us: int = 0
    reserved_used_us: int = 0
    allocated_cost_cent_us: int = 0
    credit: Earned = field(default_factory=Earned)
    short_pauses: Earned = field(default_factory=Earned)
    unclaimed: Earned = field(default_factory=Earned)
    spot: Spot = field(default_factory=Spot)

    @property
    def up_us(self) -> int:
        """Time that the instance could be used."""
        return sum(self.phase_us[phase] for phase in UP)

    @property
    def down_us(self) -> int:
        """Time that it should have been up and was not."""
        return self.phase_us["interrupted"]

    @property
    def planned_us(self) -> int:
        """Time that it was not up because it was asked not to be, or was on its way."""
        return sum(self.phase_us[phase] for phase in _PLANNED)

    @property
    def total_us(self) -> int:
        """All time between its first event and its end."""
        return sum(self.phase_us.values())

    @property
    def unpriced_us(self) -> int:
        """Billed time that no price covers."""
        return self.billed_us - self.priced_us

    @property
    def credited_us(self) -> int:
        """Paused time that earns a credit."""
        return self.credit.us

    @property
    def pause_credit_cent_us(self) -> int | None:
        """The credit of it; None where no rate is known."""
        return self.credit.cent_us

    @property
    def short_paused_us(self) -> int:
        """Time in pauses too short to earn anything."""
        return self.short_pauses.us

    @property
    def short_pause_loss_cent_us(self) -> int | None:
        """What they would have earned; None where no rate is known."""
        return self.short_pauses.cent_us

    @property
    def unclaimed_us(self) -> int:
        """Time neither up nor paused, in stretches of an hour or more."""
        return self.unclaimed.us

    @property
    def unclaimed_credit_cent_us(self) -> int | None:
        """What pausing would have earned then; None where no rate is known."""
        return self.unclaimed.cent_us


@dataclass
class InstanceTruth(Figures):
    """One instance up to as_of. `by_day` has the same figures for each UTC day (`2026-03-30`) it lived on."""

    fid: str = ""
    num_gpus: int | None = None
    by_day: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    interruptions: int = 0
    recoveries_us: list[int] = field(default_factory=list)
    starts_us: list[int] = field(default_factory=list)
    returned: Earned = field(default_factory=Earned)

    def counted_at(self, at_us: int) -> tuple[Figures, Figures]:
        """The figures that a moment counts in: these, and those of its day."""
        day = datetime.fromtimestamp(at_us // DAY_US * 86_400, UTC).date().isoformat()
        return self, self.by_day[day]

    @property
    def gpu_us(self) -> int | None:
        """GPU time up; None where the type is not known."""
        return None if self.num_gpus is None else self.up_us * self.num_gpus


@dataclass(frozen=True)
class PauseTruth:
    """One pause, cut to its reservation's window where it has one. `is_open`: it reaches as_of."""

    instance_fid: str
    reservation_fid: str
    started_at_us: int
    ended_at_us: int
    is_open: bool
    has_terms: bool
    is_credited: bool
    credited_us: int
    pause_credit_cent_us: int | None
    short_pause_loss_cent_us: int | None

    @property
    def paused_us(self) -> int:
        """How long it is."""
        return self.ended_at_us - self.started_at_us


@dataclass(frozen=True)
class ReservationTruth:
    """One reservation up to as_of; what is committed reaches past it, to the end of what is granted."""

    fid: str
    reserved_us: int
    used_us: int
    committed_us: int
    committed_cost_cent_us: int
    allocated_used_cent_us: int
    allocated_unused_cent_us: int
    credit: Earned
    returned: Earned
    missed_cent_us: int = 0

    @property
    def at_stake_cent_us(self) -> int:
        """What its unused time cost, less what pauses earned and what they might have earned, as far as it is known."""
        return self.allocated_unused_cent_us - self.credit.known_cent_us - self.missed_cent_us

    @property
    def unused_us(self) -> int:
        """Reserved time in which its instances were not up."""
        return self.reserved_us - self.used_us

    @property
    def pause_credit_cent_us(self) -> int | None:
        """The credit of all its pauses; None where no rate is known."""
        return self.credit.cent_us

    @property
    def return_credit_cent_us(self) -> int | None:
        """The credit of all instances given back early; None where no rate is known."""
        return self.returned.cent_us


@dataclass(frozen=True)
class Truth:
    """The account as it is known at `as_of_us`: instances and reservations by fid, pauses in order of time."""

    as_of_us: int
    instances: dict[str, InstanceTruth]
    reservations: dict[str, ReservationTruth]
    pauses: list[PauseTruth]

    @property
    def phase_us(self) -> dict[str, int]:
        """Instance time by phase."""
        return {phase: sum(each.phase_us[phase] for each in self.instances.values()) for phase in PHASES}

    @property
    def up_us(self) -> int:
        """Instance time up."""
        return sum(each.up_us for each in self.instances.values())

    @property
    def gpu_us(self) -> int:
        """GPU time up, of the instances whose type is known."""
        return sum(each.gpu_us or 0 for each in self.instances.values())

    @property
    def billed_us(self) -> int:
        """Billed time of spot instances."""
        return sum(each.billed_us for each in self.instances.values())

    @property
    def unpriced_us(self) -> int:
        """Billed time that no price covers."""
        return sum(each.unpriced_us for each in self.instances.values())

    @property
    def spot_cost_cent_us(self) -> int:
        """What spot instances cost."""
        return sum(each.spot_cost_cent_us for each in self.instances.values())

    @property
    def allocated_cost_cent_us(self) -> int:
        """What reserved time cost up to as_of, used and unused."""
        return sum(each.allocated_used_cent_us + each.allocated_unused_cent_us for each in self.reservations.values())

    @property
    def committed_cost_cent_us(self) -> int:
        """What was charged for reservations."""
        return sum(each.committed_cost_cent_us for each in self.reservations.values())

    @property
    def pause_credit_cent_us(self) -> int:
        """What pauses earned, as far as rates are known."""
        return sum(each.credit.known_cent_us for each in self.instances.values())

    @property
    def net_cost_cent_us(self) -> int:
        """Spot and allocated cost less pause credit."""
        return self.spot_cost_cent_us + self.allocated_cost_cent_us - self.pause_credit_cent_us
