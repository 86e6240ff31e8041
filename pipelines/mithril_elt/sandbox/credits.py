"""What the pauses of a reserved instance earn, what they might have earned, and what giving it back earns.

Stands between `sweep` and `truth` in the sandbox. Where a rate is not known an amount is unknown, never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import HOUR_US
from mithril_elt.sandbox.figures import UP, PauseTruth, phase_of
from mithril_elt.sandbox.grants import ended_us
from mithril_elt.sandbox.sweep import cut_at_hours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mithril_elt.sandbox.account import Instance, Reservation
    from mithril_elt.sandbox.figures import Earned, InstanceTruth
    from mithril_elt.sandbox.sweep import Piece

__all__ = ["add_credits", "pauses_without_terms"]


def pauses_without_terms(instance: Instance, time: Iterable[Piece], as_of_us: int) -> list[PauseTruth]:
    """The pauses of an instance whose reservation no list has: they are pauses, and nothing is known of a credit."""
    return [_pause(instance, run, as_of_us, has_terms=False) for run in _runs(time, _is_paused)]


def add_credits(
    truth: InstanceTruth, instance: Instance, reservation: Reservation, time: Iterable[Piece], as_of_us: int
) -> list[PauseTruth]:
    """Adds what its time inside the reservation's window earns; returns the pauses."""
    window = [piece for piece in time if piece.in_window]
    paused = list(_runs(window, _is_paused))
    _add_rated(truth, "credit", [run for run in paused if _lasts_us(run) >= HOUR_US])
    _add_rated(truth, "short_pauses", [run for run in paused if _lasts_us(run) < HOUR_US])
    _add_rated(truth, "unclaimed", [run for run in _runs(window, _is_idle) if _lasts_us(run) >= HOUR_US])
    _add_return(truth, instance, reservation, as_of_us)
    return [_pause(instance, run, as_of_us, has_terms=True) for run in paused]


def _lasts_us(run: Sequence[Piece]) -> int:
    return run[-1].until_us - run[0].from_us


def _is_paused(piece: Piece) -> bool:
    return piece.status == "PAUSED"


def _is_idle(piece: Piece) -> bool:
    """Whether a pause would have cost nothing: neither up nor paused already."""
    return phase_of(piece.status) not in UP and not _is_paused(piece)


def _add_rated(truth: InstanceTruth, part: str, runs: Iterable[Sequence[Piece]]) -> None:
    """Adds the time of these runs at the pause rate of each moment to that part of the figures."""
    time = [piece for run in runs for piece in run]
    if len({piece.pause_credit_cents is None for piece in time}) > 1:
        time = _known_through_and_through(time)
    for piece in time:
        for figures in truth.counted_at(piece.from_us):
            earned: Earned = getattr(figures, part)
            earned.add(piece.until_us - piece.from_us, piece.pause_credit_cents)


def _known_through_and_through(time: Iterable[Piece]) -> list[Piece]:
    """The time cut at the UTC hours; an hour in which the rate of any part is not known has none."""
    parts = [part for piece in time for part in cut_at_hours(piece)]
    unknown = {part.from_us // HOUR_US for part in parts if part.pause_credit_cents is None}
    return [part._replace(pause_credit_cents=None) if part.from_us // HOUR_US in unknown else part for part in parts]


def _runs(time: Iterable[Piece], belongs: Callable[[Piece], bool]) -> Iterator[list[Piece]]:
    """The longest runs of pieces that belong and follow each other without a gap."""
    run: list[Piece] = []
    for piece in time:
        if run and (run[-1].until_us != piece.from_us or not belongs(piece)):
            yield run
            run = []
        if belongs(piece):
            run.append(piece)
    if run:
        yield run


def _pause(instance: Instance, run: Sequence[Piece], as_of_us: int, *, has_terms: bool) -> PauseTruth:
    started_us, ended_at_us = run[0].from_us, run[-1].until_us
    is_credited = has_terms and _lasts_us(run) >= HOUR_US
    # One part without a known rate leaves the whole pause unknown.
    known = all(piece.pause_credit_cents is not None for piece in run)
    cent_us = sum((piece.until_us - piece.from_us) * (piece.pause_credit_cents or 0) for piece in run)
    worth = cent_us if known else None
    return PauseTruth(
        instance_fid=instance.fid,
        reservation_fid=instance.reservation or "",
        started_at_us=started_us,
        ended_at_us=ended_at_us,
        is_open=ended_at_us == as_of_us,
        has_terms=has_terms,
        is_credited=is_credited,
        credited_us=ended_at_us - started_us if is_credited else 0,
        pause_credit_cent_us=worth if is_credited else 0,
        short_pause_loss_cent_us=worth if has_terms and not is_credited else 0,
    )


def _add_return(truth: InstanceTruth, instance: Instance, reservation: Reservation, as_of_us: int) -> None:
    """The time left when it was given back for good, at the rate of that moment."""
    ends_us = ended_us(reservation, as_of_us)
    for change in instance.changes:
        if change.status == "STATUS_TERMINATED" and change.at_us < min(ends_us, as_of_us):
            rates = [
                terms.return_credit_cents
                for number, terms in enumerate(reservation.terms)
                if terms.return_credit_cents is not None and (number == 0 or terms.from_us <= change.at_us)
            ]
            truth.returned.add(ends_us - change.at_us, rates[-1] if rates else None)
