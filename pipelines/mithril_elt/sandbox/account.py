"""The made-up account: plain data that `fleet` fills, `truth` adds up and `server` shows.

Stands at the root of the sandbox: nothing else of the package is imported here. Every instant is an
integer of microseconds since 1970 (UTC), every price an integer of cents for one instance-hour.
Lists may reach past "now": the server shows only what has happened by its clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "DAY_US",
    "HOUR_US",
    "MINUTE_US",
    "Account",
    "Bid",
    "Instance",
    "InstanceType",
    "Market",
    "PricePeriod",
    "Project",
    "Reservation",
    "StatusChange",
    "Terms",
]

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


@dataclass(frozen=True)
class Project:
    """A project that the key sees."""

    fid: str
    name: str
    created_at_us: int


@dataclass(frozen=True)
class InstanceType:
    """A kind of machine. `listed=False`: instances name it, but the list has it no more."""

    fid: str
    name: str
    num_gpus: int
    listed: bool = True


@dataclass(frozen=True)
class Market:
    """The auction of one type in one region: each price holds until the next change.

    With each spot price stands what a reserved instance-hour costs from then on, None where that is not told.
    """

    instance_type: str
    region: str
    changed_at_us: list[int]
    spot_price_cents: list[int]
    reserved_price_cents: list[int | None]


@dataclass(frozen=True)
class Bid:
    """A spot bid."""

    fid: str
    name: str
    project: str
    created_by: str
    created_at_us: int
    instance_type: str
    region: str
    instance_quantity: int
    limit_price_cents: int


@dataclass(frozen=True)
class Terms:
    """What a reservation's hours are worth from `from_us` on."""

    from_us: int
    unit_price_cents: int
    pause_credit_cents: int | None
    return_credit_cents: int | None


@dataclass(frozen=True)
class Reservation:
    """A flexible reservation. `listed=False`: instances name it, but no list has it.

    `terms` are in order of time; the first is in force from the start. `canceled_at_us`: ended early.
    """

    fid: str
    name: str
    project: str
    created_by: str
    placed_at_us: int
    start_us: int
    end_us: int
    instance_type: str
    region: str
    instance_quantity: int
    terms: list[Terms]
    listed: bool = True
    canceled_at_us: int | None = None


@dataclass(frozen=True)
class StatusChange:
    """From `at_us` on the instance has that status (`STATUS_…`)."""

    at_us: int
    status: str


@dataclass(frozen=True)
class PricePeriod:
    """One instance-hour costs `price_cents` from `start_us` until `end_us` (None: still open)."""

    start_us: int
    end_us: int | None
    price_cents: int


@dataclass
class Instance:
    """A machine with its whole story, told in order of time. Mutable: a PATCH changes its future.

    `listed=False`: the histories know it, but the list of instances has it no more.
    """

    fid: str
    name: str
    project: str
    created_by: str
    created_at_us: int
    instance_type: str
    region: str | None
    bid: str | None
    reservation: str | None
    listed: bool = True
    changes: list[StatusChange] = field(default_factory=list)
    prices: list[PricePeriod] = field(default_factory=list)


@dataclass
class Account:
    """A whole account, from a seed. `now_us` is where its clock starts; stories go on past it."""

    seed: int
    start_us: int
    now_us: int
    projects: list[Project]
    instance_types: list[InstanceType]
    markets: list[Market]
    bids: list[Bid]
    reservations: list[Reservation]
    instances: list[Instance]
