"""Measures into SQL, and the integer sums that come back, one row per group.

Stands between marts and `figures`: one SELECT a source, put together by group. Nothing is divided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mithril_elt.reports.groupings import Grouping
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.measures import MEASURES, SOURCES, Measure
from mithril_elt.reports.part import condition
from mithril_elt.reports.span import Span

__all__ = ["Gathered", "gather"]


@dataclass(frozen=True)
class Gathered:
    """Groups and, for each measure, a value a group in the same order.

    A value is an exact integer sum, None where there is something to know and none of it is known. What is
    picked and not summed (a percentile, the earliest) is None where there is nothing to pick from.
    """

    keys: list[tuple[Any, ...]]
    values: dict[str, list[Any]]

    def ordered(self, positions: Sequence[int]) -> Gathered:
        """The same in another order of the groups."""
        return Gathered(
            [self.keys[position] for position in positions],
            {name: [column[position] for position in positions] for name, column in self.values.items()},
        )


def gather(marts: Marts, names: Iterable[str], groupings: Sequence[Grouping], span: Span) -> Gathered:
    """The measures of those names in the span, by group; without groupings one row, also of nothing."""
    wanted = set(names)
    measures = [measure for measure in MEASURES if measure.name in wanted]
    positions: dict[tuple[Any, ...], int] = {}
    tallies = {measure.name: _Tally() for measure in measures}
    for source in dict.fromkeys(measure.source for measure in measures):
        here = [measure for measure in measures if measure.source == source]
        for row in marts.rows(_select(source, here, groupings, span)):
            position = positions.setdefault(row[: len(groupings)], len(positions))
            cells = iter(row[len(groupings) :])
            for measure in here:
                tallies[measure.name].add(position, measure, cells)
    return Gathered(list(positions), {name: tally.column(len(positions)) for name, tally in tallies.items()})


class _Tally:
    """The value of one measure by group, while its sources are read one after another."""

    def __init__(self) -> None:
        self._picked = False
        self._values: dict[int, Any] = {}
        self._known: set[int] = set()
        self._unknown: set[int] = set()

    def add(self, position: int, measure: Measure, cells: Any) -> None:
        """Take the cells that `_columns` made for the measure."""
        value = next(cells)
        if measure.how != "sum":
            self._picked = True
            self._values[position] = value
            return
        self._values[position] = self._values.get(position, 0) + (value or 0)
        if measure.weight is not None:
            if next(cells):
                self._known.add(position)
            if next(cells):
                self._unknown.add(position)

    def column(self, length: int) -> list[Any]:
        """The values in the order of the groups."""
        column = [self._values.get(position, None if self._picked else 0) for position in range(length)]
        for position in self._unknown - self._known:
            # Only a sum of nothing becomes None, so that rows always add up to the whole.
            column[position] = column[position] or None
        return column


def _select(source: str, measures: Sequence[Measure], groupings: Sequence[Grouping], span: Span) -> str:
    of = SOURCES[source].of
    groups = [_group(grouping, of) for grouping in groupings]
    columns = [column for measure in measures for column in _columns(measure)]
    clauses = [
        "select " + ", ".join([*groups, *columns]),
        f"from {SOURCES[source].relation} as f",
        "left join {marts}.dim_instances as i on f.instance_id = i.instance_id"
        if of == "instance"
        else "left join {marts}.dim_reservations as r on f.reservation_id = r.reservation_id",
        f"where f.hour_at >= {span.sql_from} and f.hour_at < {span.sql_to} and {condition(span.part, of)}",
        "group by " + ", ".join(groups) if groups else "",
    ]
    return "\n".join(clause for clause in clauses if clause)


def _group(grouping: Grouping, of: str) -> str:
    expression = grouping.of_instance if of == "instance" else grouping.of_reservation
    return expression or "cast(null as varchar)"


def _columns(measure: Measure) -> list[str]:
    """The SQL of one measure: its sum, and where it can be unknown whether any of it is known, and any is not."""
    if measure.how != "sum":
        return [measure.how.format(measure.number)]
    columns = [f"sum(cast({measure.number} as hugeint))"]
    if measure.weight is not None:
        columns += [
            f"count(*) filter (where {measure.number} is {state} and {measure.weight} <> 0)"
            for state in ("not null", "null")
        ]
    return columns
