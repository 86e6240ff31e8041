"""Every published use case of FOCUS runs on exported files; those on commitments and credits give figures by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from use_cases import UseCase, published, table_of

from focus_account import BILLED_USD, EFFECTIVE_USD
from focus_faults import FAULTS, told
from mithril_elt.focus import FocusPlan, export_focus

DOCS = Path(__file__).parent.parent.parent / "docs" / "focus.md"

Figures = dict[tuple[str, str], Any]


def _unused(column: str) -> Callable[[list[dict[str, Any]]], Any]:
    return lambda rows: {row[column]: row["TotalEffectiveCost"] for row in rows}


def _by_status(rows: list[dict[str, Any]]) -> dict[str, tuple[Decimal, Decimal]]:
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for row in rows:
        billed, effective = sums.get(row["Status"], (Decimal(0), Decimal(0)))
        sums[row["Status"]] = (billed + row["TotalBilledCost"], effective + row["TotalEffectiveCost"])
    return sums


# Of each use case what its rows come to, worked by hand as `focus_account` says.
UNUSED = {"res_a": Decimal("32.5"), "res_b": 2, "res_c": 9}  # 25 idle and 7.50 given back; 1 h; 2 h and 4 h cut
BY_HAND: dict[str, tuple[Callable[[list[dict[str, Any]]], Any], Any]] = {
    "identify_unused_commitments": (_unused("CommitmentDiscountId"), UNUSED),
    "identify_unused_capacity_reservations": (_unused("CapacityReservationId"), UNUSED),
    "analyze_credit_memos": (lambda rows: [row["TotalBilledCost"] for row in rows], [Decimal(-11)]),
    "commitment_discount_purchases": (
        lambda rows: {r["CommitmentDiscountId"]: (r["CommitmentDiscountQuantity"], r["TotalBilledCost"]) for r in rows},
        {"res_a": (16, 40), "res_b": (3, 6), "res_c": (6, 9)},
    ),
    "analyze_capacity_reservations_on_compute_costs": (
        _by_status,
        {
            "Compute using Capacity Reservation": (0, Decimal("7.5")),
            "Unused Capacity Reservation": (0, Decimal("43.5")),  # 32.5 + 2 + 9
            "Compute without Capacity Reservation": (BILLED_USD, Decimal("3.0025")),  # spot 14.0025 less credits of 11
        },
    ),
    "forecast_cashflow": (lambda rows: [row["TotalBilledCost"] for row in rows], [BILLED_USD]),
    "recurring_commitment_charges": (len, 0),
    "cash_vs_accrual_comparison_by_billing_period": (
        lambda rows: [(r["TotalBilledCost"], r["TotalEffectiveCost"], r["CostBasisDifference"]) for r in rows],
        [(BILLED_USD, EFFECTIVE_USD, Decimal(-4))],  # of res_b 4 dollars are still to come
    ),
    "commitment_discount_effective_cost_breakdown": (
        lambda rows: sum(row["TotalEffectiveCost"] for row in rows),
        Decimal(51),  # 40 + 2 + 9
    ),
    "calculate_commitment_discount_coverage_rate_with_eligibility_adjusted_denominator": (
        lambda rows: [(row["CoveredCost"], row["EligibleCost"]) for row in rows],
        [(51, 51)],
    ),
    "report_on_initial_contract_commitments": (
        lambda rows: [row["ContractCommitmentAppliedCost"] for row in rows],
        [55.0],
    ),
}


@pytest.fixture(scope="module")
def cases(tools: Path) -> list[UseCase]:
    """All published queries of 1.2 and 1.4."""
    return published(tools)


def figures(cases: list[UseCase], file: Path, version: str) -> dict[str, Any]:
    """What the use cases that are worked by hand come to on a file; an error is a figure as well."""
    come_to = {}
    with duckdb.connect() as connection:
        table_of(connection, file)
        for case in cases:
            if case.version == version and case.name in BY_HAND:
                try:
                    come_to[case.name] = BY_HAND[case.name][0](case.rows(connection))
                except (duckdb.Error, TypeError) as error:
                    come_to[case.name] = str(error)
    return come_to


def test_every_use_case_runs(cases: list[UseCase], files: dict[str, Path]) -> None:
    """53 of 1.2 and 66 of 1.4."""
    refused = []
    for version, file in files.items():
        with duckdb.connect() as connection:
            table_of(connection, file)
            for case in (case for case in cases if case.version == version):
                try:
                    case.rows(connection)
                except duckdb.Error as error:
                    refused.append((version, case.name, str(error)))
    assert refused == []
    assert [sum(case.version == version for case in cases) for version in files] == [53, 66]


@pytest.mark.parametrize("version", ["1.2", "1.4"])
def test_use_cases_of_commitments_and_credits_give_the_figures_by_hand(
    cases: list[UseCase], files: dict[str, Path], version: str
) -> None:
    """Unused capacity, purchases, credits, cash and accrual."""
    expected = {case.name: BY_HAND[case.name][1] for case in cases if case.version == version and case.name in BY_HAND}
    assert len(expected) >= 7
    assert figures(cases, files[version], version) == expected


@pytest.mark.parametrize("fault", FAULTS)
def test_the_documentation_says_which_faults_the_use_cases_show(
    cases: list[UseCase], sound: duckdb.DuckDBPyConnection, tmp_path: Path, fault: str
) -> None:
    """A fault shows where a figure is not the one by hand."""
    [(*_, use_cases)] = [row for row in told(DOCS) if row[0] == fault]
    file = tmp_path / "faulty.parquet"
    sound.begin()
    try:
        sound.execute(FAULTS[fault])
        export_focus(sound, file, FocusPlan("1.4"))
    finally:
        sound.rollback()
    come_to = figures(cases, file, "1.4")
    assert ("yes" if come_to != {name: BY_HAND[name][1] for name in come_to} else "–") == use_cases
