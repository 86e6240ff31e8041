"""Rows of a report as a table of a page: all its figures, each row leading to what it is made of.

Stands on `ranked`, `over_time` and `charts`, under `pages`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
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
from mithril_elt.reports.list_catalog import RECONCILIATION
from mithril_elt.reports.shown import cell_texts, footnotes, group_headings, group_texts, number_text, title

__all__ = ["Row", "RowTable", "row_table"]

_MOST = 500  # rows on a page; a file has all of them
_DRAWN = 120  # places of a chart
_SENTENCE = 40  # signs from which on a text is one, and wants room


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

    `sides`: n for columns of numbers, t for those of texts, w as well where these are sentences. What else a row is of,
    such as the kind of a line of a chargeback, is a text before its figures, which `place` counts with; `by` is what
    rows are of first.

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
    """The table of a report by one grouping. `figure` is the one that is looked at, else the report's main one.

    `links.place` are the options that choose the database on a terminal.
    """
    definition = DEFINITIONS[report.name]
    by = report.by[0]
    asked_by = by if definition.groupings else None
    headings = group_headings(report)
    first = 2 if headings[1:2] == [""] else 1  # the name and the id of what `label_of` says
    others = headings[first:]
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
        len(others) + place,
        (
            *((each, "", "", None) for each in others),
            *(
                (each.heading, each.unit.sign.strip(), each.name, links.rows(report.name, asked_by, each.name))
                for each in definition.figures
            ),
        ),
        (*("t" for _ in others), *(_side(each, shown, groups + at) for at, each in enumerate(definition.figures))),
        tuple(
            Row(
                *label_of(report, row),
                links.finer(by, None if row[0] is None else str(row[0]), definition.groupings),
                (*group_texts(report, row)[first:], *cell_texts(report, row)),
                bar([(size, "s1")], longest, width=60),
            )
            for row, size in zip(shown, sizes, strict=True)
        ),
        _total(report, len(others)),
        len(report.rows) - len(shown),
        tuple(footnotes(report)),
        tuple((each, links.rows(report.name, each, figure)) for each in definition.groupings if each in GROUPINGS),
        _command(report, links),
        _drawn(report, definition.figures[place], period, links),
    )


def _drawn(report: Report, figure: Figure, period: Period | None, links: Links) -> Drawing | None:
    """The figure that is looked at as a chart, where the rows are times."""
    if (
        period is None
        or len(report.by) > 1
        or not GROUPINGS[report.by[0]].is_time
        or not 1 < len(report.rows) <= _DRAWN
    ):
        return None
    if isinstance(figure, Pick) or figure.unit.name == "text":
        return None
    unit = figure.unit.name if figure.unit.name != "count" else "number"
    heading = figure.heading[:1].upper() + figure.heading[1:]
    return one_figure(report, period, links, figure=figure.name, title=heading, unit=unit)


def _side(figure: Figure, rows: Sequence[tuple[Cell, ...]], at: int) -> str:
    if figure.unit.name != "text":
        return "n"
    return "t w" if any(len(str(row[at] or "")) > _SENTENCE for row in rows) else "t"


def _size(cell: Cell, figure: Figure) -> Decimal:
    is_size = isinstance(cell, (Decimal, int)) and figure.unit.name != "text"
    return max(Decimal(cell or 0), Decimal(0)) if is_size else Decimal(0)


def _total(report: Report, others: int) -> tuple[str, ...]:
    """The figures of all rows under their columns, where they have any; nothing under a text."""
    cells = iter(report.total)
    if not report.total:
        return ()
    figures = DEFINITIONS[report.name].figures
    is_short = len(report.total) < len(figures)  # a list has none for its texts
    return (
        *("" for _ in range(others)),
        *("" if is_short and each.unit.is_text else number_text(next(cells)) for each in figures),
    )


def _command(report: Report, links: Links) -> str:
    """What prints the same rows."""
    words = ["mithril-elt", "report", report.name]
    taken = DEFINITIONS[report.name].groupings if report.name != RECONCILIATION.name else ()
    words += [word for by in report.by if by in taken for word in ("--by", by)]
    words += [word for option, identity in report.part for word in ("--only", f"{option}={identity}")]
    for option, at in (("--from", report.from_at), ("--to", report.to_at)):
        words += [option, str(iso(at))] if at else []
    return shlex.join([*words, *links.place])
