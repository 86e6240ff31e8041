"""Both histories and all lists as the API tells them, read without dlt and without a database.

Stands in `acceptance` on `asking` and `lists`. What is loaded is held against this; read twice, it shows what the
account itself has changed meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mithril_elt.acceptance.rows import Row, Rows, compared_columns
from mithril_elt.api import Mithril, Walk
from mithril_elt.asking import asked
from mithril_elt.histories import HISTORIES, History
from mithril_elt.lists import Lists
from mithril_elt.orders import Orders
from mithril_elt.sizing import Slices
from mithril_elt.tables import raw_table
from mithril_elt.wanted import Wanted
from mithril_elt.windows import Span

__all__ = ["Told", "listed", "told"]


@dataclass
class Told:
    """The rows of both histories, by raw table, each with how often it came; the pages that it took; by which way."""

    rows: dict[str, Rows] = field(default_factory=dict)
    pages: int = 0
    ways: dict[str, str] = field(default_factory=dict)

    @property
    def once(self) -> dict[str, Rows]:
        """Each row once, however often it came."""
        return {name: Counter(set(rows)) for name, rows in self.rows.items()}

    @property
    def count(self) -> int:
        """Of different rows."""
        return sum(map(len, self.rows.values()))

    @property
    def repeated(self) -> int:
        """Of rows that came on more than one page, or twice on one."""
        return sum(count > 1 for rows in self.rows.values() for count in rows.values())


@dataclass(frozen=True)
class _InPages(History):
    """A history that is asked for in pages of a size."""

    limit: int = 100

    def walk(self, project: str, span: Span, *, tag: Any, **filters: str) -> Walk:
        """The question, with the limit."""
        walk = super().walk(project, span, tag=tag, **filters)
        return replace(walk, params={**walk.params, "limit": self.limit})


def told(api: Mithril, lists: Lists, spans: Mapping[str, Span], *, limit: int | None = None) -> Told:
    """What the API tells of these spans of the projects, in pages of `limit` if given.

    Raises:
        MithrilError: as every call of the API.
    """
    found = Told()
    for each in HISTORIES:
        history = _InPages(**vars(each), limit=limit) if limit else each
        orders = {project: Orders(lists, project, {}) for project in spans}
        rows = found.rows.setdefault(history.table, Counter())
        slices = {project: Slices([span]) for project, span in spans.items()}
        for project, page in asked(api, history, slices, found.ways, orders):
            found.pages += 1
            rows.update(_rows(history.table, history.tabled([page], project, Wanted(spans[project]), api.novelties)))
    return found


def listed(lists: Lists) -> dict[str, Rows]:
    """The rows of all lists, by raw table."""
    return {name: Counter(_rows(name, table)) for name, table in lists.tables.items()}


def _rows(name: str, table: Any) -> list[Row]:
    columns = (table.column(name).to_pylist() for name in compared_columns(raw_table(name)))
    return list(zip(*columns, strict=True))
