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

from mithril_elt.reports.advised import advised_lines, ways_on_lines
from mithril_elt.reports.catalog import DEFINITIONS
from mithril_elt.reports.compared import compared_lines
from mithril_elt.reports.compose import Report
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.kinds import Combined, Sum
from mithril_elt.reports.list_catalog import CHARGEBACK, OPPORTUNITIES, RECONCILIATION, RETURN_NOW
from mithril_elt.reports.shown import (
    figures_of,
    footnotes,
    group_headings,
    group_texts,
    listed_texts,
    number_text,
    summary_sections,
    title,
)
from mithril_elt.reports.subtotals import subtotals

__all__ = ["as_table"]

_GAP = "  "
_BOLD = Style(bold=True)
# Sections of the summary that stand beside the others, where there is room.
_TO_THE_RIGHT = ("Cost", "Pause credits", "Reservations")


def as_table(report: Report, *, width: int, bold: bool) -> str:
    """The report laid out for a screen of that width; ids are never cut, so a narrow one may be exceeded."""
    if report.name == "summary":
        body = _side_by_side(report, width)
    elif report.name == RECONCILIATION.name:
        body = compared_lines(report, width)
    elif report.name == OPPORTUNITIES.name:
        body = advised_lines(report, width)
    elif report.name == RETURN_NOW.name:
        body = ways_on_lines(report, width)
    elif report.by:
        body = _blocks(report, width, bold=bold) + _subtotal_lines(report, bold=bold)
    else:
        body = _listed(_total_lines(report))
    notes = [line for note in footnotes(report) for line in textwrap.wrap(note, max(width, 40))]
    return "\n".join([_strong(title(report), bold=bold), "", *body, "", *notes]).rstrip() + "\n"


@dataclass(frozen=True)
class _Column:
    """One column: its name, the lines over it, its cells, and the cell of the total."""

    name: str
    heading: tuple[str, ...]
    cells: tuple[str, ...]
    total: str
    to_right: bool = False
    is_zero: bool = False

    @cached_property
    def width(self) -> int:
        return max(cell_len(text) for text in (*self.heading, *self.cells, self.total))

    def padded(self, text: str) -> str:
        """The text as wide as the column, as signs on a screen go."""
        fill = " " * (self.width - cell_len(text))
        return fill + text if self.to_right else text + fill


def _blocks(report: Report, width: int, *, bold: bool) -> list[str]:
    if not report.rows:
        return ["Nothing to report."]
    rows = [row for row in report.rows if _says_something(report, row)]
    groups = _group_columns(report, rows)
    room = width - sum(column.width + len(_GAP) for column in groups)
    shown, left_out = _without_zeros(_figure_columns(report, rows), room)
    lines: list[str] = []
    for block in _that_fit(shown, room):
        lines += [*([""] if lines else []), *_drawn([*groups, *block], bold=bold)]
    notes = []
    if left_out:
        notes.append(f"Zero in all rows: {', '.join(column.name for column in left_out)}.")
    if len(rows) < len(report.rows):
        zeros = len(report.rows) - len(rows)
        rows_are = "row of nothing but zeros is" if zeros == 1 else "rows of nothing but zeros are"
        notes.append(f"{zeros:,} {rows_are} not shown.")
    return [*lines, "", *textwrap.wrap(" ".join(notes), max(width, 40))] if notes else lines


def _subtotal_lines(report: Report, *, bold: bool) -> list[str]:
    """Under the lines of a chargeback, what they come to for each that is charged."""
    if report.name != CHARGEBACK.name or len(report.rows) < max(report.row_count, 1):
        return []
    found = subtotals(report)
    [*_, cost] = _figure_columns(found, found.rows)
    return ["", *_drawn([*_group_columns(found, found.rows), cost], bold=bold)]


def _says_something(report: Report, row: tuple[Cell, ...]) -> bool:
    """Whether a figure of the row is not zero, or is one that adds up, or that rows are sorted by, and is not known."""
    main = DEFINITIONS[report.name].sorted_by
    figures = zip(figures_of(report), row[len(report.group_columns) :], strict=True)
    return any(
        cell or (cell is None and (isinstance(figure, Sum | Combined) or figure.name == main))
        for figure, cell in figures
    )


def _group_columns(report: Report, rows: Sequence[tuple[Cell, ...]]) -> list[_Column]:
    texts = [group_texts(report, row) for row in rows]
    zeros = len(report.rows) - len(rows)  # which are not shown, as is said below
    total = f"Total of {report.row_count - zeros:,}"
    return [
        _Column(heading, (heading,), tuple(text[position] for text in texts), "" if position else total)
        for position, heading in enumerate(group_headings(report))
    ]


def _figure_columns(report: Report, rows: Sequence[tuple[Cell, ...]]) -> list[_Column]:
    columns = []
    for position, figure in enumerate(figures_of(report)):
        cells = [row[len(report.group_columns) + position] for row in rows]
        whole = report.total[position]
        texts = tuple(map(number_text, cells))
        total = number_text(whole)
        heading = _wrapped(figure.heading, max(map(len, (*texts, total, figure.unit.heading))))
        is_zero = whole == 0 and all(cell == 0 for cell in cells)
        columns.append(
            _Column(figure.heading, (*heading, figure.unit.heading), texts, total, to_right=True, is_zero=is_zero)
        )
    return columns


def _wrapped(heading: str, width: int) -> list[str]:
    """The heading in lines of that width, or of a greater one if they were more than three."""
    lines = textwrap.wrap(heading, width, break_long_words=False, break_on_hyphens=False)
    return lines if len(lines) <= 3 else _wrapped(heading, width + 1)


def _without_zeros(figures: Sequence[_Column], room: int) -> tuple[list[_Column], list[_Column]]:
    """The figures to show and those to leave out: if not all fit side by side, those that are zero throughout."""
    if len(_packed(figures, room)) == 1:
        return list(figures), []
    shown = [column for column in figures if not column.is_zero]
    return (shown, [column for column in figures if column.is_zero]) if shown else (list(figures), [])


def _that_fit(figures: Sequence[_Column], room: int) -> list[list[_Column]]:
    """The figures in as few blocks as have room, and those about equally wide."""
    blocks = _packed(figures, room)
    for narrower in range(room - 1, 0, -1):
        tighter = _packed(figures, narrower)
        if len(tighter) > len(blocks):
            break
        blocks = tighter
    return blocks


def _packed(figures: Sequence[_Column], room: int) -> list[list[_Column]]:
    """The figures in blocks, each filled before the next is begun; one that is wider than the room stands alone."""
    blocks: list[list[_Column]] = []
    used = 0
    for column in figures:
        needed = column.width + len(_GAP)
        if not blocks or used + needed > room + len(_GAP):
            blocks.append([])
            used = 0
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
    return [listed_texts(figure, cell) for figure, cell in zip(figures_of(report), report.total, strict=True)]


def _listed(lines: Sequence[tuple[str, str, str]]) -> list[str]:
    """One figure a line: words, value, unit; an instant, which has none, may reach under the units."""
    words = max(len(word) for word, _, _ in lines)
    values = max(len(value) for _, value, unit in lines if unit)
    units = max(len(unit) for _, _, unit in lines)
    texts = [f"{value:>{values}} {unit:<{units}}" if unit else value for _, value, unit in lines]
    widest = max(map(len, texts))
    return [f"{line[0]:<{words}}{_GAP}{text:>{widest}}".rstrip() for line, text in zip(lines, texts, strict=True)]


def _side_by_side(report: Report, width: int) -> list[str]:
    """The summary's sections, in two columns where the width allows it."""
    sections = [(name, lines) for name, lines in summary_sections(report) if lines]
    left, right = (
        _sections([section for section in sections if section[0] not in _TO_THE_RIGHT]),
        _sections([section for section in sections if section[0] in _TO_THE_RIGHT]),
    )
    across = max(map(len, left)) + 2 * len(_GAP)
    if across + max(map(len, right), default=0) > width:
        return _sections(sections)
    return [f"{one:<{across}}{two}".rstrip() for one, two in zip_longest(left, right, fillvalue="")]


def _sections(sections: Sequence[tuple[str, list[tuple[str, str, str]]]]) -> list[str]:
    """Each section under its name, their figures aligned, an empty line between them."""
    if not sections:
        return []
    aligned = iter(_listed([line for _, lines in sections for line in lines]))
    drawn = [line for name, lines in sections for line in ("", name, *(f" {next(aligned)}" for _ in lines))]
    return drawn[1:]


def _strong(text: str, *, bold: bool) -> str:
    return _BOLD.render(text) if bold and text else text
