"""A reconciliation as lines on a screen: what differs, what cannot be compared and what agrees, by reservation.

Part of the last step of the flow, under `table`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby

from mithril_elt.reports.compose import Report
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.shown import amount_text, group_texts

__all__ = ["compared_lines"]

_SECTIONS = ((False, "Differs"), (None, "Cannot be compared"), (True, "Agrees"))
_HEADINGS = ("", "ours", "vendor's", "difference")
_GAP = "  "


def compared_lines(report: Report, width: int) -> list[str]:
    """How many fields agree, then the fields under the reservation they are of, with what would explain them."""
    if not report.rows:
        return ["Nothing to compare: the vendor has not summed up any reservation up to as_of."]
    texts = [_texts(report, row) for row in report.rows]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *texts, strict=True)]
    lines = [_counts(report), "", _line(_HEADINGS, widths)]
    for verdict, heading in _SECTIONS:
        rows = [(row, text) for row, text in zip(report.rows, texts, strict=True) if _verdict(report, row) is verdict]
        if rows:
            lines += ["", heading, *_section(report, rows, widths, width)]
    return lines


def _section(
    report: Report, rows: list[tuple[tuple[Cell, ...], tuple[str, ...]]], widths: list[int], width: int
) -> Iterator[str]:
    for names, fields in groupby(rows, key=lambda pair: group_texts(report, pair[0])):
        yield _GAP.join(name for name in names if name)
        for row, text in fields:
            yield _line(text, widths)
            cause = _cell(report, row, "likely_cause")
            yield from textwrap.wrap(str(cause or ""), max(width, 40), initial_indent="    ", subsequent_indent="    ")


def _texts(report: Report, row: tuple[Cell, ...]) -> tuple[str, ...]:
    field = str(_cell(report, row, "field"))
    words = field.replace("_usd", ", USD").replace("_", " ")
    return (f"  {words}", *(amount_text(field, _cell(report, row, name)) for name in ("ours", "vendors", "difference")))


def _line(texts: tuple[str, ...], widths: list[int]) -> str:
    first, *others = (
        f"{text:<{width}}" if not position else f"{text:>{width}}"
        for position, (text, width) in enumerate(zip(texts, widths, strict=True))
    )
    return _GAP.join((first, *others)).rstrip()


def _counts(report: Report) -> str:
    verdicts = [_verdict(report, row) for row in report.rows]
    differ, unknown, agree = (verdicts.count(verdict) for verdict, _ in _SECTIONS)
    parts = [f"{agree:,} of {len(verdicts):,} fields agree", f"{differ:,} differ" if differ else ""]
    parts += [f"{unknown:,} cannot be compared" if unknown else ""]
    return ", ".join(part for part in parts if part) + "."


def _verdict(report: Report, row: tuple[Cell, ...]) -> Cell:
    return _cell(report, row, "agrees")


def _cell(report: Report, row: tuple[Cell, ...], column: str) -> Cell:
    return row[report.columns.index(column)]
