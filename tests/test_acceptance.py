"""What comes of a point: rows compared, outcomes told, figures worked out in Python, and how the command shows it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from mithril_elt import acceptance
from mithril_elt.acceptance import Accepted, Outcome
from mithril_elt.acceptance.calculation import calculated
from mithril_elt.acceptance.outcomes import Found, cannot_tell, failed, passed
from mithril_elt.acceptance.points import POINTS
from mithril_elt.acceptance.rows import Difference, between, differences
from mithril_elt.acceptance.steps import same
from mithril_elt.cli import main
from mithril_elt.windows import Span

HOUR_US = 3_600_000_000


def at(hour: int) -> datetime:
    """That hour of a day, as a column has it."""
    return datetime(2026, 3, 1, hour)  # noqa: DTZ001  # as the column has it


def event(hour: int, status: str = "STATUS_RUNNING") -> tuple[Any, ...]:
    """A row of the status history, without the columns of its reading."""
    return ("proj_a", "inst_1", None, None, at(hour), status)


def events(*rows: tuple[Any, ...]) -> dict[str, Counter[tuple[Any, ...]]]:
    """The rows of one table."""
    return {"instance_status_events": Counter(rows)}


def test_a_row_that_is_there_twice_or_not_at_all_is_a_difference() -> None:
    """Whichever of the two readings has it; a table that only one has is not compared."""
    assert differences(events(event(1), event(2)), events(event(2), event(1))) == []
    assert len(differences(events(event(1), event(1)), events(event(1)))) == 1
    [gone] = differences(events(event(1)), {**events(event(1), event(2)), "projects": Counter()})
    assert (gone.table, gone.subject, "2026-03-01T02:00:00" in str(gone)) == ("instance_status_events", "inst_1", True)


def test_events_are_compared_up_to_an_instant_and_lists_as_they_are() -> None:
    """Start included, end not."""
    rows = {**events(event(1), event(2), event(3)), "projects": Counter([("proj_a", "a", None, None, "hash")])}
    kept = between(rows, at(1).replace(tzinfo=UTC), at(3).replace(tzinfo=UTC))
    assert kept == {**events(event(1), event(2)), "projects": rows["projects"]}


@pytest.mark.parametrize(
    ("differing", "moved", "result"),
    [(0, 0, "passed"), (2, 0, "failed"), (2, 1, "failed"), (2, 2, "cannot tell")],
)
def test_what_the_account_changed_itself_is_nobodys_fault(differing: int, moved: int, result: str) -> None:
    """Only if all that differs is what the account tells otherwise when it is asked again."""
    rows = [Difference("projects", f"proj_{n}", (f"proj_{n}",)) for n in range(differing)]
    trial: Any = SimpleNamespace(seen={"again": rows}, moved={("projects", f"proj_{n}") for n in range(moved)})
    outcome = same(trial, ("again",), "3 rows")
    assert outcome.result == result
    assert "3 rows" in outcome.evidence if result == "passed" else "2 rows" in outcome.evidence or moved == 1


def test_there_is_a_check_for_each_point_in_order() -> None:
    """As many as points; those that need no account say what only the tests of their own point have."""
    assert len(acceptance._CHECKS) == len(POINTS)
    for number, words in ((8, "earlier release"), (14, "by hand"), (28, "cursor"), (29, "shape")):
        check, _ = acceptance._CHECKS[number - 1]
        assert words in check(SimpleNamespace()).evidence  # type: ignore[arg-type]  # none is asked
    names = {number: acceptance._CHECKS[number - 1][0].__name__ for number in (1, 16, 23, 31, 35, 40)}
    assert names == {
        1: "settings", 16: "second_run", 23: "page_sizes", 31: "second_at_once", 35: "rate", 40: "calculation"
    }  # fmt: skip


def test_hours_and_cost_follow_from_rows_by_hand(tmp_path: Path) -> None:
    """90 minutes at 1,300 c and 30 at 1,301; an hour that has no price; what was withdrawn counts nothing."""
    db = tmp_path / "a.duckdb"
    with duckdb.connect(str(db)) as connection:
        connection.execute(
            """
            create schema raw;
            create table raw.instances as select 'inst_1' as fid, 'bid_1' as bid, null as reservation,
                timestamp '2026-03-01' as _dlt_valid_from;
            create table raw.instance_status_events as select 'inst_1' as instance_fid, 'bid_1' as bid_fid,
                timestamp '2026-03-01' + to_hours(h) as timestamp, s as status, w::timestamp as withdrawn_at
            from (values (0, 'STATUS_NEW', null), (1, 'STATUS_STARTING', null), (1, 'STATUS_RUNNING', null),
                (2, 'STATUS_ERROR', '2026-03-02'), (4, 'STATUS_TERMINATED', null)) as t(h, s, w);
            create table raw.instance_price_periods as select 'inst_1' as instance_fid, 'bid_1' as bid_fid,
                timestamp '2026-03-01' + to_minutes(a) as start_time,
                timestamp '2026-03-01' + to_minutes(b) as end_time, c as price_cents,
                timestamp '2026-03-02' as read_at, null::timestamp as withdrawn_at
            from (values (30, 150, 1300), (150, 180, 1301)) as t(a, b, c)
            """
        )
    figures = calculated(db, datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert figures.status_us == {("inst_1", "NEW"): HOUR_US, ("inst_1", "RUNNING"): 3 * HOUR_US}
    assert figures.cost_cent_us == {"inst_1": (1300 * 3 + 1301) * HOUR_US // 2}
    assert figures.unpriced_us == {"inst_1": HOUR_US}
    assert figures.differences(figures) == []
    assert len(figures.differences(calculated(db, datetime(2026, 3, 1, 3, tzinfo=UTC)))) == 2


def accepted(**found: Found) -> Accepted:
    """What came of a trial of March 1, by the name of the check."""
    checks = [check.__name__ for check, _ in acceptance._CHECKS]
    outcomes = tuple(Outcome(each.result, each.evidence, POINTS[checks.index(name)]) for name, each in found.items())
    span = Span(*(at(hour).replace(tzinfo=UTC) for hour in (0, 12)))
    return Accepted("https://api.example", ("proj_a",), span, 321, outcomes)


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_shows_each_outcome_with_its_evidence(
    as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a table or as facts; status 7 and one sentence if a point failed."""
    found = accepted(
        good_key=passed("it is accepted"), second_run=failed("2 rows differ"), price_closes=cannot_tell("none closed")
    )
    monkeypatch.setattr(acceptance, "accept", lambda *_, **__: found)
    monkeypatch.setenv("MITHRIL_API_KEY", "fkey_good")
    monkeypatch.setattr(sys, "argv", ["mithril-elt", "accept", *(["--json"] if as_json else [])])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 7
    assert said.err.splitlines()[-1] == "Error: 1 of 3 points failed: 16"
    if as_json:
        facts = json.loads(said.out)
        counts = [facts[name] for name in ("passed", "failed", "cannot_tell", "requests")]
        assert counts == [1, 1, 1, 321]
        assert facts["points"][1]["evidence"] == "2 rows differ"
    else:
        assert " 3  passed       A good key is accepted." in said.out
        assert "1 passed, 1 failed, 1 cannot tell; 321 requests." in said.out


def test_a_folder_to_keep_must_be_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong usage, and what is there stays."""
    (tmp_path / "mine").write_text("mine")
    monkeypatch.setenv("MITHRIL_API_KEY", "fkey_good")
    monkeypatch.setattr(sys, "argv", ["mithril-elt", "accept", "--keep", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, "not empty" in capsys.readouterr().err) == (2, True)
    assert (tmp_path / "mine").read_text() == "mine"
