"""A reservation's story as of `now_us`: its events, its state and its terms.

Stands between `account` and `lists`, `usage` and `routes` in the sandbox.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from mithril_elt.sandbox.grants import ended_us
from mithril_elt.sandbox.lifecycle import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mithril_elt.sandbox.account import Instance, Reservation, Terms
    from mithril_elt.sandbox.rendering import Instants

__all__ = ["history_rows", "pricing_rows", "state_at", "terms_at"]

Row = dict[str, Any]

# Events of one instant are told in this order.
_ORDER = ("Placed", "Terms Set", "Active", "Terms Changed", "Paused", "Resumed", "Canceled", "Ended")


class _Event(NamedTuple):
    at_us: int
    kind: str
    terms: Terms | None = None


def terms_at(reservation: Reservation, now_us: int) -> Terms:
    """The terms in force; the first ones hold from the start, whenever they were set."""
    changed = bisect_right(reservation.terms, now_us, lo=1, key=attrgetter("from_us")) - 1
    return reservation.terms[changed]


def state_at(reservation: Reservation, instances: Sequence[Instance], now_us: int) -> str:
    """Pending, Active, Paused (all its instances are), Canceled or Ended."""
    state = "Pending"
    states = {"Active": "Active", "Paused": "Paused", "Resumed": "Active", "Canceled": "Canceled", "Ended": "Ended"}
    for event in _events(reservation, instances, now_us):
        state = states.get(event.kind, state)
    return state


def history_rows(reservation: Reservation, instances: Sequence[Instance], now_us: int, instant: Instants) -> list[Row]:
    """Its events in order of time; only those that set terms name prices."""
    return [_event_row(event, instant) for event in _events(reservation, instances, now_us)]


def pricing_rows(reservation: Reservation, now_us: int, instant: Instants) -> list[Row]:
    """Those of its events that set terms."""
    return [_event_row(event, instant) for event in _events(reservation, (), now_us) if event.terms]


def _event_row(event: _Event, instant: Instants) -> Row:
    terms = event.terms
    return {
        "event_type": event.kind,
        "timestamp": instant(event.at_us),
        "unit_price_cents": terms.unit_price_cents if terms else None,
        "pause_credit_cents": terms.pause_credit_cents if terms else None,
        "return_credit_cents": terms.return_credit_cents if terms else None,
    }


def _events(reservation: Reservation, instances: Sequence[Instance], now_us: int) -> list[_Event]:
    over_us = ended_us(reservation, now_us)
    while_it_holds = [_Event(terms.from_us, "Terms Changed", terms) for terms in reservation.terms[1:]]
    while_it_holds += [event for event in _pauses(instances) if event.at_us >= reservation.start_us]
    events = [
        _Event(reservation.placed_at_us, "Placed"),
        _Event(reservation.placed_at_us, "Terms Set", reservation.terms[0]),
        *(event for event in (_Event(reservation.start_us, "Active"), *while_it_holds) if event.at_us < over_us),
        _Event(over_us, "Ended" if over_us == reservation.end_us else "Canceled"),
    ]
    happened = [event for event in events if event.at_us <= now_us]
    return sorted(happened, key=lambda event: (event.at_us, _ORDER.index(event.kind)))


def _pauses(instances: Sequence[Instance]) -> Iterator[_Event]:
    """When all of its instances that are not over came to be paused, and when that ended."""
    told = [
        (change.at_us, instance.fid, change.status)
        for instance in instances
        if instance.bid is None  # with a bid it is a spot instance, whatever reservation it names
        for change in instance.changes
    ]
    told.sort(key=itemgetter(0))  # by time alone: changes of one instant stay in the order they are told in
    statuses: dict[str, str] = {}
    paused = False
    for at_us, changes in groupby(told, key=itemgetter(0)):
        statuses.update((fid, status) for _, fid, status in changes)
        if paused != ({status for status in statuses.values() if status not in ENDED} == {"STATUS_PAUSED"}):
            paused = not paused
            yield _Event(at_us, "Paused" if paused else "Resumed")
