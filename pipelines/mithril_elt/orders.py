"""Whom to ask where a project alone is refused: its bids, its reservations, and the instances of neither.

Stands under `resources`, on `lists`; pure but for what it remembers in dlt's state. The API names the ways of
asking for a history ("of a specific instance, or of all instances in a bid or reservation"); whether a
project alone is one more is not documented.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mithril_elt.lists import Lists
from mithril_elt.windows import Span

__all__ = ["Order", "Orders", "over_instances"]

_ENDED_INSTANCE = frozenset({"STATUS_TERMINATED", "STATUS_REPLACED"})
_ENDED_ORDER = frozenset({"Terminated", "Ended", "Canceled"})
_EARLY = timedelta(days=1)  # an instance may have a history from a little before it was listed as created


@dataclass(frozen=True)
class Order:
    """A question that the API takes: `by` is bid_fid, reservation_fid or instance_fid."""

    by: str
    fid: str


@dataclass
class _Seen:
    """What the lists say of an order: its instances, since when it can have a history, whether it goes on."""

    members: list[str] = field(default_factory=list)
    created_at: list[datetime | None] = field(default_factory=list)
    goes_on: bool = False


class Orders:
    """All orders of a project that the lists name or ever named, each with the instant at which it was over.

    `remembered` is a dictionary of dlt's state; it is brought up to date, so that an order that has left the
    lists is still asked for. Over: every instance of it that is listed has ended, and so has the order.
    """

    def __init__(self, lists: Lists, project: str, remembered: dict[str, Any]) -> None:
        self._seen = _seen(lists, project)
        self._over_at: dict[str, dict[str, str | None]] = remembered
        for order, seen in self._seen.items():
            known = self._over_at.setdefault(order.by, {})
            over_at = known.get(order.fid) or lists.as_of.isoformat()
            known[order.fid] = None if seen.goes_on else over_at
        for order in self._all():
            if order not in self._seen:  # it has left the lists: since this run, or before
                self._over_at[order.by][order.fid] = self._over_at[order.by][order.fid] or lists.as_of.isoformat()

    def due(self, span: Span) -> list[Order]:
        """Those that may have a history in the span."""
        return [order for order in self._all() if not self._is_over(order, span) and not self._is_to_come(order, span)]

    def members(self, order: Order) -> list[str]:
        """The instances of an order that the lists name."""
        return self._seen[order].members if order in self._seen else []

    def _all(self) -> Iterator[Order]:
        for by, known in self._over_at.items():
            yield from (Order(by, fid) for fid in known)

    def _is_over(self, order: Order, span: Span) -> bool:
        over_at = self._over_at[order.by][order.fid]
        return over_at is not None and datetime.fromisoformat(over_at) <= span.start

    def _is_to_come(self, order: Order, span: Span) -> bool:
        created_at = self._seen[order].created_at if order in self._seen else [None]
        return all(at is not None and at - _EARLY >= span.end for at in created_at)


def over_instances(lists: Lists, project: str) -> set[str]:
    """The instances of a project that the list says have ended."""
    return {row["fid"] for row in lists.rows("instances", project) if row["status"] in _ENDED_INSTANCE}


def _seen(lists: Lists, project: str) -> dict[Order, _Seen]:
    """What the lists say of each order, also of one that only an instance names."""
    found: dict[Order, _Seen] = {}
    for table, by in (("spot_bids", "bid_fid"), ("reservations", "reservation_fid")):
        for row in lists.rows(table, project):
            goes_on = row["status"] not in _ENDED_ORDER
            found[Order(by, row["fid"])] = _Seen(created_at=[row["created_at"]], goes_on=goes_on)
    for row in lists.rows("instances", project):
        for order in _orders_of(row):
            seen = found.setdefault(order, _Seen())
            seen.members.append(row["fid"])
            seen.created_at.append(row["created_at"])
            seen.goes_on = seen.goes_on or row["status"] not in _ENDED_INSTANCE
    return found


def _orders_of(instance: dict[str, Any]) -> list[Order]:
    """The one or two orders that an instance names; itself if it names none."""
    named = (("bid_fid", instance["bid"]), ("reservation_fid", instance["reservation"]))
    return [Order(by, fid) for by, fid in named if fid] or [Order("instance_fid", instance["fid"])]
