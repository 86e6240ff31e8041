"""From integer sums to the columns a report shows: exact decimals that add up, and ratios of exact sums.

Stands between `query` and `render`, on `apportion`: here, and only here, something is divided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cached_property

from mithril_elt.instants import iso
from mithril_elt.reports.apportion import apportion, as_decimal, divide
from mithril_elt.reports.kinds import HOURS, Bound, Combined, Figure, Pick, Ratio, Sum, Unit
from mithril_elt.reports.poisson import expected_95
from mithril_elt.reports.query import Gathered

__all__ = ["Cell", "Columns", "measures_of"]

Cell = Decimal | int | str | None
Parts = tuple[tuple[int, str], ...]
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)
_PLACE = as_decimal(1)


def measures_of(figures: Iterable[Figure]) -> set[str]:
    """The names of all measures that the figures are made of."""
    names: set[str] = set()
    for figure in figures:
        match figure:
            case Sum() | Pick():
                names.add(figure.measure)
            case Combined():
                names.update(name for _, name in figure.parts)
                names.update(name for name in (figure.whole, figure.unless) if name is not None)
            case Ratio():
                names.update(name for _, name in figure.above)
                names.update(figure.below)
            case Bound():
                names.update((figure.events, figure.time))
    return names


class Columns:
    """The columns of one report: `groups` has its rows in their order, `whole` the same ungrouped."""

    def __init__(self, groups: Gathered, whole: Gathered) -> None:
        self._groups = groups
        self._whole = whole
        self._apportioned: dict[tuple[str, int], list[int | None]] = {}

    @cached_property
    def _length(self) -> int:
        return len(self._groups.keys)

    def cells(self, figure: Figure) -> list[Cell]:
        """The column of that figure, a cell a row: Decimal of 12 places, count, instant, or None."""
        match figure:
            case Sum():
                return self._sums(figure)
            case Combined():
                return [None if units is None else as_decimal(units) for units in self._combined_units(figure)]
            case Ratio():
                return [_ratio(above, below, figure) for above, below in zip(*self._sides(figure), strict=True)]
            case Bound():
                counts, times = (self._groups.values[name] for name in (figure.events, figure.time))
                return [_bound(events, time_us, figure) for events, time_us in zip(counts, times, strict=True)]
            case Pick():
                return [_picked(value, figure.unit) for value in self._groups.values[figure.measure]]
        raise TypeError(f"no column is made of {figure!r}")

    def exact(self, figure: Figure) -> list[int | None]:
        """The exact numerators of a figure that adds up: what its rows are sorted by."""
        match figure:
            case Sum():
                return list(self._groups.values[figure.measure])
            case Combined() if figure.whole is not None:
                return list(self._groups.values[figure.whole])
            case Combined():
                return self._signed(figure.parts)
        raise TypeError(f"{figure!r} does not add up")

    def _sums(self, figure: Sum) -> list[Cell]:
        if figure.unit.name == "count":
            return list(self._groups.values[figure.measure])
        return [None if units is None else as_decimal(units) for units in self._units(figure.measure, figure.unit)]

    def _units(self, measure: str, unit: Unit) -> list[int | None]:
        key = (measure, unit.per)
        if key not in self._apportioned:
            self._apportioned[key] = apportion(self._groups.values[measure], unit.per)
        return self._apportioned[key]

    def _combined_units(self, figure: Combined) -> list[int | None]:
        if figure.whole is not None and figure.unless is not None and self._whole.values[figure.unless][0]:
            return self._units(figure.whole, figure.unit)
        columns = [(sign, self._units(name, figure.unit)) for sign, name in figure.parts]
        known = self._signed(figure.parts)
        return [
            None if known[row] is None else sum(sign * (column[row] or 0) for sign, column in columns)
            for row in range(self._length)
        ]

    def _sides(self, figure: Ratio) -> tuple[list[int | None], list[int | None]]:
        return self._signed(figure.above), self._signed(tuple((1, name) for name in figure.below))

    def _signed(self, parts: Parts) -> list[int | None]:
        columns = [(sign, self._groups.values[name]) for sign, name in parts]
        return [_known_sum([(sign, column[row]) for sign, column in columns]) for row in range(self._length)]


def _known_sum(parts: Sequence[tuple[int, int | None]]) -> int | None:
    """The known parts added up; None, and not 0, where a part is unknown and the others are nothing."""
    known = [sign * value for sign, value in parts if value is not None]
    return None if len(known) < len(parts) and not any(known) else sum(known)


def _ratio(above: int | None, below: int | None, figure: Ratio) -> Decimal | None:
    if above is None or not below:
        return None
    sign = 1 if below > 0 else -1
    return as_decimal(divide(sign * above * figure.times, abs(below) * figure.unit.per))


def _bound(events: int, time_us: int, figure: Bound) -> Decimal | None:
    if not time_us:
        return None
    expected = expected_95(events)[figure.is_upper]
    per_thousand = _WIDE.divide(expected * (1000 * HOURS.per), Decimal(time_us))
    return per_thousand.quantize(_PLACE, context=_WIDE)


def _picked(value: object, unit: Unit) -> Cell:
    if value is None:
        return None
    if isinstance(value, int):
        return as_decimal(divide(value, unit.per))
    return iso(value.replace(tzinfo=UTC))  # type: ignore[attr-defined]  # the marts' instants are naive UTC
