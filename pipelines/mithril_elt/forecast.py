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
from mithril_elt.findings import saved_readings
from mithril_elt.histories import HISTORIES
from mithril_elt.lists import Lists, choose_projects, read_lists
from mithril_elt.orders import Orders
from mithril_elt.past import LEDGER_COLUMNS, Past, past_of
from mithril_elt.pipeline import remembered_orders
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
    questions = _Questions(past, *_by_order(db, schema_name("raw", wanted.dataset), lists, projects))
    pending = Pending(due(covered, lists, wanted))
    length = Sizing(past, api.limits.concurrency, wanted.window).length()
    while batch := pending.take(length):
        told.windows += [questions.window(project, span) for project, span in batch.items()]
    return told


def _by_order(db: Path, schema: str, lists: Lists, projects: Sequence[str]) -> tuple[dict[str, Orders], set[str]]:
    """The orders of each project that is not asked alone, and those of which the run has to find it out.

    As a probe has found it, else as the newest window was asked, of the project or of any.
    """
    seen = saved_readings(db).get("project_alone")
    ways = {} if seen else _ways(db, schema)
    default = "project" if BY_ORDER not in ways.values() else BY_ORDER
    by_order = [p for p in projects if (seen != "accepted" if seen else ways.get(p, default) == BY_ORDER)]
    remembered = remembered_orders(db)
    orders = {project: Orders(lists, project, remembered.get(project, {})) for project in by_order}
    return orders, set() if seen else set(by_order)


def _ways(db: Path, schema: str) -> dict[str, str | None]:
    """How the newest window of each project was asked; an earlier release did not note it."""
    if not db.is_file():
        return {}
    with loaded_from(db, schema) as connection:
        found = connection.execute(f'select * from "{schema}".windows order by to_at')  # noqa: S608  # own names
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {row["project"]: row.get("asked_by") for row in rows}


def _covered(past: Mapping[tuple[str, str], Past], project: str) -> list[Span]:
    spans = [set(past.get((project, history.name), Past()).covered) for history in HISTORIES]
    return sorted(set.intersection(*spans))


def _ledger(db: Path, schema: str) -> list[tuple[Any, ...]]:
    columns = ", ".join(f'"{name}"' for name in LEDGER_COLUMNS)
    with loaded_from(db, schema) as connection:
        return connection.execute(f'select {columns} from "{schema}".windows').fetchall()  # noqa: S608  # own names
