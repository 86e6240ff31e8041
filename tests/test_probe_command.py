"""The command `probe`: what it prints and keeps, how it ends, and that the key is nowhere in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from commands import Cli, Ended
from mithril_elt.findings import saved_findings, saved_readings
from mithril_elt.lock import work_folder
from mithril_elt.probe import MOST_REQUESTS
from mithril_elt.sandbox.account import Account
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from scripted import Answer, Asked, scripted

CANARY = "fkey_canary0123456789abcdef"
NAMES = [field.name for field in fields(Readings)]


@pytest.fixture
def cli(cli: Cli) -> Cli:
    """Runs `probe` in this process; whatever it says, the key is not in it."""

    def run(*arguments: str | Path) -> Ended:
        said = cli("probe", *arguments)
        assert CANARY not in said.out + said.err
        return said

    return run


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts the key and an address into the environment."""

    def tell(url: str) -> None:
        monkeypatch.setenv("MITHRIL_API_KEY", CANARY)
        monkeypatch.setenv("MITHRIL_API_URL", url)

    return tell


@pytest.fixture
def sandbox(known: Callable[[str], None]) -> Iterator[Sandbox]:
    """An account that refuses a project alone."""
    readings = Readings(project_alone="422", start_selects="in_force")
    with serve(make_account(instances=14, days=7), key=CANARY, readings=readings) as served:
        known(served.url)
        yield served


def assert_one_sentence(ended: Ended, status: int, *words: str) -> None:
    """That exit status, one line on stderr that has these words, no data."""
    assert ended.status == status, ended
    [line] = ended.err.splitlines()
    assert line.startswith("Error: ")
    assert all(word in line for word in words), line
    assert ended.out == ""


def test_json_is_one_object(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """Account, requests, and each reading with what was seen, why and the evidence; nothing is written."""
    ended = cli("--json", "--db", tmp_path / "m.duckdb")
    facts = json.loads(ended.out)
    assert set(facts) == {"account", "requests", "findings"}
    assert facts["account"] == sandbox.url
    assert facts["requests"] == len(sandbox.requests) <= MOST_REQUESTS
    assert [finding["reading"] for finding in facts["findings"]] == NAMES
    assert all(set(finding) == {"reading", "seen", "evidence", "why"} for finding in facts["findings"])
    first = facts["findings"][0]
    assert (first["seen"], first["evidence"]["status"]) == ("422", 422)
    assert first["evidence"]["request"].startswith("GET /v2/instances/status/history?project=proj_")
    assert list(tmp_path.glob("*.duckdb*")) == []
    assert not work_folder(tmp_path / "m.duckdb").exists()


def test_every_value_that_is_seen_has_evidence(cli: Cli, sandbox: Sandbox) -> None:
    """The request that was sent, and one or two rows of its answer, if it was answered with any."""
    findings = json.loads(cli("--json").out)["findings"]
    asked = {request.path for request in sandbox.requests}
    for finding in findings:
        if finding["seen"]:
            method, _, address = finding["evidence"]["request"].partition(" ")
            assert method == "GET"
            assert address.partition("?")[0] in asked
            assert len(finding["evidence"].get("rows", [])) <= 2


def test_the_table_has_a_line_of_evidence_each(cli: Cli, sandbox: Sandbox) -> None:
    """What a person reads: the reading, what was seen, why; below it what was asked and answered."""
    ended = cli()
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"{sandbox.url}, project proj_")
    [number] = [number for number, line in enumerate(lines) if line.startswith("start_selects ")]
    assert lines[number].split()[1] == "in_force"
    assert lines[number + 1].strip().startswith("GET /v2/instances/status/history?")
    assert "→ 200 {" in lines[number + 1]
    [late] = [line for line in lines if line.startswith("late_hours ")]
    assert "cannot tell" in late
    assert "`status`" in late
    assert ended.err == ""


def test_saved_findings_are_read_again(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """`--save` keeps all of them beside the database, which is not made; the key is not among them."""
    db = tmp_path / "m.duckdb"
    assert saved_readings(db) == {}
    ended = cli("--save", "--db", db)
    assert ended.status == 0
    assert "readings.json" in ended.err
    readings = saved_readings(db)
    assert readings["project_alone"] == "422"
    assert readings["start_selects"] == "in_force"
    assert "late_hours" not in readings
    kept = saved_findings(db)
    assert kept is not None
    assert (kept.account, kept.at) == (sandbox.url, "2026-03-31T00:00:00Z")
    assert [finding.reading for finding in kept.findings] == NAMES
    assert not db.exists()
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and CANARY in file.read_text()]


def test_an_answer_that_repeats_the_key(cli: Cli, known: Callable[[str], None], tmp_path: Path) -> None:
    """Wherever an API puts it, it is taken out of what is shown and kept: the fixture and this look for it."""

    def script(asked: Asked) -> Answer:
        if asked.path == "/v2/projects":
            return Answer(body=[{"fid": "proj_a", "name": CANARY, "created_at": None}])
        if asked.path == "/v2/instances":
            row = {"fid": f"inst_{CANARY}", "project": "proj_a", "status": CANARY, "created_at": None}
            return Answer(body={"data": [row], "next_cursor": CANARY, CANARY: CANARY})
        if "bid_fid" not in asked.query and "instance_fid" not in asked.query:
            return Answer(422, {"detail": f"what of {CANARY}?"})
        events = [{"timestamp": f"2026-03-0{day}T00:00:00Z", "status": CANARY} for day in range(1, 9)]
        return Answer(body={"instances": [{"instance_fid": CANARY, "events": events}], CANARY: None})

    with scripted(script) as served:
        known(served.url)
        assert cli("--debug").status in (0, 6)
        ended = cli("--json", "--save", "--db", tmp_path / "m.duckdb")
    assert ended.status in (0, 6)
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and CANARY in file.read_text()]


def empty_account() -> Account:
    """One project, and nothing in it."""
    account = make_account(instances=14, days=7)
    account.instances.clear()
    account.bids.clear()
    account.reservations.clear()
    return account


@pytest.mark.parametrize("alone", ["accepted", "400", "422"])
def test_an_account_without_instances(cli: Cli, known: Callable[[str], None], alone: Any) -> None:
    """It cannot tell, and says so for each; not even a refusal means anything yet."""
    with serve(empty_account(), key=CANARY, readings=Readings(project_alone=alone)) as served:
        known(served.url)
        ended = cli("--json")
    findings = json.loads(ended.out)["findings"]
    assert {each["reading"] for each in findings if each["seen"]} == {"last_cursor"}
    assert all(each["why"] for each in findings)


def test_a_key_that_sees_no_project(cli: Cli, known: Callable[[str], None]) -> None:
    """One request, no finding, no error."""
    with scripted(Answer(body=[])) as served:
        known(served.url)
        ended = cli("--json")
        assert "no project" in cli().out
    facts = json.loads(ended.out)
    assert facts["requests"] == 1
    assert [each["seen"] for each in facts["findings"]] == [None] * len(NAMES)


def test_an_account_with_too_little_history(cli: Cli, known: Callable[[str], None]) -> None:
    """One instance with one event: what hangs on two is not told."""
    account = empty_account()
    one = make_account(instances=14, days=7).instances[0]
    one.changes[1:] = []
    account.instances.append(one)
    with serve(account, key=CANARY) as served:
        known(served.url)
        seen = {each["reading"]: each["seen"] for each in json.loads(cli("--json").out)["findings"]}
    told = {name for name, value in seen.items() if value}
    assert told <= {"project_alone", "last_cursor", "fractions", "optional_keys"}


def test_exit_statuses(cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As everywhere: wrong usage, no key, a refused one, an unknown project, nobody there, a folder in the way."""
    assert_one_sentence(cli("--api-url", "nowhere"), 2, "address")
    assert_one_sentence(cli("--requests-per-second", "0"), 2, "--requests-per-second")
    assert_one_sentence(cli("--project", "proj_unknown"), 4, "proj_unknown")
    (tmp_path / "file").write_text("")
    ended = cli("--save", "--db", tmp_path / "file" / "m.duckdb")
    assert (ended.status, "cannot be written" in ended.err) == (9, True)
    monkeypatch.setenv("MITHRIL_API_KEY", "fkey_wrong")
    assert_one_sentence(cli(), 3, "401", "the API says")
    monkeypatch.delenv("MITHRIL_API_KEY")
    assert_one_sentence(cli(), 3, "MITHRIL_API_KEY")
    assert sandbox.requests


@pytest.mark.parametrize(
    ("answer", "status"),
    [(Answer(500, {"detail": "oh"}), 5), (Answer(body={"items": []}), 6), (Answer(403, {"detail": "no"}), 3)],
)
def test_exit_statuses_of_a_strange_api(cli: Cli, known: Callable[[str], None], answer: Answer, status: int) -> None:
    """It failed after its retries; it broke its contract; it refused."""
    with scripted(answer) as served:
        known(served.url)
        ended = cli("--json")
    assert ended.status == status
    assert ended.err.splitlines()[-1].startswith("Error: ")
    assert ended.out == ""


def test_a_project_by_name(cli: Cli, sandbox: Sandbox) -> None:
    """`--project` takes a fid or a name; only that project is asked about."""
    project = sandbox.account.projects[-1]
    facts = json.loads(cli("--json", "--project", project.name).out)
    assert facts["requests"] <= MOST_REQUESTS
    asked = [request.query for request in sandbox.requests if "project=" in request.query]
    assert asked
    assert all(f"project={project.fid}" in query for query in asked)


def test_help_has_an_example(cli: Cli) -> None:
    """As for every command."""
    shown = cli("--help")
    assert shown.status == 0
    assert "mithril-elt probe --save" in shown.out.split("Example")[1]
