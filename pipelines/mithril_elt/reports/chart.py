"""A report as bars for a screen: one for each row, of the figure that it is sorted by, with the number beside it.

Part of the last step of the flow, beside `table`. A bar is signs of text and no colour, so it may be piped and mailed.
"""

from __future__ import annotations

import textwrap
from decimal import Decimal

from rich.cells import cell_len, set_cell_size

from mithril_elt.errors import UsageError
from mithril_elt.reports.catalog import REPORTS
from mithril_elt.reports.compose import Report
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.list_catalog import CHARGEBACK
from mithril_elt.reports.shown import figures_of, footnotes, group_texts, number_text, title
from mithril_elt.reports.subtotals import subtotals

__all__ = ["as_chart"]

_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")  # of one sign's width
_WIDEST = 80
_SHORTEST_BAR = 16
_BELOW_NOTHING = "░"
_CHARTED = {**REPORTS, CHARGEBACK.name: CHARGEBACK}  # the second by whom it is charged to


def as_chart(report: Report, *, width: int = _WIDEST) -> str:
    """The bars of a report by any grouping, in 80 signs of a screen's width at most, with its notes below.

    What is not known has a dash and no bar; below nothing a bar is of lighter signs.

    Raises:
        UsageError: a report that is one row, or whose rows are no bars.
    """
    if report.name not in _CHARTED:
        raise UsageError(f"--chart: {report.name} has no figure for each row; there are bars of {', '.join(_CHARTED)}")
    if report.name == CHARGEBACK.name:
        report = subtotals(report)
    if not report.by:
        raise UsageError("--chart draws a bar for each group: say which, as in --by day")
    figures = figures_of(report)
    at = [figure.name for figure in figures].index(_CHARTED[report.name].sorted_by)
    cells = [row[len(report.group_columns) + at] for row in report.rows]
    labels = _labels([group_texts(report, row) for row in report.rows])
    head = f"{title(report)}: {figures[at].heading}, {figures[at].unit.heading}".removesuffix(", ")
    width = min(width, _WIDEST)
    notes = [line for note in footnotes(report) for line in textwrap.wrap(note, max(width, 40))]
    body = _bars(labels, cells, width) if cells else ["Nothing to report."]
    total = [f"Total of {report.row_count:,}: {number_text(report.total[at])}"]
    return "\n".join([*textwrap.wrap(head, max(width, 40)), "", *body, "", *total, "", *notes]).rstrip() + "\n"


def _labels(texts: list[list[str]]) -> list[str]:
    """Names and ids of the rows, each below the other."""
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    return [
        "  ".join(text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in texts
    ]


def _bars(labels: list[str], cells: list[Cell], width: int) -> list[str]:
    """A line for each: what it is of, its number, and a bar as long as the number is to the greatest."""
    numbers = [number_text(cell) for cell in cells]
    number_width = max(map(len, numbers))
    room = max(width - number_width - _SHORTEST_BAR - 4, 8)
    labels = [label if cell_len(label) <= room else f"{set_cell_size(label, room - 1)}…" for label in labels]
    label_width = max(map(cell_len, labels))
    longest = max(width - label_width - number_width - 4, _SHORTEST_BAR)
    greatest = max((abs(_amount(cell)) for cell in cells), default=Decimal(0))
    return [
        f"{label}{' ' * (label_width - cell_len(label))}  {number:>{number_width}}  "
        f"{_bar(_amount(cell), greatest, longest)}".rstrip()
        for label, number, cell in zip(labels, numbers, cells, strict=True)
    ]


def _bar(amount: Decimal, greatest: Decimal, longest: int) -> str:
    """What is not nothing has an eighth of a sign at least."""
    if not amount:
        return ""
    eighths = max(int(abs(amount) / greatest * longest * 8), 1)
    if amount < 0:
        return _BELOW_NOTHING * max(eighths // 8, 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8]


def _amount(cell: Cell) -> Decimal:
    """The length of a bar: nothing for what is not known."""
    return Decimal(cell) if isinstance(cell, Decimal | int) else Decimal(0)
