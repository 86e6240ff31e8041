"""What a run reads: the windows of all projects, and in which order.

Stands between `lists` and `load`; pure. `load` carries it out, `forecast` tells it beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mithril_elt.lists import Lists
from mithril_elt.windows import LOOKBACK, Span, Wish, plan

__all__ = ["LoadPlan", "Pending", "due", "settled_before"]


@dataclass(frozen=True)
class LoadPlan:
    """What a load is asked for; see `windows.Wish` for the times. `window`: the length of windows, if not by size."""

    projects: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    lookback: timedelta = LOOKBACK
    deep: bool = False
    window: timedelta | None = None
    dataset: str | None = None


def settled_before(covered: Mapping[str, Sequence[Span]], wanted: LoadPlan) -> datetime | None:
    """What ended before this was read to its end by an earlier run; None while a project was never read."""
    if wanted.deep or not covered or not all(covered.values()):
        return None
    return min(spans[-1].end for spans in covered.values()) - wanted.lookback


def due(covered: Mapping[str, Sequence[Span]], lists: Lists, wanted: LoadPlan) -> dict[str, list[Span]]:
    """The spans of each project that a run is to read, oldest first.

    Raises:
        UsageError: times that have no meaning.
    """
    now = lists.as_of
    yesterday = now.replace(hour=0, minute=0, second=0) - timedelta(days=1)
    found = {}
    for project, spans in covered.items():
        oldest = min(lists.oldest.get(project, yesterday), yesterday)
        found[project] = plan(spans, Wish(now, wanted.since, wanted.until, oldest, wanted.lookback, wanted.deep))
    return found


@dataclass
class Pending:
    """The spans of each project that are still to be read, taken off window by window, oldest first.

    The windows of all projects are of the same time, so that the last of all come together: a run that is cut short
    has brought all of them to its end, or none.
    """

    spans: dict[str, list[Span]]

    def take(self, length: timedelta) -> dict[str, Span]:
        """The next window of each project that has one in the same time; empty when all is read."""
        self.spans = {project: spans for project, spans in self.spans.items() if spans}
        if not self.spans:
            return {}
        start = min(spans[0].start for spans in self.spans.values())
        end = min([start + length, *(spans[0].end for spans in self.spans.values() if spans[1:])])
        taken = {
            project: Span(spans[0].start, min(end, spans[0].end))
            for project, spans in self.spans.items()
            if spans[0].start < end
        }
        for project, window in taken.items():
            first = self.spans[project][0]
            self.spans[project][:1] = [Span(window.end, first.end)] if window.end < first.end else []
        return taken

    def windows(self, length: timedelta) -> int:
        """How many windows there would be if all were of that length."""
        return sum(-(-(span.end - span.start) // length) for spans in self.spans.values() for span in spans)
