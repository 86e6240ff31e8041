"""Numbers to places on a picture: an axis with round marks, exact decimals to tenths of a pixel.

Stands under `charts`; pure, and without a float: what is drawn is what is said beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

__all__ = ["Axis", "place"]

_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)
_TENTH = Decimal("0.1")
_ROUND = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


def place(at: Decimal) -> str:
    """A place on a picture, to the tenth of a pixel."""
    return f"{_WIDE.plus(at.quantize(_TENTH, context=_WIDE)).normalize():f}"


@dataclass(frozen=True)
class Axis:
    """An axis of numbers from a mark to a mark, drawn from `bottom` up to `top` (pixels go down)."""

    low: Decimal
    high: Decimal
    step: Decimal
    bottom: Decimal
    top: Decimal

    @classmethod
    def over(cls, values: Iterable[Decimal], *, bottom: int, top: int, marks: int = 4) -> Axis:
        """The axis of those values and of zero, with about so many round marks: a bar's length says how much it is."""
        known = [*values, Decimal(0)]
        low, high = min(known), max(known)
        if low == high:
            high = Decimal(1)
        step = _round_step((high - low) / marks)
        return cls(
            (low / step).to_integral_value(ROUND_FLOOR) * step,
            (high / step).to_integral_value(ROUND_CEILING) * step,
            step,
            Decimal(bottom),
            Decimal(top),
        )

    def at(self, value: Decimal) -> Decimal:
        """Where a value is."""
        return self.bottom - _WIDE.divide((value - self.low) * (self.bottom - self.top), self.high - self.low)

    @property
    def marks(self) -> list[Decimal]:
        """The round numbers from the lowest on."""
        return [self.low + self.step * number for number in range(int((self.high - self.low) / self.step) + 1)]

    def text(self, mark: Decimal) -> str:
        """A mark as it is written: as many places as its step has."""
        places = max(0, -int(self.step.normalize().as_tuple().exponent))
        return f"{mark:,.{places}f}"


def _round_step(least: Decimal) -> Decimal:
    """The smallest of 1, 2, 2.5, 5 and 10, times a power of ten, that is not less."""
    power = Decimal(1).scaleb(least.adjusted())
    return next(number * power for number in _ROUND if number * power >= least)
