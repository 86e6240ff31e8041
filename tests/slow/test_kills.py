"""A run that is killed, at any moment or at any stage: the next one makes good, by itself and at little cost."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from killed import WAY, Stage, run_and_die

from loading import history_queries, load_sandbox, raw
from mithril_elt.lock import work_folder
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve

FOREVER_S = 600
KILLS = int(os.environ.get("KILLS", "12"))
IN_A_ROW = 3 if KILLS < 100 else 12  # before the tables are looked at

STAGES = [
    Stage("mithril_elt.lock._note_holder", "after"),
    Stage("mithril_elt.load.drained_pipeline", "after"),
    Stage("mithril_elt.load.read_lists", "after"),
    Stage("dlt.pipeline.pipeline.Pipeline.extract", "before"),
    Stage("dlt.pipeline.pipeline.Pipeline.extract", "after"),
    Stage("mithril_elt.history_reading.add_covered", "before"),
    Stage("mithril_elt.history_reading.add_covered", "after"),
    Stage("dlt.pipeline.pipeline.Pipeline.normalize", "before"),
    Stage("dlt.pipeline.pipeline.Pipeline.normalize", "after"),
    Stage("dlt.pipeline.pipeline.Pipeline.load", "before"),
    Stage("dlt.load.load.Load.initialize_package", "after"),
    Stage("dlt.load.load.Load.submit_job", "after"),
    Stage("dlt.load.load.Load.submit_job", "after", 9),
    Stage("dlt.load.load.Load.create_followup_jobs", "after", 2),
    Stage("dlt.load.load.Load.complete_package", "before"),
    Stage("dlt.load.load.Load.complete_package", "after"),
    Stage("dlt.pipeline.pipeline.Pipeline.extract", "after", 2),
    Stage("dlt.pipeline.pipeline.Pipeline.load", "after", 3),
    Stage("mithril_elt.load._Load._load_package", "after"),
]
# Every other one is for `make test-long`.
_EACH = [
    pytest.param(stage, id=str(stage), marks=pytest.mark.long if number % 2 else [])
    for number, stage in enumerate(STAGES)
]
FOLDERS = ("kept", "lost")


@dataclass
class Proof:
    """An account, served, whose clock stands still; what one whole run of it brings, and what was seen of others."""

    sandbox: Sandbox
    whole: dict[str, Any]
    questions: int
    longest_s: float  # exact-ok: a wait: what a run takes here
    killed: Counter[str] = field(default_factory=Counter)
    most_asked_again: int = 0

    def asked(self) -> int:
        """How many questions about histories were asked since the last time."""
        found = history_queries(self.sandbox) + history_queries(self.sandbox, "pricing/history")
        self.sandbox.requests.clear()
        return len(found)

    def die(self, db: Path, death: Stage | float) -> bool:  # exact-ok: a wait
        """Kills a run; whether it was, before its end."""
        return run_and_die(db, self.sandbox.key, self.sandbox.url, death)

    def die_at_any_moment(self, db: Path, moments: random.Random, folder: str) -> bool:
        """Kills a run at some moment of its course; if it comes to its end before, all begins from nothing."""
        was_killed = self.die(db, moments.uniform(0, self.longest_s))
        if not was_killed:
            assert raw(db) == self.whole
            shutil.rmtree(work_folder(db))
            db.unlink()
        elif folder == "lost":
            shutil.rmtree(work_folder(db), ignore_errors=True)
        self.killed[folder] += was_killed
        return was_killed

    def go_on(self, db: Path, folder: str) -> None:
        """Runs once more after a kill, dlt's folder kept or lost, and compares."""
        if folder == "lost":
            shutil.rmtree(work_folder(db), ignore_errors=True)
        load_sandbox(self.sandbox, db, **WAY)
        assert raw(db) == self.whole


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    """What every kill is held against; its figures are printed at the end."""
    with serve(make_account(7, 12, 7)) as sandbox:
        db = tmp_path_factory.mktemp("whole") / "a.duckdb"
        load_sandbox(sandbox, db, **WAY)
        made = Proof(sandbox, raw(db), 0, FOREVER_S)
        made.questions = made.asked()
        made.die(db.with_name("first.duckdb"), FOREVER_S)  # the server of processes imports all
        began_at_s = time.monotonic()
        assert not made.die(db.with_name("second.duckdb"), FOREVER_S)
        made.longest_s = time.monotonic() - began_at_s
        yield made
        print(f"\nkilled: {dict(made.killed)}; at most {made.most_asked_again} questions asked again")  # noqa: T201  # the figures of the proof


@pytest.mark.parametrize("stage", _EACH)
@pytest.mark.shows(17, 26)
def test_killed_at_each_stage(stage: Stage, proof: Proof, tmp_path: Path) -> None:
    """Before and after each step of the load, with dlt's folder kept or lost: the tables of an undisturbed run.

    Of the histories no more is asked again than one window of each project, and each open price period.
    """
    db, other = tmp_path / "a.duckdb", tmp_path / "other" / "a.duckdb"
    proof.asked()
    assert proof.die(db, stage), f"never came to {stage}"
    asked_before = proof.asked()
    copy_with_folder(db, other)
    account = proof.sandbox.account
    still_open = sum(any(each.end_us is None for each in one.prices) for one in account.instances)
    for folder, left in zip(FOLDERS, (db, other), strict=True):
        proof.go_on(left, folder)
        again = asked_before + proof.asked() - proof.questions
        assert again <= 2 * len(account.projects) + still_open
        proof.killed[folder] += 1
        proof.most_asked_again = max(proof.most_asked_again, again)


def copy_with_folder(db: Path, other: Path) -> None:
    """All that a kill left: the database and its log, if there are any yet, and the working folder beside it."""
    other.parent.mkdir()
    for file in db.parent.glob(f"{db.name}*"):
        shutil.copy(file, other.parent)
    if work_folder(db).is_dir():
        shutil.copytree(work_folder(db), work_folder(other))


@pytest.mark.parametrize("number", range(-(-KILLS // IN_A_ROW)))
@pytest.mark.shows(26)
def test_killed_at_any_moment(number: int, proof: Proof, tmp_path: Path) -> None:
    """Other moments each time, many times in a row, dlt's folder now kept and now lost."""
    db, moments = tmp_path / "a.duckdb", random.Random()
    killed = 0
    for _ in range(9 * IN_A_ROW):  # so many come to their end at most, and do not count
        killed += proof.die_at_any_moment(db, moments, moments.choice(FOLDERS))
        if killed == IN_A_ROW:
            break
    assert killed == IN_A_ROW
    proof.go_on(db, FOLDERS[number % 2])
