"""Spans of time: what is covered, what is to be read, and how it is cut into windows.

Stands between the ledger and `source`; pure. Spans are half-open `[start, end)` in UTC. The ledger of a
project is the list of its covered spans, sorted and merged, so its size does not grow with the runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Self

from mithril_elt.errors import UsageError

__all__ = ["BEGINNING", "LOOKBACK", "WINDOW", "Span", "Wish", "cut", "holes", "merged", "missing", "plan"]

LOOKBACK = timedelta(days=3)  # read again at each run, for rows that became visible late
BEGINNING = datetime(2015, 1, 1, tzinfo=UTC)  # nobody had a GPU of Mithril before: such a time stands for none
WINDOW = timedelta(days=7)  # read by itself where nothing tells how much is in it


@dataclass(frozen=True, order=True)
class Span:
    """A span of time, `[start, end)`, of aware UTC datetimes."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """A span has a length."""
        if not self.start < self.end:
            raise ValueError(f"a span must end after it starts: {self.start} … {self.end}")

    def __contains__(self, at: datetime) -> bool:
        """Whether the instant lies in it."""
        return self.start <= at < self.end

    def to_json(self) -> list[str]:
        """The span as the ledger keeps it."""
        return [self.start.isoformat(), self.end.isoformat()]

    @classmethod
    def from_json(cls, pair: Sequence[str]) -> Self:
        """A span of the ledger."""
        start, end = map(datetime.fromisoformat, pair)
        return cls(start, end)


@dataclass(frozen=True)
class Wish:
    """What a run is asked to read of a project.

    `since` None: from the ledger's start, or from `oldest` (the oldest thing the lists know) the first
    time. `until` None: up to `now`, the run's frozen end by the server's clock. `deep`: read again what
    is covered, too.
    """

    now: datetime
    since: datetime | None = None
    until: datetime | None = None
    oldest: datetime | None = None
    lookback: timedelta = LOOKBACK
    deep: bool = False


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as possible, sorted."""
    out: list[Span] = []
    for span in sorted(spans):
        if out and span.start <= out[-1].end:
            out[-1] = Span(out[-1].start, max(out[-1].end, span.end))
        else:
            out.append(span)
    return out


def missing(wanted: Span, covered: Iterable[Span]) -> list[Span]:
    """What of `wanted` is in none of `covered`, sorted."""
    out, start = [], wanted.start
    for span in merged(covered):
        if span.start >= wanted.end:
            break
        if start < span.start:
            out.append(Span(start, span.start))
        start = max(start, span.end)
    if start < wanted.end:
        out.append(Span(start, wanted.end))
    return out


def holes(covered: Iterable[Span]) -> list[Span]:
    """The time between the first and the last covered instant that nothing covers."""
    spans = merged(covered)
    return [Span(a.end, b.start) for a, b in pairwise(spans)]


def plan(covered: Sequence[Span], wish: Wish) -> list[Span]:
    """The spans to read, sorted: what is missing, and the look-back before the newest covered instant.

    A run that reads up to now also closes every hole it could leave behind: its start is never later than
    where the ledger ends. The end never passes `now`, so no event of the future moves the watermark.

    Raises:
        UsageError: `since` is not before the end, or before anything there can be.
    """
    spans = merged(covered)
    end = min(wish.until or wish.now, wish.now)
    if wish.since and wish.since >= end:
        raise UsageError(f"--since {wish.since.isoformat()} is not before the end of the run, {end.isoformat()}")
    if wish.since and wish.since < BEGINNING:
        raise UsageError(f"--since {wish.since.isoformat()} is before there was a Mithril: {BEGINNING.date()} is early")
    start = wish.since or (spans[0].start if spans else wish.oldest or end)
    if spans:
        start = min(start, spans[-1].end)
    if start >= end:
        return []
    wanted = Span(start, end)
    if wish.deep:
        return [wanted]
    todo = missing(wanted, spans)
    if spans and end >= spans[-1].end:
        newest = spans[-1]
        lookback = min(wish.lookback, newest.end - newest.start)
        if lookback:
            todo.append(Span(newest.end - lookback, newest.end))
    return merged(todo)


def cut(spans: Iterable[Span], size: timedelta) -> Iterator[Span]:
    """The spans in windows of at most `size`, in order of time."""
    for span in spans:
        start = span.start
        while start < span.end:
            end = min(start + size, span.end)
            yield Span(start, end)
            start = end
