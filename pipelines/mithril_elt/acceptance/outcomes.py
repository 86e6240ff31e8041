"""What came of a point: it holds, it does not, or this account cannot tell; each with its evidence in one line.

Stands at the bottom of `acceptance`, on `points`; pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mithril_elt.acceptance.points import POINTS, Point

__all__ = ["Outcome", "cannot_tell", "failed", "passed"]

Result = Literal["passed", "failed", "cannot tell"]


@dataclass(frozen=True)
class Outcome:
    """What came of one point. `evidence`: the figures; of `cannot tell` the reason."""

    point: Point
    result: Result
    evidence: str


def passed(number: int, evidence: str) -> Outcome:
    """It was seen to hold."""
    return Outcome(POINTS[number - 1], "passed", evidence)


def failed(number: int, evidence: str) -> Outcome:
    """It was seen not to hold."""
    return Outcome(POINTS[number - 1], "failed", evidence)


def cannot_tell(number: int, reason: str) -> Outcome:
    """This account, or a moment of it, does not show whether it holds."""
    return Outcome(POINTS[number - 1], "cannot tell", reason)
