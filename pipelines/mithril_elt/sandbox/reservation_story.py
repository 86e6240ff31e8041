"""A reservation's story as of `now_us`: its events, its state, its terms, and the vendor's own sums.

Stands between `account` and `routes` in the sandbox; the sums are those of `truth`, rounded to cents.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from mithril_elt.sandbox.directory import ENDED
from mithril_elt.sandbox.grants import ended_us, grants
from mithril_elt.sandbox.rendering import hours, instant, rounded_cents
from mithril_elt.sandbox.truth import true_reservation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mithril_elt.sandbox.account import Instance, Reservation, Terms

__all__ = ["history_rows", "state_at", "terms_at", "usage_row"]

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


def history_rows(reservation: Reservation, instances: Sequence[Instance], now_us: int) -> list[Row]:
    """Its events in order of time; only those that set terms name prices."""
    return [_event_row(event) for event in _events(reservation, instances, now_us)]


def usage_row(reservation: Reservation, instances: Sequence[Instance], now_us: int) -> Row:
    """The vendor's sums up to now, the grants known by now, and the events that set prices.

    A credit for which no rate is known is 0: the vendor credits nothing then.
    """
    truth = true_reservation(reservation, instances, now_us)
    committed = rounded_cents(truth.committed_cost_cent_us)
    paused = rounded_cents(truth.pause_credit_cent_us or 0)
    returned = rounded_cents(truth.return_credit_cent_us or 0)
    return {
        "summary": {
            "committed_cost_cents": committed,
            "flex_use_credits_cents": paused,
            "early_termination_credits_cents": returned,
            "net_cost_cents": committed - paused - returned,
            "reserved_instance_hours": hours(truth.reserved_us),
            "active_instance_hours": hours(truth.used_us),
            "idle_instance_hours": hours(truth.unused_us),
            "as_of": instant(now_us),
        },
        "grants": [
            {
                "starts_at": instant(grant.starts_us),
                "ends_at": instant(grant.ends_us),
                "quantity": grant.quantity,
                "unit_price": grant.unit_price_cents,
                "price_credit": grant.pause_credit_cents,
                "return_credit": grant.return_credit_cents,
            }
            for grant in grants(reservation, now_us)
        ],
        "pricing_events": [_event_row(event) for event in _events(reservation, (), now_us) if event.terms],
    }


def _event_row(event: _Event) -> Row:
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
    told = [(change.at_us, instance.fid, change.status) for instance in instances for change in instance.changes]
    told.sort(key=itemgetter(0))  # by time alone: changes of one instant stay in the order they are told in
    statuses: dict[str, str] = {}
    paused = False
    for at_us, changes in groupby(told, key=itemgetter(0)):
        statuses.update((fid, status) for _, fid, status in changes)
        if paused != ({status for status in statuses.values() if status not in ENDED} == {"STATUS_PAUSED"}):
            paused = not paused
            yield _Event(at_us, "Paused" if paused else "Resumed")
