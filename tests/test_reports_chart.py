"""A report as bars: as long as their numbers are, in 80 signs, with nothing that is not known drawn as zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from rich.cells import cell_len

from commands import Cli, assert_one_sentence
from marts_by_hand import fill
from mithril_elt.errors import UsageError
from mithril_elt.reports import Report, as_chart, report
from mithril_elt.reports.catalog import REPORTS
from small_account import small_account, small_marts


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account's marts, anew for each test."""
    yield from small_marts()


def by_hand(marts: duckdb.DuckDBPyConnection, *amounts: str | None) -> Report:
    """The report of uptime by region with rows that have these hours down and no other figure."""
    found = report(marts, "uptime", by=["region"])
    nothing = [None] * (len(found.columns) - 3)
    cells = [None if amount is None else Decimal(amount) for amount in amounts]
    rows = [(f"r{at}", None, cell, *nothing) for at, cell in enumerate(cells)]
    assert found.columns[:3] == ("region", "up_hours", "down_hours")
    return replace(found, rows=tuple(rows), names={})


def bars(chart: str) -> list[str]:
    """The lines between the title and the total."""
    return chart.split("\n\n")[1].splitlines()


def test_bars_are_as_long_as_their_numbers(marts: duckdb.DuckDBPyConnection) -> None:
    """By hand, on 40 signs: less two for labels, six for numbers and four between, 28 are left for the greatest."""
    drawn = bars(as_chart(by_hand(marts, "100", "50", "12.5", "0", None, "-25", "0.01"), width=40))
    assert drawn == [
        "r0  100.00  " + "█" * 28,
        "r1   50.00  " + "█" * 14,
        "r2   12.50  " + "█" * 3 + "▌",
        "r3    0.00",
        "r4       –",
        "r5  -25.00  " + "░" * 7,
        "r6    0.01  ▏",
    ]


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [60, 80, 200])
def test_every_report_fits_the_screen(marts: duckdb.DuckDBPyConnection, name: str, width: int) -> None:
    """In 80 signs at most, by day and region; with the unit, up to when it is complete, and a line for each row."""
    found = report(marts, name, by=["day", "region"])
    chart = as_chart(found, width=width)
    assert max(map(cell_len, chart.splitlines())) <= min(width, 80)
    assert len(bars(chart)) == len(found.rows) > 0
    assert all(word in " ".join(chart.split()) for word in (f"Total of {found.row_count}", "UTC."))
    assert "\x1b" not in chart


def test_names_that_are_too_long_leave_room_for_bars(marts: duckdb.DuckDBPyConnection) -> None:
    """They are cut; wide signs count as two."""
    found = by_hand(marts, "1")
    for name in ("n" * 200, "名" * 200):
        named = replace(found, rows=((name, *found.rows[0][1:]),))
        (line,) = bars(as_chart(named, width=80))
        assert line.endswith("█" * 16)
        assert cell_len(line) <= 80


def test_what_has_no_bars_is_refused(cli: Cli, tmp_path: Path, marts: duckdb.DuckDBPyConnection) -> None:
    """One row, a report without such a figure, and a format for machines: status 2 and what to do."""
    db = tmp_path / "small.duckdb"
    with duckdb.connect(str(db)) as connection:
        fill(connection, small_account())
    assert_one_sentence(cli("report", "cost", "--chart", "--db", db), 2, "--by day")
    assert_one_sentence(cli("report", "summary", "--chart", "--db", db), 2, "summary", "cost")
    assert_one_sentence(cli("report", "cost", "--by", "day", "--chart", "--json", "--db", db), 2, "--chart", "json")
    good = cli("report", "cost", "--by", "day", "--chart", "--db", db)
    assert (good.status, good.out.splitlines()[0]) == (0, "Cost by day, all time: net cost, USD")
    with pytest.raises(UsageError, match="opportunities"):
        as_chart(report(marts, "opportunities"))
