"""Pausing what stands idle: what is sent and what is noted, and that a refusal of one leaves the others as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from acting_api import DATE, Server
from acting_by_hand import made, samples, used
from commands import Cli, Ended, assert_one_sentence
from loading import query
from marts_by_hand import HOUR_US
from scripted import KEY, Answer, Scripted, scripted

BOTH = ("inst_broken", "inst_idle")


@pytest.fixture
def server() -> Server:
    """The API, where all goes well unless a test says otherwise."""
    return Server()


@pytest.fixture
def served(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """It, served, its key and address in the environment."""
    with scripted(server) as running:
        monkeypatch.setenv("MITHRIL_API_KEY", KEY)
        monkeypatch.setenv("MITHRIL_API_URL", running.url)
        monkeypatch.setattr("mithril_elt.cli.opportunities._PATIENCE", {"attempts": 3, "timeout_s": 2, "budget_s": 20})
        monkeypatch.setattr("mithril_elt.acting.pausing._UNCLEAR_S", 0.1)
        yield running


@pytest.fixture
def act(cli: Cli, tmp_path: Path) -> Callable[..., Ended]:
    """Runs the command on the idle account, with a table by which `idle` is idle and `busy` is not."""
    db = made(tmp_path / "a.duckdb")
    table = used(tmp_path / "use.csv", [*samples("idle", -3, 0, 0), *samples("busy", -3, 0, 90)])

    def run(*options: str, **_: Any) -> Ended:
        return cli("opportunities", "--db", db, "--utilisation", table, "--for", "8h", "--wait", "1m", *options)

    return run


def patches(served: Scripted) -> list[list[str]]:
    """The instances of each PATCH that was sent."""
    return [json.loads(each.body)["instances"] for each in served.asked if each.method == "PATCH"]


def journal(tmp_path: Path, columns: str = "entry, instance_id, outcome") -> list[tuple[Any, ...]]:
    """What is noted, in its order."""
    return query(tmp_path / "a.duckdb", f"select {columns} from ops.actions order by number")


def test_a_list_asks_nothing_and_writes_nothing(act: Callable[..., Ended], served: Scripted, tmp_path: Path) -> None:
    """What would be paused with the dollars expected, what is left alone and why; the file stays as it is."""
    before = (tmp_path / "a.duckdb").read_bytes()
    ended = act()
    assert ended.status == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == "2 to pause, 80.00 USD of credit if they stay paused:"
    assert lines[2] == (
        "  inst_idle idle: running, GPUs out of use since 2026-03-31T09:00:00Z; 5.00 USD an hour, 40.00 USD in 8.00 h"
    )
    assert (
        "  left alone: inst_busy busy: its GPUs are in use, or were within the time that they have to be idle" in lines
    )
    assert served.asked == []
    assert (tmp_path / "a.duckdb").read_bytes() == before


def test_facts_are_exact(act: Callable[..., Ended]) -> None:
    """With the report's row that each comes from."""
    told = json.loads(act("--json").out)
    assert (told["as_of"], told["at"], told["warnings"]) == ("2026-03-31T12:00:00Z", "2026-03-31T12:00:00Z", [])
    assert told["candidates"][0] == {
        "instance_id": "inst_broken",
        "instance_name": "broken",
        "project_id": "proj_a",
        "reservation_id": "res_1",
        "status": "ERROR",
        "opportunity": "pause_when_idle",
        "idle_since": "2026-03-31T04:00:00Z",
        "pause_usd_per_hour": "5.000000000000",
        "planned_hours": "8.000000000000",
        "expected_usd": "40.000000000000",
        "missed_hours": "8.000000000000",
        "missed_usd": "40.000000000000",
        "refusal": None,
        "reason": None,
    }


def test_a_dry_run_prints_the_requests_without_the_key(act: Callable[..., Ended], served: Scripted) -> None:
    """To the byte, in batches; with --apply as well, and nothing is sent."""
    ended = act("--apply", "--dry-run", "--batch", "1")
    assert ended.status == 0, ended.err
    for fid in BOTH:
        assert (
            f"PATCH {served.url}/v2/instances\n"
            "Authorization: Bearer fkey_…\n"
            "Content-Type: application/json\n"
            f'{{"instances":["{fid}"],"status":"STATUS_PAUSED"}}\n'
        ) in ended.out
    facts = act("--dry-run", "--json")
    assert json.loads(facts.out)["requests"][0]["body"] == {"instances": list(BOTH), "status": "STATUS_PAUSED"}
    assert served.asked == []
    assert KEY not in ended.out + ended.err + facts.out


def test_it_asks_first(act: Callable[..., Ended], served: Scripted) -> None:
    """With nobody there to say yes nothing is asked."""
    assert_one_sentence(act("--apply"), 2, "--yes")
    assert served.asked == []


def test_all_is_paused_in_batches_and_noted(act: Callable[..., Ended], served: Scripted, tmp_path: Path) -> None:
    """One request for both; of each what it was and is; three entries of each, the first before the request left."""
    ended = act("--apply", "--yes")
    assert ended.status == 0, ended.err
    assert "inst_idle paused, was RUNNING, is PAUSED" in ended.out
    assert patches(served) == [list(BOTH)]
    assert journal(tmp_path) == [
        *(("asked", fid, None) for fid in BOTH),
        *(("answered", fid, "underway") for fid in BOTH),
        *(("ended", fid, "paused") for fid in BOTH),
    ]
    report_row = "opportunity, idle_us, pause_credit_cents, planned_us, expected_cent_us, server_at, request"
    [row] = {row for row in journal(tmp_path, report_row) if row[0] == "pause_when_unused"}
    assert row[:5] == ("pause_when_unused", 173 * HOUR_US // 60, 500, 8 * HOUR_US, 500 * 8 * HOUR_US)
    assert row[5].isoformat() == "2026-03-31T12:00:00"
    assert row[6] == 'PATCH /v2/instances {"instances":["inst_broken","inst_idle"],"status":"STATUS_PAUSED"}'
    assert KEY not in str(journal(tmp_path, "*"))


def test_the_entry_is_there_before_the_request_leaves(
    act: Callable[..., Ended], server: Server, served: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that looks into the journal while it answers finds what it was asked."""
    seen: list[Any] = []

    def look(fids: list[str]) -> Answer:
        seen.extend(journal(tmp_path))
        return Server.patched(server, fids)

    monkeypatch.setattr(server, "patched", look)
    assert act("--apply", "--yes").status == 0
    assert seen == [("asked", fid, None) for fid in BOTH]
    assert served.asked


@pytest.mark.parametrize(
    ("refusal", "ends_with"),
    [
        (Answer(409, {"detail": "not now"}, DATE), (2, "refused")),
        (Answer(501, {"detail": "spot"}, DATE), (2, "refused")),
        (Answer(404, {"detail": "gone"}, DATE), (4, "not_found")),
        (Answer(422, {"detail": "what?"}, DATE), (2, "refused")),
    ],
)
@pytest.mark.usefixtures("served")
def test_a_refusal_is_told_of_one_and_the_rest_goes_on(
    act: Callable[..., Ended], server: Server, tmp_path: Path, refusal: Answer, ends_with: tuple[int, str]
) -> None:
    """What is refused for a batch is asked of each alone, once; the status says what became of the others."""
    status, outcome = ends_with
    server.refusals["inst_broken"] = refusal
    ended = act("--apply", "--yes", "--json")
    assert ended.status == status, ended
    told = {each["instance_id"]: each for each in json.loads(ended.out)["actions"]}
    assert (told["inst_broken"]["outcome"], told["inst_broken"]["http_status"]) == (
        outcome,
        None if outcome == "not_found" else refusal.status,
    )
    assert str(refusal.body["detail"]) in told["inst_broken"]["detail"]
    assert told["inst_idle"]["outcome"] == "paused"
    assert server.asked == [list(BOTH), ["inst_broken"], ["inst_idle"]]
    assert [row for row in journal(tmp_path) if row[0] == "ended"] == [
        ("ended", "inst_broken", outcome),
        ("ended", "inst_idle", "paused"),
    ]


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(429, {"detail": "slower"}, {"Retry-After": "1", **DATE}),
        Answer(500, {"detail": "oops"}, DATE),
        Answer(503, {"detail": "later"}, DATE),
        Answer(how="stall", body={}),
        Answer(how="reset", body={}),
        Answer(body=b"<html>", headers={"Content-Type": "text/html", **DATE}),
    ],
)
@pytest.mark.parametrize("takes_up", [False, True])
def test_what_is_not_clear_is_never_sent_again(
    act: Callable[..., Ended], server: Server, served: Scripted, refusal: Answer, *, takes_up: bool
) -> None:
    """Whether it was taken up the status says, and not the lost answer; the other batch goes on."""
    server.refusals["inst_broken"] = refusal
    server.takes_up = takes_up and refusal.how != "whole"
    ended = act("--apply", "--yes", "--json", "--batch", "1")
    told = {each["instance_id"]: each for each in json.loads(ended.out)["actions"]}
    assert told["inst_broken"]["outcome"] == ("paused" if server.takes_up else "failed")
    assert told["inst_idle"]["outcome"] == "paused"
    assert ended.status == (0 if server.takes_up else 5), ended.err
    assert patches(served) == [["inst_broken"], ["inst_idle"]]


def test_a_key_without_the_right_stops_it(act: Callable[..., Ended], server: Server, served: Scripted) -> None:
    """Every other request would be refused as well: exit status 3, and none is sent."""
    server.refusals["inst_broken"] = Answer(403, {"detail": "read-only key"}, DATE)
    ended = act("--apply", "--yes", "--batch", "1")
    assert (ended.status, patches(served)) == (3, [["inst_broken"]])
    assert "read-only key" in ended.err


def test_what_has_changed_since_the_figures_is_not_asked(
    act: Callable[..., Ended], server: Server, served: Scripted, tmp_path: Path
) -> None:
    """One that was started meanwhile is somebody's; it is noted, and the exit status says that it is not paused."""
    server.statuses["inst_broken"] = "STARTING"
    ended = act("--apply", "--yes")
    assert (ended.status, patches(served)) == (2, [["inst_idle"]])
    assert "inst_broken changed, was STARTING, is STARTING: it was ERROR by the figures: nothing was asked" in ended.out
    assert ("ended", "inst_broken", "changed") in journal(tmp_path)


def test_one_that_the_api_leaves_as_it_is(act: Callable[..., Ended], server: Server, served: Scripted) -> None:
    """The old status in a good answer means that it could not be."""
    server.refusals["inst_broken"] = Answer(body={"instances": {"inst_broken": "STATUS_ERROR"}}, headers=DATE)
    ended = act("--apply", "--yes", "--batch", "1")
    assert ended.status == 5
    assert "inst_broken left, was ERROR, is ERROR: the API left it as it was" in ended.out
    assert len(patches(served)) == 2


def test_waiting_is_bounded(act: Callable[..., Ended], server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that goes on stopping is told of as not paused yet."""
    stopping = {"instances": dict.fromkeys(BOTH, "STATUS_STOPPING")}

    def patched(fids: list[str]) -> Answer:
        server.statuses |= dict.fromkeys(fids, "STOPPING")
        return Answer(body=stopping, headers=DATE)

    monkeypatch.setattr(server, "patched", patched)
    with scripted(server) as running:
        monkeypatch.setenv("MITHRIL_API_KEY", KEY)
        monkeypatch.setenv("MITHRIL_API_URL", running.url)
        ended = act("--apply", "--yes", "--wait", "0m")
    assert ended.status == 5
    assert "inst_idle underway, was RUNNING, is STOPPING: it is not paused yet" in ended.out


@pytest.mark.parametrize(
    "options", [("--instance", "inst_spot"), ("--instance", "inst_busy"), ("--instance", "inst_x")]
)
def test_what_is_named_and_may_not_be_is_refused(
    act: Callable[..., Ended], served: Scripted, options: tuple[str, ...]
) -> None:
    """No request is sent, and the exit status is 2."""
    ended = act("--apply", "--yes", *options)
    assert (ended.status, patches(served)) == (2, [])
    assert "may not be paused" in ended.err


def test_old_figures_are_not_acted_on(act: Callable[..., Ended], served: Scripted, tmp_path: Path) -> None:
    """A day is the oldest that they may be, unless the user says otherwise."""
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("update marts.dim_projects set as_of = as_of - interval 25 hours")
    assert_one_sentence(act("--apply", "--yes"), 2, "too old to act on")
    assert act("--apply", "--yes", "--max-age", "26h").status == 0
    assert patches(served) == [list(BOTH)]


def test_what_cannot_be_noted_is_not_asked(
    act: Callable[..., Ended], served: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has the file: nothing is sent, exit status 9."""
    monkeypatch.setattr("mithril_elt.acting.journal._READER_S", 0)
    real = duckdb.connect

    def refuse(*arguments: Any, **options: Any) -> Any:
        if options.get("read_only") or not arguments:
            return real(*arguments, **options)
        raise duckdb.IOException("Could not set lock on file")

    monkeypatch.setattr("duckdb.connect", refuse)
    ended = act("--apply", "--yes")
    assert (ended.status, patches(served)) == (9, [])


def _pause(connection: duckdb.DuckDBPyConnection, begins: str, hours: int, *, is_open: bool, cents: int = 500) -> None:
    credit = cents * hours * HOUR_US
    connection.execute(
        "insert into marts.fct_pause_credits (instance_id, started_at, is_open, is_credited, paused_us,"
        " pause_credit_cent_us) values ('inst_idle', ?, ?, true, ?, ?)",
        [begins, is_open, hours * HOUR_US, credit],
    )


def test_the_journal_knows_what_was_earned_since(act: Callable[..., Ended], served: Scripted, tmp_path: Path) -> None:
    """The pause that began with the request, not the one before it nor one of a day later; foreseen beside earned."""
    nothing: Mapping[str, Any] = json.loads(act("--journal", "--json").out)
    assert nothing["actions"] == []
    assert act("--apply", "--yes").status == 0
    assert served.asked
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        _pause(connection, "2026-03-31 02:00:00", 3, is_open=False)
        _pause(connection, "2026-03-31 12:00:45", 6, is_open=True, cents=450)
        _pause(connection, "2026-04-01 12:00:45", 9, is_open=True)
    told = {each["instance_id"]: each for each in json.loads(act("--journal", "--json").out)["actions"]}
    idle = told["inst_idle"]
    assert (idle["asked_at"], idle["paused_at"]) == ("2026-03-31T12:00:00Z", "2026-03-31T12:00:45Z")
    assert (idle["expected_usd"], idle["forecast_usd"], idle["credit_usd"]) == (
        "40.000000000000",
        "30.000000000000",
        "27.000000000000",
    )
    assert (idle["outcome"], idle["is_over"], idle["opportunity"]) == ("paused", False, "pause_when_unused")
    assert (told["inst_broken"]["paused_at"], told["inst_broken"]["credit_usd"]) == (None, None)
    shown = act("--journal").out
    assert "paused 6.00 h so far from 2026-03-31T12:00:45Z, 27.00 USD of credit (30.00 foreseen for so long)" in shown
    assert "2 asked, 27.00 USD of credit earned since." in shown
