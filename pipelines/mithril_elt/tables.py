"""The raw tables: every column with its type and meaning, the key, and how a row replaces another.

Stands between `endpoints` (what the API says) and `source` (which fills these tables). Columns carry
the API's own names; `project` and `read_at` are added where an answer does not name them. All
instants are UTC without a zone, in microseconds; `*_cents` are integers, `*_usd` exact decimals.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pyarrow as pa

__all__ = ["RAW_TABLES", "SQL_TYPES", "Column", "RawTable", "raw_table"]

Kind = Literal["text", "bigint", "bool", "timestamp", "usd", "json"]

_ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "usd": pa.decimal128(38, 9),
    "json": pa.string(),
}

# What each kind of column is in DuckDB, in its own words; dlt makes the same of the declared schema.
SQL_TYPES = {"text": "VARCHAR", "bigint": "BIGINT", "bool": "BOOLEAN", "timestamp": "TIMESTAMP", "json": "VARCHAR"}
SQL_TYPES |= {"usd": "DECIMAL(38,9)"}


@dataclass(frozen=True)
class Column:
    """One column: its name, its kind, whether it may be null, and what it means."""

    name: str
    kind: Kind
    description: str
    nullable: bool = True


@dataclass(frozen=True)
class RawTable:
    """One raw table.

    `history="events"`: a row is replaced by a newer reading of the same key, never removed.
    `history="versions"`: a slowly changing dimension (type 2); `_dlt_valid_from` and `_dlt_valid_to`
    bound each version, and a row that the list no longer has gets an end but stays.
    """

    name: str
    description: str
    key: tuple[str, ...]
    history: Literal["events", "versions"]
    columns: tuple[Column, ...]
    versioned_within: str | None = None

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """The declared Arrow schema, also of an empty table."""
        return pa.schema([pa.field(c.name, _ARROW[c.kind], nullable=c.nullable) for c in self.columns])

    @property
    def instants(self) -> tuple[str, ...]:
        """The instants in its key: rows come by them. None where versions are kept."""
        return tuple(c.name for c in self.columns if c.name in self.key and c.kind == "timestamp")


def _required(name: str, kind: Kind, description: str) -> Column:
    return Column(name, kind, description, nullable=False)


_READ_AT = _required("read_at", "timestamp", "The server's clock when the answer was read")
_VERSION = _required("version_hash", "text", "A hash of what the API said of this row; a new one is a new version")
_PROJECT = _required("project", "text", "The project asked for: `proj_…`")
_SEEN_AT = Column("read_at", "timestamp", "The end of the run that read this version first, by the server's clock")
_WITHDRAWN_AT = Column(
    "withdrawn_at", "timestamp", "When the API, asked for it again, did not tell it any more; null while it does"
)
_OTHER = Column("other_fields", "json", "Fields of the answer that this release does not know, as JSON")
_OWNER = (
    _PROJECT,
    _required("instance_fid", "text", "The instance: `inst_…`"),
    Column("bid_fid", "text", "The spot bid it belongs to, if the history names one"),
    Column("reservation_fid", "text", "The reservation it belongs to, if the history names one"),
)

RAW_TABLES: tuple[RawTable, ...] = (
    RawTable(
        "projects",
        "Projects that the key sees. One row per version of a project.",
        ("fid",),
        "versions",
        (
            _required("fid", "text", "`proj_…`"),
            Column("name", "text", "Its name"),
            Column("created_at", "timestamp", "When it was made"),
            _OTHER,
            _VERSION,
            _SEEN_AT,
        ),
    ),
    RawTable(
        "instance_types",
        "Instance types. One row per version of a type; a type that left the list stays here.",
        ("fid",),
        "versions",
        (
            _required("fid", "text", "`it_…`: the only key; names are not unique"),
            Column("name", "text", "Its name, such as `h100-80gb.sxm.8x`"),
            Column("num_gpus", "bigint", "GPUs of one instance; 0 for a CPU machine"),
            _OTHER,
            _VERSION,
            _SEEN_AT,
        ),
    ),
    RawTable(
        "instances",
        "Instances as listed at each run. One row per version of an instance.",
        ("fid",),
        "versions",
        (
            _required("fid", "text", "`inst_…`"),
            Column("name", "text", "Its name"),
            _required("project", "text", "`proj_…`"),
            Column("created_at", "timestamp", "When it was made"),
            Column("created_by", "text", "`user_…`"),
            Column("instance_type", "text", "`it_…`"),
            Column("status", "text", "The status listed"),
            Column("region", "text", "Where it stands"),
            Column("bid", "text", "`bid_…` of a spot instance"),
            Column("reservation", "text", "`res_…` of a reserved instance; may be one that no list has"),
            Column("ssh_destination", "text", "Host name to log in to"),
            Column("private_ip", "text", "Address inside the region"),
            _OTHER,
            _VERSION,
            _SEEN_AT,
        ),
        versioned_within="project",
    ),
    RawTable(
        "reservations",
        "Flexible reservations as listed at each run. One row per version of a reservation.",
        ("fid",),
        "versions",
        (
            _required("fid", "text", "`res_…`"),
            Column("name", "text", "Its name"),
            _required("project", "text", "`proj_…`"),
            Column("created_by", "text", "`user_…`"),
            Column("created_at", "timestamp", "When it was made"),
            Column("instance_quantity", "bigint", "Instances reserved"),
            Column("instance_type", "text", "`it_…`"),
            Column("region", "text", "Where it stands"),
            Column("instances", "json", "The fids of its instances, a JSON list"),
            Column("status", "text", "Pending, Active, Paused, Canceled or Ended"),
            Column("start_time", "timestamp", "When it begins"),
            Column("end_time", "timestamp", "When it ends"),
            Column("unit_price_usd", "usd", "Dollars for one instance-hour"),
            Column("total_price_usd", "usd", "Dollars charged when it was placed"),
            _OTHER,
            _VERSION,
            _SEEN_AT,
        ),
        versioned_within="project",
    ),
    RawTable(
        "spot_bids",
        "Spot bids as listed at each run. One row per version of a bid.",
        ("fid",),
        "versions",
        (
            _required("fid", "text", "`bid_…`"),
            Column("name", "text", "Its name"),
            _required("project", "text", "`proj_…`"),
            Column("created_by", "text", "`user_…`"),
            Column("created_at", "timestamp", "When it was made"),
            Column("instance_quantity", "bigint", "Instances asked for"),
            Column("instance_type", "text", "`it_…`"),
            Column("region", "text", "Where it bids"),
            Column("instances", "json", "The fids of its instances, a JSON list"),
            Column("limit_price_usd", "usd", "The most it pays, dollars for one instance-hour"),
            Column("status", "text", "The status listed"),
            _OTHER,
            _VERSION,
            _SEEN_AT,
        ),
        versioned_within="project",
    ),
    RawTable(
        "reservation_events",
        "The history of each reservation. One row per reservation, instant, kind of event and position.",
        ("reservation_fid", "timestamp", "event_type", "position"),
        "events",
        (
            _PROJECT,
            _required("reservation_fid", "text", "`res_…`"),
            _required("timestamp", "timestamp", "When it happened"),
            _required(
                "event_type",
                "text",
                "Placed, Active, Paused, Resumed, Canceled, Ended, Terms Set or Terms Changed",
            ),
            Column("unit_price_cents", "bigint", "Cents for one instance-hour from then on"),
            Column("pause_credit_cents", "bigint", "Cents credited for one paused instance-hour from then on"),
            Column("return_credit_cents", "bigint", "Cents credited for one returned instance-hour from then on"),
            _READ_AT,
            Column("position", "bigint", "0, 1, … among the events of one reservation, instant and kind"),
        ),
    ),
    RawTable(
        "reservation_usage",
        "The vendor's own summary of each reservation. One row per reservation and instant it is of.",
        ("reservation_fid", "as_of"),
        "events",
        (
            _PROJECT,
            _required("reservation_fid", "text", "`res_…`"),
            _required(
                "as_of", "timestamp", "The instant up to which the vendor computed; when it was read, if not said"
            ),
            Column("committed_cost_cents", "bigint", "Cents committed"),
            Column("flex_use_credits_cents", "bigint", "Cents of pause credit"),
            Column("early_termination_credits_cents", "bigint", "Cents of return credit"),
            Column("net_cost_cents", "bigint", "Cents after credits"),
            Column("reserved_instance_us", "bigint", "Reserved instance time, microseconds"),
            Column("active_instance_us", "bigint", "Active instance time, microseconds"),
            Column("idle_instance_us", "bigint", "Idle instance time, microseconds"),
            Column("pricing_events", "json", "The pricing events of the answer, as said"),
            _READ_AT,
        ),
    ),
    RawTable(
        "reservation_grants",
        "Terms periods of each reservation. One row per reservation and start of a period.",
        ("reservation_fid", "starts_at", "position"),
        "events",
        (
            _PROJECT,
            _required("reservation_fid", "text", "`res_…`"),
            _required("starts_at", "timestamp", "When the period begins"),
            _required("position", "bigint", "0, 1, … among the periods of one reservation with that start"),
            Column("ends_at", "timestamp", "When the period ends"),
            Column("quantity", "bigint", "Instances reserved"),
            Column("unit_price_cents", "bigint", "Cents for one instance-hour"),
            Column("price_credit_cents", "bigint", "Cents credited for one paused instance-hour"),
            Column("return_credit_cents", "bigint", "Cents credited for one returned instance-hour"),
            _READ_AT,
        ),
    ),
    RawTable(
        "market_prices",
        "Market prices. One row per instance type, region and instant.",
        ("instance_type", "region", "timestamp"),
        "events",
        (
            _required("instance_type", "text", "`it_…`"),
            _required("region", "text", "Where"),
            _required("timestamp", "timestamp", "From when"),
            Column("spot_price_usd", "usd", "Dollars for one spot instance-hour"),
            Column("reserved_price_usd", "usd", "Dollars for one reserved instance-hour"),
            _READ_AT,
        ),
    ),
    RawTable(
        "instance_status_events",
        "The status history. One row per instance, instant and status.",
        ("instance_fid", "timestamp", "status"),
        "events",
        (
            *_OWNER,
            _required("timestamp", "timestamp", "When the status began"),
            _required("status", "text", "The status from then on: `STATUS_…`"),
            _READ_AT,
            _WITHDRAWN_AT,
        ),
    ),
    RawTable(
        "instance_price_periods",
        "The price history. One row per instance and start of a price period.",
        ("instance_fid", "start_time"),
        "events",
        (
            *_OWNER,
            _required("start_time", "timestamp", "From when the price holds"),
            Column("end_time", "timestamp", "Until when; null while it holds"),
            _required("price_cents", "bigint", "Cents for one instance-hour"),
            _READ_AT,
            _WITHDRAWN_AT,
        ),
    ),
    RawTable(
        "windows",
        "The ledger: spans of time read to their end. One row per project, history, start and run.",
        ("project", "history", "from_at", "run_id"),
        "events",
        (
            _PROJECT,
            _required("history", "text", "`status` or `pricing`"),
            _required("from_at", "timestamp", "Start of the span, included"),
            _required("to_at", "timestamp", "End of the span, not included"),
            _required("run_id", "text", "The run that read it"),
            _required("rows", "bigint", "Rows that the API gave for it"),
            _required("requests", "bigint", "Answers it took"),
            _READ_AT,
            Column(
                "run_ends_at",
                "timestamp",
                "Where the run that read it was to end; the span that ends there is its last",
            ),
            Column("asked_by", "text", "`project`, or `order` where the API refuses a project alone"),
            Column("pages_count", "text", "`events` or `instances`, as its full pages showed; null if they did not"),
        ),
    ),
    RawTable(
        "runs",
        "One row per run of the load.",
        ("run_id",),
        "events",
        (
            _required("run_id", "text", "A random id"),
            _required("started_at", "timestamp", "This machine's clock at its start"),
            _required("finished_at", "timestamp", "This machine's clock at its end"),
            Column("as_of", "timestamp", "The instant it read up to, by the server's clock"),
            _required("outcome", "text", "`done` or `failed`"),
            Column("error", "text", "The sentence it failed with"),
            _required("windows_planned", "bigint", "Windows it set out to read"),
            _required("windows_done", "bigint", "Windows it read and loaded"),
            _required("requests", "bigint", "HTTP requests sent, retries included"),
            _required("retries", "bigint", "Requests that were sent again"),
            _required("rows", "bigint", "Rows read"),
            _required("bytes", "bigint", "Bytes of the answers' bodies"),
            _required("late_rows", "bigint", "Rows that an earlier run should have seen"),
            _required("late_seconds", "bigint", "How late the latest of them was"),
            _required("version", "text", "Release of mithril-elt"),
            Column("withdrawn_rows", "bigint", "Rows that the API did not tell any more when asked again"),
            Column("lookback_seconds", "bigint", "How much covered time it read again"),
        ),
    ),
)

_BY_NAME = {table.name: table for table in RAW_TABLES}


def raw_table(name: str) -> RawTable:
    """The raw table of that name."""
    return _BY_NAME[name]
