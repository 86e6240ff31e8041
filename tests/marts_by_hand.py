"""Marts made by hand, for the tests of the reports: tables with the columns that reports read, rows as given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import duckdb

__all__ = ["HOUR_US", "MARTS", "connection", "fill", "instance_hour", "reservation_hour", "spot_hour"]

HOUR_US = 3_600_000_000

_PHASES = ("waiting", "starting", "running", "noticed", "stopping", "paused", "interrupted", "unknown")
_TIMED = "hour_at timestamp, day date, month date"

MARTS: dict[str, str] = {
    "dim_projects": "project_id varchar, project_name varchar, as_of timestamp, created_at timestamp,"
    " report_timezone varchar default 'UTC'",
    "dim_instance_types": "instance_type_id varchar, instance_type_name varchar, num_gpus bigint",
    "dim_instances": (
        "instance_id varchar, instance_name varchar, project_id varchar, order_id varchar, bid_id varchar,"
        " reservation_id varchar, user_id varchar, instance_type_id varchar, region varchar, as_of timestamp,"
        " listed_status varchar, created_at timestamp, first_event_at timestamp, bid_name varchar"
    ),
    "dim_reservations": (
        "reservation_id varchar, reservation_name varchar, project_id varchar, user_id varchar,"
        " instance_type_id varchar, region varchar, instance_quantity bigint, placed_at timestamp, starts_at timestamp,"
        " ends_at timestamp, has_terms boolean, as_of timestamp"
    ),
    "fct_status_spells": (
        "instance_id varchar, status varchar, is_known_status boolean, is_up boolean, is_down boolean,"
        " started_at timestamp, ended_at timestamp, is_open boolean"
    ),
    "fct_instance_hours": (
        f"instance_id varchar, project_id varchar, {_TIMED}, "
        + ", ".join(f"{phase}_us bigint" for phase in _PHASES)
        + ", total_us bigint, up_us bigint, down_us bigint, gpu_us bigint, billed_us bigint, unpriced_us bigint,"
        " spot_cost_cent_us hugeint, reserved_used_us bigint, allocated_cost_cent_us hugeint, credited_us bigint,"
        " pause_credit_cent_us hugeint, short_paused_us bigint, short_pause_loss_cent_us hugeint,"
        " unclaimed_us bigint, unclaimed_credit_cent_us hugeint"
    ),
    "fct_spot_hours": (
        f"instance_id varchar, project_id varchar, {_TIMED}, billed_us bigint, priced_us bigint, unpriced_us bigint,"
        " spot_cost_cent_us hugeint, compared_us bigint, uncompared_us bigint, compared_cost_cent_us hugeint,"
        " reserved_market_cost_cent_us hugeint, unlimited_us bigint, limited_cost_cent_us hugeint,"
        " limit_cost_cent_us hugeint, near_limit_us bigint"
    ),
    "fct_market_hours": (
        "instance_type_id varchar, region varchar, hour_at timestamp, day date, month date,"
        " spot_price_usd decimal(38, 12), reserved_price_usd decimal(38, 12), spot_up_us bigint, preemptions bigint,"
        " preempted_starts bigint"
    ),
    "fct_opportunities": (
        "opportunity varchar, what_to_do varchar, reservation_id varchar, instance_id varchar, project_id varchar,"
        " hour_at timestamp, idle_us bigint, idle_cost_cent_us hugeint, pause_credit_cent_us hugeint,"
        " at_stake_cent_us hugeint, return_credit_cent_us hugeint, is_over boolean default false"
    ),
    "fct_reservation_hours": (
        f"reservation_id varchar, project_id varchar, {_TIMED}, reserved_us bigint, used_us bigint, unused_us bigint,"
        " allocated_used_cent_us hugeint, allocated_unused_cent_us hugeint"
    ),
    "fct_commitments": (
        "reservation_id varchar, project_id varchar, placed_at timestamp, day date, month date, starts_at timestamp,"
        " ends_at timestamp, quantity bigint, unit_price_cents bigint, committed_us bigint,"
        " committed_cost_cent_us hugeint"
    ),
    "fct_pause_credits": (
        "instance_id varchar, started_at timestamp, ended_at timestamp, is_open boolean, is_credited boolean,"
        " paused_us bigint, pause_credit_cent_us hugeint, expires_at timestamp"
    ),
    "fct_credit_ledger": (
        "reservation_id varchar, project_id varchar, day date, month date, ageing varchar, expires_at timestamp,"
        " credited_us bigint, unrated_us bigint, credit_cent_us hugeint"
    ),
    "fct_return_credits": (
        f"instance_id varchar, reservation_id varchar, project_id varchar, returned_at timestamp, {_TIMED},"
        " hours_left_us bigint, return_credit_cent_us hugeint"
    ),
    "fct_reservation_rates": (
        "reservation_id varchar, project_id varchar, rate_kind varchar, from_at timestamp, to_at timestamp,"
        " rate_cents bigint, is_in_force boolean"
    ),
    "fct_interruptions": (
        f"instance_id varchar, project_id varchar, {_TIMED}, to_status varchar, left_up boolean, recovery_us bigint"
    ),
    "fct_starts": f"instance_id varchar, project_id varchar, {_TIMED}, time_to_start_us bigint",
    "fct_reconciliation": (
        "reservation_id varchar, vendor_as_of timestamp, field varchar, field_order integer, ours decimal(38, 12),"
        " vendors decimal(38, 12), difference decimal(38, 12), agrees boolean, likely_cause varchar"
    ),
}


def connection(schema: str = "marts") -> duckdb.DuckDBPyConnection:
    """A database in memory with the marts, empty."""
    made = duckdb.connect()
    fill(made, {}, schema=schema)
    return made


def fill(
    to: duckdb.DuckDBPyConnection, rows: Mapping[str, Iterable[Mapping[str, Any]]], *, schema: str = "marts"
) -> None:
    """Make the marts anew and put the rows in; a column that a row leaves out is null."""
    [[database]] = to.execute("select current_database()").fetchall()
    inside = f'"{database}"."{schema}"'
    to.execute(f"create schema if not exists {inside}")
    for mart, columns in MARTS.items():
        to.execute(f"create or replace table {inside}.{mart} ({columns})")
        for row in rows.get(mart, ()):
            names = ", ".join(row)
            marks = ", ".join("?" for _ in row)
            to.execute(f"insert into {inside}.{mart} ({names}) values ({marks})", list(row.values()))


def _times(hour_at: datetime) -> dict[str, Any]:
    return {"hour_at": hour_at, "day": hour_at.date(), "month": hour_at.date().replace(day=1)}


def instance_hour(instance_id: str, hour_at: datetime, *, gpus: int | None = 8, **cells: int | None) -> dict[str, Any]:
    """A row of fct_instance_hours: what is not given is zero, and what follows from the rest is filled in."""
    row: dict[str, Any] = {f"{phase}_us": cells.pop(f"{phase}_us", 0) for phase in _PHASES}
    up = row["running_us"] + row["noticed_us"]
    row |= {
        "instance_id": instance_id,
        "project_id": "proj_a",
        **_times(hour_at),
        "total_us": sum(row.values()),
        "up_us": up,
        "down_us": row["interrupted_us"],
        "gpu_us": None if gpus is None else up * gpus,
    }
    money = ("billed", "unpriced", "reserved_used", "credited", "short_paused", "unclaimed")
    row |= {f"{name}_us": 0 for name in money}
    costs = ("spot_cost", "allocated_cost", "pause_credit", "short_pause_loss", "unclaimed_credit")
    row |= {f"{name}_cent_us": 0 for name in costs}
    return row | cells


def reservation_hour(reservation_id: str, hour_at: datetime, **cells: int | None) -> dict[str, Any]:
    """A row of fct_reservation_hours: what is not given is zero."""
    row: dict[str, Any] = {"reservation_id": reservation_id, "project_id": "proj_a", **_times(hour_at)}
    row |= {"reserved_us": 0, "used_us": 0, "unused_us": 0, "allocated_used_cent_us": 0}
    row |= {"allocated_unused_cent_us": 0}
    return row | cells


def spot_hour(
    instance_id: str,
    hour_at: datetime,
    priced_us: int,
    price_cents: int,
    *,
    reserved_cents: int | None = None,
    limit_cents: int | None = None,
    unpriced_us: int = 0,
    near_limit_us: int = 0,
) -> dict[str, Any]:
    """A row of fct_spot_hours at one price, beside a market price and a limit where they are given."""
    paid = price_cents * priced_us
    return {
        "instance_id": instance_id,
        "project_id": "proj_a",
        **_times(hour_at),
        "billed_us": priced_us + unpriced_us,
        "priced_us": priced_us,
        "unpriced_us": unpriced_us,
        "spot_cost_cent_us": paid,
        "compared_us": 0 if reserved_cents is None else priced_us,
        "uncompared_us": priced_us if reserved_cents is None else 0,
        "compared_cost_cent_us": None if reserved_cents is None and priced_us else paid,
        "reserved_market_cost_cent_us": None
        if reserved_cents is None and priced_us
        else (reserved_cents or 0) * priced_us,
        "unlimited_us": priced_us if limit_cents is None else 0,
        "limited_cost_cent_us": None if limit_cents is None and priced_us else paid,
        "limit_cost_cent_us": None if limit_cents is None and priced_us else (limit_cents or 0) * priced_us,
        "near_limit_us": None if limit_cents is None and priced_us else near_limit_us,
    }
