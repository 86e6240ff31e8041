"""How far a counted number of events may be from what is to be expected: the exact interval of Poisson's law.

Stands under `figures`. It is Garwood's: with nothing below the lower bound, nor anything above the upper one, would so
many events, or so few, be seen in more than one case of forty. Decimals, so that it is the same on every machine.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from functools import lru_cache
from math import factorial
from statistics import NormalDist

__all__ = ["expected_95"]

_EXACT = Context(prec=50)
_TAIL = Decimal("0.025")
_TWO_PI = Decimal("6.28318530717958647692528676655900576839433879875021")
_STIRLING_FROM = 200  # from here on the series is right to 25 digits
_CLOSE = Decimal("1e-28")


@lru_cache(maxsize=4096)
def expected_95(events: int) -> tuple[Decimal, Decimal]:
    """Between which numbers of events the expected one lies, with 95 per cent; right to 20 digits and more."""
    with localcontext(_EXACT):
        low = Decimal(0) if events == 0 else _quantile(events, _TAIL)
        return low, _quantile(events + 1, 1 - _TAIL)


def _quantile(shape: int, below: Decimal) -> Decimal:
    """Where the gamma distribution of that whole shape has so much below it: by Newton's steps from a near guess."""
    # Wilson and Hilferty: the cube root is nearly normal.
    z = Decimal(NormalDist().inv_cdf(float(below)))  # exact-ok: a guess, which the steps below make exact
    root = 1 - 1 / Decimal(9 * shape) + z / (3 * Decimal(shape).sqrt())
    at = max(shape * root**3, Decimal("0.01"))
    while True:
        density, mass = _gamma(shape, at)
        step = (mass - below) / density
        following = at - step if step < at else at / 2
        if abs(following - at) <= _CLOSE * at:
            return following
        at = following


def _gamma(shape: int, at: Decimal) -> tuple[Decimal, Decimal]:
    """The density of the gamma distribution there, and what lies below."""
    density = ((shape - 1) * at.ln() - at - _ln_factorial(shape - 1)).exp()
    term = total = Decimal(1)
    number = shape
    while term > _CLOSE * total:
        number += 1
        term *= at / number
        total += term
    return density, density * at / shape * total


def _ln_factorial(number: int) -> Decimal:
    if number < _STIRLING_FROM:
        return Decimal(factorial(number)).ln()
    n = Decimal(number)
    series = 1 / (12 * n) - 1 / (360 * n**3) + 1 / (1260 * n**5) - 1 / (1680 * n**7) + 1 / (1188 * n**9)
    return n * n.ln() - n + (_TWO_PI * n).ln() / 2 + series
