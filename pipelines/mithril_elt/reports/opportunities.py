"""What reserved time that was not used might have brought, line by line, with what to do about it, or that it is over.

Stands between marts and `compose`, on `query` and `figures`: the mart has the lines by the hour, here they add up.
"""

from __future__ import annotations

from collections.abc import Sequence

from mithril_elt.reports.figures import Cell, Columns, measures_of
from mithril_elt.reports.groupings import Grouping
from mithril_elt.reports.kinds import Sum
from mithril_elt.reports.list_catalog import OPPORTUNITIES
from mithril_elt.reports.low_use import OPPORTUNITY, UnusedLine
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.query import Gathered, gather
from mithril_elt.reports.span import Span

__all__ = ["opportunity_rows"]

# What one line is of; the last is the same for all lines of one kind.
_LINES = tuple(
    Grouping(name, name, "", f"f.{name}")
    for name in ("reservation_id", "instance_id", "opportunity", "what_to_do", "is_over")
)


def opportunity_rows(
    marts: Marts, span: Span, unused: Sequence[UnusedLine] = ()
) -> tuple[tuple[tuple[Cell, ...], ...], tuple[Cell, ...]]:
    """The lines in the order of the report's columns, and the total of their figures.

    `unused`: further lines, of time in which GPUs were not used by a table of the user's own. First is what something
    can be done about, then what is over; of each the largest at stake first, what is not known last. All lines add up
    to the total to the last digit.
    """
    figures = [figure for figure in OPPORTUNITIES.figures if not figure.unit.is_text]
    measures = measures_of(figures)
    whole = _summed(gather(marts, measures, (), span), unused)
    lines = _with(gather(marts, measures, _LINES, span), unused)
    [main] = [figure for figure in figures if isinstance(figure, Sum) and figure.name == OPPORTUNITIES.sorted_by]
    at_stake = Columns(lines, whole).exact(main)

    def rank(n: int) -> tuple[object, ...]:
        *ids, is_over = lines.keys[n]
        return (is_over, at_stake[n] is None, -(at_stake[n] or 0), [part or "" for part in ids])

    lines = lines.ordered(sorted(range(len(lines.keys)), key=rank))
    cells = zip(*(Columns(lines, whole).cells(figure) for figure in figures), strict=True)
    rows = tuple(
        (reservation, instance, opportunity, *row[:-1], what_to_do, row[-1], is_over)
        for (reservation, instance, opportunity, what_to_do, is_over), row in zip(lines.keys, cells, strict=True)
    )
    return rows, tuple(Columns(whole, whole).cells(figure)[0] for figure in figures)


def _with(lines: Gathered, unused: Sequence[UnusedLine]) -> Gathered:
    """The lines of the mart, and those of the table after them: of an instance no cost and no credit is told."""
    keys = [
        *lines.keys,
        *((each.reservation_id, each.instance_id, OPPORTUNITY, each.advice, each.is_over) for each in unused),
    ]
    more = [_measured(each) for each in unused]
    return Gathered(
        keys, {name: [*column, *(each.get(name) for each in more)] for name, column in lines.values.items()}
    )


def _summed(whole: Gathered, unused: Sequence[UnusedLine]) -> Gathered:
    """The one row of all lines: the known parts added up."""
    values = {name: column[0] for name, column in whole.values.items()}
    for each in unused:
        for name, number in _measured(each).items():
            values[name] = number if values[name] is None else values[name] + (number or 0)
    return Gathered(whole.keys, {name: [value] for name, value in values.items()})


def _measured(each: UnusedLine) -> dict[str, int | None]:
    return {"idle_time": each.idle_us, "at_stake": each.at_stake_cent_us, "idle_time_return_credit": 0}
