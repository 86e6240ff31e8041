"""Clears what a crash left that `run` cannot clear by itself; loses nothing that was loaded.

Stands beside `load`. A run that was killed needs none of this: the next one loads what it left. This is for files that
were cut short with the power: DuckDB's log beside the database, and what dlt keeps in the working folder. Both can be
done without: the database knows how far it was loaded, and the next run reads on from there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from mithril_elt.errors import WarehouseError
from mithril_elt.lock import locked, work_folder
from mithril_elt.pipeline import forget, load_left_over, open_pipeline
from mithril_elt.warehouse import Translated, try_write

__all__ = ["recover"]


def recover(db: Path, dataset: str | None = None) -> list[str]:
    """What was done, a sentence each; none where nothing was to be done.

    Raises:
        LockedError: a run holds the database.
        WarehouseError: it cannot be opened, even without its log.
    """
    with locked(db):
        return [*_database(db), *_package(db, dataset)]


def _database(db: Path) -> list[str]:
    """Sets the log aside if the database cannot be opened with it."""
    wal = db.with_name(f"{db.name}.wal")
    try:
        try_write(db)
    except WarehouseError:
        if not wal.is_file():
            raise
    else:
        return []
    kept = work_folder(db) / f"{wal.name}-{_now()}"
    wal.rename(kept)
    try:
        try_write(db)
    except WarehouseError:
        kept.rename(wal)
        raise
    forget(db)  # it may know of more than the database has now
    return [f"The log {wal.name} could not be read: set aside as {kept}. What was in it is read again by the next run."]


def _package(db: Path, dataset: str | None) -> list[str]:
    """Loads what dlt has left over; what cannot be loaded is dropped, with dlt's own memory of it."""
    try:
        with Translated(db):
            is_loaded = load_left_over(open_pipeline(db, dataset))
    except Exception as error:  # noqa: BLE001  # whatever dlt or DuckDB make of a file that was cut short
        forget(db)
        with Translated(db):
            load_left_over(open_pipeline(db, dataset))
        left = f"What a crash left in {work_folder(db)} cannot be loaded ({type(error).__name__})"
        return [f"{left}: it is dropped, the next run reads it again."]
    return ["What a crash left is loaded."] if is_loaded else []


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
