"""Why cost changed between two spans: more hours, other hours, or another price for them.

Stands between marts and `compose`, on `query` and `apportion`. A line is what one group cost on spot or reserved, or
its pause credit. With hours h, cost c and rate p = c / h of a line, before (0) and after (1), and H those of all lines:
volume is c0 (H1 / H0 - 1), mix p0 (h1 - h0 H1 / H0), price (p1 - p0) h1; they add up to c1 - c0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from mithril_elt.errors import UsageError
from mithril_elt.instants import midnight
from mithril_elt.reports.apportion import apportion, as_decimal, divide
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.groupings import Grouping
from mithril_elt.reports.kinds import HOURS, USD
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.query import Gathered, gather
from mithril_elt.reports.span import Span

__all__ = ["compared_spans", "variance_rows"]

Key = tuple[Any, ...]
_WEEK = 7


@dataclass(frozen=True)
class _Kind:
    """A kind of line: the measures of its time whose cost is known, with signs, and of its amount.

    `of_cost`: whether its hours are among those that mix; a credit is for hours that are paid for as well.
    """

    line: str
    times: tuple[tuple[int, str], ...]
    amount: str
    sign: int = 1
    of_cost: bool = True


# `report cost` divides spot cost, allocated cost and credit once each: so do these.
_KINDS = (
    _Kind("spot", ((1, "billed"), (-1, "unpriced")), "spot_cost"),
    _Kind("reserved", ((1, "priced_used"), (1, "priced_unused")), "allocated_cost"),
    _Kind("pause credit", ((1, "rated_credited"),), "pause_credit", -1, of_cost=False),
)


@dataclass
class _Side:
    """One line in one of the spans: the time whose cost is known, and that cost; None if it is of none of it."""

    time_us: int = 0
    cost_cent_us: int | None = 0
    hours_units: int = 0
    cost_units: int | None = 0

    @property
    def rate(self) -> Cell:
        """Dollars for an hour."""
        if self.cost_cent_us is None or not self.time_us:
            return None
        return as_decimal(divide(self.cost_cent_us, self.time_us * 100))


@dataclass(frozen=True)
class _Line:
    """One line in both spans."""

    key: Key
    kind: _Kind
    before: _Side
    after: _Side

    @property
    def is_known(self) -> bool:
        return self.before.cost_cent_us is not None and self.after.cost_cent_us is not None

    @property
    def change_units(self) -> int | None:
        """What the cost has become more, in units of 1e-12 dollars."""
        before, after = self.before.cost_units, self.after.cost_units
        return None if before is None or after is None else after - before

    def effects(self, whole_before_us: int, whole_after_us: int) -> tuple[int | None, int | None, int | None]:
        """Volume, mix and price, in the same units: the first two to the nearest, the price has what is left.

        Where there was nothing before, all that is new is volume; where this line alone was not there, it is mix.
        """
        change = self.change_units
        if change is None:
            return None, None, None
        if not whole_before_us:
            return change, 0, 0
        growth = Fraction(whole_after_us, whole_before_us)
        cost = Fraction(self.before.cost_cent_us or 0)
        volume = _units(cost * (growth - 1))
        if not self.before.time_us:
            return volume, change - volume, 0
        mix = _units(cost / self.before.time_us * (self.after.time_us - self.before.time_us * growth))
        return volume, mix, change - volume - mix


def compared_spans(
    span: Span, against: datetime | date | None, as_of: datetime | None, timezone: str
) -> tuple[Span, Span]:
    """The span asked for, and the one that it is compared with, which is as long.

    Whole months are as long as as many months, whole days as as many days, in the zone of the report. Without a span it
    is the last seven whole days up to as_of; without `against` the other one ends where it begins, else begins there.

    Raises:
        UsageError: one end of the span is missing.
    """
    if span.from_at is None and span.to_at is None:
        last = (as_of or datetime.now(ZoneInfo(timezone))).astimezone(ZoneInfo(timezone)).date()
        ends = (midnight(last - timedelta(days=_WEEK), timezone), midnight(last, timezone))
        span = Span(*ends, span.part)
    if span.from_at is None or span.to_at is None:
        raise UsageError("the report variance needs both --from and --to, or neither: it compares spans of one length")
    begins = midnight(against, timezone) if isinstance(against, date) and not isinstance(against, datetime) else against
    return span, Span(*_as_long(span.from_at, span.to_at, begins, timezone), span.part)


def variance_rows(
    marts: Marts, groupings: Sequence[Grouping], span: Span, other: Span, shown: Callable[[Key], Key]
) -> tuple[tuple[tuple[Cell, ...], ...], tuple[Cell, ...]]:
    """The lines: groups, the kind, hours, rates and cost before and after, the change and its parts; and the total.

    The largest change comes first, whether up or down, and what is not known last. The total is of what is known in
    both spans: there it is the net cost of `report cost` in one less that in the other, to the last digit.
    """
    lines = _lines(_gathered(marts, groupings, other), _gathered(marts, groupings, span))
    _round(lines)
    lines.sort(key=lambda line: (not line.is_known, -abs(line.change_units or 0), _order(line)))
    wholes = {of_cost: _whole(lines, of_cost=of_cost) for of_cost in (True, False)}
    found = [(line, line.effects(*wholes[line.kind.of_cost])) for line in lines]
    rows = tuple((*shown(line.key), line.kind.line, *_cells(line, effects)) for line, effects in found)
    known = [(line, effects) for line, effects in found if line.is_known]
    costs = [
        sum(line.before.cost_units or 0 for line, _ in known),
        sum(line.after.cost_units or 0 for line, _ in known),
    ]
    parts = [sum(effects[place] or 0 for _, effects in known) for place in range(3)]
    total = (None, None, None, None, *(as_decimal(units) for units in (*costs, costs[1] - costs[0], *parts)))
    return rows, total


def _as_long(from_at: datetime, to_at: datetime, begins: datetime | None, timezone: str) -> tuple[datetime, datetime]:
    zone = ZoneInfo(timezone)
    first, last = from_at.astimezone(zone), to_at.astimezone(zone)
    begun = None if begins is None else begins.astimezone(zone)
    told = [at for at in (first, last, begun) if at is not None]
    if any(midnight(at.date(), timezone) != at for at in told):
        long = to_at - from_at
        return (from_at - long, from_at) if begins is None else (begins, begins + long)
    if all(at.day == 1 for at in told):
        months = (last.year - first.year) * 12 + last.month - first.month
        if begun is None:
            return midnight(_months_later(first.date(), -months), timezone), from_at
        return midnight(begun.date(), timezone), midnight(_months_later(begun.date(), months), timezone)
    days = last.date() - first.date()
    day = first.date() - days if begun is None else begun.date()
    return midnight(day, timezone), midnight(day + days, timezone)


def _months_later(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _gathered(marts: Marts, groupings: Sequence[Grouping], span: Span) -> Gathered:
    names = {name for kind in _KINDS for name in (kind.amount, *(name for _, name in kind.times))}
    return gather(marts, names, groupings, span)


def _lines(before: Gathered, after: Gathered) -> list[_Line]:
    """A line for each group and kind of which there is anything in one of the spans."""
    lines = []
    both = [(gathered, {key: place for place, key in enumerate(gathered.keys)}) for gathered in (before, after)]
    for key in dict.fromkeys([*before.keys, *after.keys]):
        for kind in _KINDS:
            sides = [_side(gathered, places.get(key), kind) for gathered, places in both]
            if any(side.time_us or side.cost_cent_us or side.cost_cent_us is None for side in sides):
                lines.append(_Line(key, kind, *sides))
    lines.sort(key=_order)  # of equal remainders the first line has the unit, on any engine
    return lines


def _side(gathered: Gathered, at: int | None, kind: _Kind) -> _Side:
    """The line of the group at that place; of nothing where there is no such group."""
    if at is None:
        return _Side()
    time_us = sum(sign * (gathered.values[name][at] or 0) for sign, name in kind.times)
    amount = gathered.values[kind.amount][at]
    is_unpriced = kind.line == "spot" and not time_us and gathered.values["unpriced"][at]
    return _Side(time_us, None if amount is None or is_unpriced else kind.sign * amount)


def _round(lines: Sequence[_Line]) -> None:
    """Hours and dollars of 12 places, such that those of one kind add up to what `report cost` has in all."""
    for kind in _KINDS:
        here = [line for line in lines if line.kind is kind]
        for sides in ([line.before for line in here], [line.after for line in here]):
            costs = [None if side.cost_cent_us is None else kind.sign * side.cost_cent_us for side in sides]
            hours = apportion([side.time_us for side in sides], HOURS.per)
            for side, units, cost in zip(sides, hours, apportion(costs, USD.per), strict=True):
                side.hours_units = units or 0
                side.cost_units = None if cost is None else kind.sign * cost


def _whole(lines: Sequence[_Line], *, of_cost: bool) -> tuple[int, int]:
    """The time before and after of all lines whose hours mix."""
    here = [line for line in lines if line.kind.of_cost is of_cost and line.is_known]
    return sum(line.before.time_us for line in here), sum(line.after.time_us for line in here)


def _cells(line: _Line, effects: Sequence[int | None]) -> tuple[Cell, ...]:
    before, after = line.before, line.after
    amounts = (before.cost_units, after.cost_units, line.change_units, *effects)
    hours = (as_decimal(before.hours_units), as_decimal(after.hours_units))
    return (*hours, before.rate, after.rate, *(None if units is None else as_decimal(units) for units in amounts))


def _order(line: _Line) -> tuple[Any, ...]:
    return (*((part is None, part or "") for part in line.key), _KINDS.index(line.kind))


def _units(cent_us: Fraction) -> int:
    """Units of 1e-12 dollars, to the nearest."""
    return divide(cent_us.numerator, cent_us.denominator * USD.per)
