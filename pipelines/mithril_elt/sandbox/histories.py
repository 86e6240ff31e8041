"""The sandbox's two histories: which events of each instance, in which order, and on which page.

Stands between `chronicle` and `history_routes` in the sandbox, after `owners`. The API leaves much of this
open, so each choice is a function of its own, and asks the readings.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mithril_elt.sandbox.lots import lot
from mithril_elt.sandbox.pages import Mark, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mithril_elt.sandbox.account import Instance
    from mithril_elt.sandbox.pages import Place
    from mithril_elt.sandbox.readings import Readings
    from mithril_elt.sandbox.tellings import Wording

__all__ = ["History", "Told", "Window", "history_page"]

_at = attrgetter("at_us")


class Told(msgspec.Struct):
    """What a page says of one instance, and of which order it is."""

    instance_fid: str
    events: list[Any]
    bid_fid: str | msgspec.UnsetType | None
    reservation_fid: str | msgspec.UnsetType | None


class Window(NamedTuple):
    """What is asked of the time from `start_us` to `end_us` at `now_us`; None: without that bound."""

    start_us: int | None
    end_us: int | None
    now_us: int


class _Excerpt(NamedTuple):
    """Some of the tellings of an instance by their numbers, in the order in which they are told."""

    instance: Instance
    numbers: Sequence[int]


@dataclass(frozen=True)
class History:
    """One of the two histories in one window: which tellings of each instance it has, and how they read."""

    tellings_of: Callable[[Instance, int], Sequence[Any]]
    window: Window
    wording: Wording

    @property
    def readings(self) -> Readings:
        """How it is read what the API leaves open."""
        return self.wording.readings

    def excerpt(self, instance: Instance) -> _Excerpt:
        """All that is told of the instance."""
        now_us = self.window.now_us
        tellings = self.tellings_of(instance, now_us)
        told = [
            number
            for number in self._inside(tellings)
            if tellings[number].known_us <= now_us < tellings[number].gone_us
        ]
        holding = self._in_force(tellings)
        return _Excerpt(instance, self._in_order(instance, told if holding is None else [holding, *told]))

    def goes_on(self, excerpt: _Excerpt, number: int) -> _Excerpt:
        """What is told of the instance after the telling of that number, whether or not that is told still."""
        numbers = excerpt.numbers
        if number not in numbers:
            numbers = self._in_order(excerpt.instance, [*numbers, number])
        return excerpt._replace(numbers=numbers[numbers.index(number) + 1 :])

    def row(self, excerpt: _Excerpt) -> Told:
        """The excerpt as the API writes it."""
        instance, now_us = excerpt.instance, self.window.now_us
        tellings = self.tellings_of(instance, now_us)
        told = [tellings[number] for number in excerpt.numbers]
        events = [one.event if one.settled_us <= now_us else one.interim(now_us, self.wording) for one in told]
        if self.readings.start_selects == "clipped" and (start_us := self.window.start_us) is not None:
            start = self.wording.instant(start_us)
            events = [
                event if self._has_begun(one.at_us) else one.clipped(event, start)
                for one, event in zip(told, events, strict=True)
            ]
        none = None if self.readings.optional_keys == "null" else msgspec.UNSET
        return Told(instance.fid, events, instance.bid or none, instance.reservation or none)

    def _has_begun(self, at_us: int) -> bool:
        """Whether the window has begun at that moment."""
        start_us = self.window.start_us
        if start_us is None:
            return True
        return at_us > start_us if self.readings.start_bound == "exclusive" else at_us >= start_us

    def _inside(self, tellings: Sequence[Any]) -> range:
        """The numbers of the tellings inside the window."""
        start_us, end_us, now_us = self.window
        after_start = bisect_right if self.readings.start_bound == "exclusive" else bisect_left
        after_end = bisect_right if self.readings.end_bound == "inclusive" else bisect_left
        first = 0 if start_us is None else after_start(tellings, start_us, key=_at)
        after = bisect_right(tellings, now_us, key=_at)
        return range(first, after if end_us is None else min(after, after_end(tellings, end_us, key=_at)))

    def _in_force(self, tellings: Sequence[Any]) -> int | None:
        """The number of the telling in force when the window begins, if that is told too and is not inside."""
        start_us, _, now_us = self.window
        if self.readings.start_selects == "inside" or start_us is None or start_us > now_us:
            return None
        for number in range(bisect_right(tellings, start_us, key=_at) - 1, -1, -1):
            one = tellings[number]
            if one.known_us <= now_us < one.gone_us:
                is_added = one.holds_at(start_us, now_us) and not self._has_begun(one.at_us)
                return number if is_added else None
        return None

    def _in_order(self, instance: Instance, numbers: Iterable[int]) -> list[int]:
        if self.readings.order == "shuffled":
            return sorted(numbers, key=partial(_shuffled, instance.fid))
        return sorted(numbers, reverse=self.readings.order == "reversed")


@lru_cache(maxsize=1 << 18)  # each page of events asks again for those of its instance
def _shuffled(fid: str, number: int) -> int:
    return lot("order", fid, number)


def history_page(history: History, instances: Sequence[Instance], *, limit: int, after: Mark | None) -> Page[Told]:
    """The next `limit` instances that have events in the window, with all of those events; or that many events."""
    counts_events = history.readings.limit_counts == "events"
    told = (excerpt for excerpt in _excerpts(history, instances, after) if excerpt.numbers)
    page, is_last = _cut(told, limit, counts_events=counts_events)
    last = None if is_last else Mark(*_place(page[-1].instance), page[-1].numbers[-1])
    if after is not None and history.readings.repeated_rows:
        page = _repeating(history, instances, after, page)
    return Page([history.row(excerpt) for excerpt in page], last)


def _excerpts(history: History, instances: Sequence[Instance], after: Mark | None) -> Iterator[_Excerpt]:
    """What comes after that instance; where events are counted, after that event of it."""
    begin = 0
    if after is not None:
        begin = bisect_right(instances, after.place, key=_place)
        if history.readings.limit_counts == "events":
            left = [instance for instance in instances[:begin][-1:] if instance.fid == after.fid]
            yield from (history.goes_on(history.excerpt(instance), after.number) for instance in left)
    yield from (history.excerpt(instance) for instance in islice(instances, begin, None))


def _repeating(history: History, instances: Sequence[Instance], after: Mark, page: list[_Excerpt]) -> list[_Excerpt]:
    """The page with what the one before ended with: all of an instance; where events are counted, one event."""
    again = [history.excerpt(instance) for instance in instances if instance.fid == after.fid]
    if history.readings.limit_counts == "events":
        again = [excerpt._replace(numbers=[after.number]) for excerpt in again if after.number in excerpt.numbers]
        if again and page and page[0].instance.fid == after.fid:
            return [page[0]._replace(numbers=[after.number, *page[0].numbers]), *page[1:]]
    return [*(excerpt for excerpt in again if excerpt.numbers), *page]


def _cut(excerpts: Iterator[_Excerpt], limit: int, *, counts_events: bool) -> tuple[list[_Excerpt], bool]:
    """As many of the excerpts as fit, the last perhaps only in part, and whether these are all."""
    page: list[_Excerpt] = []
    for excerpt in excerpts:
        if not limit:
            return page, False
        kept = excerpt.numbers[:limit] if counts_events else excerpt.numbers
        page.append(excerpt._replace(numbers=kept))
        if len(kept) < len(excerpt.numbers):
            return page, False
        limit -= len(kept) if counts_events else 1
    return page, True


def _place(instance: Instance) -> Place:
    return instance.created_at_us, instance.fid
