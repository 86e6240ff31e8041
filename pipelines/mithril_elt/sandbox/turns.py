"""The turns of an instance's life: interruptions and how they were mended, starts and how long they took.

Stands between `sweep` and `truth` in the sandbox.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from mithril_elt.sandbox.figures import UP, phase_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mithril_elt.sandbox.figures import InstanceTruth
    from mithril_elt.sandbox.sweep import Piece

__all__ = ["add_turns"]

_ON_ITS_WAY = frozenset({"waiting", "starting"})


def add_turns(truth: InstanceTruth, time: Iterable[Piece]) -> None:
    """Interruptions and how long they took to mend; starts and how long they took."""
    spells = _spells(time)
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


def _spells(time: Iterable[Piece]) -> list[Piece]:
    """The pieces of one status that follow each other, made one."""
    spells: list[Piece] = []
    for piece in time:
        if spells and spells[-1].status == piece.status and spells[-1].until_us == piece.from_us:
            spells[-1] = spells[-1]._replace(until_us=piece.until_us)
        else:
            spells.append(piece)
    return spells
