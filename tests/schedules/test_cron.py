"""The crontab: its lines, and a real crond that runs them; a run that finds another at work is no alarm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from examples import SCHEDULES

from loading import query
from mithril_elt.lock import locked

pytestmark = pytest.mark.timeout(900)

LINES = [line for line in (SCHEDULES / "crontab").read_text().splitlines() if line and not line.startswith("#")]
RUN, CHECK = LINES
BUSYBOX = shutil.which("busybox") or ""


def has_crond() -> bool:
    """Whether there is a busybox, and one that has crond."""
    if not BUSYBOX:
        return False
    listed = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=False).stdout
    return "crond" in listed.split()


@pytest.fixture
def srv(place: Path) -> Path:
    """The folder with the command in its environment, as the crontab has it."""
    (place / "venv" / "bin").mkdir(parents=True)
    (place / "venv" / "bin" / "mithril-elt").symlink_to(Path(sys.executable).parent / "mithril-elt")
    return place


def line(text: str, srv: Path) -> str:
    """A line with that folder in the place of its own."""
    assert "/srv/mithril" in text
    return text.replace("/srv/mithril", str(srv))


def shell(text: str, srv: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command of a line as cron does, by /bin/sh."""
    command = line(text, srv).split(maxsplit=5)[5]
    assert "%" not in command  # cron's own sign for a line's end
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)


def test_what_is_mailed(srv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing where another run goes on; the sentence where it fails; the check's sentence where nothing was loaded."""
    with locked(srv / "mithril.duckdb"):
        held = shell(RUN, srv)
    assert (held.returncode, held.stdout, held.stderr) == (0, "", "")
    assert "another run holds" in (srv / "run.log").read_text()
    check = shell(CHECK, srv)
    assert (check.returncode, check.stdout) == (7, "")
    assert check.stderr.startswith("Error: there was no run")
    monkeypatch.setenv("MITHRIL_API_KEY", "fkey_wrong")
    failed = shell(RUN, srv)
    assert failed.stdout.startswith("Error: ")
    assert "401" in failed.stdout


@pytest.mark.skipif(not has_crond(), reason="there is no busybox with crond, as in Debian's package busybox-static")
@pytest.mark.skipif(os.geteuid() != 0, reason="crond changes the user")
def test_crond_runs_it(srv: Path, tmp_path: Path) -> None:
    """Within a minute, by the account of the crontab's name: figures are there, and nothing was said."""
    crontabs = tmp_path / "crontabs"
    crontabs.mkdir()
    entry = line(RUN.replace("17 * * * *", "* * * * *"), srv)
    assert entry.startswith("* * * * *")
    (crontabs / "root").write_text(entry + "\n")
    command = [BUSYBOX, "crond", "-f", "-L", str(tmp_path / "crond.log"), "-c", str(crontabs)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as crond:
        try:
            log = srv / "run.log"
            for _ in range(6000):
                assert crond.poll() is None, "crond has ended"
                if log.exists() and "data tests passed" in log.read_text():
                    break
                time.sleep(0.1)
        finally:
            (crontabs / "root").unlink()
            crond.terminate()
    assert "data tests passed" in log.read_text()
    deadline = time.monotonic() + 60
    while "Usage" not in log.read_text() and time.monotonic() < deadline:  # the run prints its summary and ends
        time.sleep(0.1)
    assert query(srv / "mithril.duckdb", "select count(*) > 0 from marts.fct_cost_daily") == [(True,)]
