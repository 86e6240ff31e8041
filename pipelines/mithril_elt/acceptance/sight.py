"""What is seen of the account before anything is loaded: its lists, the span to try, the histories as they are told.

Stands in `acceptance` on `told`, under `trial`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mithril_elt.acceptance.account import Account
from mithril_elt.acceptance.rows import Rows
from mithril_elt.acceptance.told import Told, listed, told
from mithril_elt.asking import BY_ORDER
from mithril_elt.errors import UsageError
from mithril_elt.instants import iso
from mithril_elt.lists import Lists, choose_projects, read_lists
from mithril_elt.windows import LOOKBACK, Span

__all__ = ["Sight", "Wanted", "look"]

_SPAN = timedelta(days=14)
_SETTLING = timedelta(hours=1)  # what is this old does not change any more on most accounts, so readings compare
_MOST_SMALL = 400  # requests for the reading in small windows; fewer and longer ones where it would be more
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_LIST_READINGS = 10
_FEW_MORE = 60  # requests: small pages, keys and projects that are refused, a ledger of the future


@dataclass(frozen=True)
class Wanted:
    """What is to be tried: the projects (none: all), and the span (None: the two weeks before an hour ago)."""

    projects: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Sight:
    """What was seen: the lists, and both histories of the span; `novelties`: what was warned of."""

    projects: tuple[str, ...]
    lists: Lists
    list_requests: int
    span: Span
    told: Told
    novelties: tuple[str, ...]

    @property
    def spans(self) -> dict[str, Span]:
        """The span, for each project."""
        return dict.fromkeys(self.projects, self.span)

    @property
    def length(self) -> timedelta:
        """Of the span."""
        return self.span.end - self.span.start

    @property
    def window(self) -> timedelta:
        """A small window: a day, or longer where the account would be asked too often for it."""
        most = max(3, _MOST_SMALL // self._pages_of_a_window)
        return min(self.length, max(_DAY, -(-self.length // (most * _HOUR)) * _HOUR))

    @property
    def windows(self) -> int:
        """So many small windows make up the span."""
        return -(-self.length // self.window)

    @property
    def middle(self) -> datetime:
        """Where a small window ends near the middle of the span; its start, if that is one window."""
        return self.span.start + self.window * (self.windows // 2)

    @property
    def _pages_of_a_window(self) -> int:
        """At least: a page of each history and project, or of each order."""
        return max(1, self.told.pages if BY_ORDER in self.told.ways.values() else 2 * len(self.projects))

    @property
    def rows(self) -> dict[str, Rows]:
        """Lists and histories as they were told, each row once."""
        return {**listed(self.lists), **self.told.once}

    def expected_requests(self) -> int:
        """About how many requests all that is done sends from here on."""
        again = -(-self.told.pages * min(LOOKBACK, self.length) // self.length)
        small = max(self.told.pages, self.windows * self._pages_of_a_window)
        return _LIST_READINGS * self.list_requests + 2 * self.told.pages + again + small + _FEW_MORE


def look(account: Account, wanted: Wanted) -> Sight:
    """Reads the lists and both histories once, without a database.

    Raises:
        UsageError: a span that has no meaning.
        MithrilError: the account cannot be read: nothing of it can be tried.
    """
    with account.session() as api:
        projects = tuple(choose_projects(api, wanted.projects))
        lists = read_lists(api, projects)
        requests = api.traffic.requests
        span = _chosen_span(lists, wanted)
        found = told(api, lists, dict.fromkeys(projects, span))
        return Sight(projects, lists, requests, span, found, tuple(api.novelties.warnings))


def _chosen_span(lists: Lists, wanted: Wanted) -> Span:
    until = min(wanted.until or lists.as_of - _SETTLING, lists.as_of)
    oldest = min(lists.oldest.values(), default=until)
    since = wanted.since or max(min(oldest, until - _DAY), until - _SPAN)
    if since >= until:
        raise UsageError(f"--since {iso(since)} is not before the end of the trial, {iso(until)}")
    return Span(since, until)
