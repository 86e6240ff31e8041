"""The report that has the vendor's own summaries beside our figures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pytest
from rich.cells import cell_len

from mithril_elt.reports import render, report
from small_account import small_marts

CAUSE = (
    "past_first_hour fits: only what is past the first hour of a pause is credited (3 pauses, 3.00 h less); or"
    " any_length fits: pauses of any length are credited (1 pause, 0.10 h more)"
)
COMPARED = f"""
    insert into marts.fct_reconciliation values
        ('res_1', '2026-04-01 00:20', 'committed_cost_usd', 1, 1152, 1152, 0, true, null),
        ('res_1', '2026-04-01 00:20', 'flex_use_credits_usd', 2, 7.5, 2.5, 5, false, '{CAUSE}'),
        ('res_1', '2026-04-01 00:20', 'net_cost_usd', 4, 1144.5, 1149.5, -5, false, 'follows from it'),
        ('res_0', '2026-03-31 20:00', 'flex_use_credits_usd', 2, null, 0, null, null, 'no pause rate is known'),
        ('res_0', '2026-03-31 20:00', 'active_instance_hours', 6, 1.0000000004, 1, 0.0000000004, true, null),
        ('res_0', '2026-03-31 20:00', 'idle_instance_hours', 7, 1.25, 1, 0.25, false, 'none of the known readings fits')
"""


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account's marts with what the vendor says of two reservations."""
    for made in small_marts():
        made.execute(COMPARED)
        yield made


def test_json_is_as_promised(marts: duckdb.DuckDBPyConnection) -> None:
    """Each field with ours, the vendor's and the difference as exact strings, whether they agree, and why not."""
    document = json.loads(render(report(marts, "reconciliation"), "json"))
    assert (document["report"], document["as_of"]) == ("reconciliation", "2026-04-01T00:30:00Z")
    assert (document["from"], document["to"]) == (None, None)
    assert document["rows"][1] == {
        "reservation_id": "res_1",
        "field": "flex_use_credits_usd",
        "ours": "7.500000000000",
        "vendors": "2.500000000000",
        "difference": "5.000000000000",
        "agrees": False,
        "likely_cause": CAUSE,
        "reservation_name": "quarter",
    }
    assert document["rows"][3] == {
        "reservation_id": "res_0",
        "field": "flex_use_credits_usd",
        "ours": None,
        "vendors": "0.000000000000",
        "difference": None,
        "agrees": None,
        "likely_cause": "no pause rate is known",
        "reservation_name": None,
    }


def test_what_differs_comes_first(marts: duckdb.DuckDBPyConnection) -> None:
    """Then what cannot be compared, then what agrees; in each, by reservation and in the vendor's order of fields."""
    answer = report(marts, "reconciliation", by=["reservation"])
    assert answer == report(marts, "reconciliation")
    assert [(row[0], row[1], row[5]) for row in answer.rows] == [
        ("res_0", "idle_instance_hours", False),
        ("res_1", "flex_use_credits_usd", False),
        ("res_1", "net_cost_usd", False),
        ("res_0", "flex_use_credits_usd", None),
        ("res_0", "active_instance_hours", True),
        ("res_1", "committed_cost_usd", True),
    ]
    assert report(marts, "reconciliation", limit=2).rows == answer.rows[:2]


def test_csv_has_the_same_cells(marts: duckdb.DuckDBPyConnection) -> None:
    """In CSV true and false are as in JSON, and nothing stands for null."""
    answer = report(marts, "reconciliation")
    read = list(csv.DictReader(io.StringIO(render(answer, "csv"))))
    rows = json.loads(render(answer, "json"))["rows"]
    assert [row["agrees"] for row in read] == ["false", "false", "false", "", "true", "true"]
    for told, row in zip(read, rows, strict=True):
        assert {k: v for k, v in told.items() if k != "agrees"} == {
            key: "" if cell is None else cell for key, cell in row.items() if key != "agrees"
        }


def test_a_table_tells_what_differs_and_why(marts: duckdb.DuckDBPyConnection) -> None:
    """A line a field under the name of its reservation, the cause below it, all inside eighty columns."""
    lines = render(report(marts, "reconciliation"), "table", width=80).splitlines()
    assert lines[0] == "Reconciliation by reservation"
    assert lines[2] == "2 of 6 fields agree, 3 differ, 1 cannot be compared."
    assert max(map(cell_len, lines)) <= 80
    body = lines[3 : next(number for number, line in enumerate(lines) if line.startswith("Complete"))]
    assert [line for line in body if line and not line.startswith(" ")] == [
        "Differs",
        "res_0",
        "quarter  res_1",
        "Cannot be compared",
        "res_0",
        "Agrees",
        "res_0",
        "quarter  res_1",
    ]
    told = [line.split() for line in lines]
    assert ["flex", "use", "credits,", "USD", "7.50", "2.50", "5.00"] in told
    assert ["net", "cost,", "USD", "1,144.50", "1,149.50", "-5.00"] in told
    assert ["flex", "use", "credits,", "USD", "–", "0.00", "–"] in told
    assert ["active", "instance", "hours", "1.000", "1.000", "0.000"] in told
    assert CAUSE in " ".join(line.strip() for line in lines)
    headings = next(line for line in lines if "vendor's" in line)
    figures = next(line for line in lines if "7.50" in line)
    assert headings.index("ours") + len("ours") == figures.index("7.50") + len("7.50")


def test_markdown_has_a_row_for_each_field(marts: duckdb.DuckDBPyConnection) -> None:
    """Words are to the left, figures to the right, and a cause cannot break the table."""
    marts.execute("update marts.fct_reconciliation set likely_cause = 'a|b' where field = 'idle_instance_hours'")
    lines = render(report(marts, "reconciliation"), "markdown").splitlines()
    assert "| :--- | :--- | :--- | ---: | ---: | ---: | :--- | :--- |" in lines
    assert "|  | res_0 | idle_instance_hours | 1.250 | 1.000 | 0.250 | no | a\\|b |" in lines
    assert "| quarter | res_1 | committed_cost_usd | 1,152.00 | 1,152.00 | 0.00 | yes |  |" in lines
    assert "|  | res_0 | flex_use_credits_usd | – | 0.00 | – | – | no pause rate is known |" in lines


def test_what_is_not_compared_and_of_when_it_is_are_said(marts: duckdb.DuckDBPyConnection) -> None:
    """A reservation without a summary is no silent agreement; instants of the vendor that are not as_of are told."""
    told = "The vendor's summaries are as of 2026-03-31T20:00:00Z to 2026-04-01T00:20:00Z"
    assert report(marts, "reconciliation").warnings == (f"{told}; what is beside them is as of the same instants.",)
    marts.execute(
        "insert into marts.dim_reservations (reservation_id, placed_at, as_of) values"
        " ('res_new', '2026-04-01 00:30', '2026-04-01 00:30'),"
        " ('res_newer', '2026-04-01 00:30:01', '2026-04-01 00:30'),"
        " ('res_1', '2026-03-01', '2026-04-01 00:30'), ('res_odd', null, '2026-04-01 00:30')"
    )
    missing, _ = report(marts, "reconciliation").warnings
    assert missing == "No summary of the vendor up to as_of is known of 1 reservation: not compared."
    marts.execute("update marts.fct_reconciliation set vendor_as_of = '2026-04-01 00:30'")
    assert report(marts, "reconciliation").warnings == (missing,)
    marts.execute("update marts.fct_reconciliation set vendor_as_of = '2026-04-01 00:20'")
    assert "as of 2026-04-01T00:20:00Z; what" in report(marts, "reconciliation").warnings[1]
    for name in ("cost", "reservations", "summary"):
        assert not any("vendor" in warning for warning in report(marts, name).warnings)


def test_nothing_to_compare_says_so() -> None:
    """Before the vendor has summed up anything there is nothing to report."""
    for made in small_marts():
        answer = report(made, "reconciliation")
        assert answer.rows == ()
        assert answer.as_of == datetime(2026, 4, 1, 0, 30, tzinfo=UTC)
        assert "Nothing to compare" in render(answer, "table")
