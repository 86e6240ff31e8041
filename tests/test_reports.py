"""The reports' figures, worked by hand on small marts, and what a report refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from marts_by_hand import HOUR_US, connection, fill, instance_hour, reservation_hour
from mithril_elt.errors import UsageError, WarehouseError
from mithril_elt.reports import GROUPINGS, Report, report

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


def _marts() -> dict[str, list[dict[str, Any]]]:
    """Two spot instances, one of them of a type unknown, and one reserved instance, over three hours.

    inst_1 (spot, 8 GPUs): 22:00 up for the hour at 1300 c; 23:00 up 30 min at 1301 c, 15 min noticed
    without a price, 15 min interrupted; 00:00 interrupted 30 min. inst_2 (spot, type unknown): 22:00 up
    for the hour at 200 c. inst_3 (reserved at 2400 c, pause rate 500 c): 22:00 up; 23:00 paused for the
    hour; 00:00 paused 30 min. The reservation is of two instances, so the second stands unused.
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
        "fct_reservation_hours": [
            reservation_hour(
                "res_1",
                hour_at,
                reserved_us=reserved,
                used_us=used,
                unused_us=reserved - used,
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
        "fct_interruptions": [
            _on_march_31(instance_id="inst_1", hour_at=_SECOND, left_up=True, recovery_us=90 * 60_000_000),
            _on_march_31(instance_id="inst_1", hour_at=_SECOND, left_up=True, recovery_us=None),
            _on_march_31(instance_id="inst_1", hour_at=_SECOND, left_up=False, recovery_us=7),
        ],
        "fct_starts": [
            _on_march_31(instance_id="inst_1", hour_at=_FIRST, time_to_start_us=seconds * 1_000_000)
            for seconds in (10, 20, 30, 400)
        ]
        + [_on_march_31(instance_id="inst_2", hour_at=_FIRST, time_to_start_us=None)],
    }


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts of `_marts` in memory."""
    made = connection()
    fill(made, _marts())
    yield made
    made.close()


def _rows(answer: Report) -> list[dict[str, Any]]:
    return [
        {
            column: f"{cell:f}" if isinstance(cell, Decimal) else cell
            for column, cell in zip(answer.columns, row, strict=True)
        }
        for row in answer.rows
    ]


def _only(answer: Report) -> dict[str, Any]:
    [row] = _rows(answer)
    return row


def test_usage_counts_each_phase_and_gpu_hours_of_known_types(marts: duckdb.DuckDBPyConnection) -> None:
    """Hours by phase add up to the total, and GPU-hours are up hours times GPUs where those are known."""
    assert _only(report(marts, "usage")) == {
        "waiting_hours": "0.000000000000",
        "starting_hours": "0.000000000000",
        "running_hours": "3.500000000000",
        "noticed_hours": "0.250000000000",
        "stopping_hours": "0.000000000000",
        "paused_hours": "1.500000000000",
        "interrupted_hours": "0.750000000000",
        "unknown_hours": "0.000000000000",
        "up_hours": "3.750000000000",
        "total_hours": "6.000000000000",
        "gpu_hours": "22.000000000000",  # 8 x (1.75 + 1); the hour of the unknown type is left out
    }


def test_cost_divides_exact_sums_once(marts: duckdb.DuckDBPyConnection) -> None:
    """Spot, used and unused reserved time, less the pause credit, and all of it by GPU-hour."""
    assert _only(report(marts, "cost")) == {
        "billed_hours": "2.750000000000",
        "unpriced_hours": "0.250000000000",
        "spot_cost_usd": "21.505000000000",  # 13.00 + 6.505 + 2.00
        "allocated_cost_usd": "120.000000000000",  # 24.00 used, 4 unused hours of 24.00
        "pause_credit_usd": "7.500000000000",
        "net_cost_usd": "134.005000000000",
        "usd_per_gpu_hour": "6.091136363636",  # 134.005 / 22
    }


def test_cost_by_instance_shows_unused_time_under_its_reservation(marts: duckdb.DuckDBPyConnection) -> None:
    """Unused reserved time has no instance: its row names the reservation, and the rows add up to the whole."""
    rows = _rows(report(marts, "cost", by=["instance"]))
    assert [(row["instance_id"], row["reservation_id"], row["net_cost_usd"]) for row in rows] == [
        (None, "res_1", "96.000000000000"),
        ("inst_1", None, "19.505000000000"),
        ("inst_3", "res_1", "16.500000000000"),
        ("inst_2", None, "2.000000000000"),
    ]
    assert [row["usd_per_gpu_hour"] for row in rows] == [None, "1.393214285714", "2.062500000000", None]


def test_uptime_is_up_over_up_and_down_with_nearest_rank_percentiles(marts: duckdb.DuckDBPyConnection) -> None:
    """Paused time is on neither side; recovery counts where an up instance was lost and came back."""
    assert _only(report(marts, "uptime")) == {
        "up_hours": "3.750000000000",
        "down_hours": "0.750000000000",
        "uptime_pct": "83.333333333333",
        "interruptions": 3,
        "mtbf_hours": "1.250000000000",
        "mttr_hours": "1.500000000000",
        "time_to_start_p50_s": "20.000000000000",
        "time_to_start_p90_s": "400.000000000000",
    }


def test_uptime_of_an_instance_that_was_never_down_nor_started_has_no_ratio(marts: duckdb.DuckDBPyConnection) -> None:
    """A ratio over nothing is null, and not zero."""
    [_, second, third] = sorted(_rows(report(marts, "uptime", by=["instance"])), key=lambda row: row["instance_id"])
    assert second["uptime_pct"] == third["uptime_pct"] == "100.000000000000"
    assert [third[name] for name in ("interruptions", "mtbf_hours", "mttr_hours", "time_to_start_p50_s")] == [
        0,
        None,
        None,
        None,
    ]
    hour = _rows(report(marts, "uptime", by=["hour"]))[-1]
    assert (hour["hour"], hour["up_hours"], hour["uptime_pct"]) == (
        "2026-04-01T00:00:00Z",
        "0.000000000000",
        "0.000000000000",
    )


def test_pause_credits_name_the_next_expiry_in_each_hour_of_the_pause(marts: duckdb.DuckDBPyConnection) -> None:
    """A pause's credit is spread over its hours, and each of those says when it lapses."""
    rows = _rows(report(marts, "pause-credits", by=["hour"]))
    assert [(row["hour"], row["credited_hours"], row["pause_credit_usd"], row["next_expiry"]) for row in rows] == [
        ("2026-03-31T22:00:00Z", "0.000000000000", "0.000000000000", None),
        ("2026-03-31T23:00:00Z", "1.000000000000", "5.000000000000", "2026-10-01T00:30:00Z"),
        ("2026-04-01T00:00:00Z", "0.500000000000", "2.500000000000", "2026-10-01T00:30:00Z"),
    ]


def test_an_expired_credit_is_not_the_next_to_expire(marts: duckdb.DuckDBPyConnection) -> None:
    """Of the credits in a group, the earliest that lapses after as_of is named, and none that has lapsed."""
    marts.execute(
        "insert into marts.fct_pause_credits values"
        " ('inst_3', '2026-03-31 23:00', '2026-04-01 00:10', true, '2026-04-01 00:30'),"
        " ('inst_3', '2026-03-31 23:00', '2026-04-01 00:10', true, '2026-09-01 00:00'),"
        " ('inst_3', '2026-03-31 23:00', '2026-04-01 00:10', false, '2026-08-01 00:00')"
    )
    assert _only(report(marts, "pause-credits"))["next_expiry"] == "2026-09-01T00:00:00Z"


def test_reservations_show_committed_used_and_idle(marts: duckdb.DuckDBPyConnection) -> None:
    """Commitment is booked when placed, idle cost is of unused hours, and net of the pause credit."""
    assert _rows(report(marts, "reservations", by=["reservation"])) == [
        {
            "reservation_id": "res_1",
            "reserved_hours": "5.000000000000",
            "used_hours": "1.000000000000",
            "unused_hours": "4.000000000000",
            "utilisation_pct": "20.000000000000",
            "committed_cost_usd": "1152.000000000000",
            "idle_cost_gross_usd": "96.000000000000",
            "idle_cost_net_usd": "88.500000000000",
            "pause_credit_usd": "7.500000000000",
        }
    ]
    by_user = _rows(report(marts, "reservations", by=["user"]))
    assert [(row["user_id"], row["pause_credit_usd"]) for row in by_user] == [("user_v", "7.500000000000")]


def test_summary_repeats_the_reports_totals(marts: duckdb.DuckDBPyConnection) -> None:
    """Each metric of the summary is the figure of that name in its report, with its unit."""
    summary = {row["metric"]: (row["value"], row["unit"]) for row in _rows(report(marts, "summary"))}
    for name in ("usage", "uptime", "cost", "pause-credits", "reservations"):
        figures = _only(report(marts, name))
        shared = figures.keys() & summary.keys()
        assert len(shared) >= 4
        assert {metric: summary[metric][0] for metric in shared} == {metric: figures[metric] for metric in shared}
    assert summary["net_cost_usd"] == ("134.005000000000", "USD")
    assert summary["interruptions"] == (3, "count")
    assert summary["next_expiry"] == ("2026-10-01T00:30:00Z", "instant")


@pytest.mark.parametrize(
    ("by", "column", "expected"),
    [
        ("order", "order_id", {"bid_1", "bid_2", "res_1"}),
        ("bid", "bid_id", {"bid_1", "bid_2", None}),
        ("reservation", "reservation_id", {"res_1", None}),
        ("user", "user_id", {"user_u", "user_v"}),
        ("instance-type", "instance_type_id", {"it_8", "it_x"}),
        ("region", "region", {"us-east1-a", "eu-central1-b"}),
        ("project", "project_id", {"proj_a"}),
        ("day", "day", {"2026-03-31", "2026-04-01"}),
        ("month", "month", {"2026-03", "2026-04"}),
    ],
)
def test_each_grouping_names_its_groups(
    marts: duckdb.DuckDBPyConnection, by: str, column: str, expected: set[str | None]
) -> None:
    """Rows carry the id, region or time they are of; unused reserved time goes to its reservation's."""
    assert {row[column] for row in _rows(report(marts, "cost", by=[by]))} == expected


def test_rows_are_in_order_of_time_then_of_the_main_figure(marts: duckdb.DuckDBPyConnection) -> None:
    """Time ascends wherever it stands among the groupings; within it the largest comes first."""
    rows = _rows(report(marts, "usage", by=["instance", "day"]))
    assert [(row["day"], row["instance_id"]) for row in rows] == [
        ("2026-03-31", "inst_1"),
        ("2026-03-31", "inst_2"),
        ("2026-03-31", "inst_3"),
        ("2026-04-01", "inst_1"),
        ("2026-04-01", "inst_3"),
    ]


def test_a_span_cuts_at_its_hours_half_open(marts: duckdb.DuckDBPyConnection) -> None:
    """The hour that a span starts with is in it, the hour that it ends with is not; a commitment counts when placed."""
    from_at, to_at = datetime(2026, 3, 31, 23, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    answer = report(marts, "cost", from_at=from_at, to_at=to_at)
    assert (answer.from_at, answer.to_at) == (from_at, to_at)
    assert _only(answer)["net_cost_usd"] == "49.505000000000"  # 6.505 + 48.00 - 5.00
    committed = "committed_cost_usd"
    assert _only(report(marts, "reservations", from_at=from_at))[committed] == "0.000000000000"
    assert _only(report(marts, "reservations", to_at=from_at))[committed] == "1152.000000000000"


def test_limit_cuts_rows_and_changes_no_figure(marts: duckdb.DuckDBPyConnection) -> None:
    """The rows shown are the first of the whole report, to the last digit, and a warning says how many are not."""
    whole = report(marts, "cost", by=["instance"])
    cut = report(marts, "cost", by=["instance"], limit=3)
    assert cut.rows == whole.rows[:3]
    assert cut.total == whole.total
    assert set(cut.warnings) - set(whole.warnings) == {"1 of 4 rows are left out by --limit 3."}
    assert report(marts, "cost", by=["instance"], limit=4) == whole


def test_gpu_hours_are_null_where_no_type_is_known_and_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """An unknown type is null and not 0, adds nothing to the whole, and is named in a warning with its hours."""
    answer = report(marts, "usage", by=["instance"])
    assert {row["instance_id"]: row["gpu_hours"] for row in _rows(answer)} == {
        "inst_1": "14.000000000000",
        "inst_2": None,
        "inst_3": "8.000000000000",
    }
    [warning] = answer.warnings
    assert "1 instance with 1.00 h up" in warning


def test_a_pause_credit_with_no_known_rate_is_null_and_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """Where none of the credited time has a rate the credit is null; where some has, that is counted."""
    marts.execute("update marts.fct_instance_hours set pause_credit_cent_us = null where hour_at = '2026-04-01'")
    answer = report(marts, "pause-credits", by=["hour"])
    assert [row["pause_credit_usd"] for row in _rows(answer)] == ["0.000000000000", "5.000000000000", None]
    assert any("0.50 h of credited pauses, of 1 instance" in warning for warning in answer.warnings)
    assert _only(report(marts, "pause-credits"))["pause_credit_usd"] == "5.000000000000"
    assert _only(report(marts, "cost"))["net_cost_usd"] == "136.505000000000"
    assert _only(report(marts, "reservations"))["idle_cost_net_usd"] == "91.000000000000"


def test_a_cost_of_which_nothing_is_known_is_null(marts: duckdb.DuckDBPyConnection) -> None:
    """Reserved time without a unit price has no cost that could be shown, and is not free."""
    marts.execute("update marts.fct_instance_hours set allocated_cost_cent_us = null where reserved_used_us > 0")
    marts.execute("update marts.fct_reservation_hours set allocated_unused_cent_us = null")
    marts.execute("update marts.fct_commitments set committed_cost_cent_us = null")
    answer = report(marts, "cost", by=["order", "hour"])
    [row] = [row for row in _rows(answer) if (row["order_id"], row["hour"]) == ("res_1", "2026-03-31T22:00:00Z")]
    assert row["allocated_cost_usd"] is None
    assert row["net_cost_usd"] is None
    assert any("1.00 h of reserved time used and 4.00 h unused" in warning for warning in answer.warnings)
    reservations = report(marts, "reservations")
    assert _only(reservations)["committed_cost_usd"] is None
    assert any("48.00 h committed, of 1 reservation" in warning for warning in reservations.warnings)


def test_lost_and_unclaimed_credit_without_a_rate_is_null_and_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """What a pause would have earned is not 0 where no rate is known."""
    marts.execute(
        "update marts.fct_instance_hours set short_paused_us = 60000000, short_pause_loss_cent_us = null,"
        " unclaimed_us = 3600000000, unclaimed_credit_cent_us = null where instance_id = 'inst_3'"
    )
    answer = report(marts, "pause-credits")
    assert _only(answer)["short_pause_loss_usd"] is None
    assert _only(answer)["unclaimed_credit_usd"] is None
    assert any("0.05 h of short_pause_loss_usd and 3.00 h of unclaimed_credit_usd" in w for w in answer.warnings)


def test_unpriced_hours_are_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """Billed time without a price is never silently free."""
    assert any("0.25 h billed on spot, of 1 instance" in warning for warning in report(marts, "cost").warnings)


def test_unknown_statuses_are_warned_of_by_name_and_clipped_to_the_span(marts: duckdb.DuckDBPyConnection) -> None:
    """Each unknown status is named with its hours inside the span, and one outside it is not."""
    marts.execute(
        "insert into marts.fct_status_spells values"
        " ('inst_1', 'STOPPED', false, '2026-03-31 22:30', '2026-04-01 00:30'),"
        " ('inst_1', 'FAILED', false, '2026-03-31 22:00', '2026-03-31 22:15'),"
        " ('inst_1', 'RUNNING', true, '2026-03-31 22:00', '2026-03-31 22:15')"
    )
    [whole] = [warning for warning in report(marts, "uptime").warnings if "status" in warning]
    assert "FAILED (0.25 h), STOPPED (2.00 h)" in whole
    from_at = datetime(2026, 3, 31, 23, tzinfo=UTC)
    later = report(marts, "usage", from_at=from_at, to_at=from_at + timedelta(hours=1)).warnings
    assert any("STOPPED (1.00 h)" in warning for warning in later)
    assert not any("FAILED" in warning for warning in later)
    assert not any("STOPPED" in warning for warning in report(marts, "reservations").warnings)


def test_projects_of_different_as_of_are_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """The report's as_of is the earliest, and the reader is told that the projects differ."""
    marts.execute("insert into marts.dim_projects values ('proj_b', null, '2026-03-30'), ('proj_c', null, null)")
    answer = report(marts, "usage")
    assert answer.as_of == datetime(2026, 3, 30, tzinfo=UTC)
    assert any("2026-03-30T00:00:00Z (proj_b) to 2026-04-01T00:30:00Z (proj_a)" in w for w in answer.warnings)
    assert any("proj_c has no figures yet" in warning for warning in answer.warnings)


def test_a_span_past_the_data_is_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """A month that is not over yet is not taken for a whole one."""
    may = datetime(2026, 5, 1, tzinfo=UTC)
    assert any("before --to 2026-05-01" in warning for warning in report(marts, "cost", to_at=may).warnings)
    assert any("before --from 2026-05-01" in warning for warning in report(marts, "cost", from_at=may).warnings)


def test_empty_marts_give_zeros_and_say_that_nothing_is_loaded() -> None:
    """Before anything is loaded there is nothing to add up: zeros, no ratios, no as_of, and a warning."""
    empty = connection()
    answer = report(empty, "cost")
    assert answer.as_of is None
    assert _only(answer)["net_cost_usd"] == "0.000000000000"
    assert _only(answer)["usd_per_gpu_hour"] is None
    assert answer.warnings == ("Nothing is loaded yet: `mithril-elt run` loads it.",)
    assert report(empty, "cost", by=["instance"]).rows == ()
    empty.close()


def test_an_edited_status_policy_still_adds_up(marts: duckdb.DuckDBPyConnection) -> None:
    """Where starting time counts as up, up_hours is what the marts say and not running and noticed time."""
    marts.execute("update marts.fct_instance_hours set up_us = up_us + 1, starting_us = starting_us + 1")
    whole = _only(report(marts, "usage"))
    assert whole["up_hours"] == "3.750000001944"  # 7 microseconds more
    assert _only(report(marts, "uptime"))["up_hours"] == whole["up_hours"]
    rows = _rows(report(marts, "usage", by=["instance"]))
    assert sum(Decimal(row["up_hours"]) for row in rows) == Decimal(whole["up_hours"])


def test_another_schema_of_marts_can_be_named() -> None:
    """A load with a dataset of its own has marts of its own."""
    made = connection()
    fill(made, _marts(), schema="odd-name_marts")
    assert report(made, "usage").rows != report(made, "usage", marts_schema="odd-name_marts").rows
    made.close()


@pytest.mark.parametrize(
    ("name", "by", "words"),
    [
        ("costs", [], "usage, uptime, cost, pause-credits, reservations, summary"),
        ("cost", ["week"], "instance, order"),
        ("reservations", ["instance"], "order, reservation, user"),
        ("reservations", ["user", "bid"], "no meaning by bid"),
        ("pause-credits", ["bid"], "instance, order, reservation"),
        ("summary", ["day"], "takes no --by"),
    ],
)
def test_a_report_or_grouping_without_meaning_says_which_have(
    marts: duckdb.DuckDBPyConnection, name: str, by: list[str], words: str
) -> None:
    """The refusal lists what can be asked for instead."""
    with pytest.raises(UsageError, match=words):
        report(marts, name, by=by)


def test_every_other_grouping_of_every_report_answers(marts: duckdb.DuckDBPyConnection) -> None:
    """Each report answers by each grouping, and by two at once, unless it refuses it by name."""
    refused = {("reservations", "instance"), ("reservations", "bid"), ("pause-credits", "bid")}
    for name in ("usage", "uptime", "cost", "pause-credits", "reservations"):
        for by in GROUPINGS:
            if (name, by) not in refused:
                assert report(marts, name, by=[by]).rows
                assert report(marts, name, by=[by, "day"]).rows


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"from_at": datetime(2026, 3, 1, 0, 30, tzinfo=UTC)}, "whole UTC hour"),
        ({"to_at": datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC)}, "whole UTC hour"),
        ({"from_at": datetime.fromisoformat("2026-03-01T00:00")}, "no time zone"),
        ({"from_at": datetime(2026, 3, 1, tzinfo=UTC), "to_at": datetime(2026, 3, 1, tzinfo=UTC)}, "not before"),
        ({"limit": 0}, "--limit 0"),
    ],
)
def test_a_span_or_limit_without_meaning_is_refused(
    marts: duckdb.DuckDBPyConnection, span: dict[str, Any], words: str
) -> None:
    """What could not be answered exactly is not answered."""
    with pytest.raises(UsageError, match=words):
        report(marts, "cost", **span)


def test_marts_of_another_release_are_a_warehouse_error(marts: duckdb.DuckDBPyConnection) -> None:
    """A column that is not there is said in one sentence, with the way out."""
    marts.execute("alter table marts.fct_instance_hours drop column gpu_us")
    with pytest.raises(WarehouseError, match="build --full"):
        report(marts, "usage")


def test_a_report_from_a_file_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Reading writes nothing: the file is the same, byte for byte, and is closed afterwards."""
    path = tmp_path / "marts.duckdb"
    made = duckdb.connect(str(path))
    fill(made, _marts())
    made.close()
    before = path.read_bytes()
    assert _only(report(path, "cost"))["net_cost_usd"] == "134.005000000000"
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    duckdb.connect(str(path)).close()
