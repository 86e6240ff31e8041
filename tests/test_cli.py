"""The command line: what is done, and what each kind of bad input gets: one sentence, its exit status, no traceback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import duckdb
import pytest

from commands import Cli, assert_one_sentence
from loading import load_sandbox, query, tables_in
from mithril_elt import dbt_project
from mithril_elt.lock import work_folder
from mithril_elt.sandbox.clock import Clock, utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve
from sandbox_by_hand import bare_account

CANARY = "fkey_canary0123456789abcdef"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A small account, its key and address in the environment."""
    account = make_account(instances=14, days=7)
    with serve(account, clock=Clock(utc(account.now_us), speed=2000), key=CANARY) as served:
        monkeypatch.setenv("MITHRIL_API_KEY", CANARY)
        monkeypatch.setenv("MITHRIL_API_URL", served.url)
        yield served


@pytest.mark.shows(34, 37)
def test_run_does_the_main_job_and_again(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """`run` loads, builds and tests; with `--json` it ends with one object of facts. A second run asks for less."""
    db = tmp_path / "m.duckdb"
    facts = json.loads(cli("run", "--db", db, "--json").out)
    assert facts["outcome"] == "done"
    assert facts["build"]["tests"] > 50
    again = json.loads(cli("extract", "--db", db, "--json").out)
    assert again["requests"] < facts["requests"] == len(sandbox.requests) - again["requests"]
    status = json.loads(cli("status", "--db", db, "--json").out)
    assert [run["outcome"] for run in status["runs"]] == ["done", "done"]
    assert {covered["history"] for covered in status["covered"]} == {"status", "pricing"}
    assert "windows" in cli("status", "--db", db).out
    assert cli("status", "--db", db, "--check", "--max-age", "9999w").status == 0


@pytest.mark.long
def test_a_pause_shows_in_the_next_report(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """`instances pause --wait`, two hours later `run` and its summary: the pause and its credit are in the report."""
    db = tmp_path / "m.duckdb"
    running = json.loads(cli("instances", "list", "--status", "running", "--json").out)["instances"]
    rates = {r.fid: r.terms[-1].pause_credit_cents for r in sandbox.account.reservations if r.listed}
    fid = next(each["fid"] for each in running if rates.get(each["reservation"]))
    paused = cli("instances", "pause", fid, "--wait", "--yes", "--json")
    assert json.loads(paused.out)["instances"] == [{"instance_id": fid, "was": "STATUS_RUNNING", "is": "STATUS_PAUSED"}]
    sandbox.clock.advance(timedelta(hours=2))
    ran = cli("run", "--db", db)
    assert ran.status == 0, ran.err
    assert "Loaded" in ran.out
    assert "data tests passed" in ran.out
    assert "window" in ran.err
    rows = json.loads(cli("report", "pause-credits", "--by", "instance", "--json", "--db", db).out)["rows"]
    [row] = [row for row in rows if row["instance_id"] == fid]
    assert float(row["credited_hours"]) >= 2
    assert float(row["pause_credit_usd"]) > 0
    started = cli("instances", "start", fid, "--wait", "--yes")
    assert started.out == f"{fid} was PAUSED, is RUNNING\n"


def test_pause_asks_first_and_dry_run_asks_nothing(cli: Cli, sandbox: Sandbox) -> None:
    """With nobody there to say yes it is refused; `--dry-run` sends no PATCH."""
    fid = next(i.fid for i in sandbox.account.instances if i.reservation and i.listed)
    assert_one_sentence(cli("instances", "pause", fid), 2, "--yes")
    dry = cli("instances", "pause", fid, "--dry-run")
    assert dry.status == 0
    assert "nothing was asked" in dry.out
    assert not [request for request in sandbox.requests if request.method == "PATCH"]


def test_pausing_a_spot_instance_is_refused_with_the_apis_words(cli: Cli, sandbox: Sandbox) -> None:
    """Only reserved instances can be paused: 501 and its message."""
    fid = next(i.fid for i in sandbox.account.instances if i.bid and i.listed)
    assert_one_sentence(cli("instances", "pause", fid, "--yes"), 2, "501", "the API says")


def test_an_unknown_instance(cli: Cli, sandbox: Sandbox) -> None:
    """404 becomes exit status 4."""
    assert sandbox.url
    assert_one_sentence(cli("instances", "status", "inst_unknown"), 4, "404")


def test_logs_as_json_lines(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """With `--log-format json` each line on stderr is an object; stdout has the facts alone."""
    assert sandbox.url
    ended = cli("extract", "--db", tmp_path / "m.duckdb", "--log-format", "json", "--json")
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert {"at", "level", "message"} <= lines[0].keys()
    assert any("windows_done" in line for line in lines)
    assert json.loads(ended.out)["outcome"] == "done"


@pytest.mark.long
@pytest.mark.shows(2)
def test_the_key_appears_nowhere(cli: Cli, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the database, dlt's folder, dbt's, the outputs or the logs; not even when refused."""
    monkeypatch.setattr("mithril_elt.transform.parse", dbt_project.parse)  # so that dbt's folder is there
    db = tmp_path / "m.duckdb"
    assert sandbox.url
    ended = [cli("run", "--db", db, "--debug"), cli("check", "--db", db), cli("status", "--db", db)]
    sandbox.clock.advance(timedelta(0))
    said = "".join(each.out + each.err for each in ended)
    files = [file for file in (db, *work_folder(db).rglob("*"), *tmp_path.rglob("*")) if file.is_file()]
    assert len(files) > 10
    assert [file for file in files if file.name == "partial_parse.msgpack"]
    assert CANARY not in said
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []


@pytest.mark.shows(4)
def test_no_key(cli: Cli, tmp_path: Path) -> None:
    """Without a key anywhere: which variable to set, status 3, no database."""
    assert_one_sentence(cli("run", "--db", tmp_path / "m.duckdb"), 3, "MITHRIL_API_KEY")
    assert not (tmp_path / "m.duckdb").exists()


@pytest.mark.shows(4)
def test_a_wrong_or_expired_key(cli: Cli, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """401 becomes status 3 with the API's own message, and nothing is written."""
    assert sandbox.url
    monkeypatch.setenv("MITHRIL_API_KEY", "fkey_wrong")
    assert_one_sentence(cli("run", "--db", tmp_path / "m.duckdb"), 3, "401", "the API says")
    assert not (tmp_path / "m.duckdb").exists()


@pytest.mark.shows(5)
def test_an_unknown_project(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """Status 4, and which projects there are."""
    ended = cli("run", "--db", tmp_path / "m.duckdb", "--project", "proj_unknown")
    assert_one_sentence(ended, 4, "proj_unknown", sandbox.account.projects[0].fid)
    assert not (tmp_path / "m.duckdb").exists()


def test_a_file_that_is_not_duckdb(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """Status 9, and the file is as it was."""
    assert sandbox.url
    db = tmp_path / "notes.txt"
    db.write_text("dear diary\n" * 2000)
    assert_one_sentence(cli("run", "--db", db), 9, "not a DuckDB database")
    assert db.read_text().startswith("dear diary")
    assert_one_sentence(cli("report", "cost", "--db", db), 9)
    assert_one_sentence(cli("status", "--db", db), 9)


def test_a_file_that_another_process_has_open(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """Status 9, and what to close."""
    assert sandbox.url
    db = tmp_path / "m.duckdb"
    duckdb.connect(str(db)).close()
    code = f"import duckdb, sys; c = duckdb.connect({str(db)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"open\n"
        assert_one_sentence(cli("run", "--db", db), 9, "another process")
        other.communicate(b"")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--since", "2099-01-01"), ("--since",)),
        (("run", "--since", "yesterday"), ("--since", "yesterday")),
        (("run", "--since", "2026-03-01T12:00:00"), ("zone",)),
        (("run", "--until", "2026-13-01"), ("--until",)),
        (("run", "--lookback", "soon"), ("duration",)),
        (("run", "--concurrency", "0"), ("--concurrency",)),
        (("run", "--requests-per-second", "0"), ("--requests-per-second",)),
        (("run", "--api-url", "nowhere"), ("address", "https://api.mithril.ai")),
        (("report", "cost"), ("no database",)),
        (("build",), ("no database",)),
        (("status",), ("no database",)),
    ],
)
def test_wrong_usage(cli: Cli, sandbox: Sandbox, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Options that have no meaning: status 2 and which one; no database appears."""
    assert sandbox.url
    assert_one_sentence(cli(*arguments), 2, *words)
    assert not Path("mithril.duckdb").exists()


@pytest.mark.parametrize(
    "arguments",
    [("report", "profit"), ("report", "cost", "--by", "colour"), ("dance",), ("run", "--api-key", "fkey_x")],
)
def test_unknown_words(cli: Cli, arguments: tuple[str, ...]) -> None:
    """An unknown report, grouping, command or option: status 2, no traceback."""
    ended = cli(*arguments)
    assert ended.status == 2
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_a_database_without_marts(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """Extracted but not built: the report says what to run."""
    assert sandbox.url
    db = tmp_path / "m.duckdb"
    assert cli("extract", "--db", db).status == 0
    assert tables_in(db, "marts") == []
    ended = cli("report", "cost", "--db", db)
    assert ended.status in (2, 9)
    assert "build" in ended.err


@pytest.mark.long
@pytest.mark.shows(38)
def test_a_failing_data_test_is_status_7(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """A row that no rule allows stops the build with the test's name."""
    assert sandbox.url
    db = tmp_path / "m.duckdb"
    assert cli("extract", "--db", db).status == 0
    with duckdb.connect(str(db)) as connection:
        connection.execute("insert into raw.instance_status_events select * from raw.instance_status_events limit 3")
        connection.execute("update raw.instance_price_periods set price_cents = -1")
    assert_one_sentence(cli("build", "--db", db), 7, "data tests failed")
    assert_one_sentence(cli("status", "--db", db, "--check", "--max-age", "9999w"), 7, " data tests failed: ")


@pytest.mark.shows(33, 34)
def test_plan_tells_what_run_asks_for_and_writes_nothing(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """The windows are those that are read; of requests at least so many the first time, about so many later."""
    db = tmp_path / "m.duckdb"
    before = sorted(tmp_path.rglob("*"))
    first = json.loads(cli("plan", "--db", db, "--json").out)
    assert sorted(tmp_path.rglob("*")) == before
    assert (first["is_first"], first["rows"]) == (True, None)
    assert first["list_requests"] == len(sandbox.requests)
    facts = json.loads(cli("extract", "--db", db, "--json").out)
    assert len(first["windows"]) == facts["windows_planned"]
    assert facts["requests"] - 5 <= first["requests"] <= facts["requests"]
    kept = db.read_bytes()
    said = cli("plan", "--db", db, "--deep", "--since", "2026-03-01").out
    assert "about" in said.splitlines()[-1]
    assert db.read_bytes() == kept
    again = json.loads(cli("plan", "--db", db, "--json").out)
    assert [window["to"] for window in again["windows"]][-1] == again["as_of"]
    assert again["rows"] > 0
    done = json.loads(cli("extract", "--db", db, "--json").out)
    assert again["windows"][0]["from"] <= facts["as_of"]
    assert abs(again["requests"] - done["requests"]) <= 3
    assert_one_sentence(cli("plan", "--db", db, "--since", "2999-01-01"), 2, "--since")


@pytest.mark.shows(32)
def test_recover_says_what_it_did(cli: Cli, tmp_path: Path) -> None:
    """Where nothing was left it says so, and what the marts still need; without a database it makes none."""
    db = tmp_path / "m.duckdb"
    assert_one_sentence(cli("recover", "--db", db), 2, "nothing to recover")
    assert not db.exists()
    with serve(bare_account()) as sandbox:
        load_sandbox(sandbox, db)
    done = cli("recover", "--db", db)
    assert (done.status, done.out.splitlines()[0]) == (0, "Nothing was to be done.")
    assert "`mithril-elt build` makes them" in done.out
    assert json.loads(cli("recover", "--db", db, "--json").out)["done"] == []


class _Strange(BaseHTTPRequestHandler):
    """An API that answers one thing to everything."""

    answer: tuple[int, str, bytes] = (200, "application/json", b"{}")

    def do_GET(self) -> None:
        status, kind, body = self.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ((200, "text/html", b"<html>welcome</html>"), 6, "not JSON"),
        ((200, "application/json", b""), 6, "nothing"),
        ((200, "application/json", b'{"items": []}'), 6, "list"),
        ((302, "text/html", b"elsewhere"), 6, "redirect"),
        ((403, "application/json", b'{"detail": "no"}'), 3, "403"),
    ],
)
@pytest.mark.shows(27, 29)
def test_an_api_that_is_none(  # noqa: PLR0917  # pytest passes all of them by name
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: tuple[int, str, bytes], status: int, words: str
) -> None:
    """HTML, nothing, another envelope, a redirect: one sentence, no database."""
    monkeypatch.setenv("MITHRIL_API_KEY", CANARY)
    with HTTPServer(("127.0.0.1", 0), type("Strange", (_Strange,), {"answer": answer})) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        ended = cli("run", "--api-url", url, "--db", tmp_path / "m.duckdb")
        server.shutdown()
        thread.join()
    assert_one_sentence(ended, status, words)
    assert not (tmp_path / "m.duckdb").exists()


@pytest.mark.shows(3, 4, 5, 6)
def test_check_says_what_is_wrong_within_seconds(
    cli: Cli, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Good key, bad key, wrong project, network down, bad file: one line each and its own status."""
    db = tmp_path / "m.duckdb"
    good = cli("check", "--db", db)
    assert (good.status, good.out.count("ok  "), good.err) == (0, 4, "")
    assert not db.exists()
    assert cli("check", "--project", "proj_unknown").status == 4
    facts = json.loads(cli("check", "--json").out)["checks"]
    assert [each["check"] for each in facts] == ["network", "key", "project", "warehouse"]
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    down = cli("check", "--api-url", f"http://127.0.0.1:{port}")
    assert down.status == 5
    assert "FAIL  network" in down.out
    monkeypatch.setenv("MITHRIL_API_KEY", "fkey_wrong")
    bad = cli("check")
    assert bad.status == 3
    assert "FAIL  key" in bad.out
    assert sandbox.requests


def test_every_command_has_help_with_an_example(cli: Cli) -> None:
    """`--help` of each command shows how it is used."""
    commands = ["demo", "run", "extract", "build", "check", "report", "status", "plan", "recover", "sandbox", "accept"]
    inside = [("instances", name) for name in ("list", "status", "pause", "start")]
    for command in [*((name,) for name in commands), *inside]:
        shown = cli(*command, "--help")
        assert shown.status == 0
        assert f"mithril-elt {command[0]}" in shown.out.split("Example")[1], command
        assert "--log-format" in shown.out, command


def test_help_loads_nothing_heavy() -> None:
    """`mithril-elt --help` imports neither dlt nor dbt nor pandas nor an HTTP client."""
    code = (
        "import sys; sys.argv = ['mithril-elt', '--help']\n"
        "from mithril_elt.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('dlt', 'dbt', 'pandas', 'duckdb', 'httpx', 'pyarrow', 'fastapi') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_demo_prints_four_reports_and_the_truth(cli: Cli, tmp_path: Path) -> None:
    """The first minute: four reports, the comparison with the sandbox's own books, three things to try."""
    ended = cli("demo", "--dir", tmp_path / "demo")
    assert ended.status == 0, ended.err
    for title in ("Usage by", "Uptime by", "Cost by", "Pause credits by"):
        assert title in ended.out
    assert "to the last digit" in ended.out
    assert "report cost --by day --db" in ended.out
    assert query(tmp_path / "demo" / "mithril.duckdb", "select count(*) > 0 from marts.fct_cost_daily") == [(True,)]


@pytest.mark.parametrize("command", ["run", "extract", "build", "report usage", "status", "recover", "plan"])
def test_a_database_of_a_newer_release_is_left_alone(command: str, cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """One sentence, exit status 9, before anything is loaded; not a byte of it is changed."""
    assert sandbox
    db = tmp_path / "m.duckdb"
    with duckdb.connect(str(db)) as connection:
        connection.execute("create schema raw; create schema marts; create table raw.runs as select 1 as run_id")
        connection.execute("create table marts.dim_projects as select 1 as project_id")
        connection.execute("create table raw.layouts as select 99 as layout, '9.8.7' as version, now() as since")
    before = db.read_bytes()
    ended = cli(*command.split(), "--db", db)
    assert_one_sentence(ended, 9, str(db), "9.8.7", "layout 99", "install 9.8.7 or newer")
    assert db.read_bytes() == before
    assert {file.name for file in work_folder(db).glob("*")} <= {"lock", "holder.json"}
