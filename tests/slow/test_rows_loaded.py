"""What a load of a sandbox leaves in each table: filled, typed, keyed, and row for row what was worked out by hand."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loading import load_sandbox, query
from mithril_elt.api import Mithril
from mithril_elt.client import Limits
from mithril_elt.errors import ApiError
from mithril_elt.load import LoadPlan, Progress, load
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import serve
from mithril_elt.tables import RAW_TABLES, RawTable
from sandbox_by_hand import NOW, account

TYPES = {"text": "VARCHAR", "json": "VARCHAR", "bigint": "BIGINT", "bool": "BOOLEAN"}
TYPES |= {"timestamp": "TIMESTAMP", "usd": "DECIMAL(38,9)"}
NEVER_SEEN = {"other_fields"}  # the sandbox says nothing that this release does not know


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lively account, of which one run failed and two did not; some of what it told first was withdrawn."""
    db = tmp_path_factory.mktemp("loaded") / "a.duckdb"
    readings = Readings(reserved_prices=True, withdrawn_hours=30, limit_counts="events")
    with serve(make_account(instances=14, days=12), readings=readings) as sandbox:
        sandbox.clock.advance(-timedelta(days=1))
        with Mithril(sandbox.key, sandbox.url) as api, pytest.raises(ApiError):
            load(api, db, LoadPlan(window=timedelta(days=4)), on_progress=_fail)
        load_sandbox(sandbox, db)
        sandbox.clock.advance(timedelta(days=1))
        load_sandbox(sandbox, db)
    with duckdb.connect(str(db), read_only=True) as connection:
        yield connection


def _fail(_: Progress) -> None:
    raise ApiError("the network went away")


each_table = pytest.mark.parametrize("table", RAW_TABLES, ids=lambda table: table.name)


@each_table
@pytest.mark.shows(10)
def test_each_table_has_rows(table: RawTable, loaded: duckdb.DuckDBPyConnection) -> None:
    """Of all that are declared."""
    assert _one(loaded, f"select count(*) from raw.{table.name}")


@each_table
@pytest.mark.shows(11)
def test_each_column_has_its_type(table: RawTable, loaded: duckdb.DuckDBPyConnection) -> None:
    """As declared, and there is no column that is not declared but dlt's own."""
    found = {name: kind for name, kind, *_ in loaded.execute(f"describe raw.{table.name}").fetchall()}
    declared = {column.name: TYPES[column.kind] for column in table.columns}
    assert {name: kind for name, kind in found.items() if not name.startswith("_dlt_")} == declared


@each_table
@pytest.mark.shows(12)
def test_each_key_is_unique_and_never_null(table: RawTable, loaded: duckdb.DuckDBPyConnection) -> None:
    """Of a table that keeps versions, among those that hold; what is required is there in every row."""
    key = ", ".join(f'"{name}"' for name in table.key)
    current = "where _dlt_valid_to is null" if table.history == "versions" else ""
    rows, keys = loaded.execute(f"select count(*), count(distinct ({key})) from raw.{table.name} {current}").fetchall()[
        0
    ]
    assert rows == keys > 0
    for column in table.columns:
        if not column.nullable or column.name in table.key:
            assert not _one(loaded, f'select count(*) from raw.{table.name} where "{column.name}" is null'), column.name


@each_table
@pytest.mark.shows(13)
def test_each_declared_column_is_seen(table: RawTable, loaded: duckdb.DuckDBPyConnection) -> None:
    """With a value in some row; what this release does not know is seen in the tests of `rows`."""
    names = [column.name for column in table.columns]
    counts = ", ".join(f'count("{name}")' for name in names)
    found = dict(zip(names, loaded.execute(f"select {counts} from raw.{table.name}").fetchall()[0], strict=True))
    assert {name for name, count in found.items() if not count} - NEVER_SEEN == set()


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    return connection.execute(sql).fetchall()[0][0]


def at(hours: float) -> datetime:
    """So many hours from NOW, as a column has it."""
    return (NOW + timedelta(hours=hours)).replace(tzinfo=None)


GOLDEN: dict[str, list[tuple[Any, ...]]] = {
    "select fid, name, created_at from raw.projects": [
        ("proj_a", "research", at(-72)),
        ("proj_b", "serving", at(-71)),
    ],
    "select fid, name, num_gpus from raw.instance_types": [
        ("it_cpu", "cpu.16x", 0),
        ("it_h100", "h100-80gb.sxm.8x", 8),
    ],
    "select fid, project, created_at, status, bid, reservation from raw.instances where fid > 'inst_r'": [
        ("inst_res1", "proj_a", at(-24), "STATUS_RUNNING", None, "res_1"),
        ("inst_res2", "proj_a", at(-23), "STATUS_RUNNING", None, "res_1"),
        ("inst_silent", "proj_a", at(-1), "STATUS_NEW", "bid_2", None),
        ("inst_spot1", "proj_a", at(-10), "STATUS_RUNNING", "bid_1", None),
        ("inst_spot2", "proj_a", at(-10), "STATUS_TERMINATED", "bid_1", None),
    ],
    "select fid, status, start_time, end_time, unit_price_usd, total_price_usd from raw.reservations": [
        ("res_1", "Active", at(-24), at(12), Decimal(17), Decimal(1152)),  # 2 x 36 h at $16, as it was placed
        ("res_canceled", "Canceled", at(-48), at(-24), Decimal("99.99"), Decimal(384)),
        ("res_ended", "Ended", at(-20), at(-10), Decimal(16), Decimal(160)),
        ("res_pending", "Pending", at(5), at(8), Decimal("1.99"), Decimal("5.97")),
    ],
    "select fid, limit_price_usd, instances from raw.spot_bids": [
        ("bid_1", Decimal(32), '["inst_spot1","inst_spot2"]'),
        ("bid_2", Decimal("1234.56"), '["inst_silent"]'),
        ("bid_b", Decimal(31), '["inst_b"]'),
    ],
    "select timestamp, event_type, unit_price_cents, pause_credit_cents, return_credit_cents"
    " from raw.reservation_events where reservation_fid = 'res_1'": [
        (at(-30), "Placed", None, None, None),
        (at(-30), "Terms Set", 1600, 500, 650),
        (at(-24), "Active", None, None, None),
        (at(-10), "Terms Changed", 1700, 620, 800),
        (at(-5), "Paused", None, None, None),  # when both of its instances are
        (at(-4), "Resumed", None, None, None),
    ],
    # reserved: 2 x 24 h; active: 24 - 2 and 23 - 2 h; 14 h x 2 at $16 and 22 h x 2 at $17; 2 pauses of 2 h at $6.20
    "select committed_cost_cents, flex_use_credits_cents, reserved_instance_us, active_instance_us"
    " from raw.reservation_usage where reservation_fid = 'res_1'": [
        (28 * 1600 + 44 * 1700, 4 * 620, 48 * 3_600_000_000, 43 * 3_600_000_000),
    ],
    "select starts_at, ends_at, quantity, unit_price_cents, price_credit_cents, return_credit_cents"
    " from raw.reservation_grants where reservation_fid = 'res_1'": [
        (at(-24), at(-10), 2, 1600, 500, 650),
        (at(-10), at(12), 2, 1700, 620, 800),
    ],
    "select instance_type, region, timestamp, spot_price_usd, reserved_price_usd from raw.market_prices": [
        ("it_h100", "us-central1-a", at(-3), Decimal(13), Decimal(22)),
        ("it_h100", "us-central1-a", at(-2), Decimal("13.01"), None),
        ("it_h100", "us-central1-a", at(-1), Decimal("12.5"), Decimal(23)),
    ],
    "select instance_fid, timestamp, status, bid_fid, reservation_fid from raw.instance_status_events"
    " where instance_fid in ('inst_gone', 'inst_res1', 'inst_spot1')": [
        ("inst_gone", at(-9), "STATUS_RUNNING", "bid_1", None),
        ("inst_gone", at(-7), "STATUS_REPLACED", "bid_1", None),
        ("inst_res1", at(-24), "STATUS_RUNNING", None, "res_1"),
        ("inst_res1", at(-6), "STATUS_PAUSED", None, "res_1"),
        ("inst_res1", at(-4), "STATUS_RUNNING", None, "res_1"),
        ("inst_spot1", at(-10), "STATUS_NEW", "bid_1", None),
        ("inst_spot1", at(-9.5), "STATUS_STARTING", "bid_1", None),
        ("inst_spot1", at(-9), "STATUS_RUNNING", "bid_1", None),
    ],
    "select instance_fid, start_time, end_time, price_cents from raw.instance_price_periods": [
        ("inst_spot1", at(-9), at(-2), 1300),
        ("inst_spot1", at(-2), None, 1301),  # its end, an hour from now, is not told yet
        ("inst_spot2", at(-8), at(-4), 1300),
    ],
}


@pytest.mark.shows(14)
def test_an_account_by_hand_becomes_the_rows_worked_out_by_hand(tmp_path: Path) -> None:
    """Of each table what the account says, to the microsecond and the cent; nothing of what has not happened yet."""
    db = tmp_path / "a.duckdb"
    with serve(account()) as sandbox:
        load_sandbox(sandbox, db)
    assert {sql: query(db, f"{sql} order by all") for sql in GOLDEN} == GOLDEN


@pytest.mark.shows(34, 37)
def test_a_run_writes_down_what_it_truly_did(tmp_path: Path) -> None:
    """Requests as the server counts them, those sent again among them; windows and rows as they are in the tables."""
    db = tmp_path / "a.duckdb"
    with serve(make_account(instances=14, days=12), faults=0.2) as sandbox:
        logging.getLogger("mithril_elt").setLevel(logging.CRITICAL)
        with Mithril(sandbox.key, sandbox.url, limits=Limits(backoff_s=0)) as api:
            result = load(api, db, LoadPlan(window=timedelta(days=3)))
    [(requests, retries, size, windows, done, rows, as_of, outcome)] = query(
        db, "select requests, retries, bytes, windows_planned, windows_done, rows, as_of, outcome from raw.runs"
    )
    assert requests == len(sandbox.requests)
    assert 0 < retries < requests
    assert size > 10_000
    [(ledger_rows, ledger_requests)] = query(db, 'select sum("rows"), sum(requests) from raw.windows')
    assert windows == done == result.windows_planned > 4
    assert query(db, "select count(*) from raw.windows") == [(2 * windows,)]
    assert rows >= ledger_rows > 0
    assert ledger_requests <= requests - retries
    assert (as_of.replace(tzinfo=UTC), outcome) == (result.as_of, "done")
