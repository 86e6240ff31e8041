"""The key is nowhere but where its owner put it, travels only where nobody can read it, and files are their owner's."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from commands import Ended, in_process, in_process_of_its_own
from loading import load_sandbox, query
from mithril_elt.lock import locked, work_folder
from mithril_elt.sandbox.server import serve
from mithril_elt.secret import spellings, without_key
from mithril_elt.settings import find_settings
from mithril_elt.warehouse import make_private
from sandbox_by_hand import bare_account
from scripted import Answer, scripted
from told_account import FID, TOLD, telling

CANARY = "fkey_canary+/=%0123456789abcdef"  # with signs that an address writes otherwise
CODE = base64.b64encode(CANARY.encode()).decode()
SAYS_IT = f"the key {CANARY} or {quote(CANARY, safe='')} or {CODE} is no good"
HTML = {"Content-Type": "text/html"}


def shown(text: str) -> list[str]:
    """In which spellings the key is in a text."""
    return [form for form in spellings(CANARY) if form in text]


FAILURES: dict[str, tuple[Answer, int]] = {
    "401": (Answer(401, {"detail": SAYS_IT}), 3),
    "403 in HTML": (Answer(403, f"<html>{SAYS_IT}</html>".encode(), HTML), 3),
    "404": (Answer(404, {"detail": SAYS_IT}), 4),
    "418": (Answer(418, {"detail": SAYS_IT}), 5),
    "422": (Answer(422, {"detail": [{"loc": ["header", CANARY], "msg": SAYS_IT, "type": CANARY}]}), 2),
    "422 that is text": (Answer(422, {"detail": SAYS_IT}), 2),
    "500": (Answer(500, {"detail": SAYS_IT}), 5),
    "503 in HTML": (Answer(503, f"<html>{SAYS_IT}</html>".encode(), HTML), 5),
    "HTML": (Answer(200, f"<html>{SAYS_IT}</html>".encode(), HTML), 6),
    "a content type": (Answer(200, b"{}", {"Content-Type": f"text/{CANARY}"}), 6),
    "a redirect": (Answer(302, b"", {"Location": f"https://elsewhere.example/{CANARY}"}), 6),
    "cut JSON": (Answer(200, f'"{CANARY}'.encode()), 6),
    "JSON cut on its way": (Answer(200, {"detail": SAYS_IT}, how="cut"), 5),
    "no HTTP": (Answer(200, f"{CANARY}\r\n\r\n{SAYS_IT}".encode(), how="raw"), 5),
    "another envelope": (Answer(200, {CANARY: [CANARY], "fid": {CANARY: CANARY}}), 6),
    "another type": (Answer(200, {"fid": FID, "status": [SAYS_IT]}), 6),
    "silence": (Answer(how="stall"), 5),
    "a reset": (Answer(how="reset"), 5),
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """One attempt of half a second for each request."""
    from mithril_elt import client  # noqa: PLC0415  # where the command line looks it up

    whole = client.Limits

    def limits(**wanted: Any) -> Any:
        return whole(**{**wanted, "attempts": 2, "timeout_s": 0.5, "budget_s": 1, "backoff_s": 0})

    monkeypatch.setattr(client, "Limits", limits)


@pytest.mark.shows(2)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("case", FAILURES)
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_failure_repeats_the_key(monkeypatch: pytest.MonkeyPatch, case: str, form: str) -> None:
    """Whatever the answer repeats, with `--debug` and its traceback too: no spelling of it is said."""
    answer, status = FAILURES[case]
    monkeypatch.setenv("MITHRIL_API_KEY", CANARY)
    with scripted(telling({f"/v2/instances/{FID}/status": answer})) as served:
        monkeypatch.setenv("MITHRIL_API_URL", served.url)
        ended = in_process("instances", "status", FID, "--debug", "--log-format", form)
        assert f"Bearer {CANARY}" in served.asked[0].headers["authorization"]
    assert ended.status == status, ended
    assert "Traceback" in ended.err
    assert shown(ended.out + ended.err) == []


@pytest.mark.shows(2)
@pytest.mark.parametrize("where", ["environment", "dlt's environment", "vendor"])
def test_a_bug_does_not_show_the_key(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """An exception that nobody foresaw, with the key in its words and in those of its cause, from each source."""
    key_from(where, monkeypatch)

    def broken(*_: object) -> None:
        try:
            {}[CANARY]
        except KeyError as error:
            raise RuntimeError(f"Authorization: Bearer {CANARY}, {SAYS_IT}") from error

    monkeypatch.setattr("mithril_elt.api.Mithril.__enter__", broken)
    ended = in_process("instances", "list", "--debug")
    assert ended.status == 1
    assert "RuntimeError" in ended.err
    assert "KeyError" in ended.err
    assert shown(ended.out + ended.err) == []


@pytest.mark.shows(2)
@pytest.mark.parametrize("command", ["check", "plan", "extract", "probe", "accept", "instances list"])
def test_a_bug_does_not_show_a_key_of_another_shape(
    monkeypatch: pytest.MonkeyPatch, command: str, tmp_path: Path
) -> None:
    """Every command that asks the API knows which key it is to be silent of."""
    key = f"of-another-shape-for-{command.replace(' ', '-')}"  # a process keeps silent of what it has known once
    monkeypatch.setenv("MITHRIL_API_KEY", key)
    monkeypatch.chdir(tmp_path)

    def broken(*_: object) -> None:
        raise RuntimeError(f"Authorization: Bearer {key}")

    monkeypatch.setattr("mithril_elt.api.Mithril.__enter__", broken)
    ended = in_process(*command.split(), "--debug")
    assert (ended.status, "RuntimeError" in ended.err) == (1, True)
    assert key not in ended.out + ended.err


@pytest.mark.shows(2)
@pytest.mark.parametrize("name", ["SOURCES__MITHRIL__API_KEY", "MITHRIL_API_KEY"])
def test_dlt_does_not_note_that_the_key_was_asked_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Else it keeps what it was asked for in the trace that it writes beside the database."""
    import dlt  # noqa: PLC0415  # two seconds
    from dlt.common.configuration.utils import get_resolved_traces  # noqa: PLC0415  # as above

    get_resolved_traces().clear()
    monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("SOURCES__MITHRIL__API_URL", "https://dlt.example")
    assert find_settings().api_key == CANARY
    assert [trace for trace in get_resolved_traces().resolved_traces if CANARY in str(trace.value)] == []
    dlt.config.get("sources.mithril.api_url")
    assert get_resolved_traces().resolved_traces, "others are noted as ever"


def key_from(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the key into one of the places that it can come from."""
    if where == "environment":
        monkeypatch.setenv("MITHRIL_API_KEY", CANARY)
    elif where == "dlt's environment":
        monkeypatch.setenv("SOURCES__MITHRIL__API_KEY", CANARY)
    else:
        file = Path(os.environ["XDG_CONFIG_HOME"]) / "mithril" / "config.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(f'current_profile: a\nprofiles: {{a: {{api_key: "{CANARY}"}}}}\n', encoding="utf-8")


@pytest.mark.parametrize(
    "misplaced",
    [
        ("run", "--api-key", "KEY"),
        ("run", "KEY"),
        ("run", "--since", "KEY"),
        ("report", "KEY"),
        ("run", "--api-url", "https://KEY@api.mithril.ai"),
        ("run", "--api-url", "https://api.mithril.ai?key=KEY"),
        ("run", "--api-url", "KEY"),
    ],
)
def test_a_key_on_the_command_line_is_not_repeated(monkeypatch: pytest.MonkeyPatch, misplaced: tuple[str, ...]) -> None:
    """Where none belongs it is refused, and not shown."""
    key = "fkey_Canary0123456789"
    monkeypatch.setenv("MITHRIL_API_KEY", key)
    ended = in_process(*(word.replace("KEY", key) for word in misplaced))
    assert ended.status == 2
    assert key not in ended.out + ended.err


def test_the_key_is_taken_out_of_an_answer_before_anybody_reads_it() -> None:
    """In each spelling; a word that is no key, though somebody set it as one, changes no answer."""
    body = SAYS_IT.encode()
    assert without_key(body, CANARY) == "the key … or … or … is no good".encode()
    assert without_key(b'{"status": 1}', "status") == b'{"status": 1}'


def test_an_answer_that_has_the_key_as_data_brings_it_into_no_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A name and an unknown field: an ellipsis is in the place of the key, the rest is loaded as it came."""
    monkeypatch.setenv("MITHRIL_API_KEY", CANARY)
    row = {**TOLD["/v2/instances"]["data"][0], "name": f"a {CANARY} b", "new": {CANARY: CODE}}
    with scripted(telling({"/v2/instances": {"data": [row]}})) as served:
        monkeypatch.setenv("MITHRIL_API_URL", served.url)
        assert in_process("extract", "--db", tmp_path / "a.duckdb").status == 0
    assert query(tmp_path / "a.duckdb", "select name, other_fields from raw.instances") == [
        ("a … b", '{"new":{"…":"…"}}')
    ]


_FAR = ["http://api.mithril.ai", "http://10.0.0.1:8000", "http://127.0.0.1.evil.example", "http://localhost.example"]
_ASKS: list[tuple[str, ...]] = [
    ("run",),
    ("extract",),
    ("plan",),
    ("probe",),
    ("instances", "list"),
    ("instances", "pause", FID, "--yes"),
]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be sent: a test that would is one that fails."""

    def sent(*_: object, **__: object) -> None:
        raise AssertionError("something was sent")

    monkeypatch.setattr("mithril_elt.sending.connected", sent)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("url", _FAR)
@pytest.mark.parametrize("where", ["option", "environment", "dlt's environment", "vendor"])
def test_no_command_sends_the_key_unencrypted(monkeypatch: pytest.MonkeyPatch, where: str, url: str) -> None:
    """Not to another machine, wherever its address comes from; nothing is written either."""
    monkeypatch.setenv("MITHRIL_API_KEY", CANARY)
    if where == "environment":
        monkeypatch.setenv("MITHRIL_API_URL", url)
    elif where == "dlt's environment":
        monkeypatch.setenv("SOURCES__MITHRIL__API_URL", url)
    elif where == "vendor":
        file = Path(os.environ["XDG_CONFIG_HOME"]) / "mithril" / "config.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(f'current_profile: a\nprofiles: {{a: {{api_url: "{url}"}}}}\n', encoding="utf-8")
    option = ("--api-url", url) if where == "option" else ()
    for command in _ASKS:
        ended = in_process(*command, *option)
        assert (ended.status, ended.out) == (2, ""), ended
        assert "unencrypted: use https" in ended.err
    checked = in_process("check", *option)
    assert checked.status == 2
    assert "unencrypted" in checked.out
    assert not list(Path().glob("*mithril*"))


def test_an_address_in_dlts_file_is_held_to_the_same(tmp_path: Path) -> None:
    """In a process of its own, since dlt reads its files once for a process."""
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt/config.toml").write_text('[sources.mithril]\napi_url = "http://10.0.0.1"\n', encoding="utf-8")
    ended = in_process_of_its_own("run", environ={"MITHRIL_API_KEY": CANARY}, cwd=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert "http://10.0.0.1 would carry the key unencrypted" in ended.err


def test_no_proxy_of_the_environment_gets_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stays on this machine stays on it, whatever `http_proxy` says."""
    monkeypatch.setenv("MITHRIL_API_KEY", CANARY)
    with scripted(Answer(502)) as proxy, scripted(telling()) as served:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("MITHRIL_API_URL", served.url)
        assert in_process("instances", "list").status == 0
        assert proxy.asked == []


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A process whose files are everybody's."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """What below a folder, and it itself, others than its owner may do anything with."""
    found = [folder, *folder.rglob("*")]
    return [f"{file} {stat.filemode(file.stat().st_mode)}" for file in found if file.stat().st_mode & 0o077]


@pytest.mark.shows(2)
@pytest.mark.usefixtures("open_umask")
def test_what_a_command_writes_is_its_users_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Database, log, working folder, dlt's files, what a probe kept; the process's umask is as it was."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("MITHRIL_API_KEY", CANARY)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
    logs: list[str] = []
    watch_the_log(monkeypatch, folder, logs)
    with scripted(telling()) as served:
        monkeypatch.setenv("MITHRIL_API_URL", served.url)
        for command in (("run",), ("probe", "--save"), ("recover",)):
            ended = in_process(*command, "--db", folder / "a.duckdb")
            assert ended.status == 0, ended.err
    kept = {file.name for file in folder.rglob("*")}
    assert {"a.duckdb", ".a.duckdb.dlt", "lock", "readings.json"} <= kept
    assert "-rw-------" in logs
    assert set(logs) == {"-rw-------"}
    assert open_to_others(folder) == []
    assert os.umask(0) == 0


def watch_the_log(monkeypatch: pytest.MonkeyPatch, folder: Path, seen: list[str]) -> None:
    """Notes the mode of DuckDB's log each time that progress is told, when there is one."""
    from mithril_elt import transform  # noqa: PLC0415  # to put a watch into it

    whole: Callable[..., Any] = transform.migrate

    def watched(connection: Any, schema: str) -> None:
        whole(connection, schema)
        connection.execute("create or replace table raw.watched as from range(10)")
        seen.extend(stat.filemode(file.stat().st_mode) for file in folder.glob("*.wal"))

    monkeypatch.setattr(transform, "migrate", watched)


@pytest.mark.usefixtures("open_umask")
def test_a_program_keeps_its_umask_and_its_database_is_private_all_the_same(tmp_path: Path) -> None:
    """`load` in somebody's process changes nothing of the process; the file and the working folder are closed."""
    db = tmp_path / "a.duckdb"
    with serve(bare_account()) as sandbox:
        load_sandbox(sandbox, db)
    assert stat.filemode(db.stat().st_mode) == "-rw-------"
    assert stat.filemode(work_folder(db).stat().st_mode) == "drwx------"
    assert os.umask(0) == 0


@pytest.mark.usefixtures("open_umask")
def test_modes_that_somebody_chose_are_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A database that a group may read stays so, and a folder too."""
    db = tmp_path / "a.duckdb"
    make_private(db)
    with locked(db):
        pass
    db.chmod(0o640)
    work_folder(db).chmod(0o750)
    monkeypatch.setenv("MITHRIL_API_KEY", CANARY)
    with scripted(telling()) as served:
        monkeypatch.setenv("MITHRIL_API_URL", served.url)
        assert in_process("extract", "--db", db).status == 0
    assert stat.filemode(db.stat().st_mode) == "-rw-r-----"
    assert stat.filemode(work_folder(db).stat().st_mode) == "drwxr-x---"


def test_a_command_is_told_by_its_end() -> None:
    """The helper that these tests stand on tells a status and both outputs apart."""
    ended = in_process("report", "cost")
    assert isinstance(ended, Ended)
    assert (ended.status, ended.out) == (2, "")
    assert "no database" in ended.err
