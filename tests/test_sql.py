"""The SQL models: their own unit tests, figures worked by hand and by brute force, and data tests that can fail."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from minute_by_minute import LAST, MINUTE_US, Figures, Grant, Machine, Order, Story, at, made_up
from sql_project import SQL, Compiled, compiled, dbt, empty_raw, succeeded
from story_in_raw import tell

pytestmark = pytest.mark.xdist_group("sql")

HOUR_US = 3_600_000_000
PINNED = 250


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The project, compiled once."""
    return compiled(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="module")
def pinned(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The project with an earlier as_of."""
    return compiled(tmp_path_factory.mktemp("compiled"), as_of=f"{at(PINNED).isoformat()}Z")


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with an empty raw."""
    with duckdb.connect() as connection:
        empty_raw(connection)
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return connection.execute(sql).fetchall()


def marts(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every mart, sorted."""
    listed = "select table_name from duckdb_tables() where schema_name = 'marts' order by 1"
    return {name: rows(connection, f"select * from marts.{name} order by all") for (name,) in rows(connection, listed)}


@pytest.mark.shows(15, 38)
def test_unit_tests_and_an_empty_account(tmp_path: Path) -> None:
    """On an empty account every model builds without a warning, every data test and every unit test holds."""
    db = tmp_path / "empty.duckdb"
    with duckdb.connect(str(db)) as connection:
        empty_raw(connection)
    before = {path: path.stat().st_mtime_ns for path in SQL.rglob("*")}
    results = succeeded(dbt(db, tmp_path / "target", "build"))
    kinds = [str(result.node.resource_type) for result in results]
    assert kinds.count("unit_test") >= 50
    assert kinds.count("test") >= 90
    assert {path: path.stat().st_mtime_ns for path in SQL.rglob("*")} == before, "dbt wrote into the project"
    with duckdb.connect(str(db), read_only=True) as connection:
        assert set(map(len, marts(connection).values())) == {0}


# One spot instance around midnight at the end of a month, one reserved instance that pauses.
BY_HAND = Story(
    machines=(
        Machine(
            "inst_spot",
            "bid_a",
            None,
            8,
            ((0, "NEW"), (20, "STARTING"), (60, "RUNNING"), (180, "PREEMPTING"), (185, "PREEMPTED"), (245, "RUNNING")),
            ((60, 150, 1300), (150, 180, 1301)),
        ),
        Machine(
            "inst_paused",
            None,
            "res_a",
            8,
            ((0, "RUNNING"), (60, "PAUSED"), (120, "RUNNING"), (130, "PAUSED"), (170, "RUNNING"), (180, "PAUSED")),
            (),
        ),
    ),
    orders=(Order("res_a", 0, 600, (Grant(0, 600, 2, 250),), ((0, 500),)),),
    as_of=300,
)


@pytest.mark.shows(40)
def test_checked_numbers(project: Compiled, warehouse: duckdb.DuckDBPyConnection) -> None:
    """90 min at 1,300 c and 30 at 1,301 cost 2,600.5 c; an hour's pause at 500 c earns 500 c, one of 40 min nothing."""
    tell(warehouse, BY_HAND)
    project.build(warehouse)
    assert project.all_failures(warehouse) == {}
    spot = "select sum(spot_cost_cent_us), sum(priced_us), sum(unpriced_us) from marts.fct_instance_hours"
    assert rows(warehouse, spot) == [(2_600_5 * HOUR_US // 10, 2 * HOUR_US, HOUR_US)]
    days = "select day, spot_cost_usd, unpriced_hours, net_cost_usd from marts.fct_cost_daily where bid_id is not null"
    assert rows(warehouse, f"{days} order by 1") == [
        (date(2026, 3, 30), Decimal(13), Decimal(0), Decimal(13)),
        (date(2026, 3, 31), Decimal("13.005"), Decimal(1), Decimal("13.005")),
    ]
    pauses = "select paused_us, is_open, pause_credit_usd, short_pause_loss_usd from marts.fct_pause_credits order by 1"
    assert rows(warehouse, pauses) == [
        (40 * MINUTE_US, False, Decimal(0), Decimal("3.333333333333")),
        (60 * MINUTE_US, False, Decimal(5), Decimal(0)),
        (120 * MINUTE_US, True, Decimal(10), Decimal(0)),
    ]
    reserved = "sum(reserved_hours), sum(used_hours), sum(idle_cost_gross_usd), sum(idle_cost_net_usd)"
    assert rows(warehouse, f"select {reserved} from marts.fct_reservation_days") == [
        (Decimal(10), Decimal("1.333333333333"), Decimal("21.666666666667"), Decimal("6.666666666667"))
    ]
    assert rows(warehouse, "select committed_cost_usd from marts.fct_commitments") == [(Decimal(50),)]
    story = "select from_status, recovery_us from marts.fct_interruptions"
    assert rows(warehouse, story) == [("PREEMPTING", HOUR_US)]
    assert rows(warehouse, "select time_to_start_us from marts.fct_starts") == [(HOUR_US,)]


US = "_us // 60000000"
HOURS = f"""
    select instance_id, hour_at, waiting{US}, starting{US}, running{US}, noticed{US}, stopping{US}, paused{US},
        interrupted{US}, unknown{US}, up{US}, down{US}, billed{US}, priced{US}, spot_cost_cent{US}, reserved_used{US},
        allocated_cost_cent{US}, credited{US}, pause_credit_cent{US}, short_paused{US}, short_pause_loss_cent{US},
        unclaimed{US}, unclaimed_credit_cent{US}
    from marts.fct_instance_hours order by all
"""
NAMES = (
    *("waiting", "starting", "running", "noticed", "stopping", "paused", "interrupted", "unknown", "up", "down"),
    *("billed", "priced", "cost", "used", "allocated", "credited", "credited_cents", "short", "short_cents"),
    *("unclaimed", "unclaimed_cents"),
)
ORDER_HOURS = f"""
    select reservation_id, hour_at, reserved{US}, used{US}, allocated_used_cent{US}, allocated_unused_cent{US}
    from marts.fct_reservation_hours where reserved_us > 0 order by all
"""
ORDER_NAMES = ("reserved", "used", "used_cents", "unused_cents")
PAUSES = f"""
    select instance_id, started_at, paused{US}, pause_credit_cent{US}
    from marts.fct_pause_credits where has_terms order by all
"""
INTERRUPTIONS = f"select instance_id, interrupted_at, recovery{US} from marts.fct_interruptions order by all"
STARTS = f"select instance_id, asked_at, time_to_start{US} from marts.fct_starts order by all"


def _seeds(count: int, *, by_day: int) -> list[Any]:
    """Seeds of accounts; all but the first ones are for `make test-long`."""
    return [pytest.param(seed, marks=[] if seed < by_day else pytest.mark.long) for seed in range(count)]


@pytest.mark.parametrize("seed", _seeds(30, by_day=10))
@pytest.mark.shows(40)
def test_figures_are_those_of_every_minute(project: Compiled, warehouse: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Whatever happened, the marts say what a count of minutes says, and no data test finds fault."""
    story = made_up(seed)
    true = Figures.of(story)
    tell(warehouse, story)
    project.build(warehouse)
    assert rows(warehouse, HOURS) == [(*key, *(row[n] for n in NAMES)) for key, row in sorted(true.hours.items())]
    charged = [(*key, *(row[name] for name in ORDER_NAMES)) for key, row in sorted(true.order_hours.items())]
    assert rows(warehouse, ORDER_HOURS) == charged
    assert rows(warehouse, PAUSES) == sorted((*key, *found) for key, found in true.pauses.items())
    assert rows(warehouse, INTERRUPTIONS) == sorted((*key, found) for key, found in true.interruptions.items())
    assert rows(warehouse, STARTS) == sorted((*key, found) for key, found in true.starts.items())
    assert set(project.all_failures(warehouse)) <= {"warn_more_up_than_reserved"}


@pytest.mark.parametrize("seed", _seeds(5, by_day=2))
@pytest.mark.shows(23, 25)
def test_order_overlap_and_repetition_change_nothing(project: Compiled, seed: int) -> None:
    """The same rows in another order, events twice, and prices read open before they closed: the same marts."""
    figures = []
    for is_shuffled in (False, True):
        with duckdb.connect() as connection:
            empty_raw(connection)
            tell(connection, made_up(seed))
            if is_shuffled:
                repeat_and_shuffle(connection, seed)
            project.build(connection)
            figures.append(marts(connection))
    assert figures[0] == figures[1]


def repeat_and_shuffle(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Raw histories as overlapping, unordered loads could leave them."""
    connection.execute(
        "insert into raw.instance_status_events select * from raw.instance_status_events using sample 50%"
    )
    earlier = "replace (null as end_time, 9 as price_cents, read_at - interval 1 day as read_at)"
    periods = "raw.instance_price_periods"
    connection.execute(f"insert into {periods} select * {earlier} from {periods} where end_time > start_time")
    for table in ("instance_status_events", "instance_price_periods", "reservation_events", "reservation_grants"):
        shuffled = rows(connection, f"select * from raw.{table}")
        random.Random(seed).shuffle(shuffled)  # the same order each time, not a secret
        connection.execute(f"delete from raw.{table}")
        for row in shuffled:
            connection.execute(f"insert into raw.{table} values ({', '.join('?' * len(row))})", list(row))


@pytest.mark.parametrize("seed", _seeds(5, by_day=2))
def test_what_was_taken_back_or_read_later_changes_nothing(project: Compiled, seed: int) -> None:
    """Withdrawn rows, what only earlier readings had, versions not known yet, a run cut short: the same marts."""
    figures = []
    for is_cluttered in (False, True):
        with duckdb.connect() as connection:
            empty_raw(connection)
            tell(connection, made_up(seed))
            if is_cluttered:
                clutter(connection)
            project.build(connection)
            figures.append(marts(connection))
    assert figures[0]["fct_commitments"]
    assert figures[0] == figures[1]


def clutter(connection: duckdb.DuckDBPyConnection) -> None:
    """Raw tables with what does not count any more, and what does not count yet."""
    histories = {"instance_status_events": "timestamp", "instance_price_periods": "start_time"}
    wrong = {"instance_status_events": "'STATUS_ERROR' as status", "instance_price_periods": "9999 as price_cents"}
    for table, instant in histories.items():
        moved = f"{instant} + interval 7 minute as {instant}, {wrong[table]}, read_at as withdrawn_at"
        connection.execute(f"insert into raw.{table} select * replace ({moved}) from raw.{table}")
    for table in ("reservation_events", "reservation_grants", "reservation_usage"):
        connection.execute(f"update raw.{table} set _dlt_load_id = '1000.5'")
    moved = "starts_at + interval 7 minute as starts_at, quantity + 9 as quantity, '999.75' as _dlt_load_id"
    connection.execute(f"insert into raw.reservation_grants select * replace ({moved}) from raw.reservation_grants")
    earlier = "timestamp + interval 7 minute as timestamp, 'Ended' as event_type, '999.75' as _dlt_load_id"
    connection.execute(f"insert into raw.reservation_events select * replace ({earlier}) from raw.reservation_events")
    later = "read_at + interval 1 day as read_at, as_of + interval 1 day as as_of, 9 as net_cost_cents"
    connection.execute(f"insert into raw.reservation_usage select * replace ({later}) from raw.reservation_usage")
    unlike = {
        "projects": "'later' as name",
        "instance_types": "99 as num_gpus",
        "instances": "'bid_later' as bid, 'it_later' as instance_type",
        "reservations": "'2020-01-01' as start_time, 99 as instance_quantity",
    }
    for table, columns in unlike.items():
        newer = f"{columns}, timestamp '2026-05-01' as read_at, _dlt_valid_from + interval 1 day as _dlt_valid_from"
        connection.execute(f"insert into raw.{table} select * replace ({newer}) from raw.{table}")
    cut = "to_at as from_at, to_at + interval 1 day as to_at, to_at + interval 9 day as run_ends_at"
    connection.execute(f"insert into raw.windows select * replace ({cut}, 'cut short' as run_id) from raw.windows")


@pytest.mark.parametrize("seed", _seeds(5, by_day=2))
def test_an_earlier_as_of_gives_the_figures_of_that_day(project: Compiled, pinned: Compiled, seed: int) -> None:
    """Pinned to an earlier as_of, the facts are those that were known then: what happened later does not show.

    Nor does it in what is compared with the vendor's summary of then.
    """
    story = replace(made_up(seed), as_of=LAST)
    figures = []
    for models, told in ((pinned, story), (project, story.known_at(PINNED))):
        with duckdb.connect() as connection:
            empty_raw(connection)
            tell(connection, told, summed_up_at=PINNED)
            models.build(connection)
            figures.append({name: facts for name, facts in marts(connection).items() if name.startswith("fct_")})
    assert figures[0]["fct_instance_hours"]
    assert figures[0] == figures[1]


# Each data test that says what is always true, with damage that it must find.
SPELL = "update marts.fct_status_spells set"
HOUR = "update marts.fct_instance_hours set"
RESERVED = "update marts.fct_reservation_hours set"
FOCUS = "update marts.focus_1_4 set"
DAMAGE = {
    "assert_spells_leave_no_gap_and_never_overlap": (
        f"{SPELL} ended_at = ended_at - interval 1 microsecond where next_status = 'PREEMPTED'",
        f"{SPELL} ended_at = ended_at + interval 1 microsecond where next_status = 'PREEMPTED'",
        f"{SPELL} ended_at = ended_at - interval 1 microsecond where is_open",
        f"{SPELL} ended_at = started_at where is_open",
        "delete from marts.fct_status_spells where is_open",
        "delete from marts.fct_status_spells where status = 'PREEMPTING'",
    ),
    "assert_phases_add_up_to_wall_time": (
        f"{HOUR} paused_us = paused_us + 1",
        f"{HOUR} total_us = total_us + 1, running_us = running_us + 1",
        f"{HOUR} down_us = total_us where up_us > 0",
    ),
    "assert_hours_add_up_to_spells": (
        f"{HOUR} up_us = up_us - 1 where up_us > 0",
        f"{HOUR} billed_us = billed_us - 1 where billed_us > 0",
        "delete from marts.fct_status_spells where instance_id = 'inst_spot'",
        "delete from marts.fct_instance_hours where instance_id = 'inst_spot'",
    ),
    "assert_days_add_up_to_hours": (
        f"{HOUR} spot_cost_cent_us = spot_cost_cent_us + 1 where billed_us > 0",
        "update marts.fct_uptime_daily set up_us = up_us + 1",
        "update marts.fct_cost_daily set pause_credit_cent_us = 0",
        "update marts.fct_reservation_days set reserved_us = reserved_us + 1",
        "delete from marts.fct_usage_daily",
    ),
    "assert_priced_and_unpriced_make_up_billed": (
        f"{HOUR} unpriced_us = unpriced_us + 1",
        f"{HOUR} priced_us = priced_us + billed_us + 1, unpriced_us = unpriced_us - billed_us - 1",
    ),
    "assert_months_both_ways_add_up": (
        "update marts.fct_cost_monthly set spot_cost_cent_us = spot_cost_cent_us + 1",
        "update marts.fct_cost_monthly set booked_cent_us = booked_cent_us + 1",
        "update marts.fct_cost_monthly set accrued_earlier_cent_us = accrued_earlier_cent_us + 1",
        "update marts.fct_cost_monthly set cash_cost_cent_us = cash_cost_cent_us + 1",
        "update marts.fct_cost_monthly set accrued_cost_cent_us = accrued_cost_cent_us + 1",
        "delete from marts.fct_cost_monthly",
    ),
    "assert_ledger_adds_up_to_pauses": (
        "update marts.fct_credit_ledger set credited_us = credited_us + 1",
        "update marts.fct_credit_ledger set credit_cent_us = credit_cent_us + 1",
        "update marts.fct_credit_ledger set ageing = 'expired'",
        "delete from marts.fct_credit_ledger",
        "delete from marts.fct_pause_credits where is_credited",
    ),
    "assert_opportunities_add_up_to_idle_cost": (
        "update marts.fct_opportunities set at_stake_cent_us = at_stake_cent_us + 1",
        "update marts.fct_opportunities set return_credit_cent_us = 1",
        "delete from marts.fct_opportunities where opportunity = 'pause_for_longer'",
        "delete from marts.fct_opportunities",
        f"{RESERVED} pause_credit_cent_us = pause_credit_cent_us + 1",
    ),
    "assert_spot_hours_add_up_to_instance_hours": (
        f"{HOUR} spot_cost_cent_us = spot_cost_cent_us + 1 where priced_us > 0",
        "update marts.fct_spot_hours set billed_us = billed_us + 1",
        "update marts.fct_spot_hours set uncompared_us = uncompared_us - 1",
        "update marts.fct_spot_hours set near_limit_us = 0",
        "update marts.fct_spot_hours set near_limit_us = priced_us + 1, limit_price_usd = 1",
        "update marts.fct_spot_hours set compared_cost_cent_us = spot_cost_cent_us + 1",
        "insert into marts.fct_spot_hours from marts.fct_spot_hours limit 1",
    ),
    "assert_used_and_unused_make_up_reserved": (
        f"{RESERVED} unused_us = unused_us + 1",
        f"{RESERVED} used_us = used_us + 1, unused_us = unused_us - 1",
        "delete from marts.fct_reservation_hours where used_us > 0",
    ),
    "assert_effective_cost_makes_up_billed_cost": (
        f"{RESERVED} allocated_unused_cent_us = allocated_unused_cent_us + 1",
        "delete from marts.fct_reservation_hours",
    ),
    "assert_pauses_add_up_to_hours": (
        f"{HOUR} credited_us = credited_us - 1 where credited_us > 0",
        f"{HOUR} pause_credit_cent_us = pause_credit_cent_us - 1 where credited_us > 0",
        "update marts.fct_pause_credits set paused_us = paused_us + 1 where not is_credited",
        "delete from marts.fct_pause_credits",
    ),
    "assert_costs_agree_between_instance_and_reservation": (
        f"{RESERVED} allocated_used_cent_us = allocated_used_cent_us + 1",
        f"{RESERVED} pause_credit_cent_us = pause_credit_cent_us + 1",
    ),
    "assert_reconciled_figures_are_those_of_the_marts": (
        "update marts.fct_reconciliation set ours = ours + 0.000000000001 where field = 'committed_cost_usd'",
        "update marts.fct_reconciliation set ours = null where field = 'early_termination_credits_usd'",
        "update marts.fct_pause_credits set pause_credit_cent_us = pause_credit_cent_us + 1 where is_credited",
        "update marts.fct_reservation_hours set used_us = used_us + 3600",
    ),
    "assert_nothing_is_past_as_of": (
        "update marts.dim_projects set as_of = null",
        f"{SPELL} ended_at = ended_at + interval 1 microsecond where is_open",
    ),
    "assert_days_hold_all_that_is_told": (
        "delete from staging.stg_mithril__instance_status_events where instance_id = 'inst_spot'",
        "delete from staging.stg_mithril__instance_price_periods",
        "update staging.int_history_days set row_count = row_count + 1",
    ),
    "assert_listed_prices_are_whole_cents": ("update staging.int_reservation_grants set terms_source = 'listing'",),
    "assert_focus_rows_are_what_their_kind_is": (
        f'{FOCUS} "BilledCost" = "EffectiveCost" where "x_ChargeKind" = \'reserved_used\'',
        f'{FOCUS} "ListUnitPrice" = "ListUnitPrice" + 1 where "x_ChargeKind" = \'reserved_idle\'',
        f'{FOCUS} "ChargePeriodStart" = "ChargePeriodStart" - interval 1 minute',
    ),
    "assert_charges_of_a_reservation_are_effective_as_billed": (
        "update marts.fct_charges set effective_cost_cent_us = effective_cost_cent_us + 1 where charge_kind like 'r%'",
        "delete from marts.fct_charges where charge_kind = 'reserved_used'",
        "update marts.fct_charges set billed_cost_cent_us = 0 where charge_kind = 'pause_credit'",
    ),
    "assert_charges_add_up_to_the_marts": (
        "delete from marts.fct_charges where charge_kind = 'spot_usage'",
        "insert into marts.fct_charges from marts.fct_charges where charge_kind = 'reserved_idle'",
        "update marts.fct_charges set day = date '2026-02-01' where charge_kind = 'reservation_purchase'",
        "update marts.fct_charges set cost_cent_us = -cost_cent_us where charge_kind = 'pause_credit'",
    ),
    "assert_focus_has_every_charge_once": (
        "delete from marts.focus_1_2 where \"x_ChargeKind\" = 'pause_credit'",
        "insert into marts.focus_1_4 from marts.focus_1_4 where \"x_ChargeKind\" = 'spot_usage'",
        f'{FOCUS} "EffectiveCost" = "EffectiveCost" + 0.00000001 where "x_ChargeKind" = \'reserved_idle\'',
    ),
    "assert_focus_says_what_the_vendor_is_asked": (
        f'{FOCUS} "BilledCost" = "BilledCost" + 1 where "ChargeCategory" = \'Purchase\'',
        f'{FOCUS} "BilledCost" = 0 where "x_ChargeKind" = \'pause_credit\'',
        f"{FOCUS} \"CommitmentDiscountStatus\" = 'Unused' where \"x_ChargeKind\" = 'reserved_used'",
        "delete from marts.focus_1_4 where \"x_ChargeKind\" = 'reserved_idle'",
    ),
    "assert_status_policy_covers_any_other": (
        "delete from staging.status_policy where status = '*'",
        "update staging.status_policy set phase = 'running' where status = '*'",
    ),
    "warn_more_up_than_reserved": (f"{RESERVED} unused_us = -1",),
}
FINISHED = Story(
    BY_HAND.machines, tuple(Order(o.name, 0, 240, (Grant(0, 240, 2, 250),), o.rates) for o in BY_HAND.orders), 300
)


@pytest.fixture(scope="module")
def sound(project: Compiled) -> Iterator[duckdb.DuckDBPyConnection]:
    """Marts in which nothing is wrong."""
    with duckdb.connect() as connection:
        empty_raw(connection)
        tell(connection, FINISHED)
        connection.execute("update raw.reservations set unit_price_usd = 2.505")
        project.build(connection)
        yield connection


@pytest.mark.parametrize(("test", "damage"), [(test, sql) for test, all_sql in DAMAGE.items() for sql in all_sql])
@pytest.mark.shows(38, 39)
def test_a_data_test_finds_what_it_is_for(
    project: Compiled, sound: duckdb.DuckDBPyConnection, test: str, damage: str
) -> None:
    """Sound marts pass the data test; the same with one thing wrong do not."""
    assert project.failures(sound, test) == 0
    sound.begin()
    sound.execute(damage)
    found = project.failures(sound, test)
    sound.rollback()
    assert found > 0


@pytest.mark.shows(39)
def test_every_assertion_is_seen_to_fail(project: Compiled) -> None:
    """Each file of assertions has its damage above; the one on the time zone is tried below."""
    files = {path.stem for path in (SQL / "assertions").glob("*.sql")}
    assert files == set(DAMAGE) | {"assert_report_timezone_has_whole_hours"}
    assert files <= set(project.tests)


def test_a_report_timezone_must_keep_whole_hours(tmp_path: Path, warehouse: duckdb.DuckDBPyConnection) -> None:
    """Days of Kolkata do not begin on a UTC hour, and a data test says so."""
    models = compiled(tmp_path, report_timezone="Asia/Kolkata")
    tell(warehouse, BY_HAND)
    models.build(warehouse)
    assert set(models.all_failures(warehouse)) == {"assert_report_timezone_has_whole_hours"}
