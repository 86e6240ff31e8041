"""Whatever is in the marts, the rows of a grouping add up to the ungrouped report, and each is exact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marts_by_hand import HOUR_US, connection, fill, instance_hour, reservation_hour, spot_hour
from mithril_elt.reports import GROUPINGS, Report, Rule, report
from mithril_elt.reports.catalog import REPORTS
from mithril_elt.reports.kinds import Combined, Sum
from mithril_elt.reports.list_catalog import CHARGEBACK

_BEGIN = datetime.fromisoformat("2026-02-28T20:00")
_UNIT = Fraction(1, 10**12)
_USD = 360_000_000_000
_TYPES = ("it_8", "it_8", "it_unknown", "it_0")
_GPUS = {"it_8": 8, "it_0": 0, "it_unknown": None}
_PHASES = ("waiting", "starting", "running", "noticed", "stopping", "paused", "interrupted", "unknown")
# A price of which some are not known.
_CENTS = st.none() | st.integers(0, 12_000)


@pytest.fixture(scope="module")
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """Marts that each example fills anew."""
    made = connection()
    yield made
    made.close()


@st.composite
def _instance_hour(draw: st.DrawFn) -> dict[str, Any]:
    number = draw(st.integers(0, 3))
    us = st.integers(0, HOUR_US // 8)
    cells: dict[str, Any] = {f"{phase}_us": draw(us) for phase in draw(st.sets(st.sampled_from(_PHASES), min_size=1))}
    for time, money in (
        ("billed", "spot_cost"),
        ("reserved_used", "allocated_cost"),
        ("credited", "pause_credit"),
        ("short_paused", "short_pause_loss"),
        ("unclaimed", "unclaimed_credit"),
    ):
        cells[f"{time}_us"] = draw(us)
        cents = draw(st.integers(0, 12_000)) if money == "spot_cost" else draw(_CENTS)
        cells[f"{money}_cent_us"] = (
            0 if not cells[f"{time}_us"] else None if cents is None else cents * cells[f"{time}_us"]
        )
    cells["unpriced_us"] = draw(st.integers(0, cells["billed_us"]))
    hour_at = _BEGIN + timedelta(hours=draw(st.integers(0, 9)))
    return instance_hour(f"inst_{number}", hour_at, gpus=_GPUS[_TYPES[number]], **cells)


@st.composite
def _reservation_hour(draw: st.DrawFn) -> dict[str, Any]:
    reserved = draw(st.integers(0, 4 * HOUR_US))
    used = draw(st.integers(0, reserved))
    cents = draw(_CENTS)
    unused_cost = None if cents is None and reserved > used else (cents or 0) * (reserved - used)
    return reservation_hour(
        f"res_{draw(st.integers(0, 1))}",
        _BEGIN + timedelta(hours=draw(st.integers(0, 9))),
        reserved_us=reserved,
        used_us=used,
        unused_us=reserved - used,
        allocated_unused_cent_us=unused_cost,
    )


@st.composite
def _spot_hour(draw: st.DrawFn) -> dict[str, Any]:
    priced = draw(st.integers(0, HOUR_US))
    return spot_hour(
        f"inst_{draw(st.integers(0, 3))}",
        _BEGIN + timedelta(hours=draw(st.integers(0, 9))),
        priced,
        draw(st.integers(0, 12_000)),
        reserved_cents=draw(_CENTS),
        limit_cents=draw(_CENTS),
        unpriced_us=draw(st.integers(0, HOUR_US)),
        near_limit_us=draw(st.integers(0, priced)),
    )


def _dimensions() -> dict[str, list[dict[str, Any]]]:
    return {
        "dim_projects": [{"project_id": "proj_a", "as_of": _BEGIN + timedelta(days=1)}],
        "dim_instances": [
            {
                "instance_id": f"inst_{number}",
                "instance_name": f"machine {number}",
                "order_id": f"bid_{number}" if number % 2 else f"res_{number // 2}",
                "bid_id": f"bid_{number}" if number % 2 else None,
                "reservation_id": None if number % 2 else f"res_{number // 2}",
                "user_id": None if number == 3 else "user_a",
                "instance_type_id": _TYPES[number],
                "region": "here" if number < 2 else "there",
                "as_of": _BEGIN + timedelta(days=1),
            }
            for number in range(4)
        ],
        "dim_reservations": [{"reservation_id": f"res_{number}", "user_id": "user_b"} for number in range(2)],
    }


_FACTS = st.fixed_dictionaries(
    {
        "fct_instance_hours": st.lists(_instance_hour(), max_size=12),
        "fct_reservation_hours": st.lists(_reservation_hour(), max_size=6),
        "fct_spot_hours": st.lists(_spot_hour(), max_size=6),
    }
)


def _columns(answer: Report) -> dict[str, list[Any]]:
    return {name: [row[position] for row in answer.rows] for position, name in enumerate(answer.columns)}


@settings(max_examples=60, deadline=None)
@given(_FACTS, st.sampled_from(sorted(REPORTS)), st.data())
@pytest.mark.shows(39)
def test_rows_add_up_to_the_ungrouped_report(
    marts: duckdb.DuckDBPyConnection, facts: dict[str, list[dict[str, Any]]], name: str, data: st.DataObject
) -> None:
    """Every column that adds up does so to the last digit, by any grouping, in any span."""
    fill(marts, _dimensions() | facts)
    hours = st.none() | st.integers(0, 4).map(lambda hour: (_BEGIN + timedelta(hours=hour)).replace(tzinfo=UTC))
    by = data.draw(st.lists(st.sampled_from(REPORTS[name].groupings), min_size=1, max_size=2))
    from_at = data.draw(hours)
    whole = report(marts, name, from_at=from_at)
    answer = report(marts, name, by=by, from_at=from_at)
    assert answer.total == whole.rows[0]
    ungrouped = _columns(whole)
    for figure in REPORTS[name].figures:
        if isinstance(figure, Sum | Combined):
            cells = [cell for cell in _columns(answer)[figure.name] if cell is not None]
            assert sum(cells) == (ungrouped[figure.name][0] or 0), figure.name


@settings(max_examples=60, deadline=None)
@given(_FACTS, st.data())
def test_lines_of_a_chargeback_add_up_to_net_cost(
    marts: duckdb.DuckDBPyConnection, facts: dict[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    """By any groupings, in any span and of any part, to the last digit; credits are the only lines below nothing."""
    fill(marts, _dimensions() | facts)
    by = data.draw(st.lists(st.sampled_from(CHARGEBACK.groupings), max_size=3))
    from_at = data.draw(
        st.none() | st.integers(0, 4).map(lambda hour: (_BEGIN + timedelta(hours=hour)).replace(tzinfo=UTC))
    )
    only = data.draw(st.sampled_from([{}, {"user": "user_a"}, {"region": "here"}]))
    span: dict[str, Any] = {"only": only, "from_at": from_at}
    rules = [Rule("machine [12]", "some", "line 2"), Rule("* 0", "none", "line 3")]
    answer = report(marts, "chargeback", by=by, rules=rules, **span)
    net = _columns(report(marts, "cost", **span))["net_cost_usd"][0]
    costs = [
        (line, cost) for line, cost in zip(*(_columns(answer)[name] for name in ("line", "cost_usd")), strict=True)
    ]
    assert sum(cost for _, cost in costs if cost is not None) == (answer.total[1] or 0) == (net or 0)
    assert all((cost or 0) <= 0 if line == "pause credit" else (cost or 0) >= 0 for line, cost in costs)


@settings(max_examples=20, deadline=None)
@given(_FACTS)
def test_parts_add_up_across_each_row(marts: duckdb.DuckDBPyConnection, facts: dict[str, list[dict[str, Any]]]) -> None:
    """Net cost is spot and allocated less credit, and hours in all are those of the phases, in the digits shown."""
    fill(marts, _dimensions() | facts)
    for by in ((), ("hour",), ("instance",)):
        for row in _records(report(marts, "cost", by=by)):
            parts = ("spot_cost_usd", "allocated_cost_usd", "pause_credit_usd")
            spot, allocated, credit = (row[name] or Decimal(0) for name in parts)
            assert (row["net_cost_usd"] or 0) == spot + allocated - credit
        for row in _records(report(marts, "usage", by=by)):
            assert row["total_hours"] == sum(row[f"{phase}_hours"] for phase in _PHASES)
            assert row["up_hours"] == row["running_hours"] + row["noticed_hours"]
        for row in _records(report(marts, "reservations", by=[*by][:1] if "instance" not in by else ["user"])):
            gross, credit = row["idle_cost_gross_usd"] or Decimal(0), row["pause_credit_usd"] or Decimal(0)
            assert (row["idle_cost_net_usd"] or 0) == gross - credit


@settings(max_examples=40, deadline=None)
@given(_FACTS)
def test_each_cell_is_within_a_unit_of_its_exact_value(
    marts: duckdb.DuckDBPyConnection, facts: dict[str, list[dict[str, Any]]]
) -> None:
    """A row is its exact sum rounded down or up at the twelfth place; ungrouped, to the nearest."""
    fill(marts, _dimensions() | facts)
    per = {f"{phase}_hours": (f"{phase}_us", HOUR_US) for phase in _PHASES} | {"gpu_hours": ("gpu_us", HOUR_US)}
    usage = [_records(report(marts, "usage", by=by)) for by in (("instance", "day"), ())]
    _check(facts["fct_instance_hours"], *usage, per)
    per = {
        "pause_credit_usd": ("pause_credit_cent_us", _USD),
        "short_pause_loss_usd": ("short_pause_loss_cent_us", _USD),
        "unclaimed_credit_usd": ("unclaimed_credit_cent_us", _USD),
        "credited_hours": ("credited_us", HOUR_US),
    }
    earned = [_records(report(marts, "pause-credits", by=by)) for by in (("instance", "day"), ())]
    _check(facts["fct_instance_hours"], *earned, per)


def _records(answer: Report) -> list[dict[str, Any]]:
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def _check(
    hours: list[dict[str, Any]],
    by_day: list[dict[str, Any]],
    whole: list[dict[str, Any]],
    per: dict[str, tuple[str, int]],
) -> None:
    exact: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for hour in hours:
        for column, (field, unit) in per.items():
            exact[hour["instance_id"], hour["day"].isoformat(), column] += Fraction(hour[field] or 0, unit)
    for row in by_day:
        for column in per:
            cell, value = row[column], exact.pop((row["instance_id"], row["day"], column))
            assert value == 0 if cell is None else abs(Fraction(cell) - value) < _UNIT
    assert not exact
    for column, (field, unit) in per.items():
        total = Fraction(sum(hour[field] or 0 for hour in hours), unit)
        assert abs(Fraction(whole[0][column] or 0) - total) <= _UNIT / 2


def test_every_grouping_is_tried() -> None:
    """The groupings drawn above are all that there are."""
    assert set().union(*(definition.groupings for definition in REPORTS.values())) == set(GROUPINGS)
