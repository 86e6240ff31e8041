"""The whole flow, from HTTP to the marts, against an account whose true figures are known: equal, not nearly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from loading import load_sandbox, query, rows_of, tables_in
from mithril_elt.reports import Rule, render, report
from mithril_elt.sandbox.account import Account
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.sandbox.truth import true_figures
from mithril_elt.transform import build, build_scratch

INSTANCES, DAYS, RUNS = 200, 30, 10
DOLLAR, HOUR = 360_000_000_000, 3_600_000_000
RULES = [Rule("*-1", "first", "line 2"), Rule("train*", "training", "line 3")]


@pytest.fixture(scope="module")
def account() -> Account:
    """The account of the proof."""
    return make_account(instances=INSTANCES, days=DAYS)


@pytest.fixture(scope="module")
def sandbox(account: Account) -> Iterator[Sandbox]:
    """It, served."""
    with serve(account) as served:
        yield served


@pytest.fixture(scope="module")
def db(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of one load and one build."""
    path = tmp_path_factory.mktemp("whole") / "a.duckdb"
    load_sandbox(sandbox, path)
    build(path)
    return path


def marts(db: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All marts, row for row."""
    return {table: rows_of(db, f"marts.{table}") for table in tables_in(db, "marts")}


@pytest.mark.shows(40)
def test_every_figure_of_every_instance_is_the_true_one(db: Path, account: Account) -> None:
    """Hours by phase, spot cost and pause credit of each instance and day, as exact integers."""
    assert len(account.instances) >= INSTANCES
    assert differences(db, account) == []


def test_the_comparison_sees_a_difference_of_one_microsecond(db: Path, account: Account, tmp_path: Path) -> None:
    """The check is not blind: a single figure that is off by one is found."""
    with build_scratch(db, as_of=datetime(2026, 3, 31, tzinfo=UTC)) as scratch:
        copy = tmp_path / "copy.duckdb"
        copy.write_bytes(scratch.read_bytes())
    assert differences(copy, account) == []
    import duckdb  # noqa: PLC0415  # only this test writes to marts

    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            "update marts.fct_instance_hours set running_us = running_us + 1 where instance_hour_id ="
            " (select min(instance_hour_id) from marts.fct_instance_hours)"
        )
    assert len(differences(copy, account)) == 2  # of the instance, and of its day


@pytest.mark.shows(16)
def test_a_second_run_leaves_every_mart_as_it_was(db: Path, sandbox: Sandbox, account: Account) -> None:
    """Nothing changed between two runs, so nothing changes in any mart."""
    before = marts(db)
    load_sandbox(sandbox, db)
    build(db)
    assert marts(db) == before
    assert differences(db, account) == []


@pytest.mark.long
@pytest.mark.shows(20, 25, 40)
def test_ten_runs_over_time_give_the_marts_of_one_load(db: Path, account: Account, tmp_path: Path) -> None:
    """Loaded in ten runs with the clock moved on between them, the marts are those of one load, row for row."""
    path = tmp_path / "a.duckdb"
    with serve(make_account(instances=INSTANCES, days=DAYS)) as sandbox:
        sandbox.clock.advance(-timedelta(days=DAYS))
        for _ in range(RUNS):
            sandbox.clock.advance(timedelta(days=DAYS) / RUNS)
            load_sandbox(sandbox, path)
    build(path)
    assert differences(path, account) == []
    once, ten = marts(db), marts(path)
    assert once.keys() == ten.keys()
    assert [table for table in once if once[table] != ten[table]] == []


def test_an_earlier_as_of_gives_the_figures_of_then(db: Path, account: Account) -> None:
    """A report of last month can be printed again: pinned to an instant, the marts are those known then."""
    with build_scratch(db, as_of=datetime(2026, 3, 10, 7, 30, 0, 1, tzinfo=UTC)) as scratch:
        assert query(scratch, "select distinct as_of from marts.dim_projects") == [
            (datetime(2026, 3, 10, 7, 30, 0, 1),),  # noqa: DTZ001  # as the column has it
        ]
        found = differences(scratch, account)
    assert found == []


@pytest.mark.shows(39)
def test_by_instance_adds_up_to_the_whole_exactly(db: Path, account: Account) -> None:
    """In JSON, the rows of any grouping add up to the ungrouped report, to the twelfth place, and that is the truth."""
    [whole] = json.loads(render(report(db, "cost"), "json"))["rows"]
    additive = ("billed_hours", "unpriced_hours", "spot_cost_usd", "allocated_cost_usd", "net_cost_usd")
    for by in (("instance",), ("day",), ("project", "month"), ("order",)):
        rows = json.loads(render(report(db, "cost", by=by), "json"))["rows"]
        for column in additive:
            assert sum(Decimal(row[column]) for row in rows) == Decimal(whole[column]), (by, column)
        lines = json.loads(render(report(db, "chargeback", by=by, rules=RULES), "json"))["rows"]
        assert sum(Decimal(line["cost_usd"] or 0) for line in lines) == Decimal(whole["net_cost_usd"]), by
        assert {line["line"] for line in lines} == {"spot", "reserved", "idle", "pause credit"}
    truth = true_figures(account, account.now_us)
    for column, true in (
        ("billed_hours", Fraction(truth.billed_us, HOUR)),
        ("unpriced_hours", Fraction(truth.unpriced_us, HOUR)),
        ("spot_cost_usd", Fraction(truth.spot_cost_cent_us, DOLLAR)),
        ("allocated_cost_usd", Fraction(truth.allocated_cost_cent_us, DOLLAR)),
        ("pause_credit_usd", Fraction(truth.pause_credit_cent_us, DOLLAR)),
    ):
        assert abs(Fraction(whole[column]) - true) <= Fraction(1, 2 * 10**12), column
