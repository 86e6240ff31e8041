"""How far a load has read, before any of it is loaded: a first load reads for long until its first package is whole.

Stands under `load`, which fills it, and the progress that the command line shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mithril_elt.windows import Span

__all__ = ["ReadSoFar"]


@dataclass
class ReadSoFar:
    """What was read last, how many rows there were so far, and of how much time of all that was due."""

    due: timedelta
    read: timedelta = timedelta(0)
    history: str = ""
    up_to: datetime | None = None
    rows: int = 0

    @classmethod
    def of(cls, planned: Mapping[str, Sequence[Span]], histories: int) -> ReadSoFar:
        """Nothing yet of these spans of projects, each of which is read once for each history."""
        return cls(histories * _length(span for spans in planned.values() for span in spans))

    @property
    def share(self) -> float:  # exact-ok: of a bar
        """From 0 to 1: by time, since nobody knows how many rows are to come."""
        return min(self.read / self.due, 1.0) if self.due else 1.0

    def note(self, history: str, span: Span, rows: int) -> None:
        """Takes in a window of a history."""
        self.history, self.up_to = history, span.end
        self.read += span.end - span.start
        self.rows += rows


def _length(spans: Iterable[Span]) -> timedelta:
    return sum((span.end - span.start for span in spans), timedelta(0))
