"""What a report looks like: tables that fit the screen, and JSON and CSV that lose nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pytest
from rich.cells import cell_len

from mithril_elt.errors import UsageError
from mithril_elt.reports import REPORT_NAMES, render, report
from mithril_elt.reports.catalog import REPORTS
from small_account import small_marts


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account's marts, anew for each test."""
    yield from small_marts()


def test_json_is_as_promised(marts: duckdb.DuckDBPyConnection) -> None:
    """The document has the promised keys; amounts are strings of twelve places, counts numbers, unknowns null."""
    to_at = datetime(2026, 4, 1, tzinfo=UTC)
    document = json.loads(render(report(marts, "cost", by=["instance"], to_at=to_at), "json"))
    assert list(document) == ["report", "as_of", "from", "to", "timezone", "warnings", "rows"]
    assert document["report"] == "cost"
    assert document["as_of"] == "2026-04-01T00:30:00Z"
    assert (document["from"], document["to"]) == (None, "2026-04-01T00:00:00Z")
    assert len(document["warnings"]) == 2
    assert document["rows"][0] == {
        "instance_id": None,
        "reservation_id": "res_1",
        "billed_hours": "0.000000000000",
        "unpriced_hours": "0.000000000000",
        "spot_cost_usd": "0.000000000000",
        "allocated_cost_usd": "72.000000000000",
        "pause_credit_usd": "0.000000000000",
        "net_cost_usd": "72.000000000000",
        "usd_per_gpu_hour": None,
        "instance_name": None,
        "reservation_name": "quarter",
    }
    assert json.loads(render(report(marts, "uptime"), "json"))["rows"][0]["interruptions"] == 3
    nothing = report(marts, "cost", by=["day"], from_at=to_at.replace(year=2027))
    assert json.loads(render(nothing, "json"))["rows"] == []


@pytest.mark.parametrize("name", [*REPORTS, "summary"])
def test_csv_has_the_same_cells_as_json(marts: duckdb.DuckDBPyConnection, name: str) -> None:
    """CSV is the rows of the JSON, with nothing where that has null."""
    answer = report(marts, name, by=() if name == "summary" else ["day", "user"])
    rows = json.loads(render(answer, "json"))["rows"]
    read = list(csv.DictReader(io.StringIO(render(answer, "csv"))))
    assert read == [{key: "" if cell is None else str(cell) for key, cell in row.items()} for row in rows]
    assert list(read[0]) == list(rows[0])


def test_files_have_the_names_of_ids_at_their_end(marts: duckdb.DuckDBPyConnection) -> None:
    """A column for each id that has names, also where none is known; an order is a bid or a reservation."""
    marts.execute("update marts.dim_instances set bid_name = '=nightly' where instance_id = 'inst_1'")
    answer = report(marts, "cost", by=["order", "instance-type", "user", "project"])
    read = list(csv.DictReader(io.StringIO(render(answer, "csv"))))
    assert list(read[0])[-3:] == ["order_name", "instance_type_name", "project_name"]
    names = {row["order_id"]: tuple(row.values())[-3:] for row in read}
    assert names == {
        "res_1": ("quarter", "h100.8x", "Vision"),
        "bid_1": ("'=nightly", "h100.8x", "Vision"),
        "bid_2": ("", "", "Vision"),
    }
    by_instance = json.loads(render(report(marts, "cost", by=["instance"]), "json"))["rows"]
    assert list(by_instance[0])[-2:] == ["instance_name", "reservation_name"]
    assert {(row["instance_id"], row["instance_name"], row["reservation_name"]) for row in by_instance} == {
        ("inst_1", "machine 1", None),
        ("inst_2", "machine 2", None),
        ("inst_3", "machine 3", "quarter"),
        (None, None, "quarter"),
    }
    assert "=nightly" in render(report(marts, "cost", by=["bid"]), "table")


@pytest.mark.parametrize("name", REPORT_NAMES)
@pytest.mark.parametrize("by", [(), ("region",), ("day",)])
def test_a_table_fits_eighty_columns(marts: duckdb.DuckDBPyConnection, name: str, by: tuple[str, ...]) -> None:
    """Where the ids leave room, no line is longer than the screen, and nothing is cut short."""
    answer = report(marts, name, by=by if name in REPORTS else ())
    assert max(map(cell_len, render(answer, "table", width=80).splitlines())) <= 80
    assert "…" not in render(answer, "table", width=80)


def test_a_table_shows_every_figure_once_however_narrow(marts: duckdb.DuckDBPyConnection) -> None:
    """What does not fit beside goes below: a narrow screen shows the same figures as a wide one."""
    answer = report(marts, "usage", by=["instance"])
    for width in (20, 60, 80, 300):
        table = render(answer, "table", width=width)
        for text in ("inst_1", "machine 1", "1.50", "1.75", "14.00", "–", "Total of 3", "22.00"):
            assert text in table, (width, text)
        assert table.count("GPU\n") + table.count("GPU ") >= 1
    assert render(answer, "table", width=300).count("machine 1") == 1
    assert render(answer, "table", width=60).count("machine 1") > 1


def test_a_table_reads_as_finance_expects(marts: duckdb.DuckDBPyConnection) -> None:
    """Dollars to the cent under their heading, figures to the right, the name beside the id, a total below."""
    assert render(report(marts, "cost", by=["order"]), "table", width=120).splitlines()[:11] == [
        "Cost by order, all time",
        "",
        "                     spot      spot   spot  allocated   pause     net       per",
        "                   billed  unpriced   cost       cost  credit    cost  GPU-hour",
        "order               hours     hours    USD        USD     USD     USD       USD",
        "───────────────────────────────────────────────────────────────────────────────",
        "quarter     res_1    0.00      0.00   0.00     120.00    7.50  112.50     14.06",
        "            bid_1    1.75      0.25  19.50       0.00    0.00   19.50      1.39",
        "            bid_2    1.00      0.00   2.00       0.00    0.00    2.00         –",
        "───────────────────────────────────────────────────────────────────────────────",
        "Total of 3           2.75      0.25  21.50     120.00    7.50  134.00      6.09",
    ]


def test_what_is_printed_is_rounded_half_even_to_the_cent(marts: duckdb.DuckDBPyConnection) -> None:
    """19.505 is 19.50 and 19.515 is 19.52; thousands are set apart; nothing is ever minus zero."""
    answer = report(marts, "cost")
    for cell, text in (("19.505", "19.50"), ("19.515", "19.52"), ("1234567.891", "1,234,567.89"), ("-0.004", " 0.00")):
        shown = replace(answer, total=(*answer.total[:5], Decimal(cell), answer.total[6]))
        [line] = [line for line in render(shown, "table").splitlines() if line.startswith("net cost")]
        assert f"{text} USD" in line


def test_unused_time_is_called_so(marts: duckdb.DuckDBPyConnection) -> None:
    """A reader sees what the row without an instance is, and of which reservation; a missing group has words."""
    table = render(report(marts, "cost", by=["instance"]), "table", width=120)
    assert "(unused) quarter  res_1" in table
    assert "reservation" not in table.splitlines()[4]
    assert "(no reservation)" in render(report(marts, "usage", by=["reservation"]), "table", width=120)


def test_zeros_are_left_out_and_said_to_be(marts: duckdb.DuckDBPyConnection) -> None:
    """Columns that are zero throughout go first where room is short; rows of zeros go, and are counted."""
    usage = render(report(marts, "usage", by=["instance"]), "table", width=100)
    assert "stopping" in usage
    assert "Zero in all rows: waiting, starting, stopping, unknown." in usage
    assert usage.count("stopping") == 1
    pauses = render(report(marts, "pause-credits", by=["instance"]), "table", width=100)
    assert "inst_2" not in pauses
    assert "2 rows of nothing but zeros are not shown." in pauses


def test_a_row_whose_cost_is_not_known_is_not_a_row_of_zeros(marts: duckdb.DuckDBPyConnection) -> None:
    """What is unknown is shown as such, and never taken for nothing."""
    marts.execute("update marts.fct_instance_hours set credited_us = 60, pause_credit_cent_us = null, paused_us = 0")
    table = render(report(marts, "cost", by=["instance", "hour"]), "table", width=200)
    assert any("inst_3" in line and "00:00" in line and "–" in line for line in table.splitlines())


def test_every_table_says_up_to_when_and_what_is_missing(marts: duckdb.DuckDBPyConnection) -> None:
    """Under the figures: the instant they are complete up to, that dollars are estimates, each warning."""
    answer = report(marts, "cost", by=["day"], from_at=datetime(2026, 3, 31, 22, tzinfo=UTC), limit=1)
    table = render(answer, "table", width=300)
    assert table.startswith("Cost by day, from 2026-03-31 22:00 UTC\n")
    assert "Complete up to 2026-04-01 00:30 UTC. Dollars are estimated" in table
    assert [line for line in table.splitlines() if line.startswith("Warning: ")] == [
        f"Warning: {warning}" for warning in answer.warnings
    ]
    assert "Dollars" not in render(report(marts, "usage"), "table")
    assert "Nothing to report." in render(report(marts, "usage", by=["day"], from_at=_LATER), "table")


_LATER = datetime(2027, 1, 1, tzinfo=UTC)


def test_the_summary_stands_side_by_side_where_there_is_room(marts: duckdb.DuckDBPyConnection) -> None:
    """At 80 columns two sections stand beside each other; on a narrow screen all are below each other."""
    wide = render(report(marts, "summary"), "table", width=80)
    assert any(line.startswith("Usage") and line.endswith("Cost") for line in wide.splitlines())
    narrow = render(report(marts, "summary"), "table", width=50)
    assert {"Usage", "Uptime", "Cost", "Pause credits", "Reservations"} <= set(narrow.splitlines())
    assert sorted(wide.split()) == sorted(narrow.split())


def test_markdown_is_a_table_that_names_cannot_break(marts: duckdb.DuckDBPyConnection) -> None:
    """Every line of the table has as many cells; signs that Markdown would take for its own are escaped."""
    marts.execute("update marts.dim_instances set instance_name = 'a|b*\n_c' where instance_id = 'inst_1'")
    text = render(report(marts, "cost", by=["instance"]), "markdown")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 6
    assert r"| a\|b\*\\n_c | inst_1 | 1.75 | 0.25 | 19.50 | 0.00 | 0.00 | 19.50 | 1.39 |" in lines
    assert lines[1] == "| :--- | :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    assert "| net_cost_usd | 134.00 | USD |" in render(report(marts, "summary"), "markdown").splitlines()


def test_a_name_cannot_speak_to_the_terminal(marts: duckdb.DuckDBPyConnection) -> None:
    """Control characters in names that others typed are not passed on, and wide letters stay aligned."""
    marts.execute(
        "update marts.dim_instances set instance_name = chr(27) || '[31mred' || chr(10) || 'x' where instance_id ="
        " 'inst_1'"
    )
    marts.execute("update marts.dim_instances set instance_name = '漢字' where instance_id = 'inst_2'")
    table = render(report(marts, "cost", by=["instance"]), "table", width=200)
    assert "\x1b" not in table
    rows = [line for line in table.splitlines() if "inst_" in line]
    assert len(rows) == 3
    assert len({cell_len(line[: line.index("inst_")]) for line in rows}) == 1


def test_bold_is_asked_for(marts: duckdb.DuckDBPyConnection) -> None:
    """A terminal gets bold headings; the words are the same without."""
    answer = report(marts, "cost", by=["day"])
    bold = render(answer, "table", bold=True)
    assert "\x1b[1m" in bold
    assert bold.replace("\x1b[1m", "").replace("\x1b[0m", "") == render(answer, "table")


def test_another_format_is_refused(marts: duckdb.DuckDBPyConnection) -> None:
    """The refusal lists those there are."""
    with pytest.raises(UsageError, match="table, json, csv, markdown"):
        render(report(marts, "usage"), "xml")
