"""One writer at a time: a lock beside the database, held by the operating system for the process.

Stands under `load` and `transform`. A process that dies lets go of it by dying; who holds it is noted
beside it, so that the one who is refused can be told. It is safe on one machine, and on several where the file
system passes `flock` on (NFS 4 does). Files in a bucket have such a lock for each user of a machine; runs of several
machines at once cost each other requests, and no rows (`raw_files`).

What a warehouse on a server owes is the same three things: one holder, let go of by the death of its session, who is
known by name. PostgreSQL has locks of a session (`pg_try_advisory_lock`), and `pg_stat_activity` has the holder: that
is held as well, for the other machines. Where a server has none, a row per dataset with holder, number and
expiry, taken by an update on the condition that it has expired and renewed with each window; a window is loaded only
in one transaction with a check of that number, so that a holder who slept past its expiry cannot write.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mithril_elt.errors import LockedError, WarehouseError
from mithril_elt.objects import Objects
from mithril_elt.place import Place
from mithril_elt.postgres import Postgres, Session

__all__ = ["Holder", "holder_of", "locked", "make_work_folder", "still_held", "work_folder"]

_SESSIONS: dict[Postgres, Session] = {}  # of this process, that hold the lock of a database


def work_folder(db: Place) -> Path:
    """The hidden folder beside a database: dlt's working files and the lock.

    One for each file, whatever link or path it is named by.
    """
    if not isinstance(db, Path):
        return db.work_folder
    file = db.resolve()
    return file.parent / f".{file.name}.dlt"


def make_work_folder(db: Place) -> Path:
    """The hidden folder, made if it is not there; a new one is its owner's alone, so whatever is put there is too."""
    folder = work_folder(db)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def locked(db: Place) -> Iterator[None]:
    """Holds the lock of a database; the same process may take it again inside.

    Raises:
        LockedError: another process holds it.
        WarehouseError: the folder cannot be written.
    """
    folder = work_folder(db)
    with ExitStack() as held:
        try:
            make_work_folder(db)
            lock = FileLock(folder / "lock", timeout=0, is_singleton=True)
            held.enter_context(lock)
            if lock.lock_counter == 1:  # who is inside already has been noted
                _note_holder(folder / "holder.json")
                held.callback((folder / "holder.json").unlink, missing_ok=True)  # a note is there while a run is
                held.enter_context(_held_for_others(db))
        except Timeout:
            raise LockedError(
                f"another run holds {db} ({_holder(folder / 'holder.json')}): wait for it to end"
            ) from None
        except OSError as error:
            raise WarehouseError(f"the folder of {db} cannot be written: {error.strerror or error}") from None
        yield


def _held_for_others(db: Place) -> AbstractContextManager[None]:
    """What is held as well, for those who have another working folder."""
    if isinstance(db, Postgres):
        return _session_of(db)
    return _written_by_one(db) if isinstance(db, Objects) else nullcontext()


@contextmanager
def _written_by_one(db: Objects) -> Iterator[None]:
    """One writer of a folder, or of a bucket by this user of this machine, whatever file they model it in."""
    file = db.lock_file
    file.parent.mkdir(parents=True, exist_ok=True)
    noted = file.with_suffix(".holder")
    try:
        with FileLock(file, timeout=0):
            _note_holder(noted)
            yield
    except Timeout:
        raise LockedError(f"another run holds {db} ({_holder(noted)}): wait for it to end") from None


@contextmanager
def _session_of(db: Postgres) -> Iterator[None]:
    with db.locked() as (session, other):
        if other:
            raise LockedError(f"another run holds {db} ({other}): wait for it to end")
        _SESSIONS[db] = session
        try:
            yield
        finally:
            del _SESSIONS[db]


def still_held(db: Place) -> None:
    """Passes if the lock that this process took is its own still: before anything is written.

    Raises:
        WarehouseError: the session that held it is gone, and another run may have begun.
    """
    if isinstance(db, Postgres) and db in _SESSIONS:
        try:
            _SESSIONS[db].execute("select 1").fetchall()
        except Exception as error:
            raise WarehouseError(f"the lock of {db} was lost with its session: run again") from error


def _note_holder(file: Path) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    file.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now}))


@dataclass(frozen=True)
class Holder:
    """Who took the lock: a process, of which machine, since when (UTC)."""

    pid: int
    host: str
    since: datetime

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since.isoformat()}"

    def is_alive(self) -> bool:
        """Whether a process of that number is on this machine: a note outlives its writer."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except OSError as error:
            return isinstance(error, PermissionError)  # another user's
        return True


def holder_of(db: Place) -> Holder | None:
    """Who holds the lock of a database, if it is on this machine; nothing is locked or written to find out."""
    noted = _noted(work_folder(db) / "holder.json")
    return noted if noted and noted.is_alive() else None


def _noted(file: Path) -> Holder | None:
    try:
        note = json.loads(file.read_text())
        return Holder(int(note["pid"]), str(note["host"]), datetime.fromisoformat(note["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _holder(file: Path) -> str:
    return str(_noted(file) or "process unknown")
