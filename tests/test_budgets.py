"""Budgets: read from the user's file, held against what was spent and what is to come, worked by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from commands import Cli
from marts_by_hand import HOUR_US, connection, fill, instance_hour
from mithril_elt.budgets import BudgetState, check_budgets, read_budgets
from mithril_elt.errors import UsageError

HEADER = "scope_kind,scope_id,month,amount_usd\n"
# Ten days of history, of which the last seven count; three more days of March, less 12 hours.
_AS_OF = datetime.fromisoformat("2026-03-29T12:30")
_AT = datetime.fromisoformat("2026-03-29T12:00")


def _account() -> dict[str, list[dict[str, Any]]]:
    """One spot instance of project a, up for one hour of each of the last seven days; one reservation of project b.

    The hours cost 10, 20, … 70 dollars, the latest the least: 280 in all, 40 on the mean of a day. Before them there is
    one of 500 dollars nine days ago. The reservation is of 2 instances at $5 from noon of the 28th to noon of the 30th,
    so that $240 lie before the hour and $240 behind it; it was cut at midnight, so that $120 do.
    """
    hours = [
        instance_hour(
            "inst_1",
            _AT - timedelta(days=ago, hours=1),
            running_us=HOUR_US,
            billed_us=HOUR_US,
            spot_cost_cent_us=cents * HOUR_US,
        )
        for ago, cents in ((0, 1000), (1, 2000), (2, 3000), (3, 4000), (4, 5000), (5, 6000), (6, 7000), (9, 50_000))
    ]
    return {
        "dim_projects": [{"project_id": name, "as_of": _AS_OF} for name in ("proj_a", "proj_b")],
        "dim_instances": [
            {
                "instance_id": "inst_1",
                "project_id": "proj_a",
                "order_id": "bid_1",
                "bid_id": "bid_1",
                "user_id": "user_u",
                "region": "here",
            }
        ],
        "dim_reservations": [
            {"reservation_id": "res_1", "project_id": "proj_b", "user_id": "user_u", "ends_at": datetime(2026, 3, 30)}  # noqa: DTZ001
        ],
        "fct_instance_hours": hours,
        "fct_commitments": [
            {
                "reservation_id": "res_1",
                "project_id": "proj_b",
                "placed_at": _AT - timedelta(days=1),
                "starts_at": _AT - timedelta(days=1),
                "ends_at": _AT + timedelta(days=1),
                "quantity": 2,
                "unit_price_cents": 500,
            }
        ],
    }


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """That account's marts."""
    made = connection()
    fill(made, _account())
    yield made
    made.close()


def _state(marts: duckdb.DuckDBPyConnection, folder: Path, line: str) -> BudgetState:
    file = folder / "budgets.csv"
    file.write_text(HEADER + line + "\n")
    _, [state], _ = check_budgets(marts, read_budgets(file))
    return state


def _dollars(state: BudgetState) -> tuple[str, ...]:
    amounts = (state.spent_usd, state.forecast_usd, state.forecast_low_usd, state.forecast_high_usd)
    return tuple("–" if amount is None else f"{amount:.2f}" for amount in amounts)


# 60 hours are left of March: 2.5 days of spot at 40 (10 to 70) dollars, and $120 of the reservation.
@pytest.mark.parametrize(
    ("line", "state", "dollars"),
    [
        ("project,proj_a,2026-03,779.999999999", "passed", ("780.00", "880.00", "805.00", "955.00")),
        ("project,proj_a,2026-03,780", "will be passed", ("780.00", "880.00", "805.00", "955.00")),
        ("project,proj_a,2026-03,880", "may be passed", ("780.00", "880.00", "805.00", "955.00")),
        ("project,proj_a,2026-03,955", "within", ("780.00", "880.00", "805.00", "955.00")),
        ("bid,bid_1,2026-03,955", "within", ("780.00", "880.00", "805.00", "955.00")),
        ("project,proj_b,2026-03,119.99", "will be passed", ("0.00", "120.00", "120.00", "120.00")),
        ("reservation,res_1,2026-03,120", "within", ("0.00", "120.00", "120.00", "120.00")),
        ("all,,2026-03,1000", "may be passed", ("780.00", "1000.00", "925.00", "1075.00")),
        ("user,user_u,2026-03,999.99", "will be passed", ("780.00", "1000.00", "925.00", "1075.00")),
        ("project,proj_x,2026-03,1", "unknown scope", ("–", "–", "–", "–")),
        # What is over is told and wakes nobody; of a month to come all is foreseen.
        ("all,,2026-02,0.01", "was kept", ("0.00", "–", "–", "–")),
        ("all,,2026-04,1199.99", "will be passed", ("0.00", "1200.00", "300.00", "2100.00")),
        ("all,,2026-04,1200", "may be passed", ("0.00", "1200.00", "300.00", "2100.00")),
    ],
)
def test_a_budget_is_held_against_what_was_spent_and_what_is_to_come(
    marts: duckdb.DuckDBPyConnection, tmp_path: Path, line: str, state: str, dollars: tuple[str, ...]
) -> None:
    """More than the amount passes it, not the amount itself; what is foreseen is the mean, not the dearest day."""
    found = _state(marts, tmp_path, line)
    assert (found.state, _dollars(found)) == (state, dollars)
    assert found.is_alarm == (state in {"passed", "will be passed"})


def test_a_budget_passes_at_an_hour(marts: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """At 40 dollars a day and 10 an hour for twelve hours, 840 is passed in the sixth hour: 5 h make 58.33, 6 h 70."""
    found = _state(marts, tmp_path, "all,,2026-03,840")
    assert found.passes_at == datetime(2026, 3, 29, 18, tzinfo=UTC)
    assert _state(marts, tmp_path, "project,proj_a,2026-03,780.01").passes_at == datetime(2026, 3, 29, 13, tzinfo=UTC)


def test_a_past_month_that_was_passed_raises_no_alarm(marts: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Or a scheduler would cry for ever."""
    marts.execute("update marts.dim_projects set as_of = '2026-04-02'")
    found = _state(marts, tmp_path, "all,,2026-03,779")
    assert (found.state, found.is_alarm) == ("was passed", False)


def test_without_a_day_of_history_nothing_is_foreseen(marts: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """But for what is committed: that passes a budget by itself. A warning says so."""
    marts.execute("delete from marts.fct_instance_hours where hour_at < timestamp '2026-03-29'")
    file = tmp_path / "budgets.csv"
    file.write_text(HEADER + "all,,2026-03,119\nproject,proj_a,2026-03,119\n")
    _, states, warnings = check_budgets(marts, read_budgets(file))
    assert [(state.state, _dollars(state)) for state in states] == [
        ("will be passed", ("10.00", "–", "–", "–")),
        ("unknown", ("10.00", "–", "–", "–")),
    ]
    assert any("no forecast" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scope,month\nall,2026-03\n", "lacks scope_kind, scope_id, amount_usd"),
        (HEADER, "has no budget"),
        (HEADER + "team,x,2026-03,1\n", "line 2: 'team' is no scope"),
        (HEADER + "all,proj_a,2026-03,1\n", "all takes no scope_id"),
        (HEADER + "project,,2026-03,1\n", "project takes a scope_id"),
        (HEADER + "all,,March,1\n", "'March' is no month"),
        (HEADER + "all,,2026-13,1\n", "'2026-13' is no month"),
        *((HEADER + f"all,,2026-03,{amount}\n", "is no amount") for amount in ("", "-1", "0", "NaN", "1e-10", "x")),
        (HEADER + "all,,2026-03,1\nall,,2026-03,2\n", "line 2: there is another budget"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """The sentence says which line, and what is wanted."""
    file = tmp_path / "budgets.csv"
    file.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_budgets(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_budgets(tmp_path / "none.csv")


def test_a_spreadsheet_s_file_is_read(tmp_path: Path) -> None:
    """With a mark of its encoding, other columns and spaces."""
    file = tmp_path / "budgets.csv"
    file.write_text("\ufeffscope_kind,scope_id,month,amount_usd,note\r\nall,, 2026-12 ,99.50,ours\r\n", newline="")
    [budget] = read_budgets(file)
    assert (budget.scope, budget.amount_usd, budget.ends_at("UTC")) == (
        "all",
        Decimal("99.50"),
        datetime(2027, 1, 1, tzinfo=UTC),
    )


def _check(cli: Cli, tmp_path: Path, lines: str, *options: str) -> Any:
    db = tmp_path / "a.duckdb"
    with duckdb.connect(str(db)) as made:
        fill(made, _account())
    (tmp_path / "budgets.csv").write_text(HEADER + lines)
    return cli("budget", "check", "--db", db, *options)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("all,,2026-03,5000\n", 0),
        ("all,,2026-03,5000\nproject,proj_a,2026-03,700\n", 7),
        ("all,,2026-03,5000\nproject,proj_x,2026-03,700\n", 2),
        ("all,,2026-03,1\nproject,proj_x,2026-03,700\n", 7),
    ],
)
def test_the_exit_status_is_for_a_scheduler(cli: Cli, tmp_path: Path, lines: str, status: int) -> None:
    """0 if all will do, 7 if one is or will be passed, 2 if one is of nothing known; each budget has its line."""
    ended = _check(cli, tmp_path, lines)
    assert ended.status == status, ended
    assert ended.out.count("2026-03,") == lines.count("\n")
    assert re.match(r"Counted up to 2026-03-29T12:00:00Z, [\d,]+\.\d hours ago\. Dollars", ended.out)
    assert (ended.err == "") is (status == 0)


def test_json_has_exact_strings(cli: Cli, tmp_path: Path) -> None:
    """All twelve places, nulls where nothing is known."""
    told = json.loads(_check(cli, tmp_path, "project,proj_a,2026-03,5000\n", "--json").out)
    assert told["as_of"] == "2026-03-29T12:00:00Z"
    age = datetime.now(UTC) - _AT.replace(tzinfo=UTC)
    assert abs(float(told["age_hours"]) - age / timedelta(hours=1)) < 0.2
    assert told["budgets"] == [
        {
            "scope_kind": "project",
            "scope_id": "proj_a",
            "month": "2026-03",
            "amount_usd": "5000",
            "state": "within",
            "spent_usd": "780.000000000000",
            "forecast_usd": "880.000000000000",
            "forecast_low_usd": "805.000000000000",
            "forecast_high_usd": "955.000000000000",
            "passes_at": None,
        }
    ]
