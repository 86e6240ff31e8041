"""Exact division: what is rounded together adds up, and nothing is a unit away from its exact value."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mithril_elt.reports.apportion import apportion, as_decimal, divide

_UNIT = Fraction(1, 10**12)
_NUMERATORS = st.lists(st.none() | st.integers(-(10**22), 10**22), max_size=40)
_DENOMINATORS = st.sampled_from([1, 3, 7, 9, 1_000_000, 3_600_000_000, 360_000_000_000, 10**12, 2 * 10**12])


@pytest.mark.parametrize(
    ("numerator", "denominator", "units"),
    [
        (1, 2 * 10**12, 0),  # half a unit, to the even one below
        (3, 2 * 10**12, 2),  # one and a half, to the even one above
        (5, 2 * 10**12, 2),
        (-1, 2 * 10**12, 0),
        (-3, 2 * 10**12, -2),
        (1, 3_600_000_000, 278),  # a microsecond in hours: 277.7… units
        (3_600_000_000, 3_600_000_000, 10**12),
        (0, 7, 0),
    ],
)
def test_a_division_is_rounded_half_even_at_the_twelfth_place(numerator: int, denominator: int, units: int) -> None:
    """A tie goes to the even unit, everything else to the nearest, of either sign."""
    assert divide(numerator, denominator) == units


@given(st.integers(-(10**22), 10**22), _DENOMINATORS)
def test_a_division_is_never_more_than_half_a_unit_away(numerator: int, denominator: int) -> None:
    """The rounded quotient is within half of 1e-12 of the exact one, and even where it is exactly half away."""
    units = divide(numerator, denominator)
    away = abs(Fraction(numerator, denominator) - units * _UNIT)
    assert away <= _UNIT / 2
    assert away < _UNIT / 2 or units % 2 == 0


@given(_NUMERATORS, _DENOMINATORS)
def test_apportioned_rows_add_up_to_the_rounded_whole(numerators: list[int | None], denominator: int) -> None:
    """The rows of a report add up to its ungrouped figure to the last digit."""
    units = apportion(numerators, denominator)
    whole = sum(number for number in numerators if number is not None)
    assert sum(unit for unit in units if unit is not None) == divide(whole, denominator)


@given(_NUMERATORS, _DENOMINATORS)
def test_apportioned_rows_are_less_than_a_unit_from_exact(numerators: list[int | None], denominator: int) -> None:
    """No row pays for another: each is its exact value rounded down or up, and None stays None."""
    for number, units in zip(numerators, apportion(numerators, denominator), strict=True):
        assert (number is None) == (units is None)
        if number is not None and units is not None:
            assert abs(Fraction(number, denominator) - units * _UNIT) < _UNIT


def test_missing_units_go_to_the_largest_remainders_and_then_to_the_first() -> None:
    """Three microseconds in hours are 833.3 units: 277 each, and two more to the first two of equal remainder."""
    assert apportion([1, 1, 1], 3_600_000_000) == [278, 278, 277]
    # In ninths of a unit: 2, 7 and 41 are 50, so 6 units; of 0, 0 and 4 two are missing, for the rests 7 and 5.
    assert apportion([2, 7, 41], 9 * 10**12) == [0, 1, 5]
    assert apportion([2, 4, 41], 9 * 10**12) == [0, 0, 5]


def test_an_empty_list_and_unknown_rows_are_left_as_they_are() -> None:
    """Nothing is made up where nothing is known."""
    assert apportion([], 9) == []
    assert apportion([None, 0, None], 9) == [None, 0, None]


@given(st.integers(-(10**40), 10**40))
def test_units_become_decimals_without_loss(units: int) -> None:
    """A decimal shows all twelve places, and every digit before them however large the figure."""
    decimal = as_decimal(units)
    assert Fraction(decimal) == units * _UNIT
    assert decimal.as_tuple().exponent == -12
    assert f"{as_decimal(0):f}" == "0.000000000000"
    assert as_decimal(1_500_000_000_000) == Decimal("1.5")
