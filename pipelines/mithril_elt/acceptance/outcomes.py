"""What came of a point: it holds, it does not, or this account cannot tell; each with its evidence in one line.

Stands at the bottom of `acceptance`, on `points`; pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mithril_elt.acceptance.points import Point

__all__ = ["Found", "Outcome", "cannot_tell", "failed", "passed"]

Result = Literal["passed", "failed", "cannot tell"]


@dataclass(frozen=True)
class Found:
    """What a check found. `evidence`: the figures; of `cannot tell` the reason."""

    result: Result
    evidence: str


@dataclass(frozen=True)
class Outcome(Found):
    """What came of one point."""

    point: Point


def passed(evidence: str) -> Found:
    """It was seen to hold."""
    return Found("passed", evidence)


def failed(evidence: str) -> Found:
    """It was seen not to hold."""
    return Found("failed", evidence)


def cannot_tell(reason: str) -> Found:
    """This account, or a moment of it, does not show whether it holds."""
    return Found("cannot tell", reason)
