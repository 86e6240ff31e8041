"""Which windows travel in one package of dlt: found out while they are read, each as long as those before it advise.

Stands on `plans` and `sizing` under `load`; pure. A package costs the same however much is in it, and is what a crash
costs again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mithril_elt.plans import Pending
from mithril_elt.sizing import Sizing
from mithril_elt.windows import Span

__all__ = ["Package"]

_ENOUGH_ROWS = 250_000  # after which no window is begun


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

    def note(
        self, project: str, history: str, span: Span, *, requests: int, rows: int, largest_page_bytes: int
    ) -> None:
        """Takes in what a window took of one history."""
        self.rows += rows
        self.sizing.note(project, history, span, requests, rows)
        if span == self.windows[-1].get(project):
            self._largest_page_bytes = max(self._largest_page_bytes, largest_page_bytes)
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
