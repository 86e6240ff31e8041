"""How long the next window is to be, and in how many slices it is asked for, by what those before it took.

Stands on `past` under `load` and `forecast`; pure. A window is one package of dlt, whose cost is fixed, and what a
crash costs again; a slice is one walk from page to page, which nothing makes faster than its pages one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from math import isqrt
from typing import NamedTuple

from mithril_elt.endpoints import PAGE_LIMIT
from mithril_elt.past import Past
from mithril_elt.windows import Span, cut

__all__ = ["Sizing", "Slices"]

_FIRST = timedelta(hours=6)  # while nothing is known of an account, and all its pages are one walk
_SHORTEST, _LONGEST = timedelta(hours=1), timedelta(days=366)
_LONGER = 32  # times as long as the window before, at most
_ROWS = 300_000  # of a window, about
_PAGE_BYTES = 16 * 2**20  # of the largest page, about: pages that count instances grow with the window
_SLICE_PAGES = (4, 20)  # of a slice, at least and at most
_WASTE = Fraction(3, 2)  # requests by the pages that the rows would fill: with more than that none is cut up
_HISTORIES = 2
_US = timedelta(microseconds=1)


class Slices(NamedTuple):
    """The parts of a window that are asked for side by side.

    `once_seen`: what takes the place of a window that is whole, once a page shows that pages count events.
    """

    spans: list[Span]
    once_seen: Sequence[Span] = ()


@dataclass
class Sizing:
    """What is known of an account's density, and what follows from it for windows and slices.

    `past` by project and history. `window`: a length that was asked for. `at_a_time`: requests.
    """

    past: dict[tuple[str, str], Past]
    at_a_time: int
    window: timedelta | None = None
    _before: timedelta | None = None
    _largest_page_bytes: int = 0

    def length(self) -> timedelta:
        """Of the next window."""
        if self.window is not None:
            return self.window
        if not self.past:
            return _FIRST
        known = {history for _, history in self.past}
        rows_per_us = sum(past.rows_per_us for past in self.past.values()) * _HISTORIES / len(known)
        wanted = min(_LONGEST, int(_ROWS / rows_per_us) * _US if rows_per_us * (_LONGEST // _US) > _ROWS else _LONGEST)
        if self._before is not None:
            by_size = Fraction(_PAGE_BYTES, max(1, self._largest_page_bytes))
            wanted = min(wanted, int(self._before // _US * min(by_size, Fraction(_LONGER))) * _US)
        return max(wanted, _SHORTEST) // _SHORTEST * _SHORTEST

    def note(
        self, project: str, history: str, span: Span, requests: int, rows: int, *, pages_count: str | None = None
    ) -> None:
        """Takes in what a window took of one history."""
        self.past.setdefault((project, history), Past()).note(span, requests, rows, pages_count)

    def go_on(self, windows: Iterable[Span], largest_page_bytes: int = 0) -> None:
        """Takes in that those windows were read together, and how large their pages were."""
        spans = list(windows)
        if spans:
            self._before = max(span.end for span in spans) - min(span.start for span in spans)
            self._largest_page_bytes = largest_page_bytes

    def slices(self, project: str, history: str, span: Span) -> Slices:
        """How a window is asked for; whole where pages count instances: each slice would have that of every instance.

        Of `pages` in slices of `p` the last page of each is half empty, so that `pages / 2p` more are asked for, by so
        many at a time; and the last slice is waited for by itself: `p` rounds. The sum is least where
        `p² = pages / (2 x at_a_time)`.
        """
        past = self.past.get((project, history), Past())
        pages = int(past.rows_per_us * ((span.end - span.start) // _US) / PAGE_LIMIT)
        least, most = _SLICE_PAGES
        parts = pages // min(most, max(least, isqrt(pages // (2 * self.at_a_time))))
        if parts < 2 or past.pages_count == "instances":
            return Slices([span])
        cut_up = list(cut([span], -(-(span.end - span.start) // parts)))
        if past.pages_count is None:
            return Slices([span], cut_up)
        tells_more = past.requests * PAGE_LIMIT > past.rows * _WASTE  # what is in force at the start of each slice
        return Slices([span] if tells_more else cut_up)
