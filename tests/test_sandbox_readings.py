"""The readings themselves: what each may be, how they are named on the command line, and that help lists them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from click.testing import CliRunner

from mithril_elt.cli.sandbox import sandbox_command
from mithril_elt.errors import UsageError
from mithril_elt.sandbox import server
from mithril_elt.sandbox.lots import delay_us, lot, one_in
from mithril_elt.sandbox.readings import Readings, offered, parse_readings


def test_every_switch_by_its_name() -> None:
    """A value of each kind; what is not named is as usual."""
    settings = ["order=reversed", "repeated_rows=true", "late_hours=3", "leaves_list_hours=0", "times=-00:00"]
    assert parse_readings(settings) == Readings(
        order="reversed", repeated_rows=True, late_hours=3, leaves_list_hours=0, times="-00:00"
    )
    assert parse_readings([]) == Readings()
    assert parse_readings(["leaves_list_hours=never", "equal_times=false"]) == Readings()


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("odd=1", "there is no reading 'odd'"),
        ("order", "order has no value ''"),
        ("order=up", "order has no value 'up'"),
        ("repeated_rows=yes", "repeated_rows is true or false"),
        ("late_hours=-1", "late_hours is a whole number"),
        ("late_hours=never", "late_hours is a whole number"),
        ("default_limit=0", "default_limit has no value 0"),
        ("default_limit=101", "default_limit has no value 101"),
    ],
)
def test_what_there_is_not(setting: str, sentence: str) -> None:
    """An unknown name and a value that a switch does not have are each one sentence."""
    with pytest.raises(UsageError, match=sentence):
        parse_readings([setting])


def test_help_lists_every_reading_with_its_values() -> None:
    """The usual value first."""
    text = CliRunner().invoke(sandbox_command, ["--help"], terminal_width=200).output
    for each in fields(Readings):
        assert f"  {each.name}={offered()[each.name]}\n" in text
    assert "  end_bound=exclusive|inclusive\n" in text
    assert "  leaves_list_hours=never, or a number of hours\n" in text


def test_readings_on_the_command_line_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each `--reading` is a switch of the account that is served; a wrong one is an error before anything is made."""
    served: dict[str, Any] = {}
    monkeypatch.setattr(server, "run_forever", lambda *_, **options: served.update(options))
    command = ["--port", "0", "--instances", "12", "--days", "7"]
    asked = ["--reading", "order=shuffled", "--reading", "limit_counts=events"]
    sandbox_command.main([*command, *asked], standalone_mode=False)
    assert served["readings"] == Readings(order="shuffled", limit_counts="events")
    with pytest.raises(UsageError, match="no reading 'sort'"):
        sandbox_command.main([*command, "--reading", "sort=up"], standalone_mode=False)


def test_lots_are_fair_and_always_the_same() -> None:
    """One in so many is drawn, delays fill the time they may take, and a path has one lot."""
    assert lot("a", 1) == lot("a", 1) != lot("a", 2)
    assert 900 < sum(one_in(8, "x", number) for number in range(8_000)) < 1_100
    delays = [delay_us(1_000, number) for number in range(9_000)]
    assert 2_800 < sum(delay > 0 for delay in delays) < 3_200
    assert (min(filter(None, delays)), max(delays)) == (1, 1_000)
    assert {delay_us(0, number) for number in range(100)} == {0}
