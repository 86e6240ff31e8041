"""From the API's rows to Arrow tables: the span that counts, versions, types, exactness."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from mithril_elt.decode import Novelties, Page, decode_page
from mithril_elt.endpoints import ENDPOINTS
from mithril_elt.errors import ContractError
from mithril_elt.rows import (
    arrow,
    market_rows,
    reservation_event_rows,
    usage_rows,
    version_rows,
)
from mithril_elt.tables import RAW_TABLES
from mithril_elt.windows import Span

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPAN = Span(NOON, NOON + timedelta(hours=1))
US = timedelta(microseconds=1)
INSTANCE = {
    "fid": "inst_1",
    "name": "one",
    "project": "proj_a",
    "created_at": "2026-03-01T12:00:00Z",
    "created_by": "user_1",
    "instance_type": "it_1",
    "status": "STATUS_RUNNING",
    "region": "us-east1-a",
    "bid": "bid_1",
    "reservation": "res_1",
    "ssh_destination": "host",
    "private_ip": "10.0.0.1",
}
RESERVATION = {
    "fid": "res_1",
    "project": "proj_a",
    "name": "r",
    "created_by": "user_1",
    "created_at": "2026-03-01T00:00:00Z",
    "instance_quantity": 2,
    "instance_type": "it_1",
    "region": "us-east1-a",
    "instances": ["inst_1", {"fid": "inst_2", "rank": 1}],
    "status": "Active",
    "start_time": "2026-03-01T00:00:00Z",
    "end_time": "2026-03-02T00:00:00Z",
    "total_price": "$1,047.76",
    "unit_price": "$1.99",
}


def decoded(name: str, answer: Any) -> Page:
    """The page that an endpoint's answer stands for."""
    return decode_page(ENDPOINTS[name], json.dumps(answer).encode(), server_at=NOON, novelties=Novelties())


def versions(name: str, *rows: dict[str, Any], **added: Any) -> list[dict[str, Any]]:
    """The versions of those rows of a list."""
    return version_rows(decoded(name, {"data": list(rows)}), Novelties(), **added)


def version(name: str, row: dict[str, Any]) -> str:
    """The version hash of a row."""
    return str(versions(name, row)[0]["version_hash"])


def test_a_version_has_the_apis_fields_times_in_utc_and_prices_in_dollars() -> None:
    """Lists as JSON; what was added stands where the API says nothing, and gives way where it does."""
    [row] = versions("reservations", RESERVATION, project="proj_other")
    assert row["project"] == "proj_a"
    assert row["start_time"] == datetime(2026, 3, 1, tzinfo=UTC)
    assert (row["unit_price_usd"], row["total_price_usd"]) == (Decimal("1.99"), Decimal("1047.76"))
    assert json.loads(row["instances"]) == RESERVATION["instances"]
    assert "unit_price" not in row
    assert row["other_fields"] is None
    [row] = versions("reservations", {k: v for k, v in RESERVATION.items() if k != "project"}, project="proj_other")
    assert row["project"] == "proj_other"


def test_fields_that_are_new_are_kept_as_json() -> None:
    """Sorted, so that their order in the answer does not matter."""
    [row] = versions("instances", {**INSTANCE, "zone": None, "rack": {"b": 1, "a": [2]}})
    assert row["other_fields"] == '{"rack":{"a":[2],"b":1},"zone":null}'


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("instances", INSTANCE, dict(reversed(INSTANCE.items()))),
        ("instances", INSTANCE, {**INSTANCE, "created_at": "2026-03-01T14:00:00.000+02:00"}),
        ("instances", {**INSTANCE, "bid": None}, {k: v for k, v in INSTANCE.items() if k != "bid"}),
        ("instances", {**INSTANCE, "new": {"a": 1, "b": 2}}, {**INSTANCE, "new": {"b": 2, "a": 1}}),
        ("reservations", RESERVATION, {**RESERVATION, "unit_price": 199}),
        ("reservations", RESERVATION, {**RESERVATION, "unit_price": "1.990"}),
        ("reservations", RESERVATION, {**RESERVATION, "instances": [{"rank": 1, "fid": "inst_2"}, "inst_1"]}),
    ],
)
def test_the_version_is_the_same_where_the_api_says_the_same(
    name: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    """In another order of fields or of instances, with another spelling of a time or an amount, null or absent."""
    assert version(name, one) == version(name, other)


@pytest.mark.parametrize("field", [*INSTANCE, "rack"])
def test_the_version_changes_with_any_field_of_an_instance(field: str) -> None:
    """Also with one that this release does not know."""
    changed = "2026-03-01T12:00:00.000001Z" if field == "created_at" else "changed"
    assert version("instances", {**INSTANCE, field: changed}) != version("instances", INSTANCE)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("instance_quantity", 3),
        ("instances", ["inst_1"]),
        ("status", "Ended"),
        ("end_time", None),
        ("total_price", "$1,047.77"),
        ("unit_price", None),
        ("unit_price", "$1.990000001"),
    ],
)
def test_the_version_changes_with_any_field_of_a_reservation(field: str, changed: Any) -> None:
    """Numbers, lists, times and amounts alike."""
    assert version("reservations", {**RESERVATION, field: changed}) != version("reservations", RESERVATION)


@pytest.mark.parametrize("table", [table.name for table in RAW_TABLES])
@pytest.mark.shows(15)
def test_an_empty_table_has_every_column(table: str) -> None:
    """With the declared types, so that SQL on an empty account works."""
    [declared] = [each for each in RAW_TABLES if each.name == table]
    empty = arrow(table, [])
    assert empty.num_rows == 0
    assert empty.schema == declared.arrow_schema
    assert empty.column_names == [column.name for column in declared.columns]


def test_a_row_with_fewer_or_more_fields_makes_the_same_table() -> None:
    """What is not said is null, what no column holds is left out."""
    whole = arrow("instances", [*versions("instances", INSTANCE), {"fid": "inst_2", "project": "p", "stray": 1}])
    assert whole.schema == arrow("instances", []).schema
    assert whole.column("name").to_pylist() == ["one", None]


@pytest.mark.shows(11)
def test_instants_become_naive_utc_microseconds() -> None:
    """Whatever their offset, to the microsecond."""
    at = datetime(2026, 3, 1, 2, 0, 0, 1, tzinfo=timezone(timedelta(hours=14)))
    table = arrow("instances", [{"fid": "i", "project": "p", "created_at": at, "version_hash": "x"}])
    assert table.schema.field("created_at").type == pa.timestamp("us")
    assert table.column("created_at").to_pylist() == [datetime(2026, 2, 28, 12, 0, 0, 1)]  # noqa: DTZ001  # naive is meant


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("instance_types", "num_gpus", 2**63),
        ("instance_types", "num_gpus", -(2**63) - 1),
        ("instance_types", "num_gpus", 10**40),
        ("instance_types", "num_gpus", "eight"),
        ("instance_types", "name", 8),
        ("spot_bids", "limit_price_usd", Decimal(10) ** 30),
        ("spot_bids", "limit_price_usd", 0.1),
        ("spot_bids", "created_at", "2026-03-01"),
    ],
)
@pytest.mark.shows(11)
def test_a_value_that_does_not_fit_its_column_is_a_breach(table: str, column: str, value: Any) -> None:
    """Integers over 64 bits above all; the table is named, and nothing is cut to size."""
    with pytest.raises(ContractError, match=table) as breach:
        arrow(table, [{"fid": "x", "project": "p", column: value}])
    assert "\n" not in str(breach.value)


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63)])
def test_the_largest_integers_are_kept(value: int) -> None:
    """64 bits are 64 bits."""
    assert arrow("instance_types", [{"fid": "x", "num_gpus": value}]).column("num_gpus").to_pylist() == [value]


def test_the_events_of_a_reservation_keep_their_terms() -> None:
    """Cents as they are; the rest is null."""
    events = [
        {"event_type": "Placed", "timestamp": "2026-03-01T12:00:00Z"},
        {"event_type": "Terms Set", "timestamp": "2026-03-01T12:00:00Z", "pause_credit_cents": 500},
    ]
    page = decoded("reservation_events", {"events": events})
    added = {"project": "p", "reservation_fid": "r", "read_at": NOON}
    rows = arrow("reservation_events", reservation_event_rows(page, Novelties(), **added)).to_pylist()
    assert [(row["event_type"], row["pause_credit_cents"], row["unit_price_cents"]) for row in rows] == [
        ("Placed", None, None),
        ("Terms Set", 500, None),
    ]


def test_the_vendors_summary_is_kept_to_the_microsecond_and_the_cent() -> None:
    """Durations in any unit become microseconds; what is absent is null, not 0."""
    summary = {"net_cost_cents": 4776, "reserved_instance_hours": "P1Y2DT0.000001S", "as_of": "2026-03-01T12:00:00Z"}
    [usage] = decoded("reservation_usage", {"summary": summary, "grants": [], "pricing_events": [{"b": 1}]}).rows
    row, grants = usage_rows(usage, Novelties(), project="p", reservation_fid="r", read_at=NOON)
    [loaded] = arrow("reservation_usage", [row]).to_pylist()
    assert loaded["reserved_instance_us"] == 367 * 86_400_000_000 + 1
    assert loaded["active_instance_us"] is None
    assert loaded["net_cost_cents"] == 4776
    assert loaded["committed_cost_cents"] is None
    assert json.loads(loaded["pricing_events"]) == [{"b": 1}]
    assert grants == []


def test_grants_have_their_prices_in_cents_however_they_are_spelt() -> None:
    """Bare integers are cents, texts are dollars; two that start at once keep apart."""
    start = "2026-03-01T12:00:00Z"
    grants = [
        {"starts_at": start, "ends_at": None, "quantity": 2, "unit_price": 199, "price_credit": 50, "return_credit": 0},
        {"starts_at": start, "unit_price": "$1.99", "price_credit": None, "return_credit": "1,000.00"},
    ]
    [usage] = decoded("reservation_usage", {"summary": {}, "grants": grants, "pricing_events": []}).rows
    _, rows = usage_rows(usage, Novelties(), project="p", reservation_fid="r", read_at=NOON)
    loaded = arrow("reservation_grants", rows).to_pylist()
    assert [row["position"] for row in loaded] == [0, 1]
    assert [row["unit_price_cents"] for row in loaded] == [199, 199]
    assert [row["return_credit_cents"] for row in loaded] == [0, 100_000]


def test_a_grant_of_less_than_a_cent_is_a_breach() -> None:
    """It is not rounded into a cent."""
    grant = {"starts_at": "2026-03-01T12:00:00Z", "unit_price": "$1.995"}
    [usage] = decoded("reservation_usage", {"summary": {}, "grants": [grant], "pricing_events": []}).rows
    with pytest.raises(ContractError, match=r"\$1\.995"):
        usage_rows(usage, Novelties(), read_at=NOON)


def market(**prices: Any) -> dict[str, Any]:
    """One market series of two instants."""
    return {"instance_type": "it_1", "region": "r", "timestamps": [NOON.isoformat(), SPAN.end.isoformat()], **prices}


def test_market_prices_are_one_row_an_instant() -> None:
    """Dollars in every spelling; a price that is null stays null."""
    series = decoded("market_prices", [market(spot_prices=["$1.50", 150], reserved_prices=[None, "$2.00"])]).rows
    rows = arrow("market_prices", market_rows(series, Novelties(), read_at=NOON)).to_pylist()
    assert [(row["spot_price_usd"], row["reserved_price_usd"]) for row in rows] == [
        (Decimal("1.5"), None),
        (Decimal("1.5"), Decimal(2)),
    ]


@pytest.mark.parametrize("prices", [["$1.50"], ["$1.50"] * 3])
def test_a_market_series_of_unequal_lists_is_left_out_with_a_warning(prices: list[str]) -> None:
    """Nobody knows which price belongs to which instant; the other series are loaded."""
    novelties = Novelties()
    whole = market(spot_prices=["$1.00", "$1.00"], reserved_prices=["$2.00", "$2.00"])
    series = decoded("market_prices", [market(spot_prices=prices, reserved_prices=["$2.00"] * 2), whole]).rows
    rows = market_rows(series, novelties, read_at=NOON)
    assert [row["spot_price_usd"] for row in rows] == [Decimal(1), Decimal(1)]
    [warning] = novelties.warnings
    assert "it_1" in warning


def test_a_market_series_without_one_kind_of_price_is_loaded() -> None:
    """A list that is absent or empty is null for every instant."""
    series = decoded("market_prices", [market(spot_prices=["$1.00", "$1.00"])]).rows
    rows = market_rows(series, Novelties(), read_at=NOON)
    assert [row["reserved_price_usd"] for row in rows] == [None, None]
