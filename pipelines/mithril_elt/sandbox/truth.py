"""The true figures of a made-up account, as it is known at any moment of its story.

Stands at the end of the sandbox: tests hold the marts and reports against it. It adds up the pieces of
`sweep`, each of which has one status, one price and one rate; `credits` and `turns` see to whole spells.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import Account, Instance, Reservation
from mithril_elt.sandbox.bargains import Bargain, add_bargain, bargains
from mithril_elt.sandbox.credits import add_credits, pauses_without_terms
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
from mithril_elt.sandbox.grants import grants
from mithril_elt.sandbox.sweep import Piece, pieces
from mithril_elt.sandbox.turns import add_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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


def true_figures(account: Account, as_of_us: int) -> Truth:
    """Every figure of the account as it is known at `as_of_us`; what happens then or later does not count.

    It reads the stories as they are now: a pause that was asked for meanwhile is in it.
    """
    reservations = {each.fid: each for each in account.reservations if each.listed and each.placed_at_us <= as_of_us}
    gpus_of, bargain_of = _gpus(account, reservations, as_of_us), bargains(account, as_of_us)
    known = [each for each in account.instances if _is_known(each, as_of_us)]
    instances: dict[str, InstanceTruth] = {}
    pauses: list[PauseTruth] = []
    for each in known:
        reservation = reservations.get(_reserved_in(each))
        figures, its_pauses = _instance(each, reservation, as_of_us, bargain_of(each))
        figures.num_gpus = gpus_of(each)
        instances[each.fid] = figures
        pauses += its_pauses
    members = defaultdict(list)
    for each in known:
        members[_reserved_in(each)].append(instances[each.fid])
    return Truth(
        as_of_us=as_of_us,
        instances=instances,
        reservations={fid: _reservation(each, members[fid], as_of_us) for fid, each in reservations.items()},
        pauses=sorted(pauses, key=lambda pause: (pause.started_at_us, pause.instance_fid)),
    )


def true_reservation(reservation: Reservation, instances: Iterable[Instance], as_of_us: int) -> ReservationTruth:
    """The figures of one reservation and its instances, without the rest of the account."""
    known = [each for each in instances if _reserved_in(each) and _is_known(each, as_of_us)]
    members = [_instance(each, reservation, as_of_us, Bargain())[0] for each in known]
    return _reservation(reservation, members, as_of_us)


def _reserved_in(instance: Instance) -> str:
    """The reservation that it is part of, or "": with a bid it is a spot instance and only that."""
    return instance.reservation or "" if instance.bid is None else ""


def _gpus(account: Account, reservations: Mapping[str, Reservation], as_of_us: int) -> Callable[[Instance], int | None]:
    """How many GPUs an instance has; None if no list has its type, or nothing that would say its type.

    What the list of instances does not have is of the type of its order, if that is listed.
    """
    gpus = {each.fid: each.num_gpus for each in account.instance_types if each.listed}
    types = {fid: each.instance_type for fid, each in reservations.items()}
    types |= {each.fid: each.instance_type for each in account.bids if each.created_at_us <= as_of_us}

    def gpus_of(instance: Instance) -> int | None:
        ordered = types.get(instance.bid or "") or types.get(instance.reservation or "") or ""
        return gpus.get(instance.instance_type if instance.listed else ordered)

    return gpus_of


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
        missed_cent_us=sum(each.unclaimed.known_cent_us + each.short_pauses.known_cent_us for each in members),
    )


def _instance(
    instance: Instance, reservation: Reservation | None, as_of_us: int, bargain: Bargain
) -> tuple[InstanceTruth, list[PauseTruth]]:
    """The instance and its pauses; `reservation` is None where none is known, so that no terms are."""
    time = list(pieces(instance, reservation, as_of_us))
    truth = InstanceTruth(fid=instance.fid)
    for piece in time:
        for figures in truth.counted_at(piece.from_us):
            _add_piece(figures, piece, is_spot=instance.bid is not None)
        if instance.bid is not None and phase_of(piece.status) in UP:
            add_bargain(truth, piece, bargain)
    add_turns(truth, time)
    if reservation is None:
        return truth, pauses_without_terms(instance, time, as_of_us) if _reserved_in(instance) else []
    return truth, add_credits(truth, instance, reservation, time, as_of_us)


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
