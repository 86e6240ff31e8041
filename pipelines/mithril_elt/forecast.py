"""What a run would ask for: its windows, about how many requests, and about how many rows. Writes nothing.

Stands beside `load`, on `plans`. It reads the lists, as the run will, and what earlier windows took.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mithril_elt.api import Mithril
from mithril_elt.histories import HISTORIES
from mithril_elt.lists import choose_projects, read_lists
from mithril_elt.past import LEDGER_COLUMNS, Past, past_of
from mithril_elt.plans import LoadPlan, Pending, due, settled_before
from mithril_elt.sizing import Sizing
from mithril_elt.warehouse import loaded_from, schema_name
from mithril_elt.windows import Span

__all__ = ["Forecast", "PlannedWindow", "forecast"]


@dataclass(frozen=True)
class PlannedWindow:
    """A window of a project, read for both histories. `rows`: as many as such a time had before, if any was read."""

    project: str
    span: Span
    requests: int
    rows: int | None


@dataclass
class Forecast:
    """What a run would ask for.

    `list_requests` is exact, since the forecast has just asked the same. `is_first`: nothing was loaded yet, so
    that each window counts for the least it can take.
    """

    as_of: datetime
    list_requests: int
    is_first: bool
    windows: list[PlannedWindow] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Of lists and windows together."""
        return self.list_requests + sum(window.requests for window in self.windows)

    @property
    def rows(self) -> int | None:
        """Of all windows; None where that of one is not known."""
        counts = [window.rows for window in self.windows]
        return None if None in counts else sum(count or 0 for count in counts)


def forecast(api: Mithril, db: Path, wanted: LoadPlan) -> Forecast:
    """What `load` would do with the same plan.

    Raises:
        UsageError: times that have no meaning.
        NotFoundError: a project that the key does not see.
        WarehouseError: the database cannot be read.
        KeyRefusedError, ApiError, ContractError: the API.
    """
    projects = choose_projects(api, wanted.projects)
    past = past_of(_ledger(db, schema_name("raw", wanted.dataset))) if db.is_file() else {}
    covered = {project: _covered(past, project) for project in projects}
    lists = read_lists(api, projects, settled_before=settled_before(covered, wanted))
    told = Forecast(min(wanted.until or lists.as_of, lists.as_of), api.traffic.requests, is_first=not past)
    pending = Pending(due(covered, lists, wanted))
    length = Sizing(past, api.limits.concurrency, wanted.window).length()
    while batch := pending.take(length):
        told.windows += [_window(project, span, past) for project, span in batch.items()]
    return told


def _window(project: str, span: Span, past: Mapping[tuple[str, str], Past]) -> PlannedWindow:
    known = [past.get((project, history.name), Past()) for history in HISTORIES]
    requests = sum(max(1, each.requests_of(span)) for each in known)
    rows = sum(each.rows_of(span) for each in known)
    return PlannedWindow(project, span, requests, rows if all(each.spans for each in known) else None)


def _covered(past: Mapping[tuple[str, str], Past], project: str) -> list[Span]:
    spans = [set(past.get((project, history.name), Past()).covered) for history in HISTORIES]
    return sorted(set.intersection(*spans))


def _ledger(db: Path, schema: str) -> list[tuple[Any, ...]]:
    columns = ", ".join(f'"{name}"' for name in LEDGER_COLUMNS)
    with loaded_from(db, schema) as connection:
        return connection.execute(f'select {columns} from "{schema}".windows').fetchall()  # noqa: S608  # own names
