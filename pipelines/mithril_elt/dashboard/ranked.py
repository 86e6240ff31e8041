"""Groups of a report as rows of a table, the largest first, each with a bar: who, what, how much of it all.

Stands on `figures` and `charts`, under `pages`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from mithril_elt.dashboard.charts import bar
from mithril_elt.dashboard.links import Links
from mithril_elt.reports import GROUPINGS, Report
from mithril_elt.reports.catalog import REPORTS
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.shown import number_text

__all__ = ["Group", "Ranking", "label_of", "ranking"]

_MOST = 8  # rows of a table on the first page; the rest is a row, and a page, of its own


@dataclass(frozen=True)
class Group:
    """A row: name and id (either may be empty), where it leads, a bar, texts."""

    name: str
    identity: str
    href: str | None
    bar: Markup
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """A table of groups: headings over the texts, the rows, the whole, and how many there are in all.

    `more` leads to all of them.
    """

    by: str
    headings: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    total: tuple[str, ...]
    count: int
    more: str | None


def ranking(
    report: Report,
    links: Links,
    figures: Sequence[str],
    bars: Sequence[tuple[str, str]],
    lead: Callable[[str | None], str | None],
    *,
    by_figure: str | None = None,
) -> Ranking:
    """The groups of a report by the figures named; `bars`: figures that a row's bar is made of, with their styles.

    They are in the report's order, or by `by_figure`, the largest first. Groups that have none of all these are left
    out, and counted nowhere.
    """
    place = {name: report.columns.index(name) for name in (*figures, *(name for name, _ in bars))}
    main = by_figure and report.columns.index(by_figure)
    rows = [row for row in report.rows if any(row[at] not in (0, None) for at in place.values())]
    if main:
        rows.sort(key=lambda row: -_size(row[main]))
    longest = max((sum((_size(row[place[name]]) for name, _ in bars), Decimal(0)) for row in rows), default=Decimal(0))
    [by] = report.by
    shown = {figure.name: figure for figure in REPORTS[report.name].figures}
    groups = len(report.group_columns)
    return Ranking(
        by,
        tuple((shown[name].heading, shown[name].unit.sign.strip()) for name in figures),
        tuple(
            Group(
                *label_of(report, row),
                lead(None if row[0] is None else str(row[0])),
                bar([(_known(row[place[name]]), style) for name, style in bars], longest),
                tuple(number_text(row[place[name]]) for name in figures),
            )
            for row in rows[:_MOST]
        ),
        tuple(number_text(report.total[place[name] - groups]) for name in figures),
        len(rows),
        links.rows(report.name, by, by_figure),
    )


def label_of(report: Report, row: tuple[Cell, ...]) -> tuple[str, str]:
    """The name and the id of the group that a row is of, of a report by one grouping."""
    grouping = GROUPINGS[report.by[0]]
    if row[0] is None:
        reservation = dict(zip(report.group_columns, row, strict=False)).get("reservation_id")
        if reservation is None:
            return grouping.missing, ""
        name = report.names.get("reservation_id", {}).get(str(reservation), "")
        return f"(unused) {name}".rstrip(), str(reservation)
    return report.names.get(grouping.column, {}).get(str(row[0]), ""), str(row[0])


def _known(cell: Cell) -> Decimal | None:
    return Decimal(cell) if isinstance(cell, (Decimal, int)) else None


def _size(cell: Cell) -> Decimal:
    return max(_known(cell) or Decimal(0), Decimal(0))
