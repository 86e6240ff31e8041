"""Pausing and starting reserved instances: what is refused, and what becomes of an instance's story.

Stands between `directory` and `routes` in the sandbox. The story itself is rewritten, so `truth` counts
what was asked for. Choices where the API is silent: an instance on its way to a state in which it could
be changed is refused (409); one for which waiting would not help keeps its status, and the answer says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mithril_elt.sandbox.account import MINUTE_US, StatusChange
from mithril_elt.sandbox.directory import changes_until, status_at
from mithril_elt.sandbox.lifecycle import ENDED
from mithril_elt.sandbox.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mithril_elt.sandbox.account import Instance
    from mithril_elt.sandbox.directory import Directory

__all__ = ["Wanted", "switch"]

Wanted = Literal["STATUS_RUNNING", "STATUS_PAUSED"]

_FROM: dict[Wanted, str] = {"STATUS_PAUSED": "STATUS_RUNNING", "STATUS_RUNNING": "STATUS_PAUSED"}

# Each step by how long after the request it comes, in microseconds.
_STEPS: dict[Wanted, tuple[tuple[int, str], ...]] = {
    "STATUS_PAUSED": ((0, "STATUS_STOPPING"), (45_000_000, "STATUS_PAUSED")),
    "STATUS_RUNNING": (
        (0, "STATUS_CONFIRMED"),
        (20_000_000, "STATUS_STARTING"),
        (3 * MINUTE_US, "STATUS_RUNNING"),
    ),
}

_ON_ITS_WAY = frozenset(
    {"STATUS_NEW", "STATUS_CONFIRMED", "STATUS_INITIALIZING", "STATUS_STARTING", "STATUS_STOPPING", "STATUS_RELOCATING"}
)


def switch(directory: Directory, fids: Sequence[str], wanted: Wanted, now_us: int) -> dict[str, str]:
    """Pauses or starts all these instances, or none; the status of each right after.

    Raises RefusedError: 404 for an instance that no list has, 501 for a spot one, 409 for
    one that is still on its way somewhere else.
    """
    instances = [directory.listed_instance(fid, now_us) for fid in fids]
    for instance in instances:
        if instance.reservation is None or instance.bid is not None:
            raise RefusedError(501, f"{instance.fid} is not part of a reservation: only those can be paused or started")
    for instance in instances:
        status = status_at(instance, now_us)
        if status in _ON_ITS_WAY:
            raise RefusedError(409, f"{instance.fid} is {status} and cannot be changed now")
    for instance in instances:
        if status_at(instance, now_us) == _FROM[wanted]:
            _rewrite(instance, wanted, now_us)
    return {instance.fid: status_at(instance, now_us) for instance in instances}


def _rewrite(instance: Instance, wanted: Wanted, now_us: int) -> None:
    """Puts the steps in place of what was to come. Its end stays: no request makes a reservation longer."""
    happened = changes_until(instance, now_us)
    planned_end = [change for change in instance.changes[happened:] if change.status in ENDED][:1]
    steps = [StatusChange(now_us + after_us, status) for after_us, status in _STEPS[wanted]]
    kept = [step for step in steps if not planned_end or step.at_us < planned_end[0].at_us]
    instance.changes[happened:] = [*kept, *planned_end]
