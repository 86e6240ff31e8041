"""One writer at a time: a lock beside the database, held by the operating system for the process.

Stands under `load` and `transform`. A process that dies lets go of it by dying; who holds it is noted
beside it, so that the one who is refused can be told.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mithril_elt.errors import LockedError, WarehouseError

__all__ = ["locked", "work_folder"]


def work_folder(db: Path) -> Path:
    """The hidden folder beside a database: dlt's working files and the lock.

    One for each file, whatever link or path it is named by.
    """
    file = db.resolve()
    return file.parent / f".{file.name}.dlt"


@contextmanager
def locked(db: Path) -> Iterator[None]:
    """Holds the lock of a database; the same process may take it again inside.

    Raises:
        LockedError: another process holds it.
        WarehouseError: the folder cannot be written.
    """
    folder = work_folder(db)
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / "lock", timeout=0, is_singleton=True)
            held.enter_context(lock)
            if lock.lock_counter == 1:  # who is inside already has been noted
                _note_holder(folder)
        except Timeout:
            raise LockedError(f"another run holds {db} ({_holder(folder)}): wait for it to end") from None
        except OSError as error:
            raise WarehouseError(f"the folder of {db} cannot be written: {error.strerror or error}") from None
        yield


def _note_holder(folder: Path) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    (folder / "holder.json").write_text(json.dumps({"pid": os.getpid(), "since": now}))


def _holder(folder: Path) -> str:
    try:
        note = json.loads((folder / "holder.json").read_text())
        return f"process {note['pid']} since {note['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "process unknown"
