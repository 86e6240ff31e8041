"""Builds and tests the models of `sql/` with dbt, in this process.

Stands between the raw tables and `reports`, over `dbt_project`. dbt's target folder is hidden beside the
database, so that its parsed project is found again.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mithril_elt.dbt_project import BuildResult, copy_parsed, fingerprint, parse, run, sql_folder
from mithril_elt.errors import DataTestError
from mithril_elt.instants import iso
from mithril_elt.lock import locked, still_held, work_folder
from mithril_elt.migration import make_schema, migrate
from mithril_elt.objects import Objects
from mithril_elt.place import Place, file_of
from mithril_elt.postgres import Postgres
from mithril_elt.raw_copies import copy_raw
from mithril_elt.raw_views import make_views
from mithril_elt.warehouse import listed, loaded_from, opened, readable, schema_name, try_write

__all__ = ["BuildResult", "build", "build_scratch", "sql_folder"]

log = logging.getLogger("mithril_elt")


def build(
    db: Place,
    *,
    full: bool = False,
    as_of: datetime | None = None,
    dataset: str | None = None,
    timezone: str = "UTC",
) -> BuildResult:
    """Builds all models of a database and tests them.

    What may have changed since the build before is counted anew, the rest is kept; all of it, if that build did not
    come to its end, failed a test, or was of other models or another zone. `full`: all of it, and the project is parsed
    anew as well. `as_of`: an earlier end of all figures. `timezone`: the zone of days and months. A build that does not
    come to its end leaves marts of two instants: it is noted in `staging.builds`, and reports refuse them.

    Raises:
        UsageError: nothing was loaded yet.
        DataTestError: a test failed; its name says which.
        LockedError, WarehouseError: the database is not to be had, or a model could not be built.
    """
    _check_loaded(db, dataset)
    with locked(db):
        try_write(db)
        log.info("building and testing the models …")
        with _noted(db, as_of, dataset, timezone) as is_kept:
            target = work_folder(db) / "dbt"
            manifest = parse(db, target, full=full, dataset=dataset)
            only_changed = is_kept and not full
            still_held(db)
            with readable(db):
                return run(
                    db,
                    target,
                    manifest,
                    as_of=as_of,
                    dataset=dataset,
                    timezone=timezone,
                    only_changed=only_changed,
                )


@contextmanager
def build_scratch(db: Place, *, as_of: datetime, dataset: str | None = None, timezone: str = "UTC") -> Iterator[Path]:
    """A database of its own whose marts end at `as_of`; removed at the end. `db` is only read."""
    _check_loaded(db, dataset)
    file = file_of(db)
    name = file.name if file else "scratch.duckdb"
    with tempfile.TemporaryDirectory(prefix="mithril-elt-") as folder:
        scratch, target = Path(folder) / name, Path(folder) / "dbt"
        # DuckDB lets nobody read while a run writes; a server does, table by table.
        # Of files those are read that were there at the beginning.
        with locked(db) if isinstance(db, Postgres) else nullcontext():
            copy_raw(db, scratch, schema_name("raw", dataset))
        if file:
            copy_parsed(work_folder(db) / "dbt", target)
        with readable(replace(db, file=scratch) if isinstance(db, Objects) else scratch):
            manifest = parse(scratch, target, dataset=dataset)
            run(scratch, target, manifest, as_of=as_of, dataset=dataset, timezone=timezone)
        yield scratch


def _check_loaded(db: Place, dataset: str | None) -> None:
    if isinstance(db, Postgres):
        db.check_dataset(dataset)
    with loaded_from(db, schema_name("raw", dataset)):
        pass


@contextmanager
def _noted(db: Place, as_of: datetime | None, dataset: str | None, timezone: str) -> Iterator[bool]:
    """Keeps in `builds` that a build began, and that it came to its end: also if tests failed, not if models did.

    Gives whether what the build before made may be kept where nothing has changed.
    """
    builds = f'"{schema_name("staging", dataset)}".builds'
    raw = schema_name("raw", dataset)
    found = listed(db, raw) if isinstance(db, Objects) else None
    with opened(db) as connection:
        if found:
            make_views(connection, found, raw)
        else:
            migrate(connection, raw)
        make_schema(connection, schema_name("staging", dataset))
        connection.execute(
            f"create table if not exists {builds}"
            " (number bigint, started_at timestamp, finished_at timestamp, as_of varchar)"
        )
        for column in ("fingerprint", "made_by", "failed"):
            connection.execute(f"alter table {builds} add column if not exists {column} varchar")
        by = fingerprint(db, timezone)  # once: of what this build is made by, whatever is installed meanwhile
        is_kept = _is_sound(connection, builds, by)
        next_number = f"(select coalesce(max(number), 0) + 1 from {builds})"  # noqa: S608  # own
        begin = f"insert into {builds} (number, started_at, as_of) values ({next_number}, ?, ?)"  # noqa: S608  # own
        connection.execute(begin, [_now(), iso(as_of)])
    try:
        yield is_kept
    except DataTestError as failed:
        _note_end(db, builds, failed=str(failed))
        raise
    _note_end(db, builds, by)


def _note_end(db: Place, builds: str, by: str | None = None, failed: str | None = None) -> None:
    """Notes that the build came to its end; `by`: the fingerprint of what made it, if what it made is sound.

    `failed`: what was said of the tests that failed, if it is not.
    """
    still_held(db)
    with opened(db) as connection:
        made = f"(select max(counted_by) from {_changed(builds)})"  # noqa: S608  # own
        end = f"update {builds} set finished_at = ?, fingerprint = ?, failed = ?, made_by = {made}"  # noqa: S608  # own
        last = f" where number = (select max(number) from {builds})"  # noqa: S608  # own
        connection.execute(end + last, [_now(), by, failed])


def _is_sound(connection: Any, builds: str, by: str) -> bool:
    """Whether the last build came to its end and passed, of the same models, and nobody has built by hand since."""
    last = f"select finished_at is not null, fingerprint, made_by from {builds} order by number desc limit 1"  # noqa: S608  # own
    is_finished, built_by, made_by = connection.execute(last).fetchone() or (False, None, None)
    if not is_finished or built_by != by or made_by is None:
        return False
    others = f"select count(*) from {_changed(builds)} where counted_by <> ?"  # noqa: S608  # own
    return bool(connection.execute(others, [made_by]).fetchone() == (0,))


def _changed(builds: str) -> str:
    """The table that says which run of dbt made the models."""
    return builds.removesuffix("builds") + "int_changed_instances"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
