"""The vendor's own sums of a reservation as of `now_us`, counted by the rule that the readings choose.

Stands between `sweep` and `routes` in the sandbox. By the usual rules the sums are those of `truth`; by
the others they differ, as the real vendor's may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mithril_elt.sandbox.account import HOUR_US
from mithril_elt.sandbox.grants import grants
from mithril_elt.sandbox.rendering import hours, rounded_cents
from mithril_elt.sandbox.reservation_story import pricing_rows
from mithril_elt.sandbox.sweep import pieces
from mithril_elt.sandbox.truth import true_reservation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mithril_elt.sandbox.account import Instance, Reservation
    from mithril_elt.sandbox.figures import ReservationTruth
    from mithril_elt.sandbox.sweep import Piece
    from mithril_elt.sandbox.tellings import Wording

__all__ = ["usage_row"]

_ON_ITS_WAY = frozenset({"NEW", "CONFIRMED", "INITIALIZING", "STARTING"})

Spell = list["Piece"]


def usage_row(reservation: Reservation, instances: Sequence[Instance], now_us: int, wording: Wording) -> dict[str, Any]:
    """The vendor's sums up to now, the grants known by now, and the events that set prices.

    Time for which no rate is known is credited with nothing.
    """
    instant, readings = wording.instant, wording.readings
    truth = true_reservation(reservation, instances, now_us)
    # With a bid it is a spot instance, whatever reservation it names.
    lives = [list(pieces(each, reservation, now_us)) for each in instances if each.bid is None]
    committed = rounded_cents(truth.committed_cost_cent_us)
    paused = rounded_cents(sum(_pause_credit_cent_us(life, readings.pause_clock) for life in lives))
    returned = rounded_cents(truth.return_credit_cent_us or 0)
    active_us = _active_us(truth, lives, readings.active_hours)
    return {
        "summary": {
            "committed_cost_cents": committed,
            "flex_use_credits_cents": paused,
            "early_termination_credits_cents": returned,
            "net_cost_cents": committed - paused - returned,
            "reserved_instance_hours": hours(truth.reserved_us),
            "active_instance_hours": hours(active_us),
            "idle_instance_hours": hours(truth.reserved_us - active_us),
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
        "pricing_events": pricing_rows(reservation, now_us, instant),
    }


def _active_us(truth: ReservationTruth, lives: Sequence[Spell], active_hours: str) -> int:
    """The reserved time that counts as active: up, only running, or all that is not paused."""
    if active_hours == "up":
        return truth.used_us
    reserved = [piece for life in lives for piece in life if piece.unit_price_cents is not None]
    if active_hours == "running":
        return sum(piece.until_us - piece.from_us for piece in reserved if piece.status == "RUNNING")
    return truth.reserved_us - sum(piece.until_us - piece.from_us for piece in reserved if piece.status == "PAUSED")


def _pause_credit_cent_us(life: Sequence[Piece], clock: str) -> int:
    """What the pauses of one instance are credited with; `clock`: the reading `pause_clock`."""
    credit_cent_us = 0
    for stretch in _stretches(life, clock):
        from_us = stretch[0].from_us
        if clock != "any_length" and stretch[-1].until_us - from_us < HOUR_US:
            continue
        if clock == "past_first_hour":
            from_us += HOUR_US
        for piece in stretch:
            counted_us = max(0, piece.until_us - max(piece.from_us, from_us))
            credit_cent_us += counted_us * (piece.pause_credit_cents or 0)
    return credit_cent_us


def _stretches(life: Sequence[Piece], clock: str) -> Iterator[Spell]:
    """Each PAUSED spell inside the window, with what leads into it and out of it as far as the clock runs then."""
    spells = _spells(life)
    for number, spell in enumerate(spells):
        if spell[0].status != "PAUSED":
            continue
        stretch = list(spell)
        if clock.startswith("from_stopping") and number:
            before = spells[number - 1]
            leads_in = before[0].status == "STOPPING" and before[-1].until_us == spell[0].from_us
            stretch = [*(before if leads_in else ()), *stretch]
        if clock.endswith("until_running"):
            for after in spells[number + 1 :]:
                if after[0].status not in _ON_ITS_WAY or after[0].from_us != stretch[-1].until_us:
                    break
                stretch += after
        yield stretch


def _spells(life: Sequence[Piece]) -> list[Spell]:
    """The pieces inside the window, those of one status that follow each other together."""
    spells: list[Spell] = []
    for piece in life:
        if not piece.in_window:
            continue
        if spells and spells[-1][-1].status == piece.status and spells[-1][-1].until_us == piece.from_us:
            spells[-1].append(piece)
        else:
            spells.append([piece])
    return spells
