"""What a run would ask for: its windows, about how many requests, and about how many rows. Writes nothing.

Stands beside `load`, on `plans` and `orders`. It reads the lists, as the run will, what earlier windows took and by
whom they were asked, and what dlt remembers of orders.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from mithril_elt.api import Mithril
from mithril_elt.asking import BY_ORDER
from mithril_elt.endpoints import PAGE_LIMIT
from mithril_elt.findings import saved_readings
from mithril_elt.histories import HISTORIES
from mithril_elt.lists import Lists, choose_projects, read_lists
from mithril_elt.orders import Orders
from mithril_elt.pipeline import remembered_orders
from mithril_elt.plans import LoadPlan, batches, settled_before
from mithril_elt.warehouse import loaded_from, schema_name
from mithril_elt.windows import Span, merged

__all__ = ["Forecast", "PlannedWindow", "forecast"]

_US = timedelta(microseconds=1)


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
class _Past:
    """What the windows of a project and a history took so far; `asked_by`: how the newest of them was asked."""

    spans: list[Span] = field(default_factory=list)
    requests: int = 0
    rows: int = 0
    asked_by: str | None = None

    def share_of(self, total: int, span: Span) -> int:
        """What a span has of a total if it is spread evenly over all spans so far, rounded up."""
        whole = sum((each.end - each.start for each in self.spans), timedelta())
        return math.ceil(Fraction(total * ((span.end - span.start) // _US), whole // _US)) if whole else 0


@dataclass
class _Questions:
    """How many requests a window takes, of a project alone or of each order that is due in it.

    Of a project alone as many as earlier windows took. Of an order one, and one more for each page that the rows
    would fill. That a project alone is refused is found out anew by each run, unless a probe has saved it.
    """

    past: Mapping[tuple[str, str], _Past]
    orders: Mapping[str, Orders]
    refused: set[str]

    def of(self, project: str, span: Span) -> int:
        """Requests for both histories of a project."""
        known = [self.past.get((project, history.name), _Past()) for history in HISTORIES]
        if project not in self.orders:
            return sum(max(1, each.share_of(each.requests, span)) for each in known)
        due = len(self.orders[project].due(span))
        found_out = project in self.refused
        self.refused.discard(project)
        return found_out + sum(due + each.share_of(each.rows, span) // PAGE_LIMIT for each in known)


def forecast(api: Mithril, db: Path, wanted: LoadPlan) -> Forecast:
    """What `load` would do with the same plan.

    Raises:
        UsageError: times that have no meaning.
        NotFoundError: a project that the key does not see.
        WarehouseError: the database cannot be read.
        KeyRefusedError, ApiError, ContractError: the API.
    """
    projects = choose_projects(api, wanted.projects)
    past = _past(db, schema_name("raw", wanted.dataset)) if db.is_file() else {}
    covered = {project: _covered(past, project) for project in projects}
    lists = read_lists(api, projects, settled_before=settled_before(covered, wanted))
    told = Forecast(min(wanted.until or lists.as_of, lists.as_of), api.traffic.requests, is_first=not past)
    questions = _questions(db, past, lists, projects)
    for batch in batches(covered, lists, wanted):
        for project, span in batch.items():
            known = [past.get((project, history.name), _Past()) for history in HISTORIES]
            rows = sum(each.share_of(each.rows, span) for each in known) if all(each.spans for each in known) else None
            told.windows.append(PlannedWindow(project, span, questions.of(project, span), rows))
    return told


def _questions(db: Path, past: Mapping[tuple[str, str], _Past], lists: Lists, projects: Sequence[str]) -> _Questions:
    """Whom the run will ask: as a probe has found it, else as the newest windows were asked, of this project or any."""
    seen = saved_readings(db).get("project_alone")
    ways: dict[str, set[str | None]] = {}
    for (project, _), each in past.items():
        ways.setdefault(project, set()).add(each.asked_by)
    everywhere = set[str | None]().union(*ways.values())
    by_order = [p for p in projects if (seen != "accepted" if seen else BY_ORDER in ways.get(p, everywhere))]
    remembered = remembered_orders(db)
    orders = {project: Orders(lists, project, remembered.get(project, {})) for project in by_order}
    return _Questions(past, orders, set() if seen else set(by_order))


def _covered(past: Mapping[tuple[str, str], _Past], project: str) -> list[Span]:
    spans = [set(merged(past.get((project, history.name), _Past()).spans)) for history in HISTORIES]
    return sorted(set.intersection(*spans))


def _past(db: Path, schema: str) -> dict[tuple[str, str], _Past]:
    """By project and history; empty where nothing was loaded."""
    past: dict[tuple[str, str], _Past] = {}
    for row in _ledger(db, schema):
        each = past.setdefault((row["project"], row["history"]), _Past())
        each.spans.append(Span(row["from_at"].replace(tzinfo=UTC), row["to_at"].replace(tzinfo=UTC)))
        each.requests += row["requests"]
        each.rows += row["rows"]
        each.asked_by = row.get("asked_by")  # which an earlier release did not note
    return past


def _ledger(db: Path, schema: str) -> Iterator[dict[str, Any]]:
    """The windows that were read, oldest first."""
    with loaded_from(db, schema) as connection:
        found = connection.execute(f'select * from "{schema}".windows order by to_at')  # noqa: S608  # own names
        names = [column[0] for column in found.description]
        yield from (dict(zip(names, row, strict=True)) for row in found.fetchall())
