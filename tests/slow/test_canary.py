"""A canary key through every command, each in a process of its own: it is in nothing that they say, write or show."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from commands import Ended, in_process_of_its_own
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.secret import spellings
from scripted import Answer, scripted
from told_account import telling

CANARY = "fkey_canary0123456789abcdef"
CONFIGURATION = {"secrets.toml", "config.yaml"}
# Runs a command while another process holds the lock; and one in which something breaks that nobody foresaw,
# while the key is at hand.
HELD = """
import subprocess, sys
from pathlib import Path
from mithril_elt.lock import locked

with locked(Path(sys.argv[sys.argv.index("--db") + 1])):
    sys.exit(subprocess.run([sys.executable, "-m", "mithril_elt", *sys.argv[1:]], check=False).returncode)
"""
CRASH = """
import sys
from mithril_elt import load
from mithril_elt.cli import main

def broken(self, *_):
    raise RuntimeError(f"{vars(self.api._client)} {self.api._client.key}")

load._Load._read = broken
sys.argv[0] = "mithril-elt"
main()
"""


@dataclass
class Place:
    """A folder that all is in which a command may write, and where it finds the key."""

    where: str
    folder: Path
    environ: dict[str, str]
    db: Path

    def ended(self, *arguments: str, code: str | None = None, **environ: str) -> Ended:
        """Runs a command there; looks for the key in all that it said, wrote and showed."""
        ended = in_process_of_its_own(
            *arguments, environ={**self.environ, **environ}, cwd=self.folder / "work", code=code
        )
        where = {"stdout": ended.out.encode(), "stderr": ended.err.encode(), "process list": b" ".join(ended.seen)}
        where |= {str(file): file.read_bytes() for file in self.files() if file.name not in CONFIGURATION}
        found = [name for name, text in where.items() if any(form.encode() in text for form in spellings(CANARY))]
        assert found == [], (arguments, ended)
        assert ended.seen, "the process list was not seen"
        return ended

    def files(self) -> Iterator[Path]:
        """All that was written."""
        return (file for file in self.folder.rglob("*") if file.is_file())


_MORE = [pytest.param(each, marks=pytest.mark.long) for each in ("dlt", "dlt's environment", "vendor")]


@pytest.fixture(params=["environment", *_MORE])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The key in each of the places that it can come from."""
    folder = tmp_path / "all"
    for name in ("work/.dlt", "home/.config/mithril", "tmp"):
        (folder / name).mkdir(parents=True)
    environ = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "DLT_DATA_DIR": str(folder / "dlt")}
    environ |= {"XDG_CONFIG_HOME": str(folder / "home/.config")}
    environ["MITHRIL_WEBHOOK_URL"] = f"http://127.0.0.1:9/{CANARY}"  # nobody is there, which each failure says
    if request.param == "environment":
        environ["MITHRIL_API_KEY"] = CANARY
    elif request.param == "dlt's environment":
        environ["SOURCES__MITHRIL__API_KEY"] = CANARY
    elif request.param == "dlt":
        toml = f'[sources.mithril]\napi_key = "{CANARY}"\n'
        (folder / "work/.dlt/secrets.toml").write_text(toml, encoding="utf-8")
    else:
        profile = f"current_profile: a\nprofiles: {{a: {{api_key: {CANARY}}}}}\n"
        (folder / "home/.config/mithril/config.yaml").write_text(profile, encoding="utf-8")
    return Place(request.param, folder, environ, folder / "work/m.duckdb")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small account that knows the key."""
    with serve(make_account(instances=14, days=7), key=CANARY) as served:
        yield served


@pytest.mark.shows(2)
def test_the_key_is_in_nothing_that_any_command_leaves(place: Place, sandbox: Sandbox) -> None:
    """Each command with `--debug`, in both log formats, dlt's and dbt's files, traces and artefacts; a crash too."""
    place.environ["MITHRIL_API_URL"] = sandbox.url
    db = ("--db", str(place.db), "--debug")
    assert place.ended("check", *db).status == 0
    assert place.ended("plan", *db).status == 0
    command = "run" if "environment" in place.where else "extract"  # dbt sees the environment, and no other place
    assert place.ended(command, *db, "--log-format", "json").status == 0
    broken = place.ended("extract", *db, code=CRASH)
    assert broken.status == 1
    assert "RuntimeError" in broken.err
    assert place.ended("extract", *db, "--json").status == 0
    assert place.ended("probe", "--save", *db).status == 0
    left = {file.name for file in place.files()}
    assert {"m.duckdb", "trace.pickle", "readings.json"} <= left
    assert ("partial_parse.msgpack" in left) == (command == "run")


@pytest.mark.shows(2)
@pytest.mark.parametrize("place", ["environment"], indirect=True)
def test_the_key_is_in_nothing_that_the_other_commands_leave(place: Place, sandbox: Sandbox) -> None:
    """Those that ask no more, or change something."""
    place.environ["MITHRIL_API_URL"] = sandbox.url
    db = ("--db", str(place.db), "--debug")
    for command in (
        ("extract", *db, "--json"),
        ("build", "--full", *db),
        ("status", *db),
        ("report", "cost", "--by", "instance", *db),
        ("recover", *db),
        ("instances", "list", "--debug"),
    ):
        ended = place.ended(*command)
        assert ended.status == 0, ended
    reserved = next(each.fid for each in sandbox.account.instances if each.reservation and each.listed)
    for change in ("status", "pause", "start"):
        place.ended("instances", change, reserved, "--debug", *(() if change == "status" else ("--dry-run",)))
    held = place.ended("build", *db, code=HELD)
    assert held.status == 8, held


@pytest.mark.shows(2)
def test_the_key_is_in_nothing_that_a_failure_leaves(place: Place) -> None:
    """Refused in the middle of a load, when dlt keeps a trace of its failure, and by each other way to fail."""
    db = ("--db", str(place.db), "--debug")
    says_it = Answer(422, {"detail": [{"loc": [CANARY], "msg": f"Bearer {CANARY}"}]})
    answers = (says_it, Answer(401, {"detail": CANARY}), Answer(200, f'{{"data": "{CANARY}'.encode()))
    paths = ("/v2/projects", "/v2/instances", "/v2/instances/pricing/history")
    each = product(paths, answers) if place.where == "environment" else zip(paths, answers, strict=True)
    for path, answer in each:
        with scripted(telling({path: answer})) as served:
            assert place.ended("run", *db, MITHRIL_API_URL=served.url).status in (2, 3, 6)
    with scripted(telling({"/v2/instances": {CANARY: [CANARY]}})) as served:
        assert place.ended("run", *db, MITHRIL_API_URL=served.url).status == 6
    assert place.ended("run", "--no-such", *db).status == 2
    (place.folder / "work/no.duckdb").write_text("no database " * 1000)
    with scripted(telling()) as served:
        assert place.ended("run", "--db", "no.duckdb", "--debug", MITHRIL_API_URL=served.url).status == 9
    assert [file for file in place.files() if file.name == "trace.pickle"]


@pytest.mark.parametrize("place", ["dlt's environment"], indirect=True)
def test_an_answer_that_has_the_key_as_data_brings_it_into_no_table(place: Place) -> None:
    """A name, an unknown field, a new status: an ellipsis is in the place of the key."""
    instance = {"fid": "inst_a", "project": "proj_a", "status": CANARY, "name": CANARY, "new": {CANARY: CANARY}}
    instance["created_at"] = datetime.now(UTC).isoformat()
    with scripted(telling({"/v2/instances": {"data": [instance]}})) as served:
        assert place.ended("run", "--db", str(place.db), MITHRIL_API_URL=served.url).status == 0
        listed = place.ended("instances", "list", "--json", MITHRIL_API_URL=served.url)
    assert '"name": "\\u2026"' in listed.out


def test_what_run_build_and_demo_write_is_the_users_alone(tmp_path: Path) -> None:
    """With an umask that lets everybody in: dbt's artefacts, temporary folders and the demo's too."""
    environ = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "DLT_DATA_DIR": str(tmp_path / "dlt")}
    before = os.umask(0)
    try:
        (tmp_path / "mine").mkdir(mode=0o700)
        ended = in_process_of_its_own("demo", "--dir", "mine/demo", environ=environ, cwd=tmp_path)
        built = in_process_of_its_own(
            "build", "--full", "--db", "mine/demo/mithril.duckdb", environ=environ, cwd=tmp_path
        )
    finally:
        os.umask(before)
    assert (ended.status, built.status) == (0, 0), ended
    made = [file for file in tmp_path.rglob("*") if "home" not in file.relative_to(tmp_path).parts[:1]]
    assert [file for file in made if file.name == "partial_parse.msgpack"]
    opened = [f"{file} {stat.filemode(file.stat().st_mode)}" for file in made if file.stat().st_mode & 0o077]
    assert opened == []
