"""Faults that a file of FOCUS could have, each as a change of the mart, and the checks that are to find them."""

from __future__ import annotations

from pathlib import Path

import duckdb
from focus_data_toolkit.model.validator import lint_focus_1_4_structure

from sql_project import Compiled

__all__ = ["FAULTS", "by_data_tests", "by_linter", "told"]

_SET = "update marts.focus_1_4 set"


def _of(kind: str) -> str:
    return f"where \"x_ChargeKind\" = '{kind}'"


FAULTS: dict[str, str] = {
    "usage told as a purchase": f"{_SET} \"ChargeCategory\" = 'Purchase' {_of('reserved_used')}",
    "a category that is none": f"{_SET} \"ChargeCategory\" = 'Refund' {_of('return_credit')}",
    "a purchase told as usage-based": f"{_SET} \"ChargeFrequency\" = 'Usage-Based' {_of('reservation_purchase')}",
    "spot at a standard price": f"{_SET} \"PricingCategory\" = 'Standard' {_of('spot_usage')}",
    "used time told as unused": f"{_SET} \"CommitmentDiscountStatus\" = 'Unused' {_of('reserved_used')}",
    "idle time without a status": f'{_SET} "CommitmentDiscountStatus" = null {_of("reserved_idle")}',
    "capacity told otherwise than the commitment": (
        f"{_SET} \"CapacityReservationStatus\" = 'Used' {_of('reserved_idle')}"
    ),
    "a credit above 0": (
        f'{_SET} "BilledCost" = -"BilledCost", "EffectiveCost" = -"EffectiveCost", "ListCost" = -"ListCost",'
        f' "ContractedCost" = -"ContractedCost", "PricingCurrencyEffectiveCost" = -"EffectiveCost"'
        f" {_of('pause_credit')}"
    ),
    "usage below 0": f'{_SET} "BilledCost" = -"BilledCost" {_of("spot_usage")}',
    "the noise of floating point": f'{_SET} "BilledCost" = "BilledCost" + 0.000000000004 {_of("spot_usage")}',
    "a credit that is billed and not effective": f'{_SET} "EffectiveCost" = 0 {_of("pause_credit")}',
    "a purchase that is effective as well": f'{_SET} "EffectiveCost" = "BilledCost" {_of("reservation_purchase")}',
    "used hours that are billed as well": f'{_SET} "BilledCost" = "EffectiveCost" {_of("reserved_used")}',
    "a cost that is not price x quantity": (
        f'{_SET} "ListCost" = "ListCost" + 1, "ContractedCost" = "ContractedCost" + 1 {_of("reserved_idle")}'
    ),
    "a price in cents": (
        f'{_SET} "ListUnitPrice" = "ListUnitPrice" * 100, "ContractedUnitPrice" = "ContractedUnitPrice" * 100'
        f" {_of('spot_usage')}"
    ),
    "a quantity in minutes": f'{_SET} "PricingQuantity" = "PricingQuantity" * 60 {_of("reserved_used")}',
    "a price without places": f'{_SET} "ListUnitPrice" = round("ListUnitPrice") {_of("spot_usage")}',
    "no billed cost": f'{_SET} "BilledCost" = null {_of("spot_usage")}',
    "no currency": f'{_SET} "BillingCurrency" = null {_of("spot_usage")}',
    "a currency in small letters": f"{_SET} \"BillingCurrency\" = 'usd'",
    "no resource": f'{_SET} "ResourceId" = null {_of("reserved_used")}',
    "no billing account": f'{_SET} "BillingAccountId" = null {_of("reserved_used")}',
    "rows twice": f"insert into marts.focus_1_4 from marts.focus_1_4 {_of('reserved_used')}",
    "a purchase twice": f"insert into marts.focus_1_4 from marts.focus_1_4 {_of('reservation_purchase')}",
    "spot time lost": f"delete from marts.focus_1_4 {_of('spot_usage')}",
    "credits lost": f"delete from marts.focus_1_4 {_of('return_credit')}",
    "an hour too late": (
        f'{_SET} "ChargePeriodStart" = "ChargePeriodStart" + interval 1 hour,'
        f' "ChargePeriodEnd" = "ChargePeriodEnd" + interval 1 hour {_of("reserved_used")}'
    ),
    "a period without length": f'{_SET} "ChargePeriodEnd" = "ChargePeriodStart" {_of("reserved_used")}',
    "a purchase that ends before it begins": (
        f'{_SET} "ChargePeriodEnd" = "ChargePeriodStart" - interval 1 hour {_of("reservation_purchase")}'
    ),
    "another month": (
        f'{_SET} "BillingPeriodStart" = "BillingPeriodStart" + interval 1 month,'
        f' "BillingPeriodEnd" = "BillingPeriodEnd" + interval 1 month {_of("spot_usage")}'
    ),
    "consumption of idle time": (
        f'{_SET} "ConsumedQuantity" = 8, "ConsumedUnit" = \'GPU-Hours\' {_of("reserved_idle")}'
    ),
    "a quantity without a unit": f'{_SET} "PricingUnit" = null {_of("spot_usage")}',
    "a quantity of a credit": (
        f'{_SET} "PricingQuantity" = 1, "PricingUnit" = \'Instance-Hours\' {_of("pause_credit")}'
    ),
    "spot on a commitment": f"{_SET} \"CommitmentDiscountId\" = 'res_a' {_of('spot_usage')}",
    "a commitment's quantity other than the price's": (
        f'{_SET} "CommitmentDiscountQuantity" = "CommitmentDiscountQuantity" + 1 {_of("reserved_used")}'
    ),
    "a price without a SKU": f'{_SET} "SkuPriceId" = null {_of("reserved_used")}',
    "a service of another category": f"{_SET} \"ServiceSubcategory\" = 'Block Storage'",
    "a broken reference to the grant": f"{_SET} \"ContractApplied\" = '{{' {_of('reservation_purchase')}",
    "a column that FOCUS does not know": 'alter table marts.focus_1_4 add column "Discount" varchar',
}


def by_data_tests(project: Compiled, connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a data test of ours finds fault with the mart as it is now."""
    reading = [name for name, node in project.tests.items() if "focus_1_4" in node.sql]
    return any(project.failures(connection, name) for name in reading)


def by_linter(rows: list[dict[str, str]]) -> bool:
    """Whether the linter of FOCUS finds fault with rows of a CSV file, those of an unknown type apart."""
    known = [row for row in rows if row["x_InstanceId"] != "inst_odd"]
    conditions = ("SupportsUnitPricing", "SupportsMultiplePricingCategories")
    return not lint_focus_1_4_structure("Cost and Usage", known, supported_conditions=conditions).ok


def told(file: Path) -> list[tuple[str, ...]]:
    """The rows of the table of faults in the documentation: fault, and whether each of three checks finds it."""
    lines = [line for line in file.read_text().splitlines() if line.startswith("| ") and line.count("|") == 5]
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    return [row for row in cells if row[0] in FAULTS]
