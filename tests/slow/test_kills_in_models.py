"""A build that is killed, at any moment or at any stage: the next one makes good by itself, and no report is a mix."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from killed import WAY, Stage, run_and_die

from loading import load_sandbox, rows_of, tables_in
from mithril_elt.dbt_project import parse
from mithril_elt.errors import WarehouseError
from mithril_elt.lock import work_folder
from mithril_elt.reports import REPORT_NAMES, render, report
from mithril_elt.reports.marts import read_marts
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.transform import build

KILLS = max(1, int(os.environ.get("KILLS", "12")) // 12)  # of builds up to three times as many, of whole runs so many
FOREVER_S = 600

_EXECUTE = "dbt.adapters.duckdb.connections.DuckDBConnectionManager.execute"
STAGES = [
    Stage("mithril_elt.lock._note_holder", "after"),
    Stage("mithril_elt.migration.add_new_columns", "after"),
    Stage("mithril_elt.transform.parse", "after"),
    Stage("dbt.task.run.ModelRunner.execute", "before"),
    Stage("dbt.task.run.ModelRunner.execute", "after", 30),
    Stage(_EXECUTE, "before", 40),
    Stage("mithril_elt.dbt_project._dbt", "before", 3),  # the parse, the models, the tests
    Stage("dbt.task.test.TestRunner.execute", "after", 20),
    Stage("mithril_elt.transform._note_end", "before"),
    Stage("mithril_elt.transform._note_end", "after"),
]
# Two of each three are for `make test-long`.
_EACH = [
    pytest.param(number, stage, id=f"{number}-{stage}", marks=[] if number % 3 == 2 else pytest.mark.long)
    for number, stage in enumerate(STAGES)
]


@dataclass
class Proof:
    """A database with new rows under marts of before, what its marts are to be, and what was seen of others."""

    sandbox: Sandbox
    db: Path
    before: list[str]
    after: list[str]
    whole: dict[str, Any]
    longest_s: float = 0  # exact-ok: a wait: a little more than what a build takes here
    seen: Counter[str] = field(default_factory=Counter)

    def die(self, db: Path, death: Stage | float) -> bool:  # exact-ok: a wait
        """Kills a build; whether it was, before its end."""
        was_killed = run_and_die(db, self.sandbox.key, self.sandbox.url, death, "build")
        self.seen["builds killed"] += was_killed
        return was_killed

    def copied(self, folder: Path) -> Path:
        """A database of one's own, with what is beside it."""
        shutil.copy(self.db, folder)
        shutil.copytree(work_folder(self.db), work_folder(folder / self.db.name))
        return folder / self.db.name

    def look(self, db: Path) -> None:
        """What reports say of marts that were broken off: nothing, or all as before, or all as after."""
        try:
            told = reports(db)
        except WarehouseError as refused:
            assert (refused.exit_status, "did not come to its end" in str(refused)) == (9, True)  # noqa: PT017  # either is right
            self.seen["refused"] += 1
            return
        assert told in (self.before, self.after)
        self.seen["as before" if told == self.before else "as after"] += 1


def reports(db: Path) -> list[str]:
    """All that reports say of a database, to the last digit."""
    with read_marts(db, "marts") as opened:
        whole = [render(report(opened, name), "json") for name in REPORT_NAMES]
        return [*whole, render(report(opened, "cost", by=("instance", "day")), "json")]


def marts(db: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All marts, row for row."""
    return {table: rows_of(db, f"marts.{table}") for table in tables_in(db, "marts")}


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    """Four days were loaded after the last build. What was seen is printed at the end.

    The name is this file's own, so that dbt parses for it and keeps what it parsed.
    """
    db, whole = (tmp_path_factory.mktemp(name) / "killed.duckdb" for name in ("before", "after"))
    with serve(make_account(7, 14, 9)) as sandbox:
        load_sandbox(sandbox, db, until=utc(sandbox.account.now_us) - timedelta(days=4), **WAY)
        build(db)
        before = reports(db)
        load_sandbox(sandbox, db, **WAY)
        made = Proof(sandbox, db, before, [], {})
        made.copied(whole.parent)
        began_at_s = time.monotonic()
        assert not made.die(whole, FOREVER_S)
        made.longest_s = 1.5 * (time.monotonic() - began_at_s)
        made.after, made.whole = reports(whole), marts(whole)
        assert made.after != made.before
        assert differences(whole, sandbox.account) == []
        yield made
        print(f"\nkilled, and reports after it: {dict(made.seen)}")  # noqa: T201  # the figures of the proof


@pytest.mark.shows(26)
@pytest.mark.parametrize(("number", "stage"), _EACH)
def test_killed_at_each_stage(number: int, stage: Stage, proof: Proof, tmp_path: Path) -> None:
    """Before and after each step of a build, dlt's and dbt's folder kept or lost, the next step a build or a run."""
    db = proof.copied(tmp_path)
    assert proof.die(db, stage), f"never came to {stage}"
    proof.look(db)
    if number % 2:
        shutil.rmtree(work_folder(db))
        load_sandbox(proof.sandbox, db, **WAY)
        proof.look(db)
    build(db)
    assert marts(db) == proof.whole


@pytest.mark.shows(26)
@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_any_moment(number: int, proof: Proof, tmp_path: Path) -> None:
    """Other moments each time; killed up to three times in a row."""
    db, moments = proof.copied(tmp_path), random.Random()
    for _ in range(moments.randint(1, 3)):
        proof.die(db, moments.uniform(0, proof.longest_s))
        proof.look(db)
    if number % 2:
        load_sandbox(proof.sandbox, db, **WAY)
    build(db)
    assert marts(db) == proof.whole


@pytest.mark.long
def test_what_dbt_keeps_may_be_cut_short(proof: Proof, tmp_path: Path) -> None:
    """As by a power failure: whatever is left of each file, it is made anew, and nobody is told."""
    db = proof.copied(tmp_path)
    target = work_folder(db) / "dbt"
    files = [file for file in target.rglob("*") if file.is_file()]
    assert "partial_parse.msgpack" in {file.name for file in files}
    whole = {file: file.read_bytes() for file in files}
    for ruined in (lambda _: b"", lambda kept: kept[: len(kept) // 2], lambda _: random.Random(7).randbytes(5000)):
        for file in files:
            file.write_bytes(ruined(whole[file]))
        assert len(parse(db, target).nodes) > 100
    for number, file in enumerate(files):
        file.write_bytes((b"", whole[file][: len(whole[file]) // 2], b"garbage")[number % 3])
    assert not proof.die(db, FOREVER_S)
    assert marts(db) == proof.whole


@pytest.mark.long
@pytest.mark.shows(26)
@pytest.mark.timeout(600 + 60 * KILLS)
def test_the_command_is_killed_at_any_moment(proof: Proof, tmp_path: Path) -> None:
    """`mithril-elt run` as a process, from nothing, killed again and again; the next one needs no help."""
    db, moments = tmp_path / "a.duckdb", random.Random()
    command = [sys.executable, "-m", "mithril_elt", "run", "--db", str(db)]
    surroundings = {**os.environ, "MITHRIL_API_KEY": proof.sandbox.key, "MITHRIL_API_URL": proof.sandbox.url}

    def comes_to_its_end(in_s: float) -> bool:  # exact-ok: a wait
        with subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            try:
                assert run.wait(in_s) == 0
            except subprocess.TimeoutExpired:
                run.kill()
                proof.seen["whole runs killed"] += 1
                return False
        return True

    def agree() -> None:
        assert marts(db).keys() == proof.whole.keys()
        assert differences(db, proof.sandbox.account) == []

    began_at_s = time.monotonic()
    assert comes_to_its_end(FOREVER_S)
    longest_s = time.monotonic() - began_at_s
    for _ in range(9 * KILLS):
        if comes_to_its_end(moments.uniform(0, longest_s)):  # then all begins from nothing
            agree()
            shutil.rmtree(work_folder(db), ignore_errors=True)
            db.unlink()
        if proof.seen["whole runs killed"] == KILLS:
            break
    assert proof.seen["whole runs killed"] == KILLS
    assert comes_to_its_end(FOREVER_S)
    agree()
