"""Days and months of another zone: what the models cut, reports, dates, the dashboard and budgets mean by a day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import mithril_elt
from commands import Cli
from dashboard_pages import Browser
from loading import load_sandbox
from mithril_elt.dashboard.periods import periods
from mithril_elt.dashboard.state import State
from mithril_elt.dbt_project import fingerprint
from mithril_elt.errors import UsageError
from mithril_elt.exploring.choices import Controls
from mithril_elt.instants import midnight, parse_end
from mithril_elt.reports import report
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import serve
from mithril_elt.settings import find_timezone
from sql_project import compiled

BERLIN = "Europe/Berlin"  # one hour ahead until 29 March 2026, 01:00 UTC, then two


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account of the last days of March, whose days are Berlin's."""
    path = tmp_path_factory.mktemp("berlin") / "a.duckdb"
    with serve(make_account(7, 14, 9)) as sandbox:
        load_sandbox(sandbox, path)
    with duckdb.connect(str(path)) as connection:
        compiled(path.parent, report_timezone=BERLIN).build(connection)
    return path


def net(db: Path, **asked: Any) -> Decimal:
    """The net cost of a span."""
    found = report(db, "cost", **asked)
    return Decimal(str(found.total[found.columns.index("net_cost_usd")]))


def test_a_date_begins_where_the_days_are_cut(db: Path) -> None:
    """Each day by its date is the row that `--by day` has of it; one of them has 23 hours."""
    days = report(db, "cost", by=["day"])
    place = days.columns.index("net_cost_usd")
    assert (days.timezone, days.head["timezone"]) == (BERLIN, BERLIN)
    for row in days.rows:
        day = date.fromisoformat(str(row[0]))
        one = report(db, "cost", from_at=day, to_at=day + timedelta(days=1))
        assert (one.from_at, one.total[place - 1]) == (midnight(day, BERLIN), row[place])
    hours = report(db, "usage", by=["hour"], from_at=date(2026, 3, 29), to_at=date(2026, 3, 30))
    assert [hours.rows[0][0], hours.rows[-1][0]] == ["2026-03-28T23:00:00Z", "2026-03-29T21:00:00Z"]
    assert hours.row_count == 23


def test_commands_say_whose_days_they_are(db: Path, cli: Cli) -> None:
    """A table and JSON name the zone; dates of a command are days of it, instants stay what they are."""
    asked = ("report", "cost", "--db", db, "--by", "day", "--from", "2026-03-28")
    assert "Days and months are those of Europe/Berlin." in cli(*asked).out
    told = json.loads(cli(*asked, "--json").out)
    assert (told["timezone"], told["from"], told["rows"][0]["day"]) == (BERLIN, "2026-03-27T23:00:00Z", "2026-03-28")
    told = json.loads(cli("report", "cost", "--db", db, "--from", "2026-03-28T00:00:00Z", "--json").out)
    assert told["from"] == "2026-03-28T00:00:00Z"


def test_other_readers_mean_the_same_day(db: Path) -> None:
    """DataFrames, the notebooks' controls, the dashboard."""
    day = date(2026, 3, 28)
    with mithril_elt.open(db) as mithril:
        assert mithril.timezone == BERLIN
        frame = mithril.cost(from_=day, to=day + timedelta(days=1))
        assert Decimal(frame["net_cost_usd"][0]) == net(db, from_at=day, to_at=day + timedelta(days=1))
        controls = Controls(mithril)
        days = controls.days()
        assert (controls.day, days.value[1]) == (f"day ({BERLIN})", date(2026, 3, 31))  # as of 02:00 there
    page = Browser(db, clock=lambda: datetime(2026, 3, 31, tzinfo=UTC)).get("/?from=2026-03-28&to=2026-03-29").text
    assert f"from 2026-03-28 00:00 until 2026-03-29 00:00 {BERLIN}" in page


def test_a_month_of_the_dashboard_begins_at_local_midnight() -> None:
    """The newest month is the one of the last instant that is known, on the clock of the zone."""
    as_of = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # half past midnight of 1 April in Berlin
    at = periods(State(), as_of, BERLIN)
    assert (at.this.words, at.this.from_at) == ("April 2026", datetime(2026, 3, 31, 22, tzinfo=UTC))
    assert at.whole is not None
    assert (at.whole.words, at.whole.from_at) == ("March 2026", datetime(2026, 2, 28, 23, tzinfo=UTC))
    assert periods(State(), as_of).this.words == "March 2026"
    assert periods(State(month="2026-12"), datetime(2027, 1, 5, tzinfo=UTC)).this.to_at == datetime(
        2027, 1, 1, tzinfo=UTC
    )


def test_a_budget_is_of_a_month_there(db: Path, cli: Cli, tmp_path: Path) -> None:
    """What was spent in March is what the report has of its days there."""
    file = tmp_path / "budgets.csv"
    file.write_text("scope_kind,scope_id,month,amount_usd\nall,,2026-03,1000000\n")
    told = json.loads(cli("budget", "check", "--budgets", file, "--db", db, "--json").out)
    spent = net(db, from_at=date(2026, 3, 1), to_at=datetime(2026, 3, 31, tzinfo=UTC))
    assert Decimal(told["budgets"][0]["spent_usd"]) == spent


def test_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """UTC unless it is said; a name that no zone has is refused."""
    assert find_timezone() == "UTC"
    monkeypatch.setenv("MITHRIL_REPORT_TIMEZONE", BERLIN)
    assert find_timezone() == BERLIN
    for wrong in ("Berlin", "../etc/passwd", "Europe"):
        monkeypatch.setenv("MITHRIL_REPORT_TIMEZONE", wrong)
        with pytest.raises(UsageError, match="no time zone"):
            find_timezone()
    for uneven in ("Asia/Kolkata", "Australia/Lord_Howe"):  # the other half an hour ahead in summer alone
        monkeypatch.setenv("MITHRIL_REPORT_TIMEZONE", uneven)
        with pytest.raises(UsageError, match="within a UTC hour"):
            find_timezone()


def test_a_setting_that_the_marts_do_not_have_is_said(db: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days stay those of the build, and a report under another setting says so."""
    for said, is_told in ((BERLIN, False), ("Asia/Tokyo", True)):
        monkeypatch.setenv("MITHRIL_REPORT_TIMEZONE", said)
        told = json.loads(cli("report", "cost", "--db", db, "--json").out)
        words = f"Days are those of {BERLIN}, not of {said}: `mithril-elt build` cuts them anew."
        assert (words in told["warnings"], told["timezone"]) == (is_told, BERLIN)


def test_dates_and_instants() -> None:
    """A date is a date, all else an instant; a day at the end of all time has no beginning elsewhere."""
    assert parse_end(" 2026-03-01 ", option="--from") == date(2026, 3, 1)
    assert type(parse_end("2026-03-01T00:00:00Z", option="--from")) is datetime
    with pytest.raises(UsageError, match="outside"):
        midnight(date(1, 1, 1), BERLIN)


def test_another_zone_counts_all_anew(tmp_path: Path) -> None:
    """What a build of one zone kept is of no use for another."""
    assert fingerprint(tmp_path / "a.duckdb") != fingerprint(tmp_path / "a.duckdb", BERLIN)
