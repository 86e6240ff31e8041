"""What a run reads: the windows of all projects, and in which order.

Stands between `lists` and `load`; pure. `load` carries it out, `forecast` tells it beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from mithril_elt.lists import Lists
from mithril_elt.windows import LOOKBACK, WINDOW, Span, Wish, cut, plan

__all__ = ["LoadPlan", "batches", "settled_before"]


@dataclass(frozen=True)
class LoadPlan:
    """What a load is asked for; see `windows.Wish` for the times."""

    projects: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    lookback: timedelta = LOOKBACK
    deep: bool = False
    window: timedelta = WINDOW
    dataset: str | None = None


def settled_before(covered: Mapping[str, Sequence[Span]], wanted: LoadPlan) -> datetime | None:
    """What ended before this was read to its end by an earlier run; None while a project was never read."""
    if wanted.deep or not covered or not all(covered.values()):
        return None
    return min(spans[-1].end for spans in covered.values()) - wanted.lookback


def batches(covered: Mapping[str, Sequence[Span]], lists: Lists, wanted: LoadPlan) -> Iterator[dict[str, Span]]:
    """One window of each project at a time, oldest first; the last of all projects come together.

    A run that is cut short has then brought all of them to its end, or none.
    """
    now = lists.as_of
    yesterday = now.replace(hour=0, minute=0, second=0) - timedelta(days=1)
    due = []
    for project, spans in covered.items():
        oldest = min(lists.oldest.get(project, yesterday), yesterday)
        wish = Wish(now, wanted.since, wanted.until, oldest, wanted.lookback, wanted.deep)
        due.append(list(cut(plan(spans, wish), wanted.window))[::-1])
    for windows in reversed(list(zip_longest(*due))):
        yield {project: window for project, window in zip(covered, windows, strict=True) if window}
