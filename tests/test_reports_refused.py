"""What a report refuses, and where it may read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from marts_by_hand import connection, fill
from mithril_elt.errors import UsageError, WarehouseError
from mithril_elt.reports import GROUPINGS, REPORT_NAMES, report
from small_account import only, small_account, small_marts


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account's marts, anew for each test."""
    yield from small_marts()


def test_another_schema_of_marts_can_be_named() -> None:
    """A load with a dataset of its own has marts of its own."""
    made = connection()
    fill(made, small_account(), schema="odd-name_marts")
    assert report(made, "usage").rows != report(made, "usage", marts_schema="odd-name_marts").rows
    made.close()


@pytest.mark.parametrize(
    ("name", "by", "words"),
    [
        (
            "costs",
            [],
            "cash, chargeback, variance, rates, opportunities, return-now, reconciliation, summary",
        ),
        ("cost", ["week"], "instance, order"),
        ("reservations", ["instance"], "order, reservation, user"),
        ("reservations", ["user", "bid"], "no meaning by bid"),
        ("pause-credits", ["bid"], "instance, order, reservation"),
        ("summary", ["day"], "takes no --by"),
        ("reconciliation", ["reservation", "instance"], "no meaning by instance: it has by reservation"),
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
    refused = {
        ("reservations", "instance"),
        ("reservations", "bid"),
        ("pause-credits", "bid"),
        ("savings", "reservation"),
        ("preemptions", "reservation"),
        ("cash", "instance"),
        ("cash", "bid"),
        *(("credits", option) for option in ("instance", "bid", "hour")),
    }
    for name in (
        "usage",
        "uptime",
        "cost",
        "pause-credits",
        "reservations",
        "savings",
        "preemptions",
        "credits",
        "cash",
    ):
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


@pytest.mark.parametrize("bound", ["from_at", "to_at"])
def test_a_reconciliation_has_no_span(marts: duckdb.DuckDBPyConnection, bound: str) -> None:
    """The vendor sums up from the beginning to one instant: another span would compare what is not the same."""
    with pytest.raises(UsageError, match="neither --from nor --to"):
        report(marts, "reconciliation", **{bound: datetime(2026, 3, 1, tzinfo=UTC)})


def test_marts_of_another_release_are_a_warehouse_error(marts: duckdb.DuckDBPyConnection) -> None:
    """A column that is not there is said in one sentence, with the way out."""
    marts.execute("alter table marts.fct_instance_hours drop column gpu_us")
    with pytest.raises(WarehouseError, match="build --full"):
        report(marts, "usage")


def test_data_tests_that_failed_are_said_under_every_report(marts: duckdb.DuckDBPyConnection) -> None:
    """Those of the newest build, and none of an older one."""
    marts.execute("create schema staging")
    marts.execute("create table staging.builds (number bigint, finished_at timestamp, failed varchar)")
    marts.execute("insert into staging.builds values (1, '2026-04-01', 'data tests failed: a (3 rows)')")
    for name in REPORT_NAMES:
        assert report(marts, name).warnings[0] == "Of the last build data tests failed: a (3 rows)."
    marts.execute("insert into staging.builds values (2, '2026-04-01', null)")
    assert not any("data tests" in warning for warning in report(marts, "cost").warnings)


def test_a_time_before_the_data_is_no_silent_zero(marts: duckdb.DuckDBPyConnection) -> None:
    """A span that ends before the first hour of which anything is known."""
    [(first,)] = marts.execute("select min(hour_at) from marts.fct_instance_hours").fetchall()
    first = first.replace(tzinfo=UTC)
    words = "nothing is known of the time before"
    assert words in report(marts, "cost", to_at=first).warnings[-1]
    assert not any(words in each for each in report(marts, "cost", to_at=first + timedelta(hours=1)).warnings)


def test_marts_of_a_build_that_did_not_end_are_refused(marts: duckdb.DuckDBPyConnection) -> None:
    """The last build noted beside the marts counts, and only it; builds of other marts say nothing of these."""
    for schema in ("staging", "spring_staging"):
        marts.execute(f"create schema {schema}")
        columns = "number bigint, started_at timestamp, finished_at timestamp, as_of varchar"
        marts.execute(f"create table {schema}.builds ({columns})")
    marts.execute("insert into spring_staging.builds values (1, '2026-04-01', null, null)")
    assert report(marts, "usage").rows
    marts.execute(
        "insert into staging.builds values (9, '2026-04-01', '2026-04-01', null), (8, '2026-04-02', null, null)"
    )
    assert report(marts, "usage").rows
    marts.execute("insert into staging.builds values (10, '2026-03-01', null, null)")
    with pytest.raises(WarehouseError, match="`mithril-elt build` makes them anew") as refused:
        report(marts, "usage")
    assert refused.value.exit_status == 9
    marts.execute("insert into staging.builds values (11, '2026-03-01', '2026-03-01', null)")
    fill(marts, small_account(), schema="spring_marts")
    assert report(marts, "usage").rows
    with pytest.raises(WarehouseError, match="'spring_marts'"):
        report(marts, "usage", marts_schema="spring_marts")


def test_a_report_from_a_file_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Reading writes nothing: the file is the same, byte for byte, and is closed afterwards."""
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "marts.duckdb"  # a name that is also the schema's
    made = duckdb.connect(str(path))
    fill(made, small_account())
    made.close()
    before = path.read_bytes()
    assert only(report(path, "cost"))["net_cost_usd"] == "134.005000000000"
    assert path.read_bytes() == before
    assert list(folder.iterdir()) == [path]
    duckdb.connect(str(path)).close()
