"""The sandbox's two histories: which instances a question is about, which events, and on which page.

Stands between `directory` and `routes` in the sandbox. The API leaves much of this open, so each choice
is a function of its own: whose history (`owners`), which events (`Window`), what counts on a page
(`history_page`), and how an event is written (`STATUS`, `PRICING`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mithril_elt.sandbox.pages import Page, cut_page
from mithril_elt.sandbox.refusals import RefusedError
from mithril_elt.sandbox.rendering import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mithril_elt.sandbox.account import Instance, PricePeriod, StatusChange
    from mithril_elt.sandbox.directory import Directory
    from mithril_elt.sandbox.pages import Cursors, Place

__all__ = ["PRICING", "STATUS", "History", "Told", "Window", "history_page", "owners"]


# A page has a hundred thousand events: untracked by the collector, they do not make it walk the account.
class _StatusEvent(msgspec.Struct, gc=False):
    timestamp: str
    status: str


class _PriceEvent(msgspec.Struct, gc=False):
    price_cents: int
    start_time: str
    end_time: str | None


class Told(msgspec.Struct, omit_defaults=True):
    """What a page says of one instance; it names its order only if it has one."""

    instance_fid: str
    events: list[Any]
    bid_fid: str | None = None
    reservation_fid: str | None = None


@dataclass(frozen=True)
class History:
    """One of the two histories: an instance's rows in order of time, the time of a row, how rows are written."""

    rows: Callable[[Instance], Sequence[Any]]
    time_of: Callable[[Any], int]
    write: Callable[[Sequence[Any], int], list[Any]]


def _status_events(changes: Sequence[StatusChange], _now_us: int) -> list[_StatusEvent]:
    return [_StatusEvent(instant(change.at_us), change.status) for change in changes]


def _price_events(periods: Sequence[PricePeriod], now_us: int) -> list[_PriceEvent]:
    """A period that has not ended by now is open, though the story knows its end."""
    return [
        _PriceEvent(
            period.price_cents,
            instant(period.start_us),
            None if (end_us := period.end_us) is None or end_us > now_us else instant(end_us),
        )
        for period in periods
    ]


STATUS = History(attrgetter("changes"), attrgetter("at_us"), _status_events)
PRICING = History(
    lambda instance: instance.prices if instance.bid is not None else (), attrgetter("start_us"), _price_events
)


class Window(NamedTuple):
    """Events in `[start_us, end_us)` that have happened by `now_us`; None: without that bound."""

    start_us: int | None
    end_us: int | None
    now_us: int

    def cut(self, rows: Sequence[Any], time_of: Callable[[Any], int]) -> tuple[int, int]:
        """The numbers of the first row inside and of the first row after it, of rows in order of time."""
        first = 0 if self.start_us is None else bisect_left(rows, self.start_us, key=time_of)
        after = bisect_right(rows, self.now_us, key=time_of)
        if self.end_us is not None:
            after = min(after, bisect_left(rows, self.end_us, key=time_of))
        return first, after


def owners(
    directory: Directory,
    project: str,
    now_us: int,
    *,
    instance_fid: str | None = None,
    bid_fid: str | None = None,
    reservation_fid: str | None = None,
) -> list[Instance]:
    """The instances asked for, in order of (created_at_us, fid); also those that the list has no more.

    Raises RefusedError (404) for an instance, bid or reservation that the project does not have.
    """
    found = [one for one in directory.in_project[project] if one.created_at_us <= now_us]
    if instance_fid is not None:
        found = [one for one in found if one.fid == instance_fid]
        if not found:
            raise RefusedError(404, "Instance not found")
    if bid_fid is not None:
        found = [one for one in found if one.bid == bid_fid]
        if not found and all(bid.fid != bid_fid for bid in directory.bids(project, now_us)):
            raise RefusedError(404, "Bid not found")
    if reservation_fid is not None:
        found = [one for one in found if one.reservation == reservation_fid]
        listed = directory.listed_reservations(project, now_us)
        if not found and all(reservation.fid != reservation_fid for reservation in listed):
            raise RefusedError(404, "Reservation not found")
    return found


class _Excerpt(NamedTuple):
    """The rows of one instance from number `first` up to, not including, number `after`."""

    instance: Instance
    first: int
    after: int


def history_page(
    history: History,
    instances: Sequence[Instance],
    window: Window,
    *,
    limit: int,
    cursor: str | None,
    cursors: Cursors,
) -> Page[Told]:
    """The next `limit` instances that have events in the window, with all of those events."""
    after = cursors.read(cursor)
    begin = 0 if after is None else bisect_right(instances, after, key=_place)
    excerpts = list(islice(_excerpts(history, islice(instances, begin, None), window), limit + 1))
    page = cut_page(excerpts, lambda excerpt: _place(excerpt.instance), limit, cursors)
    return Page([_told(history, excerpt, window.now_us) for excerpt in page.rows], page.next_cursor)


def _excerpts(history: History, instances: Iterator[Instance], window: Window) -> Iterator[_Excerpt]:
    for instance in instances:
        first, after = window.cut(history.rows(instance), history.time_of)
        if first < after:
            yield _Excerpt(instance, first, after)


def _told(history: History, excerpt: _Excerpt, now_us: int) -> Told:
    instance = excerpt.instance
    rows = history.rows(instance)[excerpt.first : excerpt.after]
    return Told(instance.fid, history.write(rows, now_us), instance.bid, instance.reservation)


def _place(instance: Instance) -> Place:
    return instance.created_at_us, instance.fid
