"""The rows of the sandbox's lists, as the API writes them, as of `now_us`.

Stands between `directory` and `routes` in the sandbox: one function a kind of row, each from plain data.
`instant` writes the instants in it.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any
from zlib import crc32

from mithril_elt.sandbox.directory import ended_at_us, status_at
from mithril_elt.sandbox.lifecycle import ENDED
from mithril_elt.sandbox.rendering import dollars, rounded_cents
from mithril_elt.sandbox.reservation_story import state_at, terms_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mithril_elt.sandbox.account import Bid, Instance, InstanceType, Market, Project, Reservation
    from mithril_elt.sandbox.rendering import Instants

__all__ = [
    "bid_row",
    "bid_status",
    "instance_row",
    "instance_state",
    "instance_type_row",
    "market_series",
    "project_row",
    "reservation_row",
]

Row = dict[str, Any]

_REACHABLE = frozenset({"STATUS_RUNNING", "STATUS_PREEMPTING", "STATUS_RELOCATING"})


def project_row(project: Project, instant: Instants) -> Row:
    """A project."""
    return {"fid": project.fid, "name": project.name, "created_at": instant(project.created_at_us)}


def instance_type_row(kind: InstanceType) -> Row:
    """An instance type."""
    return {"fid": kind.fid, "name": kind.name, "num_gpus": kind.num_gpus}


def instance_row(instance: Instance, now_us: int, instant: Instants) -> Row:
    """An instance as the list has it. It has addresses only while it can be reached."""
    status = status_at(instance, now_us)
    reachable = status in _REACHABLE
    return {
        "fid": instance.fid,
        "name": instance.name,
        "project": instance.project,
        "created_at": instant(instance.created_at_us),
        "created_by": instance.created_by,
        "instance_type": instance.instance_type,
        "status": status,
        "region": instance.region,
        "bid": instance.bid,
        "reservation": instance.reservation,
        "ssh_destination": f"{instance.name}.sandbox.example" if reachable else None,
        "private_ip": _private_ip(instance.fid) if reachable else None,
    }


def instance_state(instance: Instance, now_us: int, instant: Instants) -> Row:
    """An instance as its status endpoint has it; `end_time` is when it ended for good."""
    ended_us = ended_at_us(instance, now_us)
    return {
        "fid": instance.fid,
        "name": instance.name,
        "status": status_at(instance, now_us),
        "bid": instance.bid,
        "reservation": instance.reservation,
        "end_time": None if ended_us is None else instant(ended_us),
    }


def reservation_row(
    reservation: Reservation, fids: list[str], instances: Sequence[Instance], now_us: int, instant: Instants
) -> Row:
    """A reservation with the fids of its instances that are listed. `total_price` was charged when it was placed."""
    placed = reservation.terms[0]
    reserved_us = reservation.instance_quantity * (reservation.end_us - reservation.start_us)
    return {
        "fid": reservation.fid,
        "name": reservation.name,
        "project": reservation.project,
        "created_by": reservation.created_by,
        "created_at": instant(reservation.placed_at_us),
        "instance_quantity": reservation.instance_quantity,
        "instance_type": reservation.instance_type,
        "region": reservation.region,
        "instances": fids,
        "status": state_at(reservation, instances, now_us),
        "start_time": instant(reservation.start_us),
        "end_time": instant(reservation.end_us),
        "total_price": dollars(rounded_cents(placed.unit_price_cents * reserved_us)),
        "unit_price": dollars(terms_at(reservation, now_us).unit_price_cents),
    }


def bid_row(bid: Bid, fids: list[str], instances: Sequence[Instance], now_us: int, instant: Instants) -> Row:
    """A spot bid with the fids of its instances that are listed."""
    return {
        "fid": bid.fid,
        "name": bid.name,
        "project": bid.project,
        "created_by": bid.created_by,
        "created_at": instant(bid.created_at_us),
        "instance_quantity": bid.instance_quantity,
        "instance_type": bid.instance_type,
        "region": bid.region,
        "instances": fids,
        "limit_price": dollars(bid.limit_price_cents),
        "status": bid_status(instances, now_us),
    }


def bid_status(instances: Iterable[Instance], now_us: int) -> str:
    """Terminated (all are over), Preempting, Allocated (one is up) or Open (none is)."""
    statuses = {status_at(instance, now_us) for instance in instances}
    if statuses and statuses <= ENDED:
        return "Terminated"
    if "STATUS_PREEMPTING" in statuses:
        return "Preempting"
    return "Allocated" if statuses & _REACHABLE else "Open"


def market_series(market: Market, num_samples: int, now_us: int, instant: Instants) -> Row:
    """The prices of one market up to now: all of them (-1), or that many, evenly thinned out, the last one always."""
    known = bisect_right(market.changed_at_us, now_us)
    numbers = range(known) if num_samples < 0 or known <= num_samples else _thinned(known, num_samples)
    return {
        "instance_type": market.instance_type,
        "region": market.region,
        "timestamps": [instant(market.changed_at_us[number]) for number in numbers],
        "spot_prices": [dollars(market.spot_price_cents[number]) for number in numbers],
        "reserved_prices": [_dollars_or_none(market.reserved_price_cents[number]) for number in numbers],
    }


def _dollars_or_none(cents: int | None) -> str | None:
    return None if cents is None else dollars(cents)


def _thinned(known: int, num_samples: int) -> list[int]:
    return [(number + 1) * known // num_samples - 1 for number in range(num_samples)]


def _private_ip(fid: str) -> str:
    first, second, third = crc32(fid.encode()).to_bytes(4, "big")[:3]
    return f"10.{first}.{second}.{third}"
