"""Which windows travel in one package of dlt: found out while they are read, each as long as those before it advise.

Stands on `plans` and `sizing` under `load`; pure. A package costs the same however much is in it, and is what a crash
costs again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mithril_elt.decode import Page
from mithril_elt.histories import pages_count
from mithril_elt.plans import Pending
from mithril_elt.sizing import Sizing
from mithril_elt.windows import Span

__all__ = ["Package", "Took"]

_ENOUGH_ROWS = 150_000  # after which no window is begun


@dataclass
class Took:
    """What a window took of one history so far. `pages_count`: what its full pages count, once one has shown it."""

    requests: int = 0
    rows: int = 0
    largest_page_bytes: int = 0
    pages_count: str | None = None

    def note(self, pages: Sequence[Page], rows: int) -> None:
        """Takes in some pages, and how many of their rows were wanted."""
        self.requests += len(pages)
        self.rows += rows
        self.largest_page_bytes = max(self.largest_page_bytes, *(page.size_bytes for page in pages))
        self.pages_count = self.pages_count or next(filter(None, map(pages_count, pages)), None)


@dataclass
class Package:
    """The windows of one package. Where their length was asked for there is one, else as many as bring enough rows."""

    pending: Pending
    sizing: Sizing
    windows: list[dict[str, Span]] = field(default_factory=list)
    rows: int = 0
    _largest_page_bytes: int = 0

    def each(self) -> Iterator[dict[str, Span]]:
        """One window after the other, of each project; both histories read the same, whichever is ahead."""
        n = 0
        while n < len(self.windows) or self._begin():
            yield self.windows[n]
            n += 1

    def note(self, project: str, history: str, span: Span, took: Took) -> None:
        """Takes in what a window took of one history."""
        self.rows += took.rows
        self.sizing.note(project, history, span, took.requests, took.rows, pages_count=took.pages_count)
        if span == self.windows[-1].get(project):
            self._largest_page_bytes = max(self._largest_page_bytes, took.largest_page_bytes)
            self.sizing.go_on(self.windows[-1].values(), self._largest_page_bytes)

    @property
    def is_last(self) -> bool:
        """Whether nothing is left for another one."""
        return not any(self.pending.spans.values())

    def _begin(self) -> bool:
        if self.windows and (self.sizing.window is not None or self.rows >= _ENOUGH_ROWS):
            return False
        taken = self.pending.take(self.sizing.length())
        if taken:
            self.windows.append(taken)
            self._largest_page_bytes = 0
        return bool(taken)
