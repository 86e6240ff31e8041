"""Runs again and again in one process, as a scheduler would have them, each of which is measured from outside.

Stands under `test_soak`. The sandbox and its clock are in the process of the test, so that what grows is the runs'.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mithril_elt.lock import work_folder

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """One run: whether it was done, how long it took, and what the process and the disk hold after it."""

    number: int
    failed: str | None
    took_ms: int
    rss_bytes: int
    handles: int
    threads: int
    database_bytes: int
    folder_bytes: int
    state_bytes: int
    temporary_bytes: int


@contextmanager
def runner(db: Path, key: str, url: str, temporary: Path) -> Iterator[Runner]:
    """A process that waits for its next run, and ends with the context."""
    spawned = multiprocessing.get_context("spawn")
    ours, theirs = spawned.Pipe()
    process = spawned.Process(target=_serve, args=(theirs, str(db), key, url, str(temporary)))
    process.start()
    try:
        assert process.pid is not None
        yield Runner(ours, process.pid, db, temporary)
    finally:
        ours.send(None)
        process.join(60)
        process.kill()
        ours.close()


@dataclass
class Runner:
    """The other end of that process."""

    pipe: Connection
    pid: int
    db: Path
    temporary: Path
    runs: int = 0

    def run(self) -> Measured:
        """One load and one build in the process, and what is there after them."""
        began_ns = time.monotonic_ns()
        self.pipe.send("run")
        failed = self.pipe.recv()
        took_ms = (time.monotonic_ns() - began_ns) // 1_000_000
        self.runs += 1
        process = Path(f"/proc/{self.pid}")
        folder = work_folder(self.db)
        return Measured(
            number=self.runs,
            failed=failed,
            took_ms=took_ms,
            rss_bytes=int((process / "statm").read_text().split()[1]) * _PAGE_BYTES,
            handles=len(list((process / "fd").iterdir())),
            threads=len(list((process / "task").iterdir())),
            database_bytes=sum(file.stat().st_size for file in self.db.parent.glob(f"{self.db.name}*")),
            folder_bytes=kept_bytes(folder),
            state_bytes=(folder / "mithril" / "state.json").stat().st_size,
            temporary_bytes=_size(self.temporary),
        )


def kept_bytes(folder: Path) -> int:
    """What a working folder keeps, but for the rows of its newest packages: they grow with the account."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and file.suffix != ".parquet")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _serve(pipe: Connection, db: str, key: str, url: str, temporary: str) -> None:
    os.environ["TMPDIR"] = temporary
    os.chdir(temporary)
    while pipe.recv() is not None:
        pipe.send(_run(Path(db), key, url))


def _run(db: Path, key: str, url: str) -> Any:
    from mithril_elt.api import Mithril  # noqa: PLC0415  # in the process that is measured
    from mithril_elt.errors import MithrilError  # noqa: PLC0415  # as above
    from mithril_elt.load import load  # noqa: PLC0415  # as above
    from mithril_elt.transform import build  # noqa: PLC0415  # as above

    try:
        with Mithril(key, url) as api:
            load(api, db)
        build(db)
    except MithrilError as error:
        return f"{type(error).__name__}: {error}"
    return None
