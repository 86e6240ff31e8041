"""A report as a table for a screen: figures to the right, in as many blocks as the width asks for.

Part of the last step of the flow, under `render`. Lines are laid out here and not by rich's Table, which
takes a millisecond a row; rich measures wide characters and makes the bold.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from rich.cells import cell_len
from rich.style import Style

from mithril_elt.reports.catalog import Combined, Sum
from mithril_elt.reports.compose import Report
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.shown import (
    figures_of,
    footnotes,
    group_headings,
    group_texts,
    number_text,
    summary_sections,
    title,
)

__all__ = ["as_table"]

_GAP = "  "
_BOLD = Style(bold=True)


def as_table(report: Report, *, width: int, bold: bool) -> str:
    """The report laid out for a screen of that width; ids are never cut, so a narrow one may be exceeded."""
    if report.name == "summary":
        body = _side_by_side(report, width)
    elif report.by:
        body = _blocks(report, width, bold=bold)
    else:
        body = _listed(_total_lines(report))
    notes = [line for note in footnotes(report) for line in textwrap.wrap(note, max(width, 40))]
    return "\n".join([_strong(title(report), bold=bold), "", *body, "", *notes]).rstrip() + "\n"


@dataclass(frozen=True)
class _Column:
    """One column: the lines over it, its cells, and the cell of the total."""

    heading: tuple[str, ...]
    cells: tuple[str, ...]
    total: str
    to_right: bool

    @cached_property
    def width(self) -> int:
        return max(cell_len(text) for text in (*self.heading, *self.cells, self.total))

    def padded(self, text: str) -> str:
        """The text as wide as the column, as signs on a screen go."""
        fill = " " * (self.width - cell_len(text))
        return fill + text if self.to_right else text + fill


def _blocks(report: Report, width: int, *, bold: bool) -> list[str]:
    rows = [row for row in report.rows if _says_something(report, row)]
    groups = _group_columns(report, rows)
    lines: list[str] = []
    for block in _that_fit(groups, _figure_columns(report, rows), width):
        lines += [*([""] if lines else []), *_drawn([*groups, *block], bold=bold)]
    zeros = len(report.rows) - len(rows)
    return [*lines, "", f"{zeros:,} rows of nothing but zeros are not shown."] if zeros else lines


def _says_something(report: Report, row: tuple[Cell, ...]) -> bool:
    """Whether a figure of the row is not zero, or is one that adds up and is not known."""
    figures = zip(figures_of(report), row[len(report.group_columns) :], strict=True)
    return any(cell or (cell is None and isinstance(figure, Sum | Combined)) for figure, cell in figures)


def _group_columns(report: Report, rows: Sequence[tuple[Cell, ...]]) -> list[_Column]:
    headings = group_headings(report)
    texts = [group_texts(report, row) for row in rows]
    total = f"Total of {report.row_count:,}"
    return [
        _Column((heading,), tuple(text[position] for text in texts), "" if position else total, to_right=False)
        for position, heading in enumerate(headings)
    ]


def _figure_columns(report: Report, rows: Sequence[tuple[Cell, ...]]) -> list[_Column]:
    columns = []
    for position, figure in enumerate(figures_of(report)):
        cells = tuple(number_text(row[len(report.group_columns) + position]) for row in rows)
        total = number_text(report.total[position])
        widest = max(len(text) for text in (*cells, total, *figure.heading.split(), figure.unit.heading))
        heading = (*textwrap.wrap(figure.heading, widest), figure.unit.heading)
        columns.append(_Column(heading, cells, total, to_right=True))
    return columns


def _that_fit(groups: Sequence[_Column], figures: Sequence[_Column], width: int) -> list[list[_Column]]:
    """The figures in blocks, each with the groups beside it no wider than `width`, or of one figure."""
    room = width - sum(column.width + len(_GAP) for column in groups)
    blocks: list[list[_Column]] = [[]]
    used = 0
    for column in figures:
        needed = column.width + (len(_GAP) if blocks[-1] else 0)
        if blocks[-1] and used + needed > room:
            blocks.append([])
            used, needed = 0, column.width
        blocks[-1].append(column)
        used += needed
    return blocks


def _drawn(columns: Sequence[_Column], *, bold: bool) -> list[str]:
    tall = max(len(column.heading) for column in columns)
    headings = [(("",) * (tall - len(column.heading))) + column.heading for column in columns]
    rule = "─" * (sum(column.width for column in columns) + len(_GAP) * (len(columns) - 1))
    head = [_strong(_line(columns, texts), bold=bold) for texts in zip(*headings, strict=True)]
    body = [_line(columns, texts) for texts in zip(*(column.cells for column in columns), strict=True)]
    return [*head, rule, *body, rule, _strong(_line(columns, [column.total for column in columns]), bold=bold)]


def _line(columns: Sequence[_Column], texts: Sequence[str]) -> str:
    return _GAP.join(column.padded(text) for column, text in zip(columns, texts, strict=True)).rstrip()


def _total_lines(report: Report) -> list[tuple[str, str, str]]:
    return [
        (figure.heading, number_text(cell), figure.unit.heading)
        for figure, cell in zip(figures_of(report), report.total, strict=True)
    ]


def _listed(lines: Sequence[tuple[str, str, str]]) -> list[str]:
    """One figure a line: words, value, unit."""
    words = max(len(line[0]) for line in lines)
    values = max(len(line[1]) for line in lines)
    return [f"{word:<{words}}{_GAP}{value:>{values}} {unit}".rstrip() for word, value, unit in lines]


def _side_by_side(report: Report, width: int) -> list[str]:
    """The summary's sections, in two columns where the width allows it."""
    sections = summary_sections(report)
    aligned = iter(_listed([line for _, lines in sections for line in lines]))
    drawn = [[name, *(f"{_GAP}{next(aligned)}" for _ in lines), ""] for name, lines in sections if lines]
    left = [line for section in drawn[:3] for line in section]
    right = [line for section in drawn[3:] for line in section]
    across = max(map(len, left)) + len(_GAP)
    if across + max(map(len, right), default=0) > width:
        return [*left, *right][:-1]
    return [f"{one:<{across}}{two}".rstrip() for one, two in zip_longest(left, right, fillvalue="")][:-1]


def _strong(text: str, *, bold: bool) -> str:
    return _BOLD.render(text) if bold and text else text
