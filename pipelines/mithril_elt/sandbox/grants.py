"""What a reservation has granted by a given moment: its terms periods, cut to the time it holds.

Stands beside `account` in the sandbox: `truth` counts with these grants and `server` shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mithril_elt.sandbox.account import Reservation

__all__ = ["Grant", "ended_us", "grants"]


@dataclass(frozen=True)
class Grant:
    """`quantity` instances from `starts_us` until `ends_us`; rates are cents for one instance-hour."""

    starts_us: int
    ends_us: int
    quantity: int
    unit_price_cents: int
    pause_credit_cents: int | None
    return_credit_cents: int | None


def ended_us(reservation: Reservation, now_us: int) -> int:
    """When the reservation ends as far as is known at `now_us`: its end, or when it was canceled."""
    canceled = reservation.canceled_at_us
    if canceled is None or canceled > now_us:
        return reservation.end_us
    return min(canceled, reservation.end_us)


def grants(reservation: Reservation, now_us: int) -> list[Grant]:
    """The grants known at `now_us`, in order of time, none of them empty.

    Terms that change later than `now_us` are not known yet: until then the present ones reach to the
    end. A reservation that is placed later than `now_us` has granted nothing.
    """
    if reservation.placed_at_us > now_us:
        return []
    known = [terms for number, terms in enumerate(reservation.terms) if number == 0 or terms.from_us <= now_us]
    ends = ended_us(reservation, now_us)
    # The first terms hold from the start, whenever they were set; later ones cannot begin before it.
    begins = [reservation.start_us, *(max(reservation.start_us, terms.from_us) for terms in known[1:]), ends]
    return [
        Grant(
            starts_us=starts_us,
            ends_us=min(until_us, ends),
            quantity=reservation.instance_quantity,
            unit_price_cents=terms.unit_price_cents,
            pause_credit_cents=terms.pause_credit_cents,
            return_credit_cents=terms.return_credit_cents,
        )
        for terms, (starts_us, until_us) in zip(known, pairwise(begins), strict=True)
        if starts_us < min(until_us, ends)
    ]
