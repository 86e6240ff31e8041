"""What pausing would have earned while GPUs were not used: stretches, restarts, rates and gaps, worked by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest

from acting_by_hand import at, idle_account, made, samples, used
from commands import Cli, assert_one_sentence
from marts_by_hand import HOUR_US, connection, fill
from mithril_elt.reports import UseTable, report
from mithril_elt.reports.low_use import UnusedLine, unused_lines
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.span import Span
from mithril_elt.reports.use import read_use
from small_account import records

MINUTE_US = HOUR_US // 60


@pytest.fixture
def marts() -> Iterator[Marts]:
    """The idle account's marts."""
    made_marts = connection()
    fill(made_marts, idle_account())
    yield Marts(made_marts, "marts")
    made_marts.close()


def lines(marts: Marts, file: Path, span: Span | None = None) -> tuple[list[UnusedLine], list[str]]:
    """The lines that a table makes."""
    return unused_lines(marts, read_use(marts, UseTable(str(file))), span or Span())


@pytest.mark.parametrize(
    ("minutes", "idle_us"),
    [(180, 173 * MINUTE_US), (67, 60 * MINUTE_US), (66, None)],
)
def test_a_stretch_counts_but_for_the_restart(marts: Marts, tmp_path: Path, minutes: int, idle_us: int | None) -> None:
    """Of three hours all but 7 minutes, at $5; of 67 minutes an hour; in 66 no pause of an hour would have had room."""
    file = used(tmp_path / "use.csv", samples("idle", -minutes / 60, 0, 0, every_minutes=1))
    found, _ = lines(marts, file)
    assert found == ([] if idle_us is None else [UnusedLine("res_1", "inst_idle", idle_us, 500 * idle_us)])


def test_up_time_alone_counts_inside_the_reservation(marts: Marts, tmp_path: Path) -> None:
    """broken was up until 8 hours ago, spot has no reservation, and a foreign one is of nothing."""
    rows = [*samples("broken", -10, 0, 0), *samples("spot", -10, 0, 0), *samples("foreign", -10, 0, 0)]
    found, _ = lines(marts, used(tmp_path / "use.csv", rows))
    assert found == [UnusedLine("res_1", "inst_broken", 113 * MINUTE_US, 500 * 113 * MINUTE_US)]


def test_what_has_ended_is_over(marts: Marts, tmp_path: Path) -> None:
    """An instance that was terminated an hour ago, and one of a reservation that ended just now, are no advice."""
    file = used(tmp_path / "use.csv", [*samples("ended", -10, -1, 0), *samples("idle", -3, 0, 0)])
    assert {line.instance_id: line.is_over for line in lines(marts, file)[0]} == {
        "inst_ended": True,
        "inst_idle": False,
    }
    marts.connection.execute("update marts.dim_reservations set ends_at = as_of")
    found, _ = lines(marts, file)
    assert [line.is_over for line in found] == [True, True]
    assert {line.advice for line in found} == {"It is over: nothing can be done about it any more."}


def test_spells_that_follow_each_other_are_one(marts: Marts, tmp_path: Path) -> None:
    """A notice in the middle does not part the time up: half an hour and 40 minutes make 63 minutes."""
    marts.connection.execute(
        "update marts.fct_status_spells set ended_at = ? where instance_id = 'inst_idle'", [at(-1)]
    )
    marts.connection.execute(
        "insert into marts.fct_status_spells (instance_id, status, is_up, started_at, ended_at, is_open)"
        " values ('inst_idle', 'PREEMPTING', true, ?, ?, true)",
        [at(-1), at(0)],
    )
    [line], _ = lines(marts, used(tmp_path / "use.csv", samples("idle", -1.5, -1 / 3, 0)))
    assert line.idle_us == 63 * MINUTE_US


def test_each_moment_earns_its_own_rate_and_an_unknown_one_nothing(marts: Marts, tmp_path: Path) -> None:
    """An hour at $4 and 53 minutes at $5; where no rate is known the time counts and the dollars are null."""
    marts.connection.execute(
        "update marts.fct_reservation_rates set from_at = ? where reservation_id = 'res_1'", [at(-1)]
    )
    marts.connection.execute(
        "insert into marts.fct_reservation_rates values ('res_1', 'proj_a', 'pause_credit', ?, ?, 400, false)",
        [at(-100), at(-1)],
    )
    rows = [*samples("idle", -2, 0, 0), *samples("unrated", -2, 0, 0)]
    found, _ = lines(marts, used(tmp_path / "use.csv", rows))
    assert found == [
        UnusedLine("res_1", "inst_idle", 113 * MINUTE_US, (400 * 60 + 500 * 53) * MINUTE_US),
        UnusedLine("res_unrated", "inst_unrated", 113 * MINUTE_US, None),
    ]


def test_spans_add_up(marts: Marts, tmp_path: Path) -> None:
    """Cut anywhere, also into pieces of under an hour, the parts make the whole."""
    file = used(tmp_path / "use.csv", samples("idle", -2.5, 0, 0))
    [whole], _ = lines(marts, file)
    middle = at(-1).replace(tzinfo=UTC)
    [early], _ = lines(marts, file, Span(None, middle))
    [late], _ = lines(marts, file, Span(middle, None))
    assert (early.idle_us, late.idle_us) == (90 * MINUTE_US, 53 * MINUTE_US)
    assert (early.at_stake_cent_us or 0) + (late.at_stake_cent_us or 0) == whole.at_stake_cent_us


def test_gaps_are_counted_and_never_idle(marts: Marts, tmp_path: Path) -> None:
    """Half an hour without a row parts two hours of low use from 40 minutes, which are too short."""
    rows = [*samples("idle", -190 / 60, -70 / 60, 0), *samples("idle", -40 / 60, 0, 0)]
    found, said = lines(marts, used(tmp_path / "use.csv", rows), Span(at(-4).replace(tzinfo=UTC), None))
    assert [line.idle_us for line in found] == [113 * MINUTE_US]
    assert said[0] == (
        "The utilisation has 1 gap of 0.50 h in all while 1 instance of reservations were up:"
        " not known, and not counted as idle."
    )
    # 50 minutes of idle before its first row; busy, unseen and three more are up for all four hours, young for two, and
    # the one that ended was for three.
    assert said[1] == "The utilisation tells nothing of 25.83 h in which 8 instances of reservations were up."


def test_lines_are_ranked_among_the_others_and_add_up(marts: Marts, tmp_path: Path) -> None:
    """$14.42 of 173 minutes stand after the $40 of the broken one, and the total has both."""
    file = used(tmp_path / "use.csv", samples("idle", -3, 0, 0))
    answer = report(marts, "opportunities", use=UseTable(str(file)))
    assert [(row["instance_id"], row["opportunity"], row["at_stake_usd"]) for row in records(answer)] == [
        ("inst_broken", "pause_when_idle", "40.000000000000"),
        ("inst_idle", "pause_when_unused", "14.416666666667"),
    ]
    assert records(answer)[1]["idle_cost_gross_usd"] is None
    amounts = [cell for cell in answer.total if isinstance(cell, Decimal)]
    assert [f"{amount:.2f}" for amount in (amounts[0], amounts[-2])] == ["10.88", "54.42"]
    assert any("tells nothing of" in warning for warning in answer.warnings)


def test_the_command_takes_a_table(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an option or from the environment; a report that has no use for one refuses the option alone."""
    db = made(tmp_path / "a.duckdb")
    file = used(tmp_path / "use.csv", samples("idle", -3, 0, 0))
    shown = cli("report", "opportunities", "--db", db, "--json", "--utilisation", file)
    assert [row["opportunity"] for row in json.loads(shown.out)["rows"]] == ["pause_when_idle", "pause_when_unused"]
    assert_one_sentence(cli("report", "usage", "--db", db, "--utilisation", file), 2, "takes no --utilisation")
    assert_one_sentence(
        cli("report", "opportunities", "--db", db, "--utilisation", "none.csv"),
        2,
        "timestamp, instance, gpu_utilisation",
    )
    monkeypatch.setenv("MITHRIL_UTILISATION", str(file))
    assert len(json.loads(cli("report", "opportunities", "--db", db, "--json").out)["rows"]) == 2
    assert cli("report", "usage", "--db", db).status == 0
