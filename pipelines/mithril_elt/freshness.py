"""Whether the figures are as new as somebody wants them, and what is wrong with them if not.

Stands beside `reports`, under the command `status`: reads the log of runs, the ledger of windows, the log of builds and
the marts' own instants; asks nothing of the API and writes nothing.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mithril_elt.errors import LockedError, UsageError, WarehouseError
from mithril_elt.instants import iso
from mithril_elt.lock import holder_of
from mithril_elt.objects import Objects
from mithril_elt.place import Place
from mithril_elt.warehouse import loaded_from, read_from, schema_name

__all__ = ["Freshness", "freshness"]


@dataclass(frozen=True)
class Freshness:
    """What a check came to.

    `reason`: None if all is well, else `stale`, `no_run`, `run_failed`, `data_test_failed`, `build_broken_off` or
    `run_hangs`. `as_of`: the earliest instant up to which a project's figures are complete; `age`: since then.
    """

    sentence: str
    reason: str | None
    max_age: timedelta
    as_of: datetime | None = None
    age: timedelta | None = None

    @property
    def is_ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.reason is None

    def facts(self) -> dict[str, Any]:
        """The same for JSON."""
        age = None if self.age is None else self.age // timedelta(seconds=1)
        return {
            "ok": self.is_ok,
            "reason": self.reason,
            "sentence": self.sentence,
            "as_of": iso(self.as_of),
            "age_seconds": age,
            "max_age_seconds": self.max_age // timedelta(seconds=1),
        }


def freshness(db: Place, dataset: str | None, max_age: timedelta, now: datetime | None = None) -> Freshness:
    """Checks the figures of a database: the marts' where there are any, else those that were loaded.

    Raises:
        LockedError: a run has the file to itself just now, and not for longer than `max_age`.
        WarehouseError: the database cannot be read.
    """
    now = now or datetime.now(UTC)
    try:
        with ExitStack() as stack:
            raw = stack.enter_context(loaded_from(db, schema_name("raw", dataset)))
            found = _Found(raw, _beside(db, raw, stack), dataset, is_held=holder_of(db) is not None)
            fault, complete = found.fault(), found.complete()
    except UsageError as error:
        return Freshness(f"there was no run: {error.sentence}", "no_run", max_age)
    except WarehouseError:
        hung = _hung(db, max_age, now)
        if hung is None:
            raise
        return hung
    if complete is None:
        reason, sentence = fault or ("no_run", "no run has read the histories of a project to their end yet")
        return Freshness(sentence, reason, max_age)
    as_of, project = complete
    age = now - as_of
    told = f"figures are complete up to {_told(as_of)} ({project}), {_hours(age)} ago"
    if fault is None and age > max_age:
        fault = "stale", f"{told}, and may be {_hours(max_age)} old: run again"
    if fault is None:
        return Freshness(f"{told}; the last run and build were sound", None, max_age, as_of, age)
    return Freshness(fault[1], fault[0], max_age, as_of, age)


def _beside(db: Place, raw: Any, stack: ExitStack) -> Any | None:
    """A connection to where builds and marts are: the same, but where raw tables are files; none if there are none."""
    if not isinstance(db, Objects):
        return raw
    return stack.enter_context(read_from(db)) if db.file.is_file() else None


def _hung(db: Place, max_age: timedelta, now: datetime) -> Freshness | None:
    """What to make of a file that a run has to itself: it is waited for, unless it has been so for too long."""
    holder = holder_of(db)
    if holder is None:
        return None
    if now - holder.since <= max_age:
        raise LockedError(f"a run has {db} to itself just now ({holder}): ask again when it is over") from None
    return Freshness(f"a run has had {db} to itself for longer than {_hours(max_age)} ({holder})", "run_hangs", max_age)


class _Found:
    """What a database says of its runs, builds and projects."""

    def __init__(self, raw: Any, connection: Any | None, dataset: str | None, *, is_held: bool) -> None:
        self.raw, self.connection, self.is_held = raw, connection, is_held
        self.schema, self.staging, self.marts = (schema_name(layer, dataset) for layer in ("raw", "staging", "marts"))

    def fault(self) -> tuple[str, str] | None:
        """What the last run or the last build failed with: a word, and a sentence."""
        last = f'select started_at, outcome, error from "{self.schema}".runs order by started_at desc limit 1'  # noqa: S608  # own names
        for started_at, outcome, error in self.raw.execute(last).fetchall():
            if outcome == "done":
                return self._fault_of_build()
            return "run_failed", f"the last run, of {_told(started_at)}, failed: {error}"
        return "no_run", "there was no run: `mithril-elt run` makes one"

    def _fault_of_build(self) -> tuple[str, str] | None:
        if self.connection is None or not self._has(self.staging, "builds"):
            return None
        asked = self.connection.execute(f'select * from "{self.staging}".builds order by number desc limit 1')  # noqa: S608  # own names
        names = [name for name, *_ in asked.description]
        for row in asked.fetchall():
            build = dict(zip(names, row, strict=True))
            began = _told(build["started_at"])
            if build["finished_at"] is None:
                broken_off = f"the last build, of {began}, did not come to its end: `mithril-elt build` makes it anew"
                return None if self.is_held else ("build_broken_off", broken_off)
            # A sound build has the fingerprint of what made it; an older release noted neither of the two.
            if build.get("made_by") and not build.get("fingerprint"):
                failed = build.get("failed") or "data tests failed"  # which, an older release did not note
                return "data_test_failed", f"in the build of {began} {failed}"
        return None

    def complete(self) -> tuple[datetime, str] | None:
        """The earliest instant up to which a project is complete, and which project that is."""
        if self.connection is not None and self._has(self.marts, "dim_projects"):
            found = self.connection.execute(
                f'select as_of, project_id from "{self.marts}".dim_projects where as_of is not null'  # noqa: S608  # own names
            ).fetchall()
        else:
            found = self.raw.execute(
                "select min(to_at), project from ("  # noqa: S608  # own names
                f'select project, history, max(to_at) as to_at from "{self.schema}".windows group by project, history'
                ") as read group by project"
            ).fetchall()
        earliest = min(found, default=None)
        return None if earliest is None else (earliest[0].replace(tzinfo=UTC), earliest[1])

    def _has(self, schema: str, table: str) -> bool:
        query = "select count(*) from information_schema.tables where table_schema = ? and table_name = ?"
        [(count,)] = self.connection.execute(query, [schema, table]).fetchall() if self.connection else [(0,)]
        return bool(count)


def _told(at: datetime) -> str:
    return str(iso(at.replace(tzinfo=UTC, microsecond=0)))


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):,.1f} h"
