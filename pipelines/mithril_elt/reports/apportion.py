"""Exact division at the very edge of the reports: integers in, decimals of 12 places out, nothing lost.

Last step of the flow: `query` brings integer sums from the marts, this turns them into what is shown.
The unit here is 1e-12, as an integer ("units"): one microsecond of an hour has no finite decimal, so
rows are rounded together, such that they add up to the rounded total to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation

__all__ = ["PLACES", "apportion", "as_decimal", "divide"]

PLACES = 12
_UNITS: int = 10**PLACES
# Any digit that would be lost is an error, not a rounding.
_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])


def divide(numerator: int, denominator: int) -> int:
    """`numerator / denominator` in units of 1e-12, a tie to the even one. `denominator` is positive."""
    floor, rest = divmod(numerator * _UNITS, denominator)
    over_half = 2 * rest > denominator
    tie = 2 * rest == denominator
    return floor + (1 if over_half or (tie and floor % 2) else 0)


def apportion(numerators: Sequence[int | None], denominator: int) -> list[int | None]:
    """The numerators over `denominator`, each in units of 1e-12, rounded so that they add up.

    Their sum is `divide(sum of the numerators, denominator)`. Each is the exact value rounded down or
    up, so less than one unit away: all are rounded down first, and the units then missing go to the
    largest remainders, of equal ones to the first. None stays None and counts nothing.
    """
    units: list[int | None] = [None] * len(numerators)
    remainders: list[tuple[int, int]] = []
    missing = divide(sum(number for number in numerators if number is not None), denominator)
    for row, number in enumerate(numerators):
        if number is None:
            continue
        floor, rest = divmod(number * _UNITS, denominator)
        units[row] = floor
        missing -= floor
        if rest:
            remainders.append((-rest, row))
    # No more units are missing than there are remainders, since each remainder is below one unit.
    for _, row in sorted(remainders)[:missing]:
        units[row] = (units[row] or 0) + 1
    return units


def as_decimal(units: int) -> Decimal:
    """Units of 1e-12 as the decimal they stand for, with all 12 places."""
    return _EXACT.scaleb(Decimal(units), -PLACES)
