"""The command `accept`: what holds passes, and each thing that is broken on purpose is found."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from commands import Cli, Ended
from mithril_elt.acceptance import Accepted, Account, Wanted, accept, trial
from mithril_elt.limits import Pace
from mithril_elt.sandbox.account import StatusChange
from mithril_elt.sandbox.clock import microseconds, utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve

CANARY = "fkey_canary0123456789abcdef"
NEVER_FROM_OUTSIDE = {8, 13, 14, 15, 27, 28, 29}  # no account shows these, unless it is empty or fails by itself


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small account, served."""
    with serve(make_account(instances=14, days=8), key=CANARY) as served:
        yield served


@pytest.fixture
def cli(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs `accept` in this process; whatever it says, the key is not in it."""

    def run(sandbox: Sandbox, *arguments: str | Path) -> Ended:
        monkeypatch.setenv("MITHRIL_API_KEY", sandbox.key)
        monkeypatch.setenv("MITHRIL_API_URL", sandbox.url)
        said = cli("accept", *arguments)
        assert CANARY not in said.out + said.err
        return said

    return run


def numbers(accepted: Accepted, result: str) -> set[int]:
    """The points of which that came."""
    return {outcome.point.number for outcome in accepted.outcomes if outcome.result == result}


def tried(sandbox: Sandbox, folder: Path) -> Accepted:
    """What comes of trying the sandbox."""
    logging.getLogger("mithril_elt").handlers.clear()  # those of a command write to an output that is closed
    return accept(Account(sandbox.key, sandbox.url), folder, Wanted())


@pytest.mark.shows(3, 4, 5, 6, 16, 17, 24, 31, 32, 33)
def test_a_sandbox_passes_by_reads_alone(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """Nothing fails; only reads are sent, as many as it says; what it wrote is kept where it was told to."""
    kept = tmp_path / "kept"
    ended = cli(sandbox, "--json", "--keep", kept)
    assert ended.status == 0, ended.err + ended.out
    facts = json.loads(ended.out)
    assert [each["evidence"] for each in facts["points"] if each["outcome"] == "failed"] == []
    untold = {each["point"] for each in facts["points"] if each["outcome"] == "cannot tell"}
    assert untold <= NEVER_FROM_OUTSIDE | {20, 21, 30, 34}
    assert (facts["passed"], facts["failed"], len(facts["points"])) == (40 - len(untold), 0, 40)
    assert {each.method for each in sandbox.requests} == {"GET"}
    assert facts["requests"] == len(sandbox.requests)
    said = ended.err.split(" requests so far, about ")
    expected = int(said[0].split()[-1]) + int(said[1].split()[0])
    assert expected / 2 < facts["requests"] < 1.3 * expected
    assert (kept / "accept.duckdb").is_file()
    assert cli(sandbox, "--keep", kept).status == 2


@pytest.mark.long
@pytest.mark.shows(23, 30)
def test_an_api_that_reads_otherwise_passes_too(tmp_path: Path) -> None:
    """Histories by order, pages of events, rows on two pages: nothing fails, and what came twice is there once."""
    readings = Readings(project_alone="422", limit_counts="events", repeated_rows=True, order="reversed")
    with serve(make_account(instances=14, days=8), key=CANARY, readings=readings) as sandbox:
        accepted = tried(sandbox, tmp_path)
    assert numbers(accepted, "failed") == set()
    assert {16, 17, 19, 22, 23, 24, 30, 32, 40} <= numbers(accepted, "passed")


def test_what_the_account_changes_itself_is_no_failure(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event of a week ago that appears after the second run: the deep reading finds it, and nobody is to blame."""
    whole = trial.Trial.again

    def again(self: trial.Trial) -> None:
        whole(self)
        one = next(each for each in sandbox.account.instances if each.listed and len(each.changes) > 3)
        at_us = microseconds(self.sight.span.start + timedelta(hours=1))
        one.changes.insert(0, StatusChange(at_us, "STATUS_ERROR"))

    monkeypatch.setattr(trial.Trial, "again", again)
    monkeypatch.setattr(trial.Trial, "stages", lambda self: (self.again, self.deep))
    check_only(monkeypatch, {10, 12, 16, 19, 20, 21, 25, 37})
    accepted = tried(sandbox, tmp_path)
    assert numbers(accepted, "failed") == set()
    assert {10, 12, 16, 37} <= numbers(accepted, "passed")
    assert {19, 25} <= numbers(accepted, "cannot tell")
    assert "changed meanwhile" in accepted.outcomes[18].evidence


def test_each_thing_that_is_broken_is_found(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight things at once: their points fail, those that they draw along, and no other."""
    _lose_rows_in_small_pages(monkeypatch)  # 23
    _take_any_key(monkeypatch)  # 4
    monkeypatch.setattr(trial, "locked", lambda _: nullcontext())  # 31, and 37 by the row of the second run
    monkeypatch.setattr(trial, "recover", _recover_in_silence(trial.recover))  # 32
    monkeypatch.setattr(trial, "forecast", _writing(trial.forecast, tmp_path))  # 33, and 2 by what it writes
    monkeypatch.setattr(trial, "build", _building_wrong(trial.build))  # 39, 40
    monkeypatch.setattr("mithril_elt.acceptance.working._PER_SECOND", 1)  # 35
    monkeypatch.setattr(Pace, "wait", _without_waiting)
    accepted = tried(sandbox, tmp_path)
    assert numbers(accepted, "failed") == {2, 4, 23, 31, 32, 33, 35, 37, 39, 40}


_DOUBLED = "insert into raw.instance_status_events from (from raw.instance_status_events limit 3)"


@pytest.mark.parametrize(
    ("damage", "after_load", "points"),
    [
        (_DOUBLED, 1, {10, 12}),
        (_DOUBLED, 2, {12, 16}),
        ("delete from raw.instance_price_periods where rowid < 2", 2, {16}),
        ("update raw.instances set name = 'other' where rowid = 0", 2, {16}),
    ],
)
def test_a_load_that_changes_rows_is_found(  # noqa: PLR0917  # pytest passes all of them by name
    damage: str, after_load: int, points: set[int], sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are there twice, that are gone, that are not what they were: the account tells the same as before."""
    loads, whole = [0], trial.load

    def load(api: Any, db: Path, plan: Any) -> Any:
        result = whole(api, db, plan)
        loads[0] += 1
        if loads[0] == after_load:
            with duckdb.connect(str(db)) as connection:
                connection.execute(damage)
        return result

    monkeypatch.setattr(trial, "load", load)
    monkeypatch.setattr(trial.Trial, "stages", lambda self: (self.again,))
    monkeypatch.setattr(trial.Trial, "later", lambda _: None)
    check_only(monkeypatch, {10, 11, 12, 16, 33})
    assert points <= numbers(tried(sandbox, tmp_path), "failed")


def check_only(monkeypatch: pytest.MonkeyPatch, kept: set[int]) -> None:
    """Cuts the table of checks down to those points; the others are not asked."""
    from mithril_elt import acceptance  # noqa: PLC0415  # to change it
    from mithril_elt.acceptance.outcomes import cannot_tell  # noqa: PLC0415  # only here

    unasked = (lambda _: cannot_tell("not asked"), ())
    checks = tuple(each if n in kept else unasked for n, each in enumerate(acceptance._CHECKS, 1))
    monkeypatch.setattr(acceptance, "_CHECKS", checks)


def test_a_key_that_is_refused_ends_it_at_once(cli: Cli, sandbox: Sandbox) -> None:
    """The error's own status, one sentence, nothing on stdout."""
    ended = cli(replace(sandbox, key="fkey_wrong"))
    assert (ended.status, ended.out) == (3, "")
    assert ended.err.splitlines()[-1].startswith("Error: the key was refused")


def test_a_span_without_meaning_is_wrong_usage(cli: Cli, sandbox: Sandbox) -> None:
    """After the end of the trial, by the server's clock."""
    later = utc(sandbox.account.now_us) + timedelta(days=1)
    assert cli(sandbox, "--since", later.isoformat()).status == 2


def _lose_rows_in_small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose pages of less than a hundred instances lack their first row."""
    from mithril_elt.sandbox import history_routes  # noqa: PLC0415  # only to break it

    whole = history_routes.history_page

    def losing(*asked: Any, limit: int, **how: Any) -> Any:
        page = whole(*asked, limit=limit, **how)
        return page if limit == 100 else replace(page, rows=page.rows[1:])

    monkeypatch.setattr(history_routes, "history_page", losing)


def _take_any_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that hears no refusal of the key that nobody has."""
    monkeypatch.setattr("mithril_elt.acceptance.entry._ask_who", lambda _: None)


def _recover_in_silence(whole: Any) -> Any:
    def recover(db: Path) -> list[str]:
        whole(db)
        return []

    return recover


def _writing(whole: Any, folder: Path) -> Any:
    def forecast(*arguments: Any) -> Any:
        (folder / "plan.json").write_text(CANARY)
        return whole(*arguments)

    return forecast


def _building_wrong(whole: Any) -> Any:
    def build(db: Path) -> Any:
        result = whole(db)
        with duckdb.connect(str(db)) as connection:
            connection.execute(
                "update marts.fct_instance_hours set total_us = total_us + 1, spot_cost_cent_us = spot_cost_cent_us + 1"
                " where instance_hour_id = (select min(instance_hour_id) from marts.fct_instance_hours)"
            )
        return result

    return build


async def _without_waiting(_: Pace) -> float:
    return 0.0
