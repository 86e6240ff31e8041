"""Logs as JSON lines: each request, retry and window with where it belongs; and one object at the end of a run."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from between import between
from commands import Cli, Ended
from loading import query
from mithril_elt.api import Mithril, Walk
from mithril_elt.cli import run as run_commands
from mithril_elt.client import Client
from mithril_elt.errors import ApiError
from mithril_elt.instants import iso
from mithril_elt.limits import Limits
from mithril_elt.log_facts import known, known_facts
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.windows import Span
from sandbox_by_hand import NOW, account
from scripted import KEY, Answer, Asked, page, scripted

QUICK = {"backoff_s": 0.001, "attempts": 3}
REQUEST = {"at", "level", "event", "message", "method", "endpoint", "attempt", "duration_ms", "http_status", "bytes"}
OF_RUN = {"run_id", "outcome", "error", "exit_status", "stages_ms", "windows_planned", "windows_done", "rows"}
OF_RUN |= {"requests", "retries", "bytes", "warnings", "as_of", "started_at", "finished_at"}


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A small account by hand, read in windows of a day, with small limits."""
    planned = run_commands.load_plan
    day = timedelta(days=1)
    monkeypatch.setattr(run_commands, "load_plan", lambda *options: replace(planned(*options), window=day))
    monkeypatch.setattr("mithril_elt.client.Limits", partial(Limits, **QUICK))
    with serve(account()) as served:
        monkeypatch.setenv("MITHRIL_API_KEY", served.key)
        monkeypatch.setenv("MITHRIL_API_URL", served.url)
        yield served


def lines_of(ended: Ended) -> list[dict[str, Any]]:
    """Each line of the log; every one is an object with when, how grave, what it tells of and a sentence."""
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert all({"at", "level", "event", "message"} <= line.keys() for line in lines)
    return lines


def busy_histories(asked: Asked, _: Answer) -> Answer:
    """The API fails, and says what it calls the request."""
    return Answer(503, {"detail": "busy"}, {"X-Request-Id": f"req-{asked.query['project']}"})


def test_each_request_is_a_line_with_its_run_window_and_attempt(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """As many lines as requests; those of a history name the windows of the ledger, project by project."""
    db = tmp_path / "a.duckdb"
    with between(sandbox, spoil=busy_histories, strikes=2) as (server, _):
        ended = cli("extract", "--db", db, "--api-url", server.url, "--log-format", "json", "--debug", "--json")
    facts, lines = json.loads(ended.out), lines_of(ended)
    requests = [line for line in lines if line["event"] == "request"]
    assert all(line.keys() >= REQUEST for line in requests)
    assert len(requests) == facts["requests"] == len(server.asked)
    assert {line["run_id"] for line in requests} == {facts["run_id"]}
    histories = [line for line in requests if line["endpoint"].endswith("/history") and "window_from" in line]
    asked = {(line["project"], line["window_from"], line["window_to"]) for line in histories if line["attempt"] == 1}
    found = query(db, "select distinct project, from_at, to_at from raw.windows")
    assert asked >= {(project, f"{start.isoformat()}Z", f"{end.isoformat()}Z") for project, start, end in found}
    failed = [line for line in requests if line["level"] == "info"]
    assert [line["http_status"] for line in failed] == [503, 503]
    assert [line["attempt"] for line in failed] in ([1, 1], [1, 2])  # two questions, or one of them twice
    assert all(line["request_id"] == f"req-{line['project']}" and "busy" in line["error"] for line in failed)
    retries = [line for line in lines if line["event"] == "retry"]
    assert len(retries) == facts["retries"] == 2
    assert all({"endpoint", "attempt", "wait_ms", "error", "run_id", "window_from"} <= line.keys() for line in retries)


def test_each_window_that_is_done_is_a_line(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """Without `--debug` too, where no good request is told; those of the ledger, with how far the run is."""
    db = tmp_path / "a.duckdb"
    ended = cli("extract", "--db", db, "--log-format", "json", "--json")
    facts, lines = json.loads(ended.out), lines_of(ended)
    assert not [line for line in lines if line["event"] == "request"]
    windows = [line for line in lines if line["event"] == "window"]
    assert [line["windows_done"] for line in windows] == list(range(1, facts["windows_planned"] + 1))
    told = {(line["project"], line["window_from"], line["window_to"]) for line in windows}
    found = query(db, "select distinct project, from_at, to_at from raw.windows")
    assert told == {(project, f"{start.isoformat()}Z", f"{end.isoformat()}Z") for project, start, end in found}
    assert all(line["run_id"] == facts["run_id"] and line["duration_ms"] > 0 for line in windows)
    assert len(lines) < 40
    assert sandbox.requests


@pytest.mark.shows(37)
def test_a_run_is_summed_up_in_one_object(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """On stdout and in the log: run id, stages, windows, rows, requests, retries, bytes, warnings."""
    assert sandbox.url
    ended = cli("run", "--db", tmp_path / "a.duckdb", "--log-format", "json", "--json")
    [line] = ended.out.splitlines()
    facts = json.loads(line)
    assert facts.keys() >= OF_RUN | {"build"}
    assert (facts["outcome"], facts["error"], facts["exit_status"]) == ("done", None, 0)
    assert list(facts["stages_ms"]) == ["extract", "build"]
    assert all(took > 0 for took in facts["stages_ms"].values())
    [last] = [line for line in lines_of(ended) if line["event"] == "run"]
    assert {name: last[name] for name in facts} == facts
    [building] = [line for line in lines_of(ended) if line["message"].startswith("building")]
    assert building["run_id"] == facts["run_id"]


def test_a_run_that_fails_is_summed_up_too(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """One object with the error, its exit status and what was done until then; the log ends with the error."""
    db = tmp_path / "a.duckdb"
    with between(sandbox, spoil=busy_histories, spare=4) as (server, _):
        ended = cli("run", "--db", db, "--api-url", server.url, "--log-format", "json", "--json")
    [line] = ended.out.splitlines()
    facts, last = json.loads(line), lines_of(ended)[-1]
    assert facts.keys() >= OF_RUN
    assert (ended.status, facts["outcome"], facts["exit_status"]) == (5, "failed", 5)
    assert "failed (503), 3 times (the API says: busy)" in facts["error"]
    assert facts["windows_done"] > 0
    assert facts["requests"] == len(server.asked)
    assert list(facts["stages_ms"]) == ["extract"]
    assert (last["event"], last["level"], last["exit_status"]) == ("error", "error", 5)
    assert last["message"] == last["error"] == facts["error"]
    assert query(db, "select run_id, outcome, error from raw.runs") == [(facts["run_id"], "failed", facts["error"])]


@pytest.mark.parametrize(
    ("options", "exit_status", "says"),
    [
        (("--project", "proj_unknown"), 4, "proj_unknown"),
        (("--since", "2999-01-01"), 2, "--since"),
        (("--since", "soon"), 2, "--since"),
    ],
)
def test_a_run_that_never_began_is_summed_up_too(  # noqa: PLR0917  # pytest passes all of them by name
    cli: Cli, sandbox: Sandbox, tmp_path: Path, options: tuple[str, ...], exit_status: int, says: str
) -> None:
    """Whoever reads the object need not read stderr: also where nothing was written yet."""
    assert sandbox.url
    ended = cli("run", "--db", tmp_path / "a.duckdb", *options, "--json")
    facts = json.loads(ended.out)
    assert (ended.status, facts["outcome"], facts["exit_status"]) == (exit_status, "failed", exit_status)
    assert says in facts["error"]
    assert ended.err == f"Error: {facts['error']}\n"
    assert not (tmp_path / "a.duckdb").exists()


def test_an_error_is_a_line_of_json_too(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """Of any command; where it came from is in it with `--debug` alone."""
    assert sandbox.url
    for extra in ((), ("--debug",)):
        ended = cli("instances", "status", "inst_unknown", "--log-format", "json", *extra)
        last = lines_of(ended)[-1]
        assert (ended.status, last["event"], last["exit_status"], ended.out) == (4, "error", 4, "")
        assert ("traceback" in last) == bool(extra)
    unknown = cli("report", "profit", "--log-format", "json", "--db", tmp_path / "a.duckdb")
    assert (unknown.status, lines_of(unknown)[-1]["exit_status"]) == (2, 2)


def test_the_text_stays_readable(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """A retry is one line, a request none; with `--debug` each request is a line, wherever the option stands."""
    with between(sandbox, spoil=busy_histories, strikes=2) as (server, _):
        plain = cli("extract", "--db", tmp_path / "a.duckdb", "--api-url", server.url)
    assert len([line for line in plain.err.splitlines() if line.startswith("trying again in ")]) == 2
    assert [line for line in plain.err.splitlines() if line.startswith("window ")]
    assert not [line for line in plain.err.splitlines() if line.startswith(("GET ", "{", "the run"))]
    for options in (("--debug",), ("--debug", "--log-format", "text"), ("--log-format", "text", "--debug")):
        shown = cli("plan", "--db", tmp_path / "a.duckdb", *options)
        assert [line for line in shown.err.splitlines() if line.startswith("GET /v2/me in ")], options


def _lines(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    facts = (getattr(record, "facts", {}) for record in caplog.records)
    return [each for each in facts if each.get("event") == event]


@pytest.mark.parametrize("name", ["X-Request-Id", "x-correlation-id", "Request-Id", "CF-RAY"])
def test_what_the_api_calls_a_request_is_told(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """By any of the usual headers, cut where it is absurdly long, and without the key."""
    answer = Answer(body={"fid": "user_1"}, headers={name: f"abc-{KEY}-" + "x" * 500})

    async def ask(url: str) -> None:
        async with Client(KEY, url) as client:
            await client.rows("me")

    with caplog.at_level(logging.DEBUG, "mithril_elt"), scripted(answer) as server:
        anyio.run(ask, server.url)
    [line] = _lines(caplog, "request")
    assert line["request_id"].startswith("abc-…-x")
    assert len(line["request_id"]) < 101
    assert KEY not in json.dumps(line)


def test_a_request_that_never_came_back_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Without a status, with what went wrong; each attempt once."""
    with caplog.at_level(logging.INFO, "mithril_elt"), scripted(Answer(how="reset", body={})) as server:
        with Mithril(KEY, server.url, limits=Limits(attempts=2, backoff_s=0)) as api, pytest.raises(ApiError):
            api.me()
        assert len(server.asked) == 2
    lines = _lines(caplog, "request")
    assert [(line["attempt"], "http_status" in line) for line in lines] == [(1, False), (2, False)]
    assert all("got no whole answer" in line["error"] for line in lines)


def test_facts_follow_a_walk_into_its_requests_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    """What was known where a stream was begun, and each walk's own project and span; side by side, none mixed up."""
    seen: dict[str, Any] = {}

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            facts = {**known_facts(), **getattr(record, "facts", {})}
            if facts.get("event") == "request":
                seen[facts["project"]] = (facts["run_id"], facts.get("window_from"))

    spans = {f"proj_{n}": Span(NOW + timedelta(days=n), NOW + timedelta(days=n + 1)) for n in range(9)}
    walks = [Walk("instances", {"project": project}, span=span) for project, span in spans.items()]
    noting = Noting()
    logging.getLogger("mithril_elt").addHandler(noting)
    try:
        with (
            caplog.at_level(logging.DEBUG, "mithril_elt"),
            scripted(replace(page([]), after_s=0.01)) as server,
            Mithril(KEY, server.url) as api,
            known(run_id="r1"),
        ):
            assert len(list(api.stream(walks))) == 9
            with known(run_id="r2", project="proj_x"):
                list(api.stream([Walk("instances", {"project": "proj_y"})]))
    finally:
        logging.getLogger("mithril_elt").removeHandler(noting)
    assert seen == {project: ("r1", iso(span.start)) for project, span in spans.items()} | {"proj_y": ("r2", None)}
    assert known_facts() == {}
