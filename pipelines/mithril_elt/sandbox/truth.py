"""The true figures of a made-up account, as it is known at any moment of its story.

Stands at the end of the sandbox: tests hold the marts and reports against it. It adds up the pieces of
`sweep`, each of which has one status, one price and one rate.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import HOUR_US, Account, Instance, Reservation
from mithril_elt.sandbox.figures import (
    PHASES,
    UP,
    Earned,
    Figures,
    InstanceTruth,
    PauseTruth,
    ReservationTruth,
    Truth,
    phase_of,
)
from mithril_elt.sandbox.grants import ended_us, grants
from mithril_elt.sandbox.sweep import DAY_US, Piece, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = [
    "PHASES",
    "Earned",
    "Figures",
    "InstanceTruth",
    "PauseTruth",
    "ReservationTruth",
    "Truth",
    "true_figures",
    "true_reservation",
]

_ON_ITS_WAY = frozenset({"waiting", "starting"})


def true_figures(account: Account, as_of_us: int) -> Truth:
    """Every figure of the account as it is known at `as_of_us`; what happens then or later does not count.

    It reads the stories as they are now: a pause that was asked for meanwhile is in it.
    """
    gpus = {each.fid: each.num_gpus for each in account.instance_types if each.listed}
    reservations = {each.fid: each for each in account.reservations if each.listed and each.placed_at_us <= as_of_us}
    known = [each for each in account.instances if _is_known(each, as_of_us)]
    instances: dict[str, InstanceTruth] = {}
    pauses: list[PauseTruth] = []
    for each in known:
        reservation = reservations.get(each.reservation or "")
        figures, its_pauses = _instance(each, reservation, as_of_us)
        figures.num_gpus = gpus.get(each.instance_type) if each.listed else None
        instances[each.fid] = figures
        pauses += its_pauses
    members = defaultdict(list)
    for each in known:
        members[each.reservation].append(instances[each.fid])
    return Truth(
        as_of_us=as_of_us,
        instances=instances,
        reservations={fid: _reservation(each, members[fid], as_of_us) for fid, each in reservations.items()},
        pauses=sorted(pauses, key=lambda pause: (pause.started_at_us, pause.instance_fid)),
    )


def true_reservation(reservation: Reservation, instances: Iterable[Instance], as_of_us: int) -> ReservationTruth:
    """The figures of one reservation and its instances, without the rest of the account."""
    members = [_instance(each, reservation, as_of_us)[0] for each in instances if _is_known(each, as_of_us)]
    return _reservation(reservation, members, as_of_us)


def _is_known(instance: Instance, as_of_us: int) -> bool:
    """Whether the list has it by then, or a history does."""
    listed = instance.listed and instance.created_at_us <= as_of_us
    return listed or any(change.at_us < as_of_us for change in instance.changes)


def _reservation(reservation: Reservation, members: Sequence[InstanceTruth], as_of_us: int) -> ReservationTruth:
    given = grants(reservation, as_of_us)
    committed = Earned()
    reserved = Earned()
    for grant in given:
        committed.add(grant.quantity * (grant.ends_us - grant.starts_us), grant.unit_price_cents)
        reserved.add(grant.quantity * max(0, min(grant.ends_us, as_of_us) - grant.starts_us), grant.unit_price_cents)
    used_cent_us = sum(member.allocated_cost_cent_us for member in members)
    credit, returned = Earned(), Earned()
    for member in members:
        credit.include(member.credit)
        returned.include(member.returned)
    return ReservationTruth(
        fid=reservation.fid,
        reserved_us=reserved.us,
        used_us=sum(member.reserved_used_us for member in members),
        committed_us=committed.us,
        committed_cost_cent_us=committed.known_cent_us,
        allocated_used_cent_us=used_cent_us,
        allocated_unused_cent_us=reserved.known_cent_us - used_cent_us,
        credit=credit,
        returned=returned,
    )


def _instance(
    instance: Instance, reservation: Reservation | None, as_of_us: int
) -> tuple[InstanceTruth, list[PauseTruth]]:
    """The instance and its pauses; `reservation` is None where none is known, so that no terms are."""
    time = list(pieces(instance, reservation, as_of_us))
    truth = InstanceTruth(fid=instance.fid)
    for piece in time:
        for figures in _both(truth, piece):
            _add_piece(figures, piece, is_spot=instance.bid is not None)
    _add_turns(truth, _spells(time))
    if reservation is None:
        runs = _runs(time, _is_paused) if instance.reservation else ()
        return truth, [_pause(instance, run, as_of_us, has_terms=False) for run in runs]
    window = [piece for piece in time if piece.in_window]
    pauses = []
    for run in _runs(window, _is_paused):
        pauses.append(_pause(instance, run, as_of_us, has_terms=True))
        _add_run(truth, run, "credit" if pauses[-1].is_credited else "short_pauses")
    for run in _runs(window, _is_idle):
        if run[-1].until_us - run[0].from_us >= HOUR_US:
            _add_run(truth, run, "unclaimed")
    _add_return(truth, instance, reservation, as_of_us)
    return truth, pauses


def _is_paused(piece: Piece) -> bool:
    return piece.status == "PAUSED"


def _is_idle(piece: Piece) -> bool:
    """Whether a pause would have cost nothing: neither up nor paused already."""
    return phase_of(piece.status) not in UP and not _is_paused(piece)


def _both(truth: InstanceTruth, piece: Piece) -> tuple[Figures, Figures]:
    """The figures that a piece belongs to: those in all and those of its day."""
    day = datetime.fromtimestamp(piece.from_us // DAY_US * 86_400, UTC).date().isoformat()
    return truth, truth.by_day[day]


def _add_piece(figures: Figures, piece: Piece, *, is_spot: bool) -> None:
    lasts_us = piece.until_us - piece.from_us
    phase = phase_of(piece.status)
    figures.phase_us[phase] += lasts_us
    if phase not in UP:
        return
    if is_spot:
        figures.billed_us += lasts_us
        if piece.price_cents is not None:
            figures.priced_us += lasts_us
            figures.spot_cost_cent_us += lasts_us * piece.price_cents
    if piece.unit_price_cents is not None:
        figures.reserved_used_us += lasts_us
        figures.allocated_cost_cent_us += lasts_us * piece.unit_price_cents


def _add_run(truth: InstanceTruth, run: Sequence[Piece], part: str) -> None:
    """Adds a run's time at the pause rate of each moment to that part of the figures."""
    for piece in run:
        for figures in _both(truth, piece):
            earned: Earned = getattr(figures, part)
            earned.add(piece.until_us - piece.from_us, piece.pause_credit_cents)


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
    is_credited = has_terms and ended_at_us - started_us >= HOUR_US
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


def _spells(time: Iterable[Piece]) -> list[Piece]:
    """The pieces of one status that follow each other, made one."""
    spells: list[Piece] = []
    for piece in time:
        if spells and spells[-1].status == piece.status and spells[-1].until_us == piece.from_us:
            spells[-1] = spells[-1]._replace(until_us=piece.until_us)
        else:
            spells.append(piece)
    return spells


def _add_turns(truth: InstanceTruth, spells: Sequence[Piece]) -> None:
    """Interruptions and how long they took to mend; starts and how long they took."""
    running = [spell.from_us for spell in spells if spell.status == "RUNNING"]
    left: Piece | None = None
    for entered in spells:
        before = phase_of(left.status) if left and left.until_us == entered.from_us else None
        phase = phase_of(entered.status)
        later = running[bisect_right(running, entered.from_us) :][:1]
        took_us = [at_us - entered.from_us for at_us in later]
        if phase == "interrupted" and before not in {None, "interrupted"}:
            truth.interruptions += 1
            truth.recoveries_us += took_us if before in UP else []
        if phase in _ON_ITS_WAY and before not in _ON_ITS_WAY | UP:
            truth.starts_us += took_us
        left = entered
