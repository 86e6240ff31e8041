"""Keep, pause or return: what each way costs, the break-even and what is not known, worked by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from commands import Cli, assert_one_sentence
from marts_by_hand import HOUR_US, connection, fill, reservation_hour, spot_hour
from mithril_elt.reports import Assumptions, render, report
from small_account import records

AS_OF = datetime.fromisoformat("2026-03-31T12:00")
RATES = {"pause_credit": 500, "return_credit": 800}


def _hours(count: int) -> datetime:
    return AS_OF + timedelta(hours=count)


def _account() -> dict[str, list[dict[str, Any]]]:
    """Two instances at $20 for ten hours more, half of them used so far; a pause earns $5, giving back $8.

    In the last week the account paid $12 and $13 for an hour of spot of that type there, where reserved was $19; eight
    days ago, and elsewhere, it paid more. Another reservation is over, and one has not begun.
    """
    reservations = [("res_1", -10, 10), ("res_over", -10, 0), ("res_later", 1, 10)]
    here = {"instance_type_id": "it_8", "region": "here"}
    return {
        "dim_projects": [{"project_id": "proj_a", "as_of": AS_OF}],
        "dim_reservations": [
            {
                "reservation_id": name,
                "project_id": "proj_a",
                "starts_at": _hours(begins),
                "ends_at": _hours(ends),
                "has_terms": True,
                "as_of": AS_OF,
                **here,
            }
            for name, begins, ends in reservations
        ],
        "fct_commitments": [
            {
                "reservation_id": name,
                "project_id": "proj_a",
                "starts_at": _hours(begins),
                "ends_at": _hours(ends),
                "quantity": 2,
                "unit_price_cents": 2000,
            }
            for name, begins, ends in reservations
        ],
        "fct_reservation_rates": [
            {"reservation_id": "res_1", "rate_kind": kind, "rate_cents": cents, "is_in_force": True}
            for kind, cents in RATES.items()
        ],
        "fct_reservation_hours": [
            reservation_hour("res_1", _hours(-1), reserved_us=2 * HOUR_US, used_us=2 * HOUR_US),
            reservation_hour("res_1", _hours(-2), reserved_us=2 * HOUR_US, unused_us=2 * HOUR_US),
        ],
        "dim_instances": [
            {"instance_id": "inst_spot", "project_id": "proj_a", **here},
            {"instance_id": "inst_there", "project_id": "proj_a", "instance_type_id": "it_8", "region": "there"},
        ],
        "fct_spot_hours": [
            spot_hour("inst_spot", _hours(-1), HOUR_US, 1200, reserved_cents=1900),
            spot_hour("inst_spot", _hours(-2), HOUR_US, 1300),
            spot_hour("inst_spot", _hours(-8 * 24), HOUR_US, 9900, reserved_cents=9900),
            spot_hour("inst_there", _hours(-1), HOUR_US, 9900, reserved_cents=9900),
        ],
    }


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """That account's marts."""
    made = connection()
    fill(made, _account())
    yield made
    made.close()


def _row(marts: duckdb.DuckDBPyConnection, use: str | None = None, spot: str | None = None) -> dict[str, Any]:
    [row] = records(report(marts, "return-now", assumptions=Assumptions.asked(use, spot)))
    return {
        name: cell[:-10] if isinstance(cell, str) and cell.endswith("0" * 10) else cell for name, cell in row.items()
    }


def _asked(region: str, hour: int, spot: str | None, reserved: str | None = None) -> dict[str, Any]:
    return {
        "instance_type_id": "it_8",
        "region": region,
        "hour_at": _hours(hour),
        "spot_price_usd": spot,
        "reserved_price_usd": reserved,
    }


def test_where_nothing_was_paid_the_market_is_asked(marts: duckdb.DuckDBPyConnection) -> None:
    """$10 and $11.50 in the week before are $10.75; before it, elsewhere, at as_of and unknown do not count.

    Ten hours returned save $160 of $400, and half of them cost 10.75: 347.50. Reserved was $16, then $17: $70 over.
    """
    market = [
        _asked("here", -1, "10", "16"),
        _asked("here", -7 * 24, "11.5", "17"),
        _asked("here", -2, None),
        _asked("here", -7 * 24 - 1, "99", "99"),
        _asked("here", 0, "99", "99"),
        _asked("there", -1, "99", "99"),
    ]
    fill(marts, _account() | {"fct_spot_hours": [], "fct_market_hours": market})
    row = _row(marts)
    figures = ("spot_usd_per_hour", "return_cost_usd", "flexibility_premium_usd", "advice")
    assert [row[name] for name in figures] == ["10.75", "347.50", "70.00", "return"]
    fill(marts, _account() | {"fct_market_hours": market})
    assert [_row(marts)[name] for name in figures[:3]] == ["12.50", "365.00", "20.00"]
    assert _row(marts, spot="1")["spot_usd_per_hour"] == "1.00"


def test_defaults_are_what_the_account_showed(marts: duckdb.DuckDBPyConnection) -> None:
    """20 hours at $20 cost $400. Half of them, idle, earn $50 paused; all, returned, earn $160 less $125 of spot.

    (8 - 5) / (12.5 - 5) is 40 %: above that pausing is better. Over the market's $19 were paid $20.
    """
    row = _row(marts)
    assert row.pop("what_to_do").startswith("Keep it, and pause")
    assert row == {
        "reservation_id": "res_1",
        "ends_at": "2026-03-31T22:00:00Z",
        "left_hours": "20.00",
        "expected_use_pct": "50.00",
        "unit_usd_per_hour": "20.00",
        "pause_usd_per_hour": "5.00",
        "return_usd_per_hour": "8.00",
        "spot_usd_per_hour": "12.50",
        "break_even_use_pct": "40.00",
        "keep_cost_usd": "400.00",
        "pause_cost_usd": "350.00",
        "return_cost_usd": "365.00",
        "flexibility_value_usd": "50.00",
        "flexibility_premium_usd": "20.00",
        "advice": "pause",
    }


@pytest.mark.parametrize(
    ("use", "spot", "advice", "costs"),
    [
        ("30", None, "return", ("400.00", "330.00", "315.00")),
        ("40", None, "pause", ("400.00", "340.00", "340.00")),
        ("100", None, "keep", ("400.00", "400.00", "490.00")),
        ("100", "8", "keep", ("400.00", "400.00", "400.00")),
        ("100", "7.99", "return", ("400.00", "400.00", "399.80")),
        ("0", None, "return", ("400.00", "300.00", "240.00")),
    ],
)
def test_the_break_even(
    marts: duckdb.DuckDBPyConnection, use: str, spot: str | None, advice: str, costs: tuple[str, ...]
) -> None:
    """Below 40 % it is given back, at 40 % both are worth the same; what is always used is kept unless spot is less."""
    row = _row(marts, use, spot)
    assert (row["advice"], tuple(row[f"{way}_cost_usd"] for way in ("keep", "pause", "return"))) == (advice, costs)


def test_where_spot_costs_no_more_than_a_pause_there_is_no_break_even(marts: duckdb.DuckDBPyConnection) -> None:
    """Giving back is then better at any use."""
    row = _row(marts, "50", "5")
    assert (row["break_even_use_pct"], row["advice"]) == (None, "return")


@pytest.mark.parametrize(
    ("damage", "unknown"),
    [
        (
            "update marts.fct_reservation_rates set rate_cents = null where rate_kind = 'return_credit'",
            "return_cost_usd",
        ),
        ("delete from marts.fct_reservation_rates where rate_kind = 'pause_credit'", "pause_cost_usd"),
        ("delete from marts.fct_spot_hours", "return_cost_usd"),
        ("delete from marts.fct_reservation_hours", "expected_use_pct"),
    ],
)
def test_what_is_not_known_is_null_and_no_advice(marts: duckdb.DuckDBPyConnection, damage: str, unknown: str) -> None:
    """Never a zero, and nothing is advised on half of the figures."""
    marts.execute(damage)
    row = _row(marts)
    assert (row[unknown], row["advice"], row["keep_cost_usd"]) == (None, "unknown", "400.00")


def test_an_unknown_price_hides_costs_but_not_the_advice(marts: duckdb.DuckDBPyConnection) -> None:
    """What was paid is paid: which way is best does not hang on it."""
    marts.execute("update marts.fct_commitments set unit_price_cents = null")
    row = _row(marts)
    assert (row["keep_cost_usd"], row["pause_cost_usd"], row["flexibility_premium_usd"]) == (None, None, None)
    assert (row["advice"], row["flexibility_value_usd"]) == ("pause", "50.00")


def test_grants_and_cuts_bound_what_is_left(marts: duckdb.DuckDBPyConnection) -> None:
    """Four hours more at $20, six at $10 for one instance; the reservation is cut after nine."""
    marts.execute("update marts.fct_commitments set ends_at = ? where reservation_id = 'res_1'", [_hours(4)])
    marts.execute(
        "insert into marts.fct_commitments (reservation_id, starts_at, ends_at, quantity, unit_price_cents)"
        " values ('res_1', ?, ?, 1, 1000)",
        [_hours(4), _hours(10)],
    )
    marts.execute("update marts.dim_reservations set ends_at = ? where reservation_id = 'res_1'", [_hours(9)])
    row = _row(marts)
    assert (row["left_hours"], row["keep_cost_usd"]) == ("13.00", "210.00")


def test_assumptions_are_said(marts: duckdb.DuckDBPyConnection) -> None:
    """Under the figures, whether they were asked for or measured; on a screen each way with its cost."""
    measured = render(report(marts, "return-now"), "table", width=100)
    assert "Assumed: expected use is what was used of the reserved hours so far" in " ".join(measured.split())
    assert "Keeping costs 400.00 USD, pausing costs 350.00 USD, returning costs 365.00 USD." in " ".join(
        measured.split()
    )
    marts.execute("update marts.fct_reservation_rates set rate_cents = null where rate_kind = 'return_credit'")
    unknown = " ".join(render(report(marts, "return-now"), "table", width=100).split())
    assert "pausing costs 350.00 USD. Pausing or returning may save 50.00 USD." in unknown
    assert "Not known: what giving back earns. Not to be said yet" in unknown
    asked = report(marts, "return-now", assumptions=Assumptions.asked("10", "3"))
    assert asked.warnings[-1].startswith("Assumed: expected use is as was asked; spot costs as was asked")
    marts.execute("delete from marts.dim_reservations")
    assert "No reservation whose terms are known is open." in render(report(marts, "return-now"), "table")


def test_the_command(cli: Cli, tmp_path: Path) -> None:
    """Options reach the report; what is no number, and another report, are refused."""
    db = tmp_path / "a.duckdb"
    with duckdb.connect(str(db)) as made:
        fill(made, _account())
    options = ("--db", db, "--expected-use", "30")
    [row] = json.loads(cli("report", "return-now", *options, "--json").out)["rows"]
    assert (row["advice"], row["expected_use_pct"]) == ("return", "30.000000000000")
    assert_one_sentence(cli("report", "usage", *options), 2, "return-now does")
    for words, wrong in (("no percentage", ("--expected-use", "101")), ("no number", ("--spot-price", "NaN"))):
        assert_one_sentence(cli("report", "return-now", "--db", db, *wrong), 2, words)
    assert_one_sentence(cli("report", "return-now", "--db", db, "--from", "2026-03-01"), 2, "neither --from nor --to")
