"""The reports' figures and groups, worked by hand on a small account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, localcontext

import duckdb
import pytest

from marts_by_hand import HOUR_US
from mithril_elt.reports import render, report
from mithril_elt.reports.poisson import expected_95
from small_account import only, records, small_marts


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account's marts, anew for each test."""
    yield from small_marts()


def test_usage_counts_each_phase_and_gpu_hours_of_known_types(marts: duckdb.DuckDBPyConnection) -> None:
    """Hours by phase add up to the total, and GPU-hours are up hours times GPUs where those are known."""
    assert only(report(marts, "usage")) == {
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
    assert only(report(marts, "cost")) == {
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
    rows = records(report(marts, "cost", by=["instance"]))
    assert [(row["instance_id"], row["reservation_id"], row["net_cost_usd"]) for row in rows] == [
        (None, "res_1", "96.000000000000"),
        ("inst_1", None, "19.505000000000"),
        ("inst_3", "res_1", "16.500000000000"),
        ("inst_2", None, "2.000000000000"),
    ]
    assert [row["usd_per_gpu_hour"] for row in rows] == [None, "1.393214285714", "2.062500000000", None]


def test_uptime_is_up_over_up_and_down_with_nearest_rank_percentiles(marts: duckdb.DuckDBPyConnection) -> None:
    """Paused time is on neither side; recovery counts where an up instance was lost and came back."""
    assert only(report(marts, "uptime")) == {
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
    [_, second, third] = sorted(records(report(marts, "uptime", by=["instance"])), key=lambda row: row["instance_id"])
    assert second["uptime_pct"] == third["uptime_pct"] == "100.000000000000"
    assert [third[name] for name in ("interruptions", "mtbf_hours", "mttr_hours", "time_to_start_p50_s")] == [
        0,
        None,
        None,
        None,
    ]
    hour = records(report(marts, "uptime", by=["hour"]))[-1]
    assert (hour["hour"], hour["up_hours"], hour["uptime_pct"]) == (
        "2026-04-01T00:00:00Z",
        "0.000000000000",
        "0.000000000000",
    )


def test_pause_credits_name_the_next_expiry_in_each_hour_of_the_pause(marts: duckdb.DuckDBPyConnection) -> None:
    """A pause's credit is spread over its hours, and each of those says when it lapses."""
    rows = records(report(marts, "pause-credits", by=["hour"]))
    assert [(row["hour"], row["credited_hours"], row["pause_credit_usd"], row["next_expiry"]) for row in rows] == [
        ("2026-03-31T22:00:00Z", "0.000000000000", "0.000000000000", None),
        ("2026-03-31T23:00:00Z", "1.000000000000", "5.000000000000", "2026-10-01T00:30:00Z"),
        ("2026-04-01T00:00:00Z", "0.500000000000", "2.500000000000", "2026-10-01T00:30:00Z"),
    ]


def test_an_expired_credit_is_not_the_next_to_expire(marts: duckdb.DuckDBPyConnection) -> None:
    """Of the credits in a group, the earliest that lapses after as_of is named, and none that has lapsed."""
    marts.execute(
        "insert into marts.fct_pause_credits (instance_id, started_at, ended_at, is_credited, expires_at) values"
        " ('inst_3', '2026-03-31 23:00', '2026-04-01 00:10', true, '2026-04-01 00:30'),"
        " ('inst_3', '2026-03-31 23:00', '2026-04-01 00:10', true, '2026-09-01 00:00'),"
        " ('inst_3', '2026-03-31 23:00', '2026-04-01 00:10', false, '2026-08-01 00:00')"
    )
    assert only(report(marts, "pause-credits"))["next_expiry"] == "2026-09-01T00:00:00Z"


def test_reservations_show_committed_used_and_idle(marts: duckdb.DuckDBPyConnection) -> None:
    """Commitment is booked when placed, idle cost is of unused hours, and net of the pause credit."""
    assert records(report(marts, "reservations", by=["reservation"])) == [
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
    by_user = records(report(marts, "reservations", by=["user"]))
    assert [(row["user_id"], row["pause_credit_usd"]) for row in by_user] == [("user_v", "7.500000000000")]


def test_savings_compare_what_was_paid_with_the_market_and_the_limit(marts: duckdb.DuckDBPyConnection) -> None:
    """Of inst_1: 13.00 + 6.505 beside 20.00 + 10.00 reserved, and beside 14.40 + 7.20 allowed; inst_2 is left out."""
    assert only(report(marts, "savings")) == {
        "billed_hours": "2.750000000000",
        "unpriced_hours": "0.250000000000",
        "spot_cost_usd": "21.505000000000",
        "compared_hours": "1.500000000000",
        "unknown_market_hours": "1.000000000000",
        "compared_cost_usd": "19.505000000000",
        "reserved_market_cost_usd": "30.000000000000",
        "saving_usd": "10.495000000000",
        "saving_pct": "34.983333333333",
        "headroom_pct": "9.699074074074",  # 1 - 19.505 / 21.60
        "near_limit_hours": "1.500000000000",
        "unknown_limit_hours": "1.000000000000",
    }


def test_savings_of_what_cannot_be_compared_are_unknown(marts: duckdb.DuckDBPyConnection) -> None:
    """Without a market price there is no saving, not one of 0; without a limit no headroom. Only spot has rows."""
    rows = {row["instance_id"]: row for row in records(report(marts, "savings", by=["instance"]))}
    assert list(rows) == ["inst_1", "inst_2"]
    unknown = {name for name, cell in rows["inst_2"].items() if cell is None}
    assert unknown == {
        *("compared_cost_usd", "reserved_market_cost_usd", "saving_usd", "saving_pct"),
        *("headroom_pct", "near_limit_hours"),
    }
    assert (rows["inst_2"]["unknown_market_hours"], rows["inst_2"]["spot_cost_usd"]) == (
        "1.000000000000",
        "2.000000000000",
    )


def test_preemptions_are_counted_against_hours_up_on_spot(marts: duckdb.DuckDBPyConnection) -> None:
    """One in 1.75 h up: 571.43 a 1,000 h, by Poisson's law between 0.0253 and 5.5716 as many; of none up to 3.6889."""
    rows = {row.pop("instance_id"): row for row in records(report(marts, "preemptions", by=["instance"]))}
    assert rows["inst_1"] == {
        "spot_up_hours": "1.750000000000",
        "preemptions": 1,  # that which became ERROR is an interruption, and the third left STARTING
        "preempted_starts": 1,
        "preemptions_per_1000_hours": "571.428571428571",
        "preemptions_per_1000_hours_low": "14.467318848166",
        "preemptions_per_1000_hours_high": "3183.796223393656",
    }
    assert rows["inst_2"]["preemptions_per_1000_hours_high"] == "3688.879454113936"
    assert set(rows) == {"inst_1", "inst_2"}  # a reserved instance is not preempted
    assert only(report(marts, "preemptions"))["preemptions_per_1000_hours"] == "363.636363636364"  # 1 / 2.75
    [row] = records(report(marts, "preemptions", from_at=datetime(2026, 4, 1, tzinfo=UTC)))
    assert row["preemptions_per_1000_hours_low"] is row["preemptions_per_1000_hours_high"] is None


@pytest.mark.parametrize("events", [0, 1, 2, 7, 40, 199, 200, 201, 2500])
def test_the_interval_of_a_count_is_exact(events: int) -> None:
    """Added up term by term: at each end the count, or a more extreme one, has a chance of one in forty."""
    low, high = expected_95(events)
    with localcontext(prec=80):
        for expected, counts in ((low, range(events)), (high, range(events + 1))):
            term = at_most = Decimal(0)
            for count in counts:
                term = (-expected).exp() if count == 0 else term * expected / count
                at_most += term
            if expected:
                tail = at_most if expected == high else 1 - at_most
                assert abs(tail - Decimal("0.025")) < Decimal("1e-20")
    assert (low == 0) is (events == 0)


def test_cash_is_booked_when_placed_and_accrued_by_the_hour(marts: duckdb.DuckDBPyConnection) -> None:
    """1,152 for the reservation are cash in March at once; of its hours 96 of March and 24 of April are accrued."""
    rows = {row.pop("month"): row for row in records(report(marts, "cash", by=["month"]))}
    assert rows["2026-03"] == {
        "spot_cost_usd": "21.505000000000",
        "booked_usd": "1152.000000000000",
        "cash_cost_usd": "1173.505000000000",
        "allocated_cost_usd": "96.000000000000",
        "accrued_cost_usd": "117.505000000000",
        "booked_ahead_usd": "1056.000000000000",
    }
    assert (rows["2026-04"]["cash_cost_usd"], rows["2026-04"]["booked_ahead_usd"]) == (
        "0.000000000000",
        "-24.000000000000",
    )


def test_credits_are_told_by_how_old_they_are(marts: duckdb.DuckDBPyConnection) -> None:
    """Each is in one column of its age; the first that lapses from now on is named; what is not known is null."""
    assert only(report(marts, "credits")) == {
        "credited_hours": "5.500000000000",
        "credit_usd": "15.500000000000",
        "accruing_usd": "7.500000000000",
        "later_usd": "0.000000000000",
        "within_90_days_usd": None,
        "within_60_days_usd": "0.000000000000",
        "within_30_days_usd": "5.000000000000",
        "expired_usd": "3.000000000000",
        "next_expiry": "2026-04-02T12:00:00Z",
    }
    by_month = {row["month"]: row["credit_usd"] for row in records(report(marts, "credits", by=["month"]))}
    assert by_month == {
        "2025-09": "3.000000000000",
        "2025-10": "5.000000000000",
        "2025-12": None,
        "2026-04": "7.500000000000",
    }
    unrated, bound = report(marts, "credits").warnings
    assert "some of 2.00 h of credited pauses, of 1 reservation" in unrated
    assert bound == "Credits are an upper bound: what was redeemed is not in the API."


def test_what_was_given_back_is_dated(marts: duckdb.DuckDBPyConnection) -> None:
    """Ten hours at $7 in one hour, two in the next; five of an instance whose rate is not known, which is said."""
    answer = report(marts, "return-credits", by=["instance", "hour"])
    columns = ("hour", "instance_id", "returned_instances", "returned_hours", "return_credit_usd")
    assert [tuple(row[name] for name in columns) for row in records(answer)] == [
        ("2026-03-31T22:00:00Z", "inst_3", 1, "10.000000000000", "70.000000000000"),
        ("2026-03-31T23:00:00Z", "inst_3", 1, "2.000000000000", "14.000000000000"),
        ("2026-03-31T23:00:00Z", "inst_2", 1, "5.000000000000", None),
    ]
    assert answer.total == (3, Decimal(17), Decimal(84))
    assert answer.warnings == (
        "No return rate is known for 5.00 h given back, of 1 instance: left out of return_credit_usd.",
        "Returns are inferred from instances that ended before their reservation: they are in no net cost.",
    )
    [row] = records(report(marts, "return-credits", by=["reservation"], only={"region": "eu-central1-b"}))
    assert (row["reservation_id"], row["return_credit_usd"]) == ("res_1", "84.000000000000")
    nothing = report(marts, "return-credits", from_at=datetime(2026, 4, 1, tzinfo=UTC))
    assert nothing.total == (0, 0, 0)


def test_opportunities_are_ranked_by_what_is_at_stake(marts: duckdb.DuckDBPyConnection) -> None:
    """Lines add up over their hours, the dearest first, what is not known last; of an instance no cost is told."""
    answer = report(marts, "opportunities")
    columns = ("instance_id", "opportunity", "idle_hours", "at_stake_usd", "what_to_do")
    assert [tuple(row[name] for name in columns) for row in records(answer)] == [
        (None, "use_or_return", "4.000000000000", "87.000000000000", "What to do: use_or_return."),
        ("inst_3", "pause_for_longer", "0.250000000000", "1.500000000000", "What to do: pause_for_longer."),
        ("inst_3", "pause_when_idle", "0.250000000000", None, "What to do: pause_when_idle."),
    ]
    costs = ("idle_cost_gross_usd", "idle_cost_net_usd", "pause_credit_usd")
    assert [tuple(row[name] for name in costs) for row in records(answer)] == [
        ("96.000000000000", "88.500000000000", "7.500000000000"),
        (None, None, None),
        (None, None, None),
    ]
    assert [f"{cell:f}" for cell in answer.total if isinstance(cell, Decimal)][-2] == "88.500000000000"
    late = report(marts, "opportunities", from_at=datetime(2026, 4, 1, tzinfo=UTC), limit=1)
    [row] = records(late)
    assert (row["opportunity"], row["at_stake_usd"], late.row_count) == ("use_or_return", "21.500000000000", 2)
    assert "1 of 2 rows are left out by --limit 1." in late.warnings


def test_what_is_over_stands_behind_and_is_said_to_be_lost(marts: duckdb.DuckDBPyConnection) -> None:
    """An hour given back at $24, credited $14, leaves $10: the largest but one, and nothing to be done about."""
    marts.execute("update marts.fct_opportunities set is_over = true where opportunity = 'pause_for_longer'")
    marts.execute(f"""
        insert into marts.fct_opportunities
        select 'given_back', 'It was given back.', 'res_1', 'inst_3', project_id, hour_at, {HOUR_US}, {2400 * HOUR_US},
            null, {1000 * HOUR_US}, {1400 * HOUR_US}, true
        from marts.fct_opportunities where instance_id = 'inst_3' and opportunity = 'pause_when_idle'
    """)  # own numbers
    answer = report(marts, "opportunities")
    columns = ("opportunity", "at_stake_usd", "return_credit_usd", "is_over")
    assert [tuple(row[name] for name in columns) for row in records(answer)] == [
        ("use_or_return", "87.000000000000", "0.000000000000", False),
        ("pause_when_idle", None, "0.000000000000", False),
        ("given_back", "10.000000000000", "14.000000000000", True),
        ("pause_for_longer", "1.500000000000", "0.000000000000", True),
    ]
    assert render(answer, "table", width=100).split("\n\n")[2].splitlines() == [
        "    USD lost",
        "────────────",
        "       10.00  machine 3 inst_3: 1.00 h given back, 24.00 USD before credit",
        "        1.50  machine 3 inst_3: 0.25 h paused too shortly",
        "────────────",
        "       98.50  Total of 4, of which 11.50 is over: nothing can be done about it",
    ]
    assert "of which" not in render(report(marts, "opportunities", limit=3), "table")
    assert "| yes |" in render(answer, "markdown")
    marts.execute("update marts.fct_opportunities set return_credit_cent_us = null, at_stake_cent_us = null")
    [warning] = [each for each in report(marts, "opportunities").warnings if "return rate" in each]
    assert "for 1.00 h given back, of 1 reservation" in warning


def test_opportunities_on_a_screen_say_what_to_do(marts: duckdb.DuckDBPyConnection) -> None:
    """The amount, whose it is, the hours, and under it the advice; at the end what all of it comes to."""
    shown = render(report(marts, "opportunities"), "table", width=100).split("\n\n")
    assert shown[0] == "Opportunities by reservation and instance, all time"
    assert shown[1].splitlines() == [
        "USD at stake",
        "────────────",
        "       87.00  quarter res_1: 4.00 h, 96.00 USD before credit",
        "              What to do: use_or_return.",
        "        1.50  machine 3 inst_3: 0.25 h",
        "              What to do: pause_for_longer.",
        "           –  machine 3 inst_3: 0.25 h",
        "              What to do: pause_when_idle.",
        "────────────",
        "       88.50  Total of 3",
    ]
    marts.execute("delete from marts.fct_opportunities")
    assert "Nothing to do" in render(report(marts, "opportunities"), "table")


def test_summary_repeats_the_reports_totals(marts: duckdb.DuckDBPyConnection) -> None:
    """Each metric of the summary is the figure of that name in its report, with its unit."""
    summary = {row["metric"]: (row["value"], row["unit"]) for row in records(report(marts, "summary"))}
    for name in ("usage", "uptime", "cost", "pause-credits", "reservations"):
        figures = only(report(marts, name))
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
    assert {row[column] for row in records(report(marts, "cost", by=[by]))} == expected


def test_rows_are_in_order_of_time_then_of_the_main_figure(marts: duckdb.DuckDBPyConnection) -> None:
    """Time ascends wherever it stands among the groupings; within it the largest comes first."""
    rows = records(report(marts, "usage", by=["instance", "day"]))
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
    assert only(answer)["net_cost_usd"] == "49.505000000000"  # 6.505 + 48.00 - 5.00
    committed = "committed_cost_usd"
    assert only(report(marts, "reservations", from_at=from_at))[committed] == "0.000000000000"
    assert only(report(marts, "reservations", to_at=from_at))[committed] == "1152.000000000000"


def test_limit_cuts_rows_and_changes_no_figure(marts: duckdb.DuckDBPyConnection) -> None:
    """The rows shown are the first of the whole report, to the last digit, and a warning says how many are not."""
    whole = report(marts, "cost", by=["instance"])
    cut = report(marts, "cost", by=["instance"], limit=3)
    assert cut.rows == whole.rows[:3]
    assert cut.total == whole.total
    assert set(cut.warnings) - set(whole.warnings) == {"1 of 4 rows are left out by --limit 3."}
    assert report(marts, "cost", by=["instance"], limit=4) == whole
