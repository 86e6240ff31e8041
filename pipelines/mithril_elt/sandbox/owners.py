"""Whose history is asked for: what a question must name, and the instances that it is about.

Stands between `directory` and `history_routes` in the sandbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mithril_elt.sandbox.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mithril_elt.sandbox.account import Instance
    from mithril_elt.sandbox.directory import Directory
    from mithril_elt.sandbox.readings import Readings

__all__ = ["check_narrowed", "owners"]


def check_narrowed(readings: Readings, narrowed_by: Iterable[str | None]) -> None:
    """Raises RefusedError if a project alone is not enough and nothing else is asked for."""
    if readings.project_alone == "accepted" or any(fid is not None for fid in narrowed_by):
        return
    sentence = "One of instance_fid, bid_fid and reservation_fid is needed"
    if readings.project_alone == "400":
        raise RefusedError(400, sentence)
    raise RefusedError(422, [{"type": "value_error", "loc": ["query"], "msg": f"Value error, {sentence}"}])


def owners(
    directory: Directory,
    project: str,
    now_us: int,
    *,
    instance_fid: str | None = None,
    bid_fid: str | None = None,
    reservation_fid: str | None = None,
) -> list[Instance]:
    """The instances asked for, in order of (created_at_us, fid); also those that the list has no more.

    Raises RefusedError (404) for an instance, bid or reservation that the project does not have.
    """
    found = [one for one in directory.in_project[project] if one.created_at_us <= now_us]
    if instance_fid is not None:
        found = [one for one in found if one.fid == instance_fid]
        if not found:
            raise RefusedError(404, "Instance not found")
    if bid_fid is not None:
        found = [one for one in found if one.bid == bid_fid]
        if not found and all(bid.fid != bid_fid for bid in directory.bids(project, now_us)):
            raise RefusedError(404, "Bid not found")
    if reservation_fid is not None:
        found = [one for one in found if one.reservation == reservation_fid]
        listed = directory.listed_reservations(project, now_us)
        if not found and all(reservation.fid != reservation_fid for reservation in listed):
            raise RefusedError(404, "Reservation not found")
    return found
