"""The stages of an instance's life, and a story as spells: which status holds from when until when.

Stands under `sweep` and the tellings in the sandbox: both read a story by these rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mithril_elt.sandbox.account import StatusChange

__all__ = ["ENDED", "NEVER_US", "Spell", "spells", "stage"]

ENDED = frozenset({"STATUS_TERMINATED", "STATUS_REPLACED"})
NEVER_US = 1 << 62  # later than any clock

# Where several statuses have one timestamp, the last of this order holds; "" stands for every unknown one.
_LIFECYCLE = (
    "NEW",
    "CONFIRMED",
    "INITIALIZING",
    "STARTING",
    "RUNNING",
    "RELOCATING",
    "PREEMPTING",
    "STOPPING",
    "PAUSED",
    "PREEMPTED",
    "ERROR",
    "",
    "REPLACED",
    "TERMINATED",
)
_STAGES = {f"STATUS_{status}": number for number, status in enumerate(_LIFECYCLE)}
_UNKNOWN = _STAGES["STATUS_"]


def stage(status: str) -> int:
    """How far in its life an instance of that status (`STATUS_…`) is; an unknown one comes before the endings."""
    return _STAGES.get(status, _UNKNOWN)


class Spell(NamedTuple):
    """From `from_us` until `until_us` the instance has that status; the last spell of a story has no end."""

    from_us: int
    until_us: int
    status: str


def spells(changes: Iterable[StatusChange]) -> list[Spell]:
    """The story as spells, in order of time; an ending opens none."""
    told: list[Spell] = []
    for at_us, status in {change.at_us: change.status for change in sorted(changes, key=_standing)}.items():
        if told and told[-1].until_us == NEVER_US:
            if told[-1].status == status:
                continue
            told[-1] = told[-1]._replace(until_us=at_us)
        if status not in ENDED:
            told.append(Spell(at_us, NEVER_US, status))
    return told


def _standing(change: StatusChange) -> tuple[int, int]:
    return change.at_us, stage(change.status)
