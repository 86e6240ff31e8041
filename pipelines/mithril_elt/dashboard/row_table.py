"""Rows of a report as a table of a page: all its figures, each row leading to what it is made of.

Stands on `ranked`, `over_time` and `charts`, under `pages`.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from mithril_elt.dashboard.charts import Drawing, bar
from mithril_elt.dashboard.links import Links
from mithril_elt.dashboard.over_time import one_figure
from mithril_elt.dashboard.periods import Period
from mithril_elt.dashboard.ranked import label_of
from mithril_elt.instants import iso
from mithril_elt.reports import GROUPINGS, Report
from mithril_elt.reports.catalog import DEFINITIONS
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.kinds import Figure, Pick
from mithril_elt.reports.shown import cell_texts, footnotes, number_text, title

__all__ = ["Row", "RowTable", "row_table"]

_MOST = 500  # rows on a page; a file has all of them
_DRAWN = 120  # places of a chart


@dataclass(frozen=True)
class Row:
    """A row: name and id of its group, where it leads, its texts, and a bar of the figure that is looked at."""

    name: str
    identity: str
    href: str | None
    texts: tuple[str, ...]
    bar: Markup


@dataclass(frozen=True)
class RowTable:
    """The table: what it is, its headings with units, rows and total; `place` is where the figure looked at stands.

    `sides`: n for columns of numbers, t for those of texts.

    `command` prints the same on a terminal; `left_out` rows are in the file only.
    """

    title: str
    report: str
    by: str
    figure: str
    place: int
    headings: tuple[tuple[str, str, str, str | None], ...]
    sides: tuple[str, ...]
    rows: tuple[Row, ...]
    total: tuple[str, ...]
    left_out: int
    notes: tuple[str, ...]
    groupings: tuple[tuple[str, str | None], ...]
    command: str
    chart: Drawing | None


def row_table(report: Report, links: Links, figure: str | None, period: Period | None) -> RowTable:
    """The table of a report by one grouping. `figure` is the one that is looked at, else the report's main one."""
    definition = DEFINITIONS[report.name]
    [by] = report.by
    looked_at = figure or definition.sorted_by
    place = next(number for number, each in enumerate(definition.figures) if each.name == looked_at)
    groups = len(report.group_columns)
    shown = report.rows[:_MOST]
    sizes = [_size(row[groups + place], definition.figures[place]) for row in shown]
    longest = max(sizes, default=Decimal(0))
    return RowTable(
        title(report),
        report.name,
        by,
        looked_at,
        place,
        tuple(
            (each.heading, each.unit.sign.strip(), each.name, links.rows(report.name, by, each.name))
            for each in definition.figures
        ),
        tuple("t" if each.unit.name == "text" else "n" for each in definition.figures),
        tuple(
            Row(
                *label_of(report, row),
                links.finer(by, None if row[0] is None else str(row[0]), definition.groupings),
                tuple(cell_texts(report, row)),
                bar([(size, "s1")], longest, width=60),
            )
            for row, size in zip(shown, sizes, strict=True)
        ),
        tuple(number_text(cell) for cell in report.total),
        len(report.rows) - len(shown),
        tuple(footnotes(report)),
        tuple((each, links.rows(report.name, each, figure)) for each in definition.groupings),
        _command(report),
        _drawn(report, definition.figures[place], period, links),
    )


def _drawn(report: Report, figure: Figure, period: Period | None, links: Links) -> Drawing | None:
    """The figure that is looked at as a chart, where the rows are times."""
    if period is None or not GROUPINGS[report.by[0]].is_time or not 1 < len(report.rows) <= _DRAWN:
        return None
    if isinstance(figure, Pick) or figure.unit.name == "text":
        return None
    unit = figure.unit.name if figure.unit.name != "count" else "number"
    heading = figure.heading[:1].upper() + figure.heading[1:]
    return one_figure(report, period, links, figure=figure.name, title=heading, unit=unit)


def _size(cell: Cell, figure: Figure) -> Decimal:
    is_size = isinstance(cell, (Decimal, int)) and figure.unit.name != "text"
    return max(Decimal(cell or 0), Decimal(0)) if is_size else Decimal(0)


def _command(report: Report) -> str:
    """What prints the same rows."""
    words = ["mithril-elt", "report", report.name]
    if report.name != "reconciliation":
        words += [word for by in report.by for word in ("--by", by)]
    words += [word for option, identity in report.part for word in ("--only", f"{option}={identity}")]
    for option, at in (("--from", report.from_at), ("--to", report.to_at)):
        words += [option, str(iso(at))] if at else []
    return shlex.join(words)
