"""Loads of a sandbox in tests, and what the tables hold after them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import duckdb

from mithril_elt.api import Mithril
from mithril_elt.load import LoadPlan, LoadResult, load
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve

# of a load, not of the account
RUN_COLUMNS = {
    "vendor_as_of",
    "read_at",
    "run_id",
    "_dlt_load_id",
    "_dlt_valid_from",
    "_dlt_valid_to",
    "late_rows",
    "late_seconds",
}
DATA_TABLES = (
    "projects",
    "instance_types",
    "instances",
    "reservations",
    "spot_bids",
    "reservation_events",
    "reservation_grants",
    "market_prices",
    "instance_status_events",
    "instance_price_periods",
)


def late_and_corrected() -> AbstractContextManager[Sandbox]:
    """An account of seven days, with five to come, whose rows come late, are withdrawn, corrected and told twice."""
    readings = Readings(
        late_hours=24,
        withdrawn_hours=24,
        corrected_hours=24,
        leaves_list_hours=24,
        equal_times=True,
        repeated_statuses=True,
    )
    return serve(make_account(7, 16, 7, tail_days=5), readings=readings)


def load_sandbox(sandbox: Sandbox, db: Path, **wanted: Any) -> LoadResult:
    """One load of all that the sandbox serves."""
    with Mithril(sandbox.key, sandbox.url) as api:
        return load(api, db, LoadPlan(**wanted))


def history_queries(sandbox: Sandbox, path: str = "status/history") -> list[dict[str, str]]:
    """What was asked of a history, one query each."""
    asked = [request for request in sandbox.requests if request.path.endswith(path)]
    return [{name: values[0] for name, values in parse_qs(request.query).items()} for request in asked]


def query(db: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with duckdb.connect(str(db), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def rows_of(db: Path, table: str) -> list[tuple[Any, ...]]:
    """The rows of a table, sorted, without the columns that tell of the run that loaded them."""
    with duckdb.connect(str(db), read_only=True) as connection:
        columns = [name for name, *_ in connection.execute(f"describe {table}").fetchall()]
        kept = ", ".join(f'"{name}"' for name in columns if name not in RUN_COLUMNS)
        return connection.execute(f"select {kept} from {table} order by all").fetchall()


def raw(db: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that was loaded, by table."""
    return {table: rows_of(db, f"raw.{table}") for table in DATA_TABLES}


def tables_in(db: Path, schema: str) -> list[str]:
    """The tables of a schema, but for dlt's own."""
    listed = query(db, f"select table_name from information_schema.tables where table_schema = '{schema}' order by 1")
    return [name for (name,) in listed if not name.startswith("_dlt")]
