"""Opportunities, and ways to go on, as lines on a screen: what is at stake, of what, and what to do about it.

Part of the last step of the flow, under `table`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from decimal import Decimal

from mithril_elt.reports.compose import Report
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.shown import number_text
from mithril_elt.visible import visible

__all__ = ["advised_lines", "ways_on_lines"]

_GAP = "  "
_WORDS = ("reservation_id", "advice", "what_to_do")
_HEADING, _LOST = "USD at stake", "USD lost"
# How time was lost that nothing can be done about any more.
_LOST_AS = {
    "use_or_return": "not used",
    "given_back": "given back",
    "pause_when_idle": "not paused",
    "pause_for_longer": "paused too shortly",
    "pause_when_unused": "up and not used",
}
_WAYS = {"Keeping": "keep_cost_usd", "pausing": "pause_cost_usd", "returning": "return_cost_usd"}
_WORTHS = {
    "Pausing or returning may save": "flexibility_value_usd",
    "What was paid over the market's price:": "flexibility_premium_usd",
}
_INPUTS = {
    "the use to expect": "expected_use_pct",
    "what was paid for an hour": "unit_usd_per_hour",
    "what a pause earns": "pause_usd_per_hour",
    "what giving back earns": "return_usd_per_hour",
    "the price of spot": "spot_usd_per_hour",
}


def advised_lines(report: Report, width: int) -> list[str]:
    """A line for each, the dearest first, under it what to do; then what is over, and what all of them come to."""
    if not report.rows:
        return ["Nothing to do: no reserved time was left unused, and no pause was too short."]
    total = number_text(report.total[report.columns.index("at_stake_usd") - _figures_before(report)])
    wide = max(len(text) for text in (*(_at_stake(report, row) for row in report.rows), total, _HEADING))
    rule = "─" * wide
    lines: list[str] = []
    for heading, is_over in ((_HEADING, False), (_LOST, True)):
        told = [row for row in report.rows if _cell(report, row, "is_over") == is_over]
        if told:
            lines += [*([""] if lines else []), f"{heading:>{wide}}", rule]
        for row in told:
            amount = f"{_at_stake(report, row):>{wide}}{_GAP}"
            lines += [f"{amount}{_of_what(report, row)}"] if is_over else _advice(report, row, amount, width)
    return [*lines, rule, f"{total:>{wide}}{_GAP}Total of {report.row_count:,}{_of_which_over(report)}"]


def ways_on_lines(report: Report, width: int) -> list[str]:
    """Of each open reservation the hours left, what each way costs, the break-even, and under it what to do."""
    if not report.rows:
        return ["No reservation whose terms are known is open."]
    lines: list[str] = []
    for row in report.rows:
        lines.append(_named_reservation(report, row))
        for sentence in _ways_of(report, row):
            lines += textwrap.wrap(sentence, max(width, 60), initial_indent=_GAP, subsequent_indent=_GAP)
    return lines


def _ways_of(report: Report, row: tuple[Cell, ...]) -> Iterator[str]:
    """What is known of one reservation, and by name what is not."""
    cells = {name: _cell(report, row, name) for name in report.columns}
    told = {name: number_text(cell) for name, cell in cells.items() if name not in _WORDS}
    used = "" if cells["expected_use_pct"] is None else f", {told['expected_use_pct']} % of them used"
    yield f"{told['left_hours']} h left until {told['ends_at']}{used}."
    ways = [f"{way} costs {told[name]} USD" for way, name in _WAYS.items() if cells[name] is not None]
    if ways:
        yield f"{', '.join(ways)}."
    if cells["break_even_use_pct"] is not None:
        yield f"Below {told['break_even_use_pct']} % of use returning costs less than pausing."
    for words, name in _WORTHS.items():
        if cells[name] is not None:
            yield f"{words} {told[name]} USD."
    missing = [words for words, name in _INPUTS.items() if cells[name] is None]
    if missing:
        yield f"Not known: {', '.join(missing)}."
    yield str(cells["what_to_do"])


def _named_reservation(report: Report, row: tuple[Cell, ...]) -> str:
    identity = str(_cell(report, row, "reservation_id"))
    return visible(f"{report.names.get('reservation_id', {}).get(identity, '')} {identity}".strip())


def _advice(report: Report, row: tuple[Cell, ...], amount: str, width: int) -> Iterator[str]:
    yield f"{amount}{_of_what(report, row)}"
    indent = " " * len(amount)
    advice = str(_cell(report, row, "what_to_do"))
    yield from textwrap.wrap(advice, max(width, 60), initial_indent=indent, subsequent_indent=indent)


def _of_what(report: Report, row: tuple[Cell, ...]) -> str:
    """Whose time it is, and how much; of what is over, how it was lost."""
    lost_as = f" {_LOST_AS[str(_cell(report, row, 'opportunity'))]}" if _cell(report, row, "is_over") else ""
    gross = _cell(report, row, "idle_cost_gross_usd")
    # Of an instance's pauses no cost is told: it is the reservation's.
    of_cost = "" if gross is None else f", {number_text(gross)} USD before credit"
    return f"{_named(report, row)}: {number_text(_cell(report, row, 'idle_hours'))} h{lost_as}{of_cost}"


def _of_which_over(report: Report) -> str:
    """What part of the total is lost; nothing where none is, or where rows were left out."""
    over = [_cell(report, row, "at_stake_usd") for row in report.rows if _cell(report, row, "is_over")]
    if not over or len(report.rows) < report.row_count:
        return ""
    lost = sum((cell for cell in over if isinstance(cell, Decimal)), Decimal(0))
    return f", of which {number_text(lost)} is over: nothing can be done about it"


def _at_stake(report: Report, row: tuple[Cell, ...]) -> str:
    return number_text(_cell(report, row, "at_stake_usd"))


def _named(report: Report, row: tuple[Cell, ...]) -> str:
    """The instance, or else the reservation: its name, if any is known, and its id."""
    column = "reservation_id" if _cell(report, row, "instance_id") is None else "instance_id"
    identity = str(_cell(report, row, column))
    name = report.names.get(column, {}).get(identity, "")
    return visible(f"{name} {identity}".strip())


def _figures_before(report: Report) -> int:
    """How many columns stand before the first that the total has."""
    return report.columns.index("idle_hours")


def _cell(report: Report, row: tuple[Cell, ...], column: str) -> Cell:
    return row[report.columns.index(column)]
