"""The service and the timer: systemd reads them, and what the service starts does what it says."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from examples import SCHEDULES

from loading import query
from mithril_elt import errors

ANALYZE = shutil.which("systemd-analyze") or ""
pytestmark = pytest.mark.timeout(900)


def unit(name: str) -> configparser.ConfigParser:
    """A unit as sections of keys."""
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # keys as they are written
    parsed.read(SCHEDULES / name)
    return parsed


@pytest.fixture
def units(place: Path, tmp_path: Path) -> Path:
    """The units with a folder of the test in the place of /srv/mithril, and this account's user in that of theirs."""
    (place / "venv" / "bin").mkdir(parents=True)
    (place / "venv" / "bin" / "mithril-elt").symlink_to(Path(sys.executable).parent / "mithril-elt")
    folder = tmp_path / "units"
    folder.mkdir()
    for file in SCHEDULES.glob("mithril-elt.*"):
        text = file.read_text().replace("/srv/mithril", str(place)).replace("User=mithril", "User=root")
        (folder / file.name).write_text(text)
    return folder


@pytest.mark.skipif(not ANALYZE, reason="there is no systemd")
def test_systemd_finds_no_fault(units: Path) -> None:
    """`systemd-analyze verify` says nothing, and says something of a misspelt key."""
    assert verified(units) == ""
    service = units / "mithril-elt.service"
    service.write_text(service.read_text().replace("WorkingDirectory", "WorkingFolder"))
    assert "WorkingFolder" in verified(units)


def verified(units: Path) -> str:
    """What systemd finds in the units."""
    files = [str(units / name) for name in ("mithril-elt.service", "mithril-elt.timer")]
    ended = subprocess.run([ANALYZE, "verify", *files], capture_output=True, text=True, check=False)
    said = [line for line in (ended.stdout + ended.stderr).splitlines() if str(units) in line or "mithril-elt" in line]
    return "\n".join(said)


def test_which_exit_statuses_are_tried_again() -> None:
    """5 alone: 8 is no failure, and each other one of ours prevents it."""
    service = unit("mithril-elt.service")["Service"]
    every = {getattr(errors, name).exit_status for name in errors.__all__}
    prevented = set(map(int, service["RestartPreventExitStatus"].split()))
    assert every - prevented == {5, 8}
    assert service["SuccessExitStatus"] == "8"


def test_what_the_service_starts(units: Path, place: Path) -> None:
    """In its folder, with its environment, without any other: loads and builds."""
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # as above
    parsed.read(units / "mithril-elt.service")
    service = parsed["Service"]
    environ = dict([service["Environment"].split("=", 1)])
    environ |= {name: os.environ[name] for name in ("MITHRIL_API_KEY", "MITHRIL_API_URL")}  # of its EnvironmentFile
    started = subprocess.run(
        shlex.split(service["ExecStart"]),
        cwd=service["WorkingDirectory"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(place), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    assert all(line.startswith("{") for line in started.stderr.splitlines())
    assert query(place / "mithril.duckdb", "select count(*) > 0 from marts.fct_cost_daily") == [(True,)]


def test_the_timer_is_persistent() -> None:
    """What was missed while the machine was off is made good, once."""
    timer = unit("mithril-elt.timer")["Timer"]
    assert timer["Persistent"] == "true"
    assert re.fullmatch(r"\*:\d\d", timer["OnCalendar"])
