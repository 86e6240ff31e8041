"""What Mithril offers: one table, a row an endpoint, with its path, its envelope and the shape of its rows.

Stands at the head of the flow: endpoints → client → source → load → raw → staging → intermediate →
marts → reports. Names and meanings are those of the API's public description; what it leaves open is
optional here. Unknown fields and statuses are let through: `decode` warns of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

import msgspec

__all__ = [
    "ENDPOINTS",
    "KNOWN_STATUSES",
    "PAGE_LIMIT",
    "Bid",
    "Duration",
    "Endpoint",
    "Grant",
    "Instance",
    "InstanceState",
    "InstanceType",
    "MarketSeries",
    "Me",
    "PriceHistory",
    "PricePeriod",
    "Project",
    "Reservation",
    "ReservationEvent",
    "ReservationUsage",
    "StatusEvent",
    "StatusHistory",
    "UsageSummary",
]

PAGE_LIMIT = 100  # the most rows that one page may have

_STATUS_NAMES = (
    "NEW CONFIRMED INITIALIZING STARTING RUNNING STOPPING TERMINATED "
    "RELOCATING PREEMPTING PREEMPTED REPLACED PAUSED ERROR"
)
KNOWN_STATUSES = frozenset(f"STATUS_{name}" for name in _STATUS_NAMES.split())

_STATUS = {"status": KNOWN_STATUSES}
_OWNER = frozenset({"bid_fid", "reservation_fid"})

Fid = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]  # they have 21 signs
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]  # of machines or GPUs
Money = str | int  # "$1,047.76" in dollars, or a bare integer of cents


class Duration(timedelta):
    """A duration that the API writes in ISO 8601: `PT36H`."""


class Row(msgspec.Struct, kw_only=True):
    """What one row of an answer must have (no default) and may have (default None).

    `may_lack`: the fields that the API's description lets be absent; of any other there is a warning.
    `words`: the words that a field is known to have; of any other there is a warning.
    """

    may_lack: ClassVar[frozenset[str]] = frozenset()
    words: ClassVar[Mapping[str, frozenset[str]]] = {}


class Project(Row):
    """A project that the key sees."""

    fid: Fid
    name: str | None = None
    created_at: datetime | None = None


class Me(Row):
    """Whose key it is."""

    may_lack = frozenset({"fid", "email"})

    fid: str | None = None
    email: str | None = None


class InstanceType(Row):
    """A kind of machine; names are not unique."""

    fid: Fid
    name: str | None = None
    num_gpus: Count | None = None


class Instance(Row):
    """An instance as the list tells it; no field says when it last changed."""

    may_lack = frozenset({"region", "bid", "reservation", "ssh_destination", "private_ip"})
    words = _STATUS

    fid: Fid
    project: str
    status: str
    name: str | None = None
    created_at: datetime | None = None
    created_by: str | None = None
    instance_type: str | None = None
    region: str | None = None
    bid: str | None = None
    reservation: str | None = None
    ssh_destination: str | None = None
    private_ip: str | None = None


class InstanceState(Row):
    """An instance as its status endpoint tells it."""

    may_lack = frozenset({"bid", "reservation", "end_time"})
    words = _STATUS

    fid: Fid
    status: str
    name: str | None = None
    bid: str | None = None
    reservation: str | None = None
    end_time: datetime | None = None


class StatusEvent(Row):
    """From `timestamp` on the instance has that status."""

    words = _STATUS

    timestamp: datetime
    status: str


class StatusHistory(Row):
    """The status events of one instance, as far as this page goes."""

    may_lack = _OWNER

    instance_fid: Fid
    events: list[StatusEvent]
    bid_fid: str | None = None
    reservation_fid: str | None = None


class PricePeriod(Row):
    """One instance-hour costs `price_cents` from start to end; a null end is still open."""

    start_time: datetime
    price_cents: int
    end_time: datetime | None = None


class PriceHistory(Row):
    """The price periods of one instance, as far as this page goes."""

    may_lack = _OWNER

    instance_fid: Fid
    events: list[PricePeriod]
    bid_fid: str | None = None
    reservation_fid: str | None = None


class Reservation(Row):
    """A flexible reservation."""

    may_lack = frozenset({"project", "created_by", "created_at"})
    words = {"status": frozenset({"Pending", "Active", "Paused", "Canceled", "Ended"})}

    fid: Fid
    project: str | None = None
    name: str | None = None
    created_by: str | None = None
    created_at: datetime | None = None
    instance_quantity: Count | None = None
    instance_type: str | None = None
    region: str | None = None
    instances: list[Any] | None = None
    status: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    total_price: Money | None = None
    unit_price: Money | None = None


class ReservationEvent(Row):
    """Something that happened to a reservation, with the terms from then on where it names them."""

    may_lack = frozenset({"unit_price_cents", "pause_credit_cents", "return_credit_cents"})
    words = {
        "event_type": frozenset(
            {"Placed", "Active", "Paused", "Resumed", "Canceled", "Ended", "Terms Set", "Terms Changed"}
        )
    }

    event_type: str
    timestamp: datetime
    unit_price_cents: int | None = None
    pause_credit_cents: int | None = None
    return_credit_cents: int | None = None


class UsageSummary(Row):
    """The vendor's own sums for one reservation."""

    committed_cost_cents: int | None = None
    flex_use_credits_cents: int | None = None
    early_termination_credits_cents: int | None = None
    net_cost_cents: int | None = None
    reserved_instance_hours: Duration | None = None
    active_instance_hours: Duration | None = None
    idle_instance_hours: Duration | None = None
    as_of: datetime | None = None


class Grant(Row):
    """A terms period of a reservation; its prices are cents, as everywhere else in bare integers."""

    starts_at: datetime
    ends_at: datetime | None = None
    quantity: Count | None = None
    unit_price: Money | None = None
    price_credit: Money | None = None
    return_credit: Money | None = None


class ReservationUsage(Row):
    """The vendor's own answer for one reservation."""

    summary: UsageSummary
    grants: list[Grant] = []
    pricing_events: list[Any] = []


class Bid(Row):
    """A spot bid."""

    may_lack = frozenset({"project", "name", "created_by", "created_at", "instance_type", "region", "instances"})

    fid: Fid
    project: str | None = None
    name: str | None = None
    created_by: str | None = None
    created_at: datetime | None = None
    instance_quantity: Count | None = None
    instance_type: str | None = None
    region: str | None = None
    instances: list[Any] | None = None
    limit_price: Money | None = None
    status: str | None = None


class MarketSeries(Row):
    """Market prices of one type in one region, three lists of one length."""

    instance_type: str
    region: str
    timestamps: list[datetime]
    spot_prices: list[Money | None] = []
    reserved_prices: list[Money | None] = []


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: where it is, what wraps its rows, and what one row is.

    `envelope`: the key under which the rows are; None for a bare list; "" where the answer is one row.
    """

    name: str
    path: str
    row: type[Row]
    envelope: str | None
    paged: bool = False


ENDPOINTS: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint("me", "/v2/me", Me, ""),
        Endpoint("projects", "/v2/projects", Project, None),
        Endpoint("instance_types", "/v2/instance-types", InstanceType, None),
        Endpoint("instances", "/v2/instances", Instance, "data", paged=True),
        Endpoint("instance_state", "/v2/instances/{fid}/status", InstanceState, ""),
        Endpoint("status_history", "/v2/instances/status/history", StatusHistory, "instances", paged=True),
        Endpoint("price_history", "/v2/instances/pricing/history", PriceHistory, "instances", paged=True),
        Endpoint("reservations", "/v2/reservation", Reservation, "data", paged=True),
        Endpoint("reservation_events", "/v2/reservation/{fid}/history", ReservationEvent, "events"),
        Endpoint("reservation_usage", "/v2/reservation/{fid}/usage", ReservationUsage, ""),
        Endpoint("spot_bids", "/v2/spot/bids", Bid, "data", paged=True),
        Endpoint("market_prices", "/v2/pricing/history", MarketSeries, None),
    )
}
