"""A small account whose figures are worked by hand, as marts, and a report's rows as plain records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from marts_by_hand import HOUR_US, connection, fill, instance_hour, reservation_hour, spot_hour
from mithril_elt.reports import Report

__all__ = ["only", "records", "small_account", "small_marts"]

_FIRST = datetime.fromisoformat("2026-03-31T22:00")
_SECOND = datetime.fromisoformat("2026-03-31T23:00")
_THIRD = datetime.fromisoformat("2026-04-01T00:00")
_AS_OF = datetime.fromisoformat("2026-04-01T00:30")
_HALF = HOUR_US // 2


def _instance(number: int, **cells: Any) -> dict[str, Any]:
    row = {
        "instance_id": f"inst_{number}",
        "instance_name": f"machine {number}",
        "project_id": "proj_a",
        "user_id": "user_u",
        "instance_type_id": "it_8",
        "region": "us-east1-a",
        "as_of": _AS_OF,
    }
    return row | cells


def _on_march_31(**cells: Any) -> dict[str, Any]:
    return {"project_id": "proj_a", "day": date(2026, 3, 31), "month": date(2026, 3, 1), **cells}


def _stake(
    opportunity: str,
    instance_id: str | None,
    hour_at: datetime,
    idle_us: int,
    at_stake: int | None,
    *,
    idle_cost: int | None = None,
    credit: int = 0,
) -> dict[str, Any]:
    return {
        "opportunity": opportunity,
        "what_to_do": f"What to do: {opportunity}.",
        "reservation_id": "res_1",
        "instance_id": instance_id,
        "project_id": "proj_a",
        "hour_at": hour_at,
        "idle_us": idle_us,
        "idle_cost_cent_us": idle_cost,
        "pause_credit_cent_us": None if idle_cost is None else credit,
        "at_stake_cent_us": at_stake,
    }


def _credit(
    day: str, ageing: str, expires_at: str | None, credited_us: int, credit: int | None, *, unrated_us: int = 0
) -> dict[str, Any]:
    return {
        "reservation_id": "res_1",
        "project_id": "proj_a",
        "day": date.fromisoformat(day),
        "month": date.fromisoformat(day).replace(day=1),
        "ageing": ageing,
        "expires_at": expires_at and datetime.fromisoformat(expires_at),
        "credited_us": credited_us,
        "unrated_us": unrated_us,
        "credit_cent_us": credit,
    }


def small_account() -> dict[str, list[dict[str, Any]]]:
    """Two spot instances, one of them of a type unknown, and one reserved instance, over three hours.

    inst_1 (spot, 8 GPUs): 22:00 up for the hour at 1300 c; 23:00 up 30 min at 1301 c, 15 min noticed
    without a price, 15 min interrupted; 00:00 interrupted 30 min. inst_2 (spot, type unknown): 22:00 up
    for the hour at 200 c. inst_3 (reserved at 2400 c, pause rate 500 c): 22:00 up; 23:00 paused for the
    hour; 00:00 paused 30 min. The reservation is of two instances, so the second stands unused. The market
    asks 2000 c for an hour of inst_1 reserved; its limit is 1440 c, so that 1300 c and 1301 c are above 90 %
    of it; of inst_2 neither is known.
    """
    quarter = HOUR_US // 4
    return {
        "dim_projects": [{"project_id": "proj_a", "project_name": "Vision", "as_of": _AS_OF}],
        "dim_instance_types": [{"instance_type_id": "it_8", "instance_type_name": "h100.8x", "num_gpus": 8}],
        "dim_instances": [
            _instance(1, order_id="bid_1", bid_id="bid_1"),
            _instance(2, order_id="bid_2", bid_id="bid_2", instance_type_id="it_x", user_id="user_v"),
            _instance(3, order_id="res_1", reservation_id="res_1", region="eu-central1-b"),
        ],
        "dim_reservations": [
            {
                "reservation_id": "res_1",
                "reservation_name": "quarter",
                "starts_at": _FIRST,
                "ends_at": _FIRST + timedelta(hours=24),
                "has_terms": True,
                "as_of": _AS_OF,
                "project_id": "proj_a",
                "user_id": "user_v",
                "instance_type_id": "it_8",
                "region": "eu-central1-b",
            }
        ],
        "fct_instance_hours": [
            instance_hour("inst_1", _FIRST, running_us=HOUR_US, billed_us=HOUR_US, spot_cost_cent_us=1300 * HOUR_US),
            instance_hour(
                "inst_1",
                _SECOND,
                running_us=_HALF,
                noticed_us=quarter,
                interrupted_us=quarter,
                billed_us=_HALF + quarter,
                unpriced_us=quarter,
                spot_cost_cent_us=1301 * _HALF,
            ),
            instance_hour("inst_1", _THIRD, interrupted_us=_HALF),
            instance_hour(
                "inst_2", _FIRST, gpus=None, running_us=HOUR_US, billed_us=HOUR_US, spot_cost_cent_us=200 * HOUR_US
            ),
            instance_hour(
                "inst_3",
                _FIRST,
                running_us=HOUR_US,
                reserved_used_us=HOUR_US,
                allocated_cost_cent_us=2400 * HOUR_US,
            ),
            instance_hour(
                "inst_3", _SECOND, paused_us=HOUR_US, credited_us=HOUR_US, pause_credit_cent_us=500 * HOUR_US
            ),
            instance_hour("inst_3", _THIRD, paused_us=_HALF, credited_us=_HALF, pause_credit_cent_us=500 * _HALF),
        ],
        "fct_spot_hours": [
            spot_hour("inst_1", _FIRST, HOUR_US, 1300, reserved_cents=2000, limit_cents=1440, near_limit_us=HOUR_US),
            spot_hour(
                "inst_1",
                _SECOND,
                _HALF,
                1301,
                reserved_cents=2000,
                limit_cents=1440,
                unpriced_us=quarter,
                near_limit_us=_HALF,
            ),
            spot_hour("inst_2", _FIRST, HOUR_US, 200),
        ],
        "fct_opportunities": [
            _stake("use_or_return", None, _FIRST, HOUR_US, 2400 * HOUR_US, idle_cost=2400 * HOUR_US),
            _stake(
                "use_or_return",
                None,
                _SECOND,
                2 * HOUR_US,
                4150 * HOUR_US,
                idle_cost=4800 * HOUR_US,
                credit=500 * HOUR_US,
            ),
            _stake(
                "use_or_return", None, _THIRD, HOUR_US, 2150 * HOUR_US, idle_cost=2400 * HOUR_US, credit=250 * HOUR_US
            ),
            _stake("pause_for_longer", "inst_3", _SECOND, quarter, 600 * quarter),
            _stake("pause_when_idle", "inst_3", _THIRD, quarter, None),
        ],
        "fct_reservation_hours": [
            reservation_hour(
                "res_1",
                hour_at,
                reserved_us=reserved,
                used_us=used,
                unused_us=reserved - used,
                allocated_used_cent_us=2400 * used,
                allocated_unused_cent_us=2400 * (reserved - used),
            )
            for hour_at, reserved, used in [
                (_FIRST, 2 * HOUR_US, HOUR_US),
                (_SECOND, 2 * HOUR_US, 0),
                (_THIRD, HOUR_US, 0),
            ]
        ],
        "fct_commitments": [
            _on_march_31(
                reservation_id="res_1",
                placed_at=_FIRST + timedelta(minutes=7),
                starts_at=_FIRST,
                ends_at=_FIRST + timedelta(hours=24),
                quantity=2,
                unit_price_cents=2400,
                committed_us=48 * HOUR_US,
                committed_cost_cent_us=2400 * 48 * HOUR_US,
            )
        ],
        "fct_pause_credits": [
            {
                "instance_id": "inst_3",
                "started_at": _SECOND,
                "ended_at": _AS_OF,
                "is_credited": True,
                "expires_at": datetime.fromisoformat("2026-10-01T00:30"),
            }
        ],
        "fct_credit_ledger": [
            _credit("2026-04-01", "accruing", None, HOUR_US + _HALF, 500 * (HOUR_US + _HALF)),
            _credit("2025-10-02", "within_30_days", "2026-04-02T12:00", HOUR_US, 500 * HOUR_US),
            _credit("2025-12-02", "within_90_days", "2026-06-02T12:00", 2 * HOUR_US, None, unrated_us=2 * HOUR_US),
            _credit("2025-09-02", "expired", "2026-03-02T12:00", HOUR_US, 300 * HOUR_US),
        ],
        "fct_return_credits": [
            _on_march_31(
                instance_id=instance,
                reservation_id="res_1",
                returned_at=hour_at + timedelta(minutes=20),
                hour_at=hour_at,
                hours_left_us=hours * HOUR_US,
                return_credit_cent_us=cents and cents * hours * HOUR_US,
            )
            for instance, hour_at, hours, cents in (
                ("inst_3", _FIRST, 10, 700),
                ("inst_3", _SECOND, 2, 700),
                ("inst_2", _SECOND, 5, None),
            )
        ],
        "fct_interruptions": [
            _on_march_31(
                instance_id="inst_1", hour_at=_SECOND, to_status="PREEMPTED", left_up=True, recovery_us=90 * 60_000_000
            ),
            _on_march_31(instance_id="inst_1", hour_at=_SECOND, to_status="ERROR", left_up=True, recovery_us=None),
            _on_march_31(instance_id="inst_1", hour_at=_SECOND, to_status="PREEMPTED", left_up=False, recovery_us=7),
        ],
        "fct_starts": [
            _on_march_31(instance_id="inst_1", hour_at=_FIRST, time_to_start_us=seconds * 1_000_000)
            for seconds in (10, 20, 30, 400)
        ]
        + [_on_march_31(instance_id="inst_2", hour_at=_FIRST, time_to_start_us=None)],
    }


def small_marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts of `small_account` in memory, closed at the end."""
    made = connection()
    fill(made, small_account())
    yield made
    made.close()


def records(answer: Report) -> list[dict[str, Any]]:
    """The rows by column, decimals as the strings that machines get."""
    return [
        {
            column: f"{cell:f}" if isinstance(cell, Decimal) else cell
            for column, cell in zip(answer.columns, row, strict=True)
        }
        for row in answer.rows
    ]


def only(answer: Report) -> dict[str, Any]:
    """The one row that there is."""
    [row] = records(answer)
    return row
