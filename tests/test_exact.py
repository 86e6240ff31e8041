"""The macros that divide: exact in 64 bits and in 128, held against Python's whole numbers where the one ends."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mithril_elt.reports.apportion import as_decimal
from test_dialects import _environment

_MOST = 9_000_000_000_000_000_000  # what is tried in 64 bits
_HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def divided() -> dict[str, str]:
    """The SQL of each macro on columns `a` and `b`, as DuckDB gets it."""
    macros = _environment("duckdb", "UTC").globals
    return {name: str(macros[name]("a", "b")) for name in ("percent", "usd_per_hour", "usd_of_nanos")}  # type: ignore[operator]


def half_even(above: int, below: int) -> Decimal:
    """A quotient in units of 1e-12, a tie to the even one; below nothing it is cut towards nothing."""
    floor, rest = divmod(abs(above), below)
    up = above > 0 and (2 * rest > below or (2 * rest == below and floor % 2 == 1))
    return as_decimal((1 if above > 0 else -1) * (floor + up))


def near(number: int) -> st.SearchStrategy[int]:
    """Numbers about one."""
    return st.integers(-3, 3).map(lambda by: number + by)


SPANS = st.one_of(
    st.integers(1, 10), st.integers(1, 2 * _HOUR_US), near(_MOST // 10**5), near(_MOST // 10**7), st.integers(1, 10**15)
)


@settings(max_examples=150, deadline=None)
@given(st.data(), SPANS, st.sampled_from((("percent", 10**14), ("usd_per_hour", 10**10))))
def test_a_quotient_is_exact_wherever_its_division_is_done(
    divided: dict[str, str], data: st.DataObject, span: int, macro: tuple[str, int]
) -> None:
    """Half-even at the twelfth place: ties, thirds, and numbers on both sides of what 64 bits can do."""
    name, factor = macro
    multiples = st.builds(
        lambda whole, rest: whole * span + rest,
        st.integers(0, 20_000) | st.integers(0, 2_000_000_000),
        st.integers(0, span),
    ).filter(lambda n: n * factor < 10**37)
    number = data.draw(
        st.one_of(
            multiples,
            multiples.map(lambda n: n + span // 2),
            near(span * (_MOST // factor - 1)).filter(lambda n: abs(n) * factor < 10**37),
            st.integers(-(10**13), 10**23).filter(
                lambda n: abs(n) * factor < 10**37 and abs(n) * factor // span < 10**37
            ),
        )
    )
    [(found,)] = duckdb.execute(
        f"select {divided[name]} from (select cast({number} as hugeint) as a, cast({span} as bigint) as b)"
    ).fetchall()
    assert found == half_even(number * factor, span)


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(near(0), near(10**12), st.integers(0, 10**12), st.integers(0, 60 * 10**9)),
    st.one_of(near(0), near(32_400_000_000_000), st.integers(0, _HOUR_US), st.integers(0, 10**14)),
)
def test_a_span_at_a_price_in_billionths_is_exact(divided: dict[str, str], nanos: int, span: int) -> None:
    """So is what a span costs, where the product has more digits than 64 bits."""
    [(found,)] = duckdb.execute(
        f"select {divided['usd_of_nanos']} from (select cast({nanos} as bigint) as a, cast({span} as bigint) as b)"
    ).fetchall()
    assert found == half_even(nanos * span, 3_600_000)


@pytest.mark.parametrize(("a", "b"), [("null", "1"), ("1", "null"), ("5", "0"), ("0", "0")])
def test_what_cannot_be_divided_is_null(divided: dict[str, str], a: str, b: str) -> None:
    """What is not known, and no span."""
    for name in ("percent", "usd_per_hour"):
        asked = f"select {divided[name]} from (select cast({a} as hugeint) as a, cast({b} as bigint) as b)"
        assert duckdb.execute(asked).fetchall() == [(None,)]
