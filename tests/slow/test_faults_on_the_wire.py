"""Faults on the wire in the middle of a whole load: survived where they pass, told in one sentence where they last.

Each strikes in the second window of each project; the first ones were loaded by a run before, which all tests share.
After a run that a fault ended, the next one makes the tables of an undisturbed run.
"""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from wire_faults import FAULTS, Fault, body

from between import between
from certificates import self_signed
from commands import Cli, Ended, assert_one_sentence
from loading import load_sandbox, query, raw
from mithril_elt.api import Mithril
from mithril_elt.cli import run as run_commands
from mithril_elt.errors import ApiError
from mithril_elt.limits import Limits
from mithril_elt.load import LoadPlan, Progress, load
from mithril_elt.lock import work_folder
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from scripted import Answer, Asked, scripted

WINDOW = timedelta(days=4)  # two of each project
WAY = {"window": WINDOW, "lookback": timedelta(0)}  # so that the first ones are not read again
QUICK = {"attempts": 4, "timeout_s": 1.5, "budget_s": 10, "backoff_s": 0.01, "answer_bytes": 2 * 2**20}
TOLD: list[str] = []
WINDOWS = "select count(distinct (project, from_at)) from raw.windows"


@dataclass
class Proof:
    """A sandbox whose clock stands still, what a whole run of it brings, and a database of the first windows."""

    sandbox: Sandbox
    whole: dict[str, list[tuple[Any, ...]]]
    begun: Path

    def copied(self, folder: Path) -> Path:
        """The database of the first windows, with what is beside it: a copy of one's own."""
        db = folder / self.begun.name
        shutil.copy(self.begun, db)
        shutil.copytree(work_folder(self.begun), work_folder(db))
        return db


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    """What every disturbed run is held against; the table of all faults is printed at the end."""
    with serve(make_account(7, 12, 7), readings=Readings(limit_counts="events")) as sandbox:
        db = tmp_path_factory.mktemp("whole") / "a.duckdb"
        load_sandbox(sandbox, db, **WAY)
        begun = tmp_path_factory.mktemp("begun") / "a.duckdb"
        with Mithril(sandbox.key, sandbox.url) as api, pytest.raises(ApiError):
            load(api, begun, LoadPlan(**WAY), on_progress=_stop_after_first_windows)
        assert query(begun, WINDOWS) == [(2,)]
        yield Proof(sandbox, raw(db), begun)
        print("\nfault | once | for ever | exit status | sentence")  # noqa: T201  # the table of the proof
        print("\n".join(TOLD))  # noqa: T201  # as above


def _stop_after_first_windows(progress: Progress) -> None:
    if progress.windows_done == 2:
        raise ApiError("stopped on purpose")


@pytest.fixture
def extract(cli: Cli, proof: Proof, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """`extract --json` from an address, with small limits and windows."""
    planned = run_commands.load_plan
    monkeypatch.setattr(run_commands, "load_plan", lambda *options: replace(planned(*options), **WAY))
    monkeypatch.setattr("mithril_elt.client.Limits", partial(Limits, **QUICK))
    monkeypatch.setenv("MITHRIL_API_KEY", proof.sandbox.key)

    def run(url: str, db: Path, *options: str) -> Ended:
        return cli("extract", "--json", "--db", db, "--api-url", url, *options)

    return run


def spoilt(proof: Proof, fault: Fault, strikes: float) -> Any:  # exact-ok: a number of answers, or for ever
    """The sandbox behind one that lets that fault strike so often."""
    return between(proof.sandbox, spoil=fault.spoil, spare=fault.spare, strikes=strikes, concerns=fault.concerns)


def assert_it_ended(ended: Ended, db: Path, exit_status: int, says: str) -> str:
    """One sentence, one object, no more windows than before, and the failed run in the table of runs."""
    facts = json.loads(ended.out)
    assert_one_sentence(replace(ended, out=""), exit_status, says)
    assert (facts["outcome"], facts["exit_status"]) == ("failed", exit_status)
    assert ended.err.splitlines()[-1] == f"Error: {facts['error']}"
    assert not [line for line in ended.err.splitlines() if "ERROR" in line or line.startswith(" ")], ended.err
    assert facts["windows_done"] == 0
    assert query(db, WINDOWS) == [(2,)]
    runs = query(db, "select run_id, outcome, error, windows_done, retries from raw.runs order by started_at")
    assert runs[1:] == [(facts["run_id"], "failed", facts["error"], 0, facts["retries"])]
    return str(facts["error"])


@pytest.mark.shows(27, 28, 29, 30)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_middle_of_a_load(
    name: str, proof: Proof, extract: Callable[..., Ended], tmp_path: Path
) -> None:
    """For ever it ends the run, or none; the run after that has everything, though the fault strikes once or twice.

    Where one strike is enough to end a run, the run after is without.
    """
    fault, said, db = FAULTS[name], "", proof.copied(tmp_path)
    with spoilt(proof, fault, inf) as (server, spoiler):
        ended = extract(server.url, db)
        assert spoiler.struck
        if fault.for_ever:
            said = assert_it_ended(ended, db, fault.for_ever, fault.says)
            struck, spoiler.seen = spoiler.struck, fault.spare
            spoiler.strikes = struck + (0 if fault.once else fault.strikes)
            ended = extract(server.url, db)
            assert spoiler.struck == spoiler.strikes
    assert (ended.status, ended.out.count("\n")) == (0, 1), ended.err
    assert raw(db) == proof.whole
    once, for_ever = ("told" if each else "survived" for each in (fault.once, fault.for_ever))
    TOLD.append(f"{name} | {once} | {for_ever} | {fault.for_ever} | {said}")


def test_the_key_goes_to_no_other_host(proof: Proof, extract: Callable[..., Ended], tmp_path: Path) -> None:
    """A redirect in the middle of a load: whoever it names is never asked."""
    db = proof.copied(tmp_path)
    with scripted(Answer(body={"instances": []})) as other:
        away = Fault(lambda asked, _: Answer(307, b"", {"Location": f"{other.url}{asked.path}"}), 6)
        with spoilt(proof, away, inf) as (server, _):
            assert_it_ended(extract(server.url, db), db, 6, "redirect")
        assert other.connections == 0


@pytest.mark.shows(29)
def test_a_status_that_nobody_knows_is_loaded_as_it_is(
    proof: Proof, extract: Callable[..., Ended], tmp_path: Path
) -> None:
    """With one warning; all other rows are those of an undisturbed run."""
    sleeping = Fault(body(lambda good: good.replace(b"STATUS_PAUSED", b"STATUS_ASLEEP")), 0)
    with spoilt(proof, replace(sleeping, spare=0), inf) as (server, _):
        ended = extract(server.url, tmp_path / "a.duckdb")
    assert ended.status == 0
    assert len([line for line in ended.err.splitlines() if "'STATUS_ASLEEP' is new" in line]) == 1
    found, expected = raw(tmp_path / "a.duckdb"), dict(proof.whole)
    name = "instance_status_events"
    slept = [tuple("STATUS_ASLEEP" if v == "STATUS_PAUSED" else v for v in row) for row in expected.pop(name)]
    assert "STATUS_ASLEEP" in {value for row in slept for value in row}
    assert sorted(found.pop(name), key=str) == sorted(slept, key=str)
    assert found == expected


def test_a_missing_optional_field_is_loaded_with_a_warning(
    proof: Proof, extract: Callable[..., Ended], tmp_path: Path
) -> None:
    """In the lists, which have such fields."""

    def without_region(_: Asked, answer: Answer) -> Answer:
        said = json.loads(answer.content)
        for row in said["data"]:
            row.pop("created_by", None)
        return replace(answer, body=said)

    lists = Fault(without_region, 0, concerns=lambda asked: asked.path == "/v2/instances", spare=0)
    with spoilt(proof, lists, inf) as (server, _):
        ended = extract(server.url, tmp_path / "a.duckdb")
    assert (ended.status, "is missing" in ended.err) == (0, True), ended.err


def test_a_server_that_goes_away_and_comes_back(proof: Proof, extract: Callable[..., Ended], tmp_path: Path) -> None:
    """Its name resolves to nothing any more, in the middle: told with the host; the next run has everything."""
    db = proof.copied(tmp_path)
    resolve = aiohttp.TCPConnector._resolve_host

    with between(proof.sandbox, spoil=_closing) as (server, spoiler):

        async def gone(self: Any, host: str, *args: Any, **kwargs: Any) -> Any:
            if spoiler.seen >= 1:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return await resolve(self, host, *args, **kwargs)

        named = server.url.replace("127.0.0.1", "localhost")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aiohttp.TCPConnector, "_resolve_host", gone)
            assert_it_ended(extract(named, db, "--concurrency", "1"), db, 5, "Name or service not known")
        assert extract(named, db).status == 0
    assert raw(db) == proof.whole


def _closing(_: Asked, answer: Answer) -> Answer:
    """Each request needs a new connection."""
    return replace(answer, headers={**answer.headers, "Connection": "close"})


def test_nothing_is_written_where_no_encrypted_connection_can_be_made(
    extract: Callable[..., Ended], tmp_path: Path
) -> None:
    """A plain server spoken to by https, a certificate that nobody trusts, a name that resolves to nothing."""
    context, _ = self_signed(tmp_path)
    db = tmp_path / "a.duckdb"
    with scripted(Answer(body=[])) as plain, scripted(Answer(body=[]), tls=context) as strange:
        for url, says in (
            (plain.url.replace("http:", "https:"), "does not speak https"),
            (strange.url, "certificate that is not trusted"),
            ("https://nowhere.invalid", "nowhere.invalid"),
        ):
            ended = extract(url, db)
            assert json.loads(ended.out)["exit_status"] == 5
            assert_one_sentence(replace(ended, out=""), 5, says)
        assert (plain.asked, strange.asked) == ([], [])
    assert not db.exists()
