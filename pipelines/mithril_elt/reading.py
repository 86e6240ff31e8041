"""What one dlt run is to read, and what came of it.

Stands under `resources`: `load` and `source` fill it in, `history_reading` works it off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mithril_elt.api import Mithril
from mithril_elt.held import Held, Lateness
from mithril_elt.lists import Lists, read_lists
from mithril_elt.packing import Took
from mithril_elt.rows import Rows
from mithril_elt.sizing import Slices
from mithril_elt.windows import LOOKBACK, Span

__all__ = ["Reading"]

Windows = Callable[[Mapping[str, Sequence[Span]]], Iterable[Mapping[str, Span]]]


@dataclass
class Reading:
    """What one dlt run reads, and what came of it.

    `windows` gives the windows to be read, one of each project at a time, given what is covered of each; `ends_at`
    says where the whole load is to end; `closes_periods`: price periods that were left open are asked for again, but
    for those that begin in a window of the whole load (`planned`, or all of `windows` if None); `ways`: how each
    project is asked; `slices`: the parts of a window of a project and history that are asked for side by side;
    `on_window`: told of each window of a history that was read; `run_rows`: the rows of `runs`, once all is read.
    """

    open_api: Callable[[], AbstractContextManager[Mithril]]
    projects: Callable[[Mithril], Sequence[str]]
    windows: Windows
    run_id: str
    held: Callable[[], Held]
    until: datetime | None = None
    lookback: timedelta = LOOKBACK
    lists: Lists | None = None
    with_lists: bool = True
    closes_periods: bool = True
    planned: Mapping[str, Sequence[Span]] | None = None
    ways: dict[str, str] = field(default_factory=dict)
    slices: Callable[[str, str, Span], Slices] = lambda _project, _history, span: Slices([span])
    on_window: Callable[[str, str, Span, Took], None] = lambda *_: None
    run_rows: Callable[[], Rows] | None = None
    ledger: list[dict[str, Any]] = field(default_factory=list)
    rows: int = 0
    withdrawn_rows: int = 0
    late: Lateness = field(default_factory=Lateness)
    unfinished: set[str] = field(default_factory=set)

    def all_lists(self) -> Lists:
        """The lists, read once: only then is a session opened for them."""
        if self.lists is None:
            with self.open_api() as api:
                self.lists = read_lists(api, self.projects(api))
        return self.lists

    @property
    def ends_at(self) -> datetime:
        """Where the load is to end: at `until`, if it is not past the server's clock."""
        as_of = self.all_lists().as_of
        return min(self.until or as_of, as_of)
