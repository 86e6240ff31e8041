"""The rate card: what GPU-hours cost, weighted by GPU-time, worked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from marts_by_hand import HOUR_US, fill, instance_hour
from mithril_elt.errors import UsageError
from mithril_elt.reports import report
from small_account import records, small_account, small_marts

_BEGIN = datetime.fromisoformat("2026-03-01T00:00")
PERCENTILES = tuple(f"usd_per_gpu_hour_p{per_cent}" for per_cent in (25, 50, 75, 95))


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account's marts, anew for each test."""
    yield from small_marts()


def rates(row: dict[str, Any]) -> list[str | None]:
    """The percentiles of a row, without the zeros at their end."""
    return [row[name] and f"{Decimal(row[name]).normalize():f}" for name in PERCENTILES]


def spot(cents: int, minutes: int, hour: int) -> dict[str, Any]:
    """An hour of inst_1, of 8 GPUs, with so many minutes paid for at that price."""
    time_us = minutes * HOUR_US // 60
    return instance_hour(
        "inst_1",
        _BEGIN + timedelta(hours=hour),
        running_us=time_us,
        billed_us=time_us,
        spot_cost_cent_us=cents * time_us,
    )


def test_a_card_by_type_region_and_regime(marts: duckdb.DuckDBPyConnection) -> None:
    """1 h at $13.00 and half an hour at $13.01, by 8 GPUs; 5 reserved hours at $24.00, used or not, are 40 at $3.00."""
    answer = report(marts, "rates")
    found = {(row["instance_type_id"], row["region"], row["regime"]): row for row in records(answer)}
    assert {key: (row["hours"][:5], row["gpu_hours"][:5], row["unrated_hours"][:4]) for key, row in found.items()} == {
        ("it_8", "eu-central1-b", "reserved"): ("5.000", "40.00", "0.00"),
        ("it_8", "us-east1-a", "spot"): ("1.500", "12.00", "0.25"),  # a quarter of an hour has no price
        ("it_x", "us-east1-a", "spot"): ("0.000", "0.000", "1.00"),
    }
    assert rates(found["it_8", "us-east1-a", "spot"]) == ["1.625", "1.625", "1.62625", "1.62625"]
    assert rates(found["it_8", "eu-central1-b", "reserved"]) == ["3", "3", "3", "3"]
    assert rates(found["it_x", "us-east1-a", "spot"]) == [None] * 4
    assert answer.total == (Decimal("6.5"), Decimal(52), None, None, None, None, Decimal("1.25"))
    assert any("No rate is known for 1.25 h" in warning for warning in answer.warnings)
    [row] = records(report(marts, "rates", by=["month"], only={"region": "us-east1-a", "instance-type": "it_8"}))
    assert (row["month"], row["regime"], rates(row)[3]) == ("2026-03", "spot", "1.62625")


@pytest.mark.parametrize(
    ("hours", "wanted"),
    [
        # Of 100 minutes 24 are at 1 c a GPU-hour, 26 at 2 c, 25 at 3 c, 20 at 4 c and 5 at 9 c: 24, 50, 75, 95, 100 %.
        ([(8, 24), (16, 26), (24, 25), (32, 20), (72, 5)], ["0.02", "0.02", "0.03", "0.04"]),
        # One minute more of the dearest, and each is past its mark.
        ([(8, 24), (16, 26), (24, 25), (32, 20), (72, 6)], ["0.02", "0.03", "0.04", "0.09"]),
        # A minute at a hundred times the price weighs a minute.
        ([(800, 1), (8, 60)], ["0.01"] * 4),
    ],
)
def test_rates_weigh_by_time(marts: duckdb.DuckDBPyConnection, hours: list[tuple[int, int]], wanted: list[str]) -> None:
    """A percentile is the lowest rate up to which so much of the time was paid, and is one that was paid."""
    told = [spot(cents, minutes, hour) for hour, (cents, minutes) in enumerate(hours)]
    fill(marts, small_account() | {"fct_instance_hours": told, "fct_reservation_hours": []})
    [row] = records(report(marts, "rates"))
    assert rates(row) == wanted


def test_a_rate_is_the_mean_of_its_hour(marts: duckdb.DuckDBPyConnection) -> None:
    """20 minutes at 100 c and 10 at 130 c are 110 c an hour, 13.75 c a GPU; thirds end at the twelfth place."""
    minute = HOUR_US // 60
    mean = spot(0, 30, 0) | {"spot_cost_cent_us": 2000 * minute + 1300 * minute}
    fill(marts, small_account() | {"fct_instance_hours": [mean], "fct_reservation_hours": []})
    assert rates(records(report(marts, "rates"))[0]) == ["0.1375"] * 4
    mean = spot(0, 3, 0) | {"spot_cost_cent_us": 2 * minute}
    fill(marts, small_account() | {"fct_instance_hours": [mean], "fct_reservation_hours": []})
    assert rates(records(report(marts, "rates"))[0]) == ["0.000833333333"] * 4  # 2/3 c, by 8


def test_what_has_no_price_or_is_not_asked_for(marts: duckdb.DuckDBPyConnection) -> None:
    """A reserved hour without a unit price has no rate; a span and a part keep to themselves; free is a rate of 0."""
    marts.execute(
        "update marts.fct_reservation_hours set allocated_unused_cent_us = null where unused_us < 2 * used_us"
    )
    late = datetime(2026, 3, 31, 23, tzinfo=UTC)
    found = {row["regime"]: row for row in records(report(marts, "rates", only={"user": "user_v"}))}
    assert (found["reserved"]["hours"], found["reserved"]["unrated_hours"]) == ("3.000000000000", "2.000000000000")
    [row] = records(report(marts, "rates", by=["project"], from_at=late, only={"region": "us-east1-a"}))
    assert (row["hours"], rates(row)) == ("0.500000000000", ["1.62625"] * 4)
    fill(marts, small_account() | {"fct_instance_hours": [spot(0, 60, 0)], "fct_reservation_hours": []})
    assert rates(records(report(marts, "rates"))[0]) == ["0"] * 4


@pytest.mark.parametrize("by", ["hour", "label", "instance", "regime"])
def test_groupings_without_meaning(marts: duckdb.DuckDBPyConnection, by: str) -> None:
    """An instance is of one regime, and one hour has one rate; the regime is part of each row anyway."""
    with pytest.raises(UsageError, match=r"no meaning by|no grouping"):
        report(marts, "rates", by=[by])
