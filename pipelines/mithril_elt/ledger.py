"""What is remembered from run to run, in dlt's state: what is covered, which prices are open, who is asked for.

Stands under `resources`; pure: it works on the dictionaries that dlt keeps. All of it stays small however long
the history: spans are merged, periods are forgotten once they are closed, orders are one line each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from mithril_elt.windows import Span, merged

__all__ = ["OpenPeriods", "add_covered", "covered_spans"]

_LONGEST = 3  # superseded periods to remember of an instance


def covered_spans(state: Mapping[str, Any], project: str, *, until: datetime | None = None) -> list[Span]:
    """The spans of a project that a resource's state says are covered.

    None reaches past `until`, the server's clock: what a clock that was ahead once called covered was not.
    """
    spans = [Span.from_json(pair) for pair in state.get("covered", {}).get(project, [])]
    if until is None:
        return spans
    return [Span(span.start, min(span.end, until)) for span in spans if span.start < until]


def add_covered(state: dict[str, Any], project: str, span: Span, *, until: datetime | None = None) -> None:
    """Notes that the span was read to its end."""
    covered = merged([*covered_spans(state, project, until=until), span])
    state.setdefault("covered", {})[project] = [each.to_json() for each in covered]


class OpenPeriods:
    """The price periods of a project that were open when last read, in the state of the price history.

    Each with the instant from which its end can be counted on to become known: the start of the next period,
    or when its instance was seen to be over; None until then. Of those that have one only the longest of an
    instance are kept: a short one lies in the look-back, and is read again with it.
    """

    def __init__(self, state: dict[str, Any], project: str) -> None:
        kept = state.setdefault("open", {}).setdefault(project, {})
        for fid, periods in kept.items():
            if isinstance(periods, str):  # as the release before wrote it
                kept[fid] = {periods: None}
        self._kept: dict[str, dict[str, str | None]] = kept

    def note(self, fid: str, start: datetime, end: datetime | None) -> None:
        """Takes in what an answer says of one period."""
        if end is not None and fid not in self._kept:
            return
        periods = self._kept.get(fid, {})
        for earlier, known_from in periods.items():
            if known_from is None and datetime.fromisoformat(earlier) < start:
                periods[earlier] = start.isoformat()
        if end is not None:
            periods.pop(start.isoformat(), None)
        else:
            periods.setdefault(start.isoformat(), None)
        self._keep(fid, _bounded(periods))

    def forget(self, fid: str, start: datetime) -> None:
        """Leaves out a period that the API does not tell any more: it follows none."""
        gone = start.isoformat()
        periods = self._kept.get(fid, {})
        self._keep(fid, {each: None if k == gone else k for each, k in periods.items() if each != gone})

    def note_over(self, fids: Iterable[str], at: datetime) -> None:
        """Takes in which instances are over: nothing will be billed to them after `at`."""
        for fid in fids:
            for start, known_from in self._kept.get(fid, {}).items():
                self._kept[fid][start] = known_from or at.isoformat()

    def forget_before(self, at: datetime) -> None:
        """Leaves out those whose end, if it were to come, would have been told by `at`."""
        for fid, periods in list(self._kept.items()):
            kept = {s: k for s, k in periods.items() if k is None or datetime.fromisoformat(k) >= at}
            self._keep(fid, kept)

    def __iter__(self) -> Iterator[tuple[str, datetime]]:
        """Each with its instance and its start."""
        for fid, periods in self._kept.items():
            for start in periods:
                yield fid, datetime.fromisoformat(start)

    def _keep(self, fid: str, periods: dict[str, str | None]) -> None:
        if periods:
            self._kept[fid] = periods
        else:
            self._kept.pop(fid, None)


def _bounded(periods: dict[str, str | None]) -> dict[str, str | None]:
    """The newest period, and the longest ones of those that another has followed."""
    starts = sorted(periods, key=datetime.fromisoformat)
    followed = {}
    for start, following in pairwise(starts):
        followed[start] = periods[start] or following
    longest = sorted(followed, key=lambda start: _lasts(start, followed[start]), reverse=True)[:_LONGEST]
    return {start: followed.get(start, periods[start]) for start in starts if start in longest or start == starts[-1]}


def _lasts(start: str, until: str) -> Any:
    return datetime.fromisoformat(until) - datetime.fromisoformat(start)
