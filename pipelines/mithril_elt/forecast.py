"""What a run would ask for: its windows, about how many requests, and about how many rows. Writes nothing.

Stands beside `load`, on `plans`, `sizing` and `orders`. It reads the lists, as the run will, what earlier windows took
and by whom they were asked, and what dlt remembers of orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mithril_elt.api import Mithril
from mithril_elt.asking import BY_ORDER
from mithril_elt.endpoints import PAGE_LIMIT
from mithril_elt.errors import UsageError
from mithril_elt.findings import saved_readings
from mithril_elt.histories import HISTORIES
from mithril_elt.lists import Lists, choose_projects, read_lists
from mithril_elt.orders import Orders
from mithril_elt.past import Past, past_of
from mithril_elt.pipeline import remembered_orders
from mithril_elt.place import Place
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


@dataclass
class _Questions:
    """How many requests a window takes, of a project alone or of each order that is due in it.

    Of a project alone as many as earlier windows took. Of an order one, and one more for each page that the rows
    would fill. That a project alone is refused is found out anew by each run, unless a probe has saved it.
    """

    past: Mapping[tuple[str, str], Past]
    orders: Mapping[str, Orders]
    refused: set[str]

    def window(self, project: str, span: Span) -> PlannedWindow:
        """A window of a project, with what both histories take."""
        known = [self.past.get((project, history.name), Past()) for history in HISTORIES]
        rows = sum(each.rows_of(span) for each in known) if all(each.spans for each in known) else None
        return PlannedWindow(project, span, self._requests(project, span, known), rows)

    def _requests(self, project: str, span: Span, known: Sequence[Past]) -> int:
        if project not in self.orders:
            return sum(max(1, each.requests_of(span)) for each in known)
        due_orders, found_out = len(self.orders[project].due(span)), project in self.refused
        self.refused.discard(project)
        return found_out + sum(due_orders + each.rows_of(span) // PAGE_LIMIT for each in known)


def forecast(api: Mithril, db: Place, wanted: LoadPlan) -> Forecast:
    """What `load` would do with the same plan.

    Raises:
        UsageError: times that have no meaning.
        NotFoundError: a project that the key does not see.
        WarehouseError: the database cannot be read.
        KeyRefusedError, ApiError, ContractError: the API.
    """
    projects = choose_projects(api, wanted.projects)
    ledger = _ledger(db, schema_name("raw", wanted.dataset))
    past = past_of(ledger)
    covered = {project: _covered(past, project) for project in projects}
    lists = read_lists(api, projects, settled_before=settled_before(covered, wanted))
    told = Forecast(min(wanted.until or lists.as_of, lists.as_of), api.traffic.requests, is_first=not past)
    questions = _Questions(dict(past), *_by_order(db, ledger, lists, projects))
    pending = Pending(due(covered, lists, wanted))
    sizing = Sizing(past, api.limits.concurrency, wanted.window)
    while batch := pending.take(sizing.length()):
        for project, span in batch.items():
            told.windows.append(questions.window(project, span))
            if told.is_first:  # as if nothing were in it
                sizing.note(project, HISTORIES[0].name, span, requests=1, rows=0)
        sizing.go_on(batch.values())
    return told


def _by_order(
    db: Place, ledger: Sequence[Mapping[str, Any]], lists: Lists, projects: Sequence[str]
) -> tuple[dict[str, Orders], set[str]]:
    """The orders of each project that is not asked alone, and those of which the run has to find it out.

    As a probe has found it, else as the newest window was asked, of the project or of any.
    """
    seen = saved_readings(db).get("project_alone")
    newest_last = sorted(ledger, key=lambda row: row["to_at"])
    ways = {} if seen else {row["project"]: row.get("asked_by") for row in newest_last}
    default = "project" if BY_ORDER not in ways.values() else BY_ORDER
    by_order = [p for p in projects if (seen != "accepted" if seen else ways.get(p, default) == BY_ORDER)]
    remembered = remembered_orders(db)
    orders = {project: Orders(lists, project, remembered.get(project, {})) for project in by_order}
    return orders, set() if seen else set(by_order)


def _covered(past: Mapping[tuple[str, str], Past], project: str) -> list[Span]:
    spans = [set(past.get((project, history.name), Past()).covered) for history in HISTORIES]
    return sorted(set.intersection(*spans))


def _ledger(db: Place, schema: str) -> list[dict[str, Any]]:
    """The windows that were read, in no order; a database of an earlier release lacks some of their columns."""
    if isinstance(db, Path) and not db.is_file():
        return []
    try:
        with loaded_from(db, schema) as connection:
            found = connection.execute(f'select * from "{schema}".windows')  # noqa: S608  # own names
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    except UsageError:
        if isinstance(db, Path):
            raise
        return []  # a server's database is there before anything is loaded
