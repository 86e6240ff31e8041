"""What the lines of a chargeback come to for each label, or whom else they are charged to: for readers, in no file.

Part of the last step of the flow, under `table` and `chart`. Files have the lines alone, so that nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from mithril_elt.reports.compose import Report
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.groupings import EVERY_GROUPING, LABEL

__all__ = ["subtotals"]


def subtotals(report: Report) -> Report:
    """The chargeback by one of its groupings: the label if it is one of them, else the first; all kinds of line in one.

    Its rows have no hours, as those of different lines are of different things. Times come in their order, all else by
    dollars, the dearest first, what is not known last.
    """
    by = LABEL.option if LABEL.option in report.by else report.by[0]
    grouping = EVERY_GROUPING[by]
    place = report.group_columns.index(grouping.column)
    found: dict[Cell, list[Cell]] = {}
    for row in report.rows:
        found.setdefault(row[place], []).append(row[-1])
    amounts = {key: _known_sum(cells) for key, cells in found.items()}

    def rank(key: Cell) -> tuple[object, ...]:
        amount = amounts[key]
        return (str(key or ""),) if grouping.is_time else (amount is None, -(amount or 0), str(key or ""))

    rows = tuple((key, None, amounts[key]) for key in sorted(amounts, key=rank))
    return replace(report, by=(by,), group_columns=(grouping.column,), rows=rows, row_count=len(rows))


def _known_sum(cells: Iterable[Cell]) -> Decimal | None:
    known = [cell for cell in cells if isinstance(cell, Decimal)]
    return sum(known, Decimal(0)) if known else None
