"""The workflow: it is YAML of the known keys, and its lines do what they say, with a folder in the bucket's place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples import SCHEDULES

pytestmark = pytest.mark.timeout(900)

TEXT = (SCHEDULES / "github-actions.yml").read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOB = WORKFLOW["jobs"]["run"]


def test_one_run_at_a_time_and_no_secret_in_it() -> None:
    """A run that waits is not lost; secrets are GitHub's; nothing may be written into the repository."""
    assert WORKFLOW["concurrency"] == {"group": "mithril", "cancel-in-progress": False}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert [each["cron"] for each in WORKFLOW[True]["schedule"]] == ["17 5 * * *"]  # YAML reads `on` as true
    assert all(re.fullmatch(r"\$\{\{ (secrets|vars)\.\w+ \}\}", value) for value in JOB["env"].values())
    assert all(("uses" in step) != ("run" in step) for step in JOB["steps"])


def test_its_lines_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the installation, on a machine that keeps nothing: twice, with a new folder but the same bucket."""
    lines = [step["run"] for step in JOB["steps"] if "run" in step]
    assert lines[0].startswith("pip install 'mithril-elt[filesystem]'")
    bucket = place / "bucket"
    given = {"MITHRIL_API_KEY": os.environ["MITHRIL_API_KEY"], "DESTINATION__FILESYSTEM__BUCKET_URL": str(bucket)}
    for name in JOB["env"]:
        monkeypatch.setenv(name, given.get(name, ""))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    costs = []
    for runner in ("one", "two"):
        folder = place / runner
        folder.mkdir()
        for line in lines[1:]:
            ended = subprocess.run(
                ["/bin/bash", "-e", "-c", line], cwd=folder, capture_output=True, text=True, check=False
            )
            assert ended.returncode == 0, ended.stderr
        costs.append((folder / "cost.csv").read_text())
    assert costs[0].startswith("day,")
    assert len(costs[0].splitlines()) > 5
    assert costs[0].splitlines()[:4] == costs[1].splitlines()[:4]
