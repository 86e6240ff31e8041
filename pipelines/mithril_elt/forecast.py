"""What a run would ask for: its windows, about how many requests, and about how many rows. Writes nothing.

Stands beside `load`, on `plans`. It reads the lists, as the run will, and what earlier windows took.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from mithril_elt.api import Mithril
from mithril_elt.histories import HISTORIES
from mithril_elt.lists import choose_projects, read_lists
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
    """What the windows of a project and a history took so far."""

    spans: list[Span] = field(default_factory=list)
    requests: int = 0
    rows: int = 0

    def share_of(self, total: int, span: Span) -> int:
        """What a span has of a total if it is spread evenly over all spans so far, rounded up."""
        whole = sum((each.end - each.start for each in self.spans), timedelta())
        return math.ceil(Fraction(total * ((span.end - span.start) // _US), whole // _US)) if whole else 0


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
    for batch in batches(covered, lists, wanted):
        told.windows += [_window(project, span, past) for project, span in batch.items()]
    return told


def _window(project: str, span: Span, past: Mapping[tuple[str, str], _Past]) -> PlannedWindow:
    known = [past.get((project, history.name), _Past()) for history in HISTORIES]
    requests = sum(max(1, each.share_of(each.requests, span)) for each in known)
    rows = sum(each.share_of(each.rows, span) for each in known)
    return PlannedWindow(project, span, requests, rows if all(each.spans for each in known) else None)


def _covered(past: Mapping[tuple[str, str], _Past], project: str) -> list[Span]:
    spans = [set(merged(past.get((project, history.name), _Past()).spans)) for history in HISTORIES]
    return sorted(set.intersection(*spans))


def _past(db: Path, schema: str) -> dict[tuple[str, str], _Past]:
    """By project and history; empty where nothing was loaded."""
    past: dict[tuple[str, str], _Past] = {}
    for project, history, start, end, requests, rows in _ledger(db, schema):
        each = past.setdefault((project, history), _Past())
        each.spans.append(Span(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)))
        each.requests += requests
        each.rows += rows
    return past


def _ledger(db: Path, schema: str) -> Iterable[tuple[Any, ...]]:
    query = f'select project, history, from_at, to_at, requests, "rows" from "{schema}".windows'  # noqa: S608  # own names
    with loaded_from(db, schema) as connection:
        return connection.execute(query).fetchall()
