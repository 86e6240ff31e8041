"""The database that release 0.1.0 left of an account: made by that release, kept in `tests/data`, unpacked for tests.

Stands under `test_upgrade`. Run as a script under an old release it makes the archive anew:

    git worktree add /tmp/old f92c655
    mkdir /tmp/gpus && cd /tmp/gpus
    DLT_DATA_DIR=/tmp/gpus/dlt PYTHONPATH=/tmp/old/pipelines python …/tests/slow/earlier_release.py release_0_1_0.tar.xz

The archive has the DuckDB file, with dlt's own tables and the marts of then, and dlt's working folder without the rows
that it had loaded. The same seed gives the same account in both releases.
"""

from __future__ import annotations

import sys
import tarfile
from datetime import timedelta
from pathlib import Path

from mithril_elt.api import Mithril
from mithril_elt.load import LoadPlan, load
from mithril_elt.sandbox.account import Account
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve

DATABASE = "mithril.duckdb"
FOLDER = f".{DATABASE}.dlt"
ARCHIVE = Path(__file__).parent.parent / "data" / "release_0_1_0.tar.xz"
RUNS_BEFORE_NOW = (timedelta(days=5), timedelta(days=2, hours=7, minutes=13))


def account() -> Account:
    """The account that was loaded."""
    return make_account(7, 14, 9)


def load_in_runs(sandbox: Sandbox, db: Path) -> None:
    """Loads it as that release did: in two runs, the last one more than two days before the account's now."""
    for before in RUNS_BEFORE_NOW:
        sandbox.clock.advance(-before)
        with Mithril(sandbox.key, sandbox.url) as api:
            load(api, db, LoadPlan())
        sandbox.clock.advance(before)


def unpack(folder: Path) -> Path:
    """The database of that release, unpacked into a folder with what it left beside it."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / DATABASE


def _make(archive: Path) -> None:
    from mithril_elt.transform import build  # noqa: PLC0415  # only for the script

    db = Path(DATABASE)
    with serve(account()) as sandbox:
        load_in_runs(sandbox, db)
    build(db)
    with tarfile.open(archive, "w:xz") as made:
        for name in (DATABASE, FOLDER):
            made.add(name, filter=_needed)


def _needed(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """What the next run reads: not dbt's artefacts, nor dlt's trace and the packages that were loaded."""
    unread = ("/dbt/", "/loaded/", "/trace.pickle/")
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return None if any(part in f"{member.name}/" for part in unread) else member


if __name__ == "__main__":
    _make(Path(sys.argv[1]))
