"""One instance's time cut wherever anything changes, so that inside a piece everything is constant.

Stands between `account` and `truth` in the sandbox. Each change of status, price, grant, rate, window
and UTC day is a mark on one line; a single pass over the sorted marks carries the state along.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from mithril_elt.sandbox.account import DAY_US, HOUR_US
from mithril_elt.sandbox.grants import ended_us, grants
from mithril_elt.sandbox.lifecycle import ENDED, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mithril_elt.sandbox.account import Instance, PricePeriod, Reservation

__all__ = ["Piece", "cut_at_hours", "pieces"]


class Piece(NamedTuple):
    """A span inside one spell and one UTC day; rates are cents for one instance-hour, None where there is none."""

    from_us: int
    until_us: int
    status: str
    price_cents: int | None
    unit_price_cents: int | None
    pause_credit_cents: int | None
    in_window: bool


class _Mark(NamedTuple):
    """At `at_us` the named part of the state becomes `value`; marks of one instant are taken in `order`."""

    at_us: int
    order: int
    part: str
    value: object


@dataclass
class _State:
    status: str | None = None
    price: PricePeriod | None = None
    unit_price_cents: int | None = None
    pause_credit_cents: int | None = None
    in_window: bool = False
    day: int = 0

    def take(self, mark: _Mark) -> None:
        # A period that ends after the next has begun must not take the price of the next away.
        if mark.part != "price_over":
            setattr(self, mark.part, mark.value)
        elif self.price is mark.value:
            self.price = None


def pieces(instance: Instance, reservation: Reservation | None, as_of_us: int) -> Iterator[Piece]:
    """The spells of the instance up to `as_of_us` in pieces, in order of time; no piece is empty.

    `reservation` is the one that its pauses and its price belong to, or None.
    """
    marks = [
        *_status_marks(instance),
        *_price_marks(instance),
        *([] if reservation is None else _reservation_marks(reservation, as_of_us)),
    ]
    marks = [mark for mark in marks if mark.at_us < as_of_us]
    if not marks:
        return
    first_day = min(mark.at_us for mark in marks) // DAY_US + 1
    marks += [_Mark(day * DAY_US, 0, "day", day) for day in range(first_day, as_of_us // DAY_US + 1)]
    marks.sort(key=itemgetter(0, 1))
    state = _State()
    for number, mark in enumerate(marks):
        state.take(mark)
        until_us = marks[number + 1].at_us if number + 1 < len(marks) else as_of_us
        if state.status is not None and mark.at_us < until_us:
            yield Piece(
                mark.at_us,
                until_us,
                state.status,
                state.price.price_cents if state.price else None,
                state.unit_price_cents,
                state.pause_credit_cents,
                state.in_window,
            )


def cut_at_hours(piece: Piece) -> Iterator[Piece]:
    """The piece in parts that meet at the UTC hours."""
    first = piece.from_us // HOUR_US + 1
    cuts = [hour * HOUR_US for hour in range(first, -(-piece.until_us // HOUR_US))]
    for from_us, until_us in pairwise((piece.from_us, *cuts, piece.until_us)):
        yield piece._replace(from_us=from_us, until_us=until_us)


def _status_marks(instance: Instance) -> Iterator[_Mark]:
    for change in instance.changes:
        status = None if change.status in ENDED else change.status.removeprefix("STATUS_")
        yield _Mark(change.at_us, stage(change.status), "status", status)


def _price_marks(instance: Instance) -> Iterator[_Mark]:
    for period in instance.prices:
        yield _Mark(period.start_us, 1, "price", period)
        if period.end_us is not None:
            yield _Mark(period.end_us, 0, "price_over", period)


def _reservation_marks(reservation: Reservation, as_of_us: int) -> Iterator[_Mark]:
    for grant in grants(reservation, as_of_us):
        yield _Mark(grant.starts_us, 1, "unit_price_cents", grant.unit_price_cents)
        yield _Mark(grant.ends_us, 0, "unit_price_cents", None)
    for number, terms in enumerate(reservation.terms):
        # Terms that name no rate leave the one before in force.
        if terms.pause_credit_cents is not None:
            from_us = terms.from_us if number else reservation.placed_at_us
            yield _Mark(from_us, number, "pause_credit_cents", terms.pause_credit_cents)
    yield _Mark(reservation.start_us, 1, "in_window", value=True)
    yield _Mark(ended_us(reservation, as_of_us), 2, "in_window", value=False)
