"""Why cost changed: volume, mix and price, worked by hand, and that they add up to what `report cost` tells."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from commands import Cli
from marts_by_hand import HOUR_US, fill, instance_hour, reservation_hour
from mithril_elt.errors import UsageError
from mithril_elt.reports import render, report
from mithril_elt.reports.span import Span
from mithril_elt.reports.variance import compared_spans
from small_account import records, small_account, small_marts

BEFORE, AFTER = datetime(2026, 2, 10), datetime(2026, 3, 10)  # noqa: DTZ001  # as the marts have them
MARCH = {"from_at": date(2026, 3, 1), "to_at": date(2026, 4, 1)}
EFFECTS = ("change_usd", "volume_usd", "mix_usd", "price_usd")


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account's marts, anew for each test."""
    yield from small_marts()


def spot(instance: str, at: datetime, hours: int, cents: int, **more: int) -> dict[str, Any]:
    """So many hours of an instance at that price, in one row."""
    time_us = hours * HOUR_US
    cost = cents * time_us
    return instance_hour(instance, at, running_us=time_us, billed_us=time_us, spot_cost_cent_us=cost, **more)


def credit(at: datetime, hours: int, cents: int | None) -> dict[str, Any]:
    """So many hours of a pause, at that rate."""
    time_us = hours * HOUR_US
    cost = None if cents is None else cents * time_us
    return instance_hour("inst_3", at, paused_us=time_us, credited_us=time_us, pause_credit_cent_us=cost)


def reserved(at: datetime, hours: int, cents: int | None) -> dict[str, Any]:
    """So many hours of the reservation, of which none was used."""
    time_us = hours * HOUR_US
    cost = None if cents is None else cents * time_us
    return reservation_hour("res_1", at, reserved_us=time_us, unused_us=time_us, allocated_unused_cent_us=cost)


def told(marts: duckdb.DuckDBPyConnection, hours: list[dict[str, Any]], *reservations: dict[str, Any]) -> None:
    """Makes these the facts of the account."""
    fill(marts, small_account() | {"fct_instance_hours": hours, "fct_reservation_hours": reservations})


def effects(row: dict[str, Any]) -> list[str | None]:
    """The change and its parts, without the zeros at their end."""
    return [row[name] and f"{Decimal(row[name]).normalize():f}" for name in EFFECTS]


def test_volume_mix_and_price(marts: duckdb.DuckDBPyConnection) -> None:
    """Of it_8 10 h at $2, then 9 h at $2.20; of it_x 5 h at $10, then 9 h at $9: 15 h become 18, a fifth more.

    it_8: volume 20 x 0.2 = 4; mix 2 x (9 - 12) = -6; price 0.2 x 9 = 1.80. it_x: 50 x 0.2 = 10; 10 x (9 - 6) = 30;
    -1 x 9 = -9.
    """
    told(
        marts,
        [
            spot("inst_1", BEFORE, 10, 200),
            spot("inst_2", BEFORE, 5, 1000),
            spot("inst_1", AFTER, 9, 220),
            spot("inst_2", AFTER, 9, 900),
        ],
    )
    answer = report(marts, "variance", **MARCH)
    assert [(row["instance_type_id"], row["line"], *effects(row)) for row in records(answer)] == [
        ("it_x", "spot", "31", "10", "30", "-9"),
        ("it_8", "spot", "-0.2", "4", "-6", "1.8"),
    ]
    assert [f"{cell:.2f}" for cell in answer.total if isinstance(cell, Decimal)] == [
        *("70.00", "100.80", "30.80"),
        *("14.00", "24.00", "-7.20"),
    ]
    first = records(answer)[0]
    assert (first["hours_before"][:4], first["usd_per_hour_before"][:6], first["cost_after_usd"][:6]) == (
        *("5.00", "10.000"),
        "81.000",
    )
    shown = render(answer, "table", width=200)
    assert shown.splitlines()[0] == "Variance by instance type, from 2026-03-01 00:00 to 2026-04-01 00:00 UTC"
    assert "Before is 2026-02-01 00:00 to 2026-03-01 00:00 UTC." in shown


def test_spot_and_reserved_mix_and_credits_stand_alone(marts: duckdb.DuckDBPyConnection) -> None:
    """10 spot hours at $2 become 5 reserved ones at $4 and 5 on spot: half of it is mix, all of it.

    Spot: no volume, mix 2 x (5 - 10) = -10. Reserved is new: $20, all mix. Credit: 2 h at $5 become 3 h at $6: volume
    -10 x 0.5 = -5, price -1 x 3 = -3; its hours are no hours more to pay for.
    """
    told(
        marts,
        [spot("inst_1", BEFORE, 10, 200), spot("inst_1", AFTER, 5, 200), credit(BEFORE, 2, 500), credit(AFTER, 3, 600)],
        reserved(AFTER, 5, 400),
    )
    found = records(report(marts, "variance", by=["project"], **MARCH))
    assert [(row["project_id"], row["line"], *effects(row)) for row in found] == [
        ("proj_a", "reserved", "20", "0", "20", "0"),
        ("proj_a", "spot", "-10", "0", "-10", "0"),
        ("proj_a", "pause credit", "-8", "-5", "0", "-3"),
    ]


def test_what_was_not_there_and_what_is_gone(marts: duckdb.DuckDBPyConnection) -> None:
    """Where there was nothing all is volume; what is gone takes its volume and mix with it, and had no other price."""
    told(marts, [spot("inst_1", AFTER, 2, 300)])
    assert effects(records(report(marts, "variance", **MARCH))[0]) == ["6", "6", "0", "0"]
    told(marts, [spot("inst_1", BEFORE, 2, 300)])
    assert effects(records(report(marts, "variance", **MARCH))[0]) == ["-6", "-6", "0", "0"]
    told(marts, [spot("inst_1", BEFORE, 2, 300), spot("inst_2", BEFORE, 2, 100), spot("inst_2", AFTER, 2, 100)])
    found = {row["instance_type_id"]: effects(row) for row in records(report(marts, "variance", **MARCH))}
    assert found == {"it_8": ["-6", "-3", "-3", "0"], "it_x": ["0", "-1", "1", "0"]}


def test_what_is_not_known_is_null_and_in_no_total(marts: duckdb.DuckDBPyConnection) -> None:
    """A line without a price or rate on one side has no change, and is said; a part that is known counts for itself."""
    told(
        marts,
        [
            spot("inst_1", BEFORE, 1, 100),
            spot("inst_1", AFTER, 1, 0, unpriced_us=HOUR_US),
            spot("inst_2", BEFORE, 1, 100),
            spot("inst_2", AFTER, 2, 100, unpriced_us=HOUR_US) | {"spot_cost_cent_us": 150 * HOUR_US},
            credit(BEFORE, 1, None),
            credit(AFTER, 1, 500),
        ],
        reserved(BEFORE, 1, 300),
        reserved(AFTER, 2, None),
        reserved(AFTER, 1, 300),
    )
    answer = report(marts, "variance", **MARCH)
    found = {(row["instance_type_id"], row["line"]): row for row in records(answer)}
    assert effects(found["it_8", "spot"]) == effects(found["it_8", "pause credit"]) == [None] * 4
    assert (found["it_8", "spot"]["cost_before_usd"][:4], found["it_8", "spot"]["cost_after_usd"]) == ("1.00", None)
    assert effects(found["it_8", "reserved"]) == ["0", "0", "0", "0"]
    assert effects(found["it_x", "spot"]) == ["0.5", "0", "0", "0.5"]
    assert answer.total[6:] == (Decimal("0.5"), 0, 0, Decimal("0.5"))
    assert any(each.startswith("Of the span before: No pause rate is known for 1.00 h") for each in answer.warnings)
    assert any(each.startswith("No price is known for 2.00 h") for each in answer.warnings)
    assert "not shown" not in render(answer, "table", width=200)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("by", [("instance-type",), ("project",), ("instance", "user")])
def test_all_of_it_adds_up_to_report_cost(marts: duckdb.DuckDBPyConnection, seed: int, by: tuple[str, ...]) -> None:
    """Across each row, down each column, and to the difference of both reports, whatever does not divide by nine."""
    dice = random.Random(seed)
    hours, reservations = [], []
    for at in (BEFORE, AFTER):
        for number in (1, 2, 3):
            us, cents = dice.randrange(HOUR_US), dice.randrange(5000)
            paused = dice.randrange(HOUR_US)
            row = instance_hour(f"inst_{number}", at, running_us=us, billed_us=us, spot_cost_cent_us=cents * us)
            row |= {"reserved_used_us": us, "allocated_cost_cent_us": 7 * cents * us}
            hours.append(row | {"credited_us": paused, "pause_credit_cent_us": cents * paused})
        reservations.append(reserved(at, dice.randrange(3), dice.randrange(5000)))
    told(marts, hours, *reservations)
    answer = report(marts, "variance", by=by, **MARCH)
    rows = [[Decimal(row[name]) for name in EFFECTS] for row in records(answer)]
    assert all(change == volume + mix + price for change, volume, mix, price in rows)
    assert [sum(column) for column in zip(*rows, strict=True)] == list(answer.total[6:])
    places = report(marts, "cost").columns.index("net_cost_usd")
    after, before = (
        report(marts, "cost", from_at=begin, to_at=end).total[places]
        for begin, end in ((date(2026, 3, 1), date(2026, 4, 1)), (date(2026, 2, 1), date(2026, 3, 1)))
    )
    assert isinstance(after, Decimal)
    assert isinstance(before, Decimal)
    assert answer.total[4:7] == (before, after, after - before)


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "against", "zone", "wanted"),
    [
        (("2026-03-01", "2026-04-01"), None, "UTC", ("2026-02-01", "2026-03-01")),
        (("2026-01-01", "2026-04-01"), None, "UTC", ("2025-10-01", "2026-01-01")),
        (("2026-03-01", "2026-04-01"), "2025-12-01", "UTC", ("2025-12-01", "2026-01-01")),
        (("2026-03-09", "2026-03-16"), None, "UTC", ("2026-03-02", "2026-03-09")),
        (("2026-03-01", "2026-04-01"), "2026-02-03", "UTC", ("2026-02-03", "2026-03-06")),
        (("2026-03-01T05:00", "2026-03-01T07:00"), None, "UTC", ("2026-03-01T03:00", "2026-03-01T05:00")),
        (("2026-03-01T05:00", "2026-03-01T07:00"), "2026-02-01", "UTC", ("2026-02-01", "2026-02-01T02:00")),
        # Berlin's April begins in summer, its March in winter: two hours and one before UTC.
        (("2026-03-31T22:00", "2026-04-30T22:00"), None, "Europe/Berlin", ("2026-02-28T23:00", "2026-03-31T22:00")),
        (("2026-03-29T22:00", "2026-03-30T22:00"), None, "Europe/Berlin", ("2026-03-28T23:00", "2026-03-29T22:00")),
    ],
)
def test_the_span_before_is_as_long(
    span: tuple[str, str], against: str | None, zone: str, wanted: tuple[str, str]
) -> None:
    """Whole months by months, whole days by days, also where clocks change; else by time."""
    asked, other = compared_spans(Span(at(span[0]), at(span[1])), against and at(against), None, zone)  # type: ignore[arg-type]
    assert (asked.from_at, asked.to_at) == (at(span[0]), at(span[1]))
    assert (other.from_at, other.to_at) == (at(wanted[0]), at(wanted[1]))


def test_without_a_span_it_is_the_last_week(marts: duckdb.DuckDBPyConnection) -> None:
    """Seven whole days up to as_of, against the seven before; half a span is refused, as is --against elsewhere."""
    answer = report(marts, "variance")
    assert (answer.from_at, answer.to_at) == (at("2026-03-25"), at("2026-04-01"))
    assert answer.head["against"] == {"from": "2026-03-18T00:00:00Z", "to": "2026-03-25T00:00:00Z"}
    with pytest.raises(UsageError, match="both --from and --to"):
        report(marts, "variance", from_at=at("2026-03-01"))
    with pytest.raises(UsageError, match="takes no --against"):
        report(marts, "cost", against=at("2026-03-01"))
    with pytest.raises(UsageError, match="no meaning by day"):
        report(marts, "variance", by=["day"])


def test_the_command(cli: Cli, tmp_path: Path) -> None:
    """As a user asks for it, in the words of a file."""
    with duckdb.connect(str(tmp_path / "a.duckdb")) as made:
        told(made, [spot("inst_1", datetime(2025, 3, 10), 1, 100), spot("inst_1", AFTER, 2, 100)])  # noqa: DTZ001
    words = ("report", "variance", "--from", "2026-03-01", "--to", "2026-04-01", "--against", "2025-03-01", "--json")
    ended = cli(*words, "--db", tmp_path / "a.duckdb")
    assert ended.status == 0, ended.err
    document = json.loads(ended.out)
    assert document["against"] == {"from": "2025-03-01T00:00:00Z", "to": "2025-04-01T00:00:00Z"}
    assert [(row["line"], row["volume_usd"], row["instance_type_name"]) for row in document["rows"]] == [
        ("spot", "1.000000000000", "h100.8x")
    ]
