"""A report as text: a table for people, JSON and CSV for machines, Markdown for a page.

The last step of the flow: report → text. JSON and CSV carry the exact strings, tables what `shown` makes of them.
"""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal

from mithril_elt.errors import UsageError
from mithril_elt.reports.compose import Report
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.names import with_names
from mithril_elt.reports.shown import (
    cell_texts,
    figures_of,
    footnotes,
    group_headings,
    group_texts,
    number_text,
    title,
)
from mithril_elt.reports.table import as_table

__all__ = ["FORMATS", "render"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
FORMATS = ("table", "json", "csv", "markdown")


def render(report: Report, form: str, *, width: int = 80, bold: bool = False) -> str:
    """The report as `table`, `json`, `csv` or `markdown`, ending with a line's end.

    `width` and `bold` are for the table alone. Raises UsageError for any other format.
    """
    match form:
        case "table":
            return as_table(report, width=width, bold=bold)
        case "json":
            return _as_json(with_names(report))
        case "csv":
            return _as_csv(with_names(report))
        case "markdown":
            return _as_markdown(report)
    raise UsageError(f"there is no format {form!r}: there are {', '.join(FORMATS)}")


def _exact(cell: Cell) -> str | int | None:
    """Decimals with all their places, never with an exponent; the rest as it is."""
    return f"{cell:f}" if isinstance(cell, Decimal) else cell


def _as_json(report: Report) -> str:
    fields = [f'  "{name}": {_json(value)},' for name, value in report.head.items()]
    # A row a line: as easy to read and to compare as it is to parse.
    rows = ",\n".join("    " + _json(dict(zip(report.columns, map(_exact, row), strict=True))) for row in report.rows)
    body = f"[\n{rows}\n  ]" if rows else "[]"
    return "\n".join(["{", *fields, f'  "rows": {body}', "}"]) + "\n"


def _json(value: object) -> str:
    """As JSON in which letters are letters, and what nobody can see is an escape."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else "".join(s if s.isprintable() else json.dumps(s)[1:-1] for s in text)


def _as_csv(report: Report) -> str:
    text = io.StringIO()
    # With this end of a line every cell with any line's end in it is quoted, also where Python is older than 3.13.
    writer = csv.writer(_CutEnds(text), lineterminator="\r\n")
    writer.writerow(report.columns)
    writer.writerows([_in_csv(cell) for cell in row] for row in report.rows)
    return text.getvalue()


class _CutEnds:
    """Writes each line with a bare newline at its end."""

    def __init__(self, text: io.StringIO) -> None:
        self._text = text

    def write(self, line: str) -> None:
        self._text.write(f"{line[:-2]}\n")


def _in_csv(cell: Cell) -> str | int:
    exact = str(cell).lower() if isinstance(cell, bool) else _exact(cell)
    # A spreadsheet takes a text with such a start for a formula, and runs it; an apostrophe makes it text again.
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return "" if exact is None else exact


def _as_markdown(report: Report) -> str:
    if report.name == "summary":
        headings, left = ["metric", "value", "unit"], [True, False, True]
        rows = [[str(metric), number_text(value), str(unit)] for metric, value, unit in report.rows]
    else:
        groups = group_headings(report)
        figures = figures_of(report)
        headings = [*groups, *(f"{figure.heading}, {figure.unit.heading}".removesuffix(", ") for figure in figures)]
        left = [True] * len(groups) + [figure.unit.is_text for figure in figures]
        rows = [[*group_texts(report, row), *cell_texts(report, row)] for row in report.rows]
    rule = [":---" if to_left else "---:" for to_left in left]
    lines = [_markdown_line(line) for line in ([_escaped(text) for text in headings], rule)]
    lines += [_markdown_line([_escaped(text) for text in row]) for row in rows]
    notes = [_escaped(note) for note in footnotes(report) if note]
    return "\n\n".join([f"**{title(report)}**", "\n".join(lines), *notes]) + "\n"


def _markdown_line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    # An underscore inside a word, as in ids, is no emphasis.
    return re.sub(r"([\\|`*<>\[\]~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))", r"\\\1", text)
