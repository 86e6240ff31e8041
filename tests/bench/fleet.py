"""A made-up account by arithmetic: N events, each at an instant and of an instance that its number tells.

Stands under `served`; pure. Whatever is asked for (a window, a page of it) is found without looking at any event, so
an account of 100 million rows costs no memory and no time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate, pairwise

__all__ = [
    "DAY_US",
    "Excerpt",
    "Fleet",
    "Stretch",
    "as_instant",
    "as_us",
    "fleet_of",
    "instance_fid",
    "instance_number",
]

DAY_US = 86_400_000_000
START = datetime(2025, 1, 1, tzinfo=UTC)  # a midnight, so that weeks are cut where the history begins
WEEKS, EVENTS_OF_EACH = 8, 125  # an instance has 125 events of each history in 8 weeks
MOST_INSTANCES = 4000  # beyond them the history gets longer: 1 million rows are 640 pages of 100 instances
_BURSTS = (9, 23, 37, 55)  # the days of 56 on which four fifths of all happens
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_UNSAID = _EPOCH.replace(tzinfo=None)  # half the time of each instant that is written


@dataclass(frozen=True)
class Stretch:
    """Events spread evenly over a time, `[start, end)`."""

    start_us: int
    end_us: int
    events: int


@dataclass(frozen=True)
class Excerpt:
    """The events of a window, `[first, last)` by number, instance by instance.

    Event g is of instance g modulo `instances`, so the j-th instance told is that of event `first + j`.
    """

    first: int
    last: int
    instances: int

    @property
    def events(self) -> int:
        """How many there are."""
        return self.last - self.first

    @property
    def told(self) -> int:
        """How many instances have any."""
        return min(self.instances, self.events)

    def of_told(self, j: int) -> range:
        """The events of the j-th instance told."""
        return range(self.first + j, self.last, self.instances)

    def of_instance(self, number: int) -> range:
        """The events of that instance."""
        return range(self.first + (number - self.first) % self.instances, self.last, self.instances)

    def by_instances(self, offset: int, limit: int) -> Iterator[range]:
        """A page that counts instances: each with all its events."""
        return (self.of_told(j) for j in range(offset, min(offset + limit, self.told)))

    def by_events(self, offset: int, limit: int) -> Iterator[range]:
        """A page that counts events: an instance may be split over two."""
        most, more = divmod(self.events, self.instances)  # the first `more` instances have one above the others
        above = more * (most + 1)
        while limit > 0 and offset < self.events:
            each = most + 1 if offset < above else most
            j, skipped = divmod(offset, each) if offset < above else divmod(offset - above, each)
            events = self.of_told(j if offset < above else more + j)[skipped : skipped + limit]
            yield events
            offset += len(events)
            limit -= len(events)

    def pages(self, limit: int, *, counts_events: bool) -> int:
        """How many pages it takes: an empty window takes one, too."""
        return max(1, -(-(self.events if counts_events else self.told) // limit))


@dataclass(frozen=True)
class Fleet:
    """Instances, and when their events happen; both histories have the same instants."""

    instances: int
    stretches: tuple[Stretch, ...]

    @cached_property
    def _first_of(self) -> list[int]:
        return list(accumulate((each.events for each in self.stretches), initial=0))

    @property
    def events(self) -> int:
        """Of one history."""
        return self._first_of[-1]

    @property
    def rows(self) -> int:
        """Of both histories."""
        return 2 * self.events

    @property
    def start_us(self) -> int:
        """Where the history begins."""
        return self.stretches[0].start_us

    @property
    def end_us(self) -> int:
        """The server's clock: nothing has happened after it."""
        return self.stretches[-1].end_us

    def at_us(self, event: int) -> int:
        """The instant of an event."""
        for stretch, first in zip(self.stretches, self._first_of, strict=False):
            if event < first + stretch.events:
                return stretch.start_us + (event - first) * (stretch.end_us - stretch.start_us) // stretch.events
        raise IndexError(event)

    def before(self, at_us: int) -> int:
        """How many events are before an instant: the number of the first that is not."""
        count = 0
        for stretch in self.stretches:
            inside_us = min(max(at_us - stretch.start_us, 0), stretch.end_us - stretch.start_us)
            count += -(-inside_us * stretch.events // (stretch.end_us - stretch.start_us))
        return count

    def excerpt(self, start_us: int | None, end_us: int | None) -> Excerpt:
        """The events of `[start, end)`."""
        first = 0 if start_us is None else self.before(start_us)
        last = self.events if end_us is None else self.before(end_us)
        return Excerpt(first, max(first, last), self.instances)

    def windows(self, days: int = 7) -> Iterator[tuple[int, int]]:
        """The time of the history in windows of so many days."""
        for start_us in range(self.start_us, self.end_us, days * DAY_US):
            yield start_us, min(start_us + days * DAY_US, self.end_us)

    def least_requests(self, limit: int = 100, *, counts_events: bool) -> int:
        """The fewest that read both histories by the week."""
        excerpts = (self.excerpt(*window) for window in self.windows())
        return 2 * sum(excerpt.pages(limit, counts_events=counts_events) for excerpt in excerpts)


def fleet_of(rows: int, *, bursty: bool = False, later: Sequence[tuple[int, int]] = ()) -> Fleet:
    """An account with so many rows in both histories.

    `bursty`: four fifths of them on one day in fourteen. `later`: what happens after that, days and rows.
    """
    instances = max(1, min(MOST_INSTANCES, rows // (2 * EVENTS_OF_EACH)))
    days = max(7 * WEEKS, 7 * round(rows / (2 * EVENTS_OF_EACH * instances) * WEEKS))
    stretches = list(_bursts(rows // 2, days) if bursty else [(days, rows // 2)])
    at_us, out = as_us(START), []
    for length, events in [*stretches, *((days, rows // 2) for days, rows in later)]:
        out.append(Stretch(at_us, at_us + length * DAY_US, events))
        at_us += length * DAY_US
    return Fleet(instances, tuple(out))


def _bursts(events: int, days: int) -> Iterator[tuple[int, int]]:
    """Days and events: a day with a fifth of the events of eight weeks, and quiet time before it."""
    edges = [-1, *(56 * eight_weeks + day for eight_weeks in range(max(1, days // 56)) for day in _BURSTS)]
    bursts = len(edges) - 1
    quiet, burst = events // (5 * bursts), 4 * events // (5 * bursts)
    for before, after in pairwise(edges):
        yield after - before - 1, quiet
        last = after == edges[-1]
        yield 1, events - bursts * quiet - (bursts - 1) * burst if last else burst


def as_us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def as_instant(at_us: int) -> str:
    """As the API writes it."""
    return (_EPOCH_UNSAID + timedelta(microseconds=at_us)).isoformat() + "Z"


_FID = re.compile(r"inst_(\d{4})(\d{12})", re.ASCII)


def instance_fid(project: int, number: int) -> str:
    """The id of an instance."""
    return f"inst_{project:04d}{number:012d}"


def instance_number(fid: str) -> int | None:
    """The number of an instance, None for an id of none."""
    found = _FID.fullmatch(fid)
    return int(found[2]) if found else None
