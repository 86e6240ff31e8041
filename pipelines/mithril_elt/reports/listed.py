"""The reports that are lists: what is asked of each, and the rows that answer.

Stands between marts and `compose`, which puts the report around them; each list has a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mithril_elt.reports.chargeback import charged_lines, rule_notices
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.groupings import GROUPINGS, LABEL, LINE, REGIME, Grouping, shown_key
from mithril_elt.reports.list_catalog import (
    CHARGEBACK,
    OPPORTUNITIES,
    RATES,
    RECONCILIATION,
    RETURN_NOW,
    VARIANCE,
)
from mithril_elt.reports.low_use import unused_lines
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.opportunities import opportunity_rows
from mithril_elt.reports.rates import rate_notices, rate_rows
from mithril_elt.reports.reconciliation import reconciled_rows
from mithril_elt.reports.return_now import Assumptions, return_now_rows
from mithril_elt.reports.rules import Rule
from mithril_elt.reports.span import Span
from mithril_elt.reports.use import UseTable, read_use
from mithril_elt.reports.variance import variance_rows

__all__ = ["LISTED", "Asked", "Listed"]

_RESERVATION, _INSTANCE = GROUPINGS["reservation"], GROUPINGS["instance"]


@dataclass(frozen=True)
class Asked:
    """What a list is asked for: each takes of it what it has a meaning for."""

    groupings: Sequence[Grouping]
    span: Span
    other: Span | None = None
    rules: Sequence[Rule] = ()
    use: UseTable | None = None
    assumptions: Assumptions | None = None

    def shown(self, key: tuple[Any, ...]) -> tuple[str | None, ...]:
        """The texts of a group's key."""
        return shown_key(key, self.groupings)


@dataclass(frozen=True)
class Listed:
    """The rows of a list: by what they are, the groups first; the total of their figures; what a reader must know."""

    groupings: Sequence[Grouping]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    warnings: Sequence[str] = ()


def _charged(marts: Marts, asked: Asked) -> Listed:
    rows, total = charged_lines(marts, asked.groupings, asked.span, asked.rules, asked.shown)
    told = rule_notices(marts, asked.rules) if LABEL in asked.groupings else []
    return Listed([*asked.groupings, LINE], rows, total, told)


def _varied(marts: Marts, asked: Asked) -> Listed:
    rows, total = variance_rows(marts, asked.groupings, asked.span, asked.other or asked.span, asked.shown)
    return Listed([*asked.groupings, LINE], rows, total)


def _rated(marts: Marts, asked: Asked) -> Listed:
    rows, total = rate_rows(marts, asked.groupings, asked.span, asked.shown)
    return Listed([*asked.groupings, REGIME], rows, total, rate_notices(total))


def _advised(marts: Marts, asked: Asked) -> Listed:
    unused, left_open = unused_lines(marts, read_use(marts, asked.use), asked.span) if asked.use else ([], [])
    rows, total = opportunity_rows(marts, asked.span, unused)
    return Listed([_RESERVATION, _INSTANCE], rows, total, left_open)


def _ways_on(marts: Marts, asked: Asked) -> Listed:
    rows, assumed = return_now_rows(marts, asked.assumptions or Assumptions())
    return Listed([_RESERVATION], rows, warnings=assumed)


def _reconciled(marts: Marts, _: Asked) -> Listed:
    columns = (_RESERVATION.column, *(figure.name for figure in RECONCILIATION.figures))
    return Listed([_RESERVATION], reconciled_rows(marts, columns))


LISTED: dict[str, Callable[[Marts, Asked], Listed]] = {
    CHARGEBACK.name: _charged,
    VARIANCE.name: _varied,
    RATES.name: _rated,
    OPPORTUNITIES.name: _advised,
    RETURN_NOW.name: _ways_on,
    RECONCILIATION.name: _reconciled,
}
