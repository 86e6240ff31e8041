"""The choice of an instance whose known events make a question decisive: where a window may begin and end.

Stands in `probe` on `events`; pure. A window that begins strictly between two events tells whether the
state in force is told too; one whose bounds are the very instants of events tells whether these belong.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from mithril_elt.probe.events import Event, by_instance, in_time_order

__all__ = ["Bounds", "Cut", "Subject", "choose_subject"]

_LEAST_GAP = timedelta(seconds=3)  # leaves a whole second strictly between two events


class Cut(NamedTuple):
    """A start strictly between two events, the first of which is in force then, and an end after the second.

    `earlier`: an event that no answer has if the API looks at the start at all.
    """

    earlier: Event | None
    before: Event
    start: datetime
    after: Event
    end: datetime | None


class Bounds(NamedTuple):
    """A start and an end that are the very instants of two events, and an event strictly between them, if any.

    `later`: an event that no answer has if the API looks at the end at all.
    """

    start: Event
    inside: Event | None
    end: Event
    later: Event | None


class Subject(NamedTuple):
    """An instance, where to cut its history, and where to bound it; None: its events leave no room for it."""

    fid: str
    cut: Cut | None
    bounds: Bounds | None


def choose_subject(events: Sequence[Event]) -> Subject | None:
    """The instance that decides most by the fewest events; None if none decides anything."""
    best: tuple[tuple[bool, bool, int, int], Subject] | None = None
    for fid, told in by_instance(events).items():
        steps = _steps(told)
        if len(steps) < 2:
            continue
        subject = Subject(fid, _cut(steps), _bounds(steps))
        rank = _is_whole(subject.bounds), subject.cut is not None, min(len(steps), 4), -len(told)
        if best is None or rank > best[0]:
            best = rank, subject
    return best[1] if best else None


def _steps(events: Sequence[Event]) -> list[Event]:
    """One event for each instant, oldest first: the last one that was told of it."""
    return list({event.at: event for event in in_time_order(events)}.values())


def _cut(steps: Sequence[Event]) -> Cut | None:
    """The first place for one, with an event before it where there is one."""
    for number in [*range(1, len(steps) - 1), 0]:
        before, after = steps[number], steps[number + 1]
        start = _between(before.at, min(before.end or after.at, after.at))
        if start is not None:
            earlier = steps[number - 1] if number else None
            behind = steps[number + 2] if number + 2 < len(steps) else None
            return Cut(earlier, before, start, after, _between(after.at, behind.at) if behind else None)
    return None


def _between(earlier: datetime, later: datetime) -> datetime | None:
    """A whole second strictly between the two, not in their middle, where a spell may be told anew."""
    if later - earlier < _LEAST_GAP:
        return None
    return (earlier + (later - earlier) * 3 / 7).replace(microsecond=0)


def _bounds(steps: Sequence[Event]) -> Bounds | None:
    """With a later event, and on whole seconds, which nobody can round; not at the first event if it can be helped."""
    threes = [Bounds(*four) for four in zip(steps, steps[1:], steps[2:], [*steps[3:], None], strict=False)]
    exact = [bounds for bounds in threes or [Bounds(steps[0], None, steps[1], None)] if _is_exact(bounds)]
    return max(exact, key=lambda one: (one.later is not None, _is_whole(one), one.start is not steps[0]), default=None)


def _is_exact(bounds: Bounds) -> bool:
    return bounds.start.is_exact and bounds.end.is_exact


def _is_whole(bounds: Bounds | None) -> bool:
    return bounds is not None and not bounds.start.at.microsecond and not bounds.end.at.microsecond
