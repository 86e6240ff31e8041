"""What a report says of what is not known, missing or not complete: null, and a warning with how much."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest

from marts_by_hand import connection
from mithril_elt.reports import report
from small_account import only, records, small_marts


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account's marts, anew for each test."""
    yield from small_marts()


def test_gpu_hours_are_null_where_no_type_is_known_and_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """An unknown type is null and not 0, adds nothing to the whole, and is named in a warning with its hours."""
    answer = report(marts, "usage", by=["instance"])
    assert {row["instance_id"]: row["gpu_hours"] for row in records(answer)} == {
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
    assert [row["pause_credit_usd"] for row in records(answer)] == ["0.000000000000", "5.000000000000", None]
    assert any("0.50 h of credited pauses, of 1 instance" in warning for warning in answer.warnings)
    assert only(report(marts, "pause-credits"))["pause_credit_usd"] == "5.000000000000"
    assert only(report(marts, "cost"))["net_cost_usd"] == "136.505000000000"
    assert only(report(marts, "reservations"))["idle_cost_net_usd"] == "91.000000000000"


def test_what_savings_leave_out_is_counted_and_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """Unpriced time, time without a market price and time without a limit: each a sentence with its hours."""
    unpriced, market, limit = report(marts, "savings").warnings
    assert "No price is known for 0.25 h billed on spot, of 1 instance" in unpriced
    assert "reserved price is not known for 1.00 h paid on spot, of 1 instance" in market
    assert "limit is not known for 1.00 h paid on spot, of 1 instance" in limit


def test_a_cost_of_which_nothing_is_known_is_null(marts: duckdb.DuckDBPyConnection) -> None:
    """Reserved time without a unit price has no cost that could be shown, and is not free."""
    marts.execute("update marts.fct_instance_hours set allocated_cost_cent_us = null where reserved_used_us > 0")
    marts.execute("update marts.fct_reservation_hours set allocated_unused_cent_us = null")
    marts.execute("update marts.fct_commitments set committed_cost_cent_us = null")
    answer = report(marts, "cost", by=["order", "hour"])
    [row] = [row for row in records(answer) if (row["order_id"], row["hour"]) == ("res_1", "2026-03-31T22:00:00Z")]
    assert row["allocated_cost_usd"] is None
    assert row["net_cost_usd"] is None
    assert any("1.00 h of reserved time used and 4.00 h unused" in warning for warning in answer.warnings)
    reservations = report(marts, "reservations")
    assert only(reservations)["committed_cost_usd"] is None
    assert any("48.00 h committed, of 1 reservation" in warning for warning in reservations.warnings)


def test_lost_and_unclaimed_credit_without_a_rate_is_null_and_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """What a pause would have earned is not 0 where no rate is known."""
    marts.execute(
        "update marts.fct_instance_hours set short_paused_us = 60000000, short_pause_loss_cent_us = null,"
        " unclaimed_us = 3600000000, unclaimed_credit_cent_us = null where instance_id = 'inst_3'"
    )
    answer = report(marts, "pause-credits")
    assert only(answer)["short_pause_loss_usd"] is None
    assert only(answer)["unclaimed_credit_usd"] is None
    assert any("0.05 h of short_pause_loss_usd and 3.00 h of unclaimed_credit_usd" in w for w in answer.warnings)


def test_unpriced_hours_are_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """Billed time without a price is never silently free."""
    assert any("0.25 h billed on spot, of 1 instance" in warning for warning in report(marts, "cost").warnings)


def test_unknown_statuses_are_warned_of_by_name_and_clipped_to_the_span(marts: duckdb.DuckDBPyConnection) -> None:
    """Each unknown status is named with its hours inside the span, and one outside it is not."""
    marts.execute(
        "insert into marts.fct_status_spells (instance_id, status, is_known_status, started_at, ended_at) values"
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
    marts.execute(
        "insert into marts.dim_projects (project_id, as_of) values ('proj_b', '2026-03-30'), ('proj_c', null)"
    )
    answer = report(marts, "usage")
    assert answer.as_of == datetime(2026, 3, 30, tzinfo=UTC)
    assert any("2026-03-30T00:00:00Z (proj_b) to 2026-04-01T00:30:00Z (proj_a)" in w for w in answer.warnings)
    assert any("proj_c has no figures yet" in warning for warning in answer.warnings)


def test_a_project_that_was_made_after_as_of_is_not_there_yet(marts: duckdb.DuckDBPyConnection) -> None:
    """A report of then says nothing of a project that was made since; of one that is older, that it was not read."""
    marts.execute(
        "insert into marts.dim_projects (project_id, created_at) values"
        " ('proj_new', '2026-04-01 00:30:00.000001'), ('proj_old', '2026-04-01 00:30:00')"
    )
    [warning] = [warning for warning in report(marts, "uptime").warnings if "no figures" in warning]
    assert warning.startswith("proj_old ")


def test_an_instance_that_is_up_and_has_no_history_is_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """It would be a silent zero in every report that counts its time."""
    assert not any("no status history" in warning for warning in report(marts, "cost").warnings)
    marts.execute(
        "update marts.dim_instances set first_event_at = null, listed_status = 'RUNNING' where instance_id = 'inst_1'"
    )
    for name in ("usage", "uptime", "cost"):
        [warning] = [warning for warning in report(marts, name).warnings if "no status history" in warning]
        assert warning == "1 instance listed as up with no status history: counted nowhere."
    assert not any("no status history" in warning for warning in report(marts, "reservations").warnings)


def test_up_time_in_no_order_is_warned_of(marts: duckdb.DuckDBPyConnection) -> None:
    """An instance of which neither a bid nor a reservation is known costs nothing, and the reader is told so."""
    assert not any("bid" in warning for warning in report(marts, "cost").warnings)
    marts.execute("update marts.dim_instances set order_id = null, bid_id = null where instance_id = 'inst_1'")
    for name in ("usage", "cost", "summary"):
        [warning] = [warning for warning in report(marts, name).warnings if "in no cost" in warning]
        assert warning == "Neither a bid nor a reservation is known for 1 instance with 1.75 h up: in no cost."
    later = datetime(2026, 4, 1, tzinfo=UTC)
    assert not any("in no cost" in warning for warning in report(marts, "cost", from_at=later).warnings)
    assert not any("in no cost" in warning for warning in report(marts, "uptime").warnings)


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
    assert only(answer)["net_cost_usd"] == "0.000000000000"
    assert only(answer)["usd_per_gpu_hour"] is None
    assert answer.warnings == ("Nothing is loaded yet: `mithril-elt run` loads it.",)
    assert report(empty, "cost", by=["instance"]).rows == ()
    empty.close()


def test_an_edited_status_policy_still_adds_up(marts: duckdb.DuckDBPyConnection) -> None:
    """Where starting time counts as up, up_hours is what the marts say and not running and noticed time."""
    marts.execute("update marts.fct_instance_hours set up_us = up_us + 1, starting_us = starting_us + 1")
    whole = only(report(marts, "usage"))
    assert whole["up_hours"] == "3.750000001944"  # 7 microseconds more
    assert only(report(marts, "uptime"))["up_hours"] == whole["up_hours"]
    rows = records(report(marts, "usage", by=["instance"]))
    assert sum(Decimal(row["up_hours"]) for row in rows) == Decimal(whole["up_hours"])
