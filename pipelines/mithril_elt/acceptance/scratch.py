"""What a trial does to its scratch databases behind the loader's back, and how it sees that nothing was done.

Stands in `acceptance` on `lock`. It knows where dlt keeps its memory, and nothing else of dlt.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from shutil import copy, copytree
from typing import Any

import duckdb

from mithril_elt.lock import work_folder

__all__ = ["cut_short", "files_with", "fingerprint", "peak_bytes", "remember_the_future", "unheard"]

_YEAR = timedelta(days=365)


def fingerprint(folder: Path) -> dict[str, str]:
    """A hash of each file in a folder, hidden ones too."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): sha256(file.read_bytes()).hexdigest() for file in files}


def files_with(folder: Path, secret: str) -> tuple[list[str], int]:
    """The files that have those bytes in them, and how many files were looked at."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [str(file.relative_to(folder)) for file in files if secret.encode() in file.read_bytes()], len(files)


def cut_short(db: Path) -> int:
    """Cuts each file of rows that a crash left beside a database in half, as a power failure may; how many."""
    files = list(work_folder(db).rglob("*.parquet"))
    for file in files:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return len(files)


def remember_the_future(db: Path, to: Path) -> Path:
    """A copy of a database whose ledger, in both places where it is kept, reaches a year further."""
    copy(db, to)
    copytree(work_folder(db), work_folder(to))
    state_file = work_folder(to) / "mithril" / "state.json"
    state = json.loads(state_file.read_text())
    for resource in state["sources"]["mithril"]["resources"].values():
        for project, spans in resource.get("covered", {}).items():
            resource["covered"][project] = [*spans[:-1], [spans[-1][0], _later(spans[-1][1])]]
    state_file.write_text(json.dumps(state))
    with duckdb.connect(str(to)) as connection:
        connection.execute(
            "update raw.windows set to_at = to_at + to_days(365) where (project, history, to_at) in"
            " (select project, history, max(to_at) from raw.windows group by all)"
        )
    return to


def _later(at: str) -> str:
    return (datetime.fromisoformat(at) + _YEAR).isoformat()


def peak_bytes() -> int | None:
    """The most memory that this process had so far; None where the operating system does not tell."""
    try:
        import resource  # noqa: PLC0415  # not on every system
    except ImportError:
        return None
    unit: dict[str, int] = {"darwin": 1}  # macOS tells bytes, Linux kilobytes
    most: Any = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most) * unit.get(sys.platform, 1024)


@contextmanager
def unheard(name: str) -> Iterator[None]:
    """Keeps a logger silent: pages of traces of what was broken on purpose would frighten who looks on."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
