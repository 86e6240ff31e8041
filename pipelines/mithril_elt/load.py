"""The load: what is left of a crash first, then package by package, some windows in each; and a row of `runs`.

Stands between `source` and the raw tables. A window is in the ledger exactly when its rows are in the
database, since both travel in one dlt package; so a run that was killed costs at most one package again.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mithril_elt.api import Mithril
from mithril_elt.errors import MithrilError
from mithril_elt.findings import saved_readings
from mithril_elt.instants import iso
from mithril_elt.ledger import covered_spans
from mithril_elt.lists import Lists, choose_projects, read_lists
from mithril_elt.lock import locked
from mithril_elt.log_facts import known
from mithril_elt.memory import seldom_collected
from mithril_elt.packing import Package, Took
from mithril_elt.past import Past
from mithril_elt.pipeline import drained_pipeline, held_by, load_package, resource_state
from mithril_elt.place import Place
from mithril_elt.plans import LoadPlan, Pending, due, settled_before
from mithril_elt.postgres import Postgres
from mithril_elt.read_so_far import ReadSoFar
from mithril_elt.sizing import Sizing
from mithril_elt.warehouse import Translated, try_write
from mithril_elt.windows import Span, Wish, plan

if TYPE_CHECKING:
    from mithril_elt.reading import Reading

__all__ = ["LoadPlan", "LoadResult", "Progress", "load"]

_CLOCKS_DIFFER = timedelta(minutes=1)

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
os.environ.setdefault("LOAD__TRUNCATE_STAGING_DATASET", "true")  # else all that is new is written to the file twice


@dataclass
class Progress:
    """How far a load is. Windows count once for each project and both histories."""

    windows_planned: int = 0
    windows_done: int = 0
    rows: int = 0
    requests: int = 0


@dataclass
class LoadResult(Progress):
    """What a load did; the row of `raw.runs`."""

    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished_at: datetime | None = None
    as_of: datetime | None = None
    outcome: str = "failed"
    error: str | None = None
    retries: int = 0
    bytes: int = 0
    late_rows: int = 0
    late_seconds: int = 0
    withdrawn_rows: int = 0
    lookback_seconds: int = 0
    version: str = field(default_factory=lambda: version("mithril-elt"))
    projects: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def load(
    api: Mithril,
    db: Place,
    wanted: LoadPlan | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_read: Callable[[ReadSoFar], None] | None = None,
    into: LoadResult | None = None,
) -> LoadResult:
    """Loads what is new since the last run, and the look-back, into the raw tables of a database.

    `on_progress` is called after each window that was loaded, `on_read` after each of a history that was read before
    that. `into`: what is filled in and given back, for those who want to know what a load did that failed.

    Raises:
        UsageError: times that have no meaning; nothing was written.
        NotFoundError: a project that the key does not see; nothing was written.
        LockedError: another run holds the database.
        WarehouseError: the file cannot be opened or written.
        KeyRefusedError, ApiError, ContractError: the API; windows finished before are kept.
    """
    if isinstance(db, Postgres):
        db.check_dataset((wanted or LoadPlan()).dataset)
    one = _Load(
        api,
        db,
        wanted or LoadPlan(),
        into or LoadResult(),
        on_progress=on_progress or (lambda _: None),
        on_read=on_read or (lambda _: None),
    )
    with known(run_id=one.result.run_id), locked(db), seldom_collected():
        try:
            try_write(db)
            return one.run()
        finally:
            one.count()


class _Load:
    """One load under its lock: the state that its steps share."""

    def __init__(
        self,
        api: Mithril,
        db: Place,
        wanted: LoadPlan,
        result: LoadResult,
        *,
        on_progress: Callable[[Progress], None],
        on_read: Callable[[ReadSoFar], None],
    ) -> None:
        self.api, self.db, self.wanted, self.result = api, db, wanted, result
        self.on_progress, self.on_read = on_progress, on_read
        self.so_far = ReadSoFar(timedelta(0))
        result.lookback_seconds = wanted.lookback // timedelta(seconds=1)
        self.pipeline: Any = None
        self.past: dict[tuple[str, str], Past] = {}
        self.ways: dict[str, str] = {}

    def run(self) -> LoadResult:
        projects = choose_projects(self.api, self.wanted.projects)
        self.result.projects = projects
        _check_times(self.wanted, self.api.traffic.first_server_at)
        self.pipeline, self.past = drained_pipeline(self.db, self.wanted.dataset)
        try:
            covered = {project: self._covered(project) for project in projects}
            lists = read_lists(self.api, projects, settled_before=settled_before(covered, self.wanted))
            self._settle_clock(lists.as_of, covered)
            self._read(projects, lists, due(covered, lists, self.wanted))
        except BaseException as error:
            self.result.error = str(error) if isinstance(error, MithrilError) else f"ended by {type(error).__name__}"
            raise
        finally:
            if self.result.outcome != "done":
                self._note_failure()
        return self.result

    def _settle_clock(self, now: datetime, covered: dict[str, list[Span]]) -> None:
        """Takes the server's clock for the end of the run, and warns where it cannot be right."""
        self.result.as_of = min(self.wanted.until or now, now)
        ahead = now - datetime.now(UTC)
        if ahead > _CLOCKS_DIFFER:
            self.api.novelties.warn(
                f"the server's clock is {ahead // timedelta(seconds=1)} s ahead of this machine's: figures end there"
            )
        for project, spans in covered.items():
            if any(span.end > now + _CLOCKS_DIFFER for span in spans):
                self.api.novelties.warn(f"the server's clock went back: what {project} has past it is read again")
            covered[project] = [Span(each.start, min(each.end, now)) for each in spans if each.start < now]

    def _covered(self, project: str) -> list[Span]:
        """What both histories have of a project: windows are read for both, so they do not differ for long."""
        from mithril_elt.histories import HISTORIES  # noqa: PLC0415  # imports pyarrow

        spans = [set(covered_spans(resource_state(self.pipeline, history.table), project)) for history in HISTORIES]
        return sorted(set.intersection(*spans))

    def _read(self, projects: list[str], lists: Lists, planned: dict[str, list[Span]]) -> None:
        """Package after package; the first also brings the lists, the last the row of this run."""
        from mithril_elt.histories import HISTORIES  # noqa: PLC0415  # imports pyarrow

        self.ways = self._ways(projects)
        self.so_far = ReadSoFar.of(planned, len(HISTORIES))
        sizing = Sizing(self.past, self.api.limits.concurrency, self.wanted.window)
        pending = Pending({project: list(spans) for project, spans in planned.items()})
        is_first = True
        while is_first or any(pending.spans.values()):
            self._load_package(lists, Package(pending, sizing), planned, is_first=is_first)
            is_first = False

    def _ways(self, projects: list[str]) -> dict[str, str]:
        """How each project is asked, where a probe has found it out."""
        from mithril_elt.asking import BY_ORDER, BY_PROJECT  # noqa: PLC0415  # imports pyarrow

        seen = saved_readings(self.db).get("project_alone")
        return dict.fromkeys(projects, BY_PROJECT if seen == "accepted" else BY_ORDER) if seen else {}

    def _load_package(self, lists: Lists, package: Package, planned: dict[str, list[Span]], *, is_first: bool) -> None:
        from mithril_elt.reading import Reading  # noqa: PLC0415  # imports dlt
        from mithril_elt.source import bounded, reading_source  # noqa: PLC0415  # imports dlt

        began_at_s = time.monotonic()
        reading = Reading(
            open_api=lambda: nullcontext(self.api),
            projects=lambda _: list(planned),
            windows=lambda _: package.each(),
            planned=planned,
            slices=package.sizing.slices,
            on_window=partial(self._note_read, package),
            run_id=self.result.run_id,
            held=lambda: held_by(self.pipeline, self.db),
            until=self.wanted.until,
            lookback=self.wanted.lookback,
            lists=lists,
            with_lists=is_first,
            closes_periods=is_first,
            ways=self.ways,
        )
        read: list[LoadResult] = []  # how far this run is with the package, once that is read
        reading.run_rows = lambda: self._run_rows(reading, package, read)
        with Translated(self.db):
            load_package(self.pipeline, self.db, bounded(reading_source(reading)))
        done = self.result.windows_done
        vars(self.result).update(vars(read[-1]))
        self._tell(package, done, int((time.monotonic() - began_at_s) * 1000))

    def _note_read(self, package: Package, project: str, history: str, span: Span, took: Took) -> None:
        package.note(project, history, span, took)
        self.so_far.note(history, span, took.rows)
        self.on_read(self.so_far)

    def _run_rows(self, reading: Reading, package: Package, read: list[LoadResult]) -> list[dict[str, Any]]:
        """The row of the run, with a package that was just read; none if there are more to come.

        It travels with the last windows, so it is there exactly if they are.
        """
        self.count()
        before, done = self.result, self.result.windows_done + sum(map(len, package.windows))
        told = replace(
            before,
            rows=before.rows + reading.rows,
            withdrawn_rows=before.withdrawn_rows + reading.withdrawn_rows,
            late_rows=before.late_rows + reading.late.rows,
            late_seconds=max(before.late_seconds, reading.late.seconds),
            windows_done=done,
            windows_planned=done + package.pending.windows(package.sizing.length()),
        )
        read.append(told)
        if not package.is_last:
            return []
        told.outcome, told.finished_at = "done", datetime.now(UTC)
        return [vars(told)]

    def _tell(self, package: Package, done: int, duration_ms: int) -> None:
        """Tells of each window of a package; `duration_ms`: of all of them."""
        for spans in package.windows:
            for project, span in spans.items():
                done += 1
                self.result.windows_done = done
                ends = {"window_from": iso(span.start), "window_to": iso(span.end)}
                with known(project=project, duration_ms=duration_ms, **ends):
                    self.on_progress(self.result)

    def count(self) -> None:
        """Takes in what was asked of the API so far, and what it said that is new."""
        result, traffic = self.result, self.api.traffic
        result.requests, result.retries, result.bytes = traffic.requests, traffic.retries, traffic.size_bytes
        result.warnings = list(self.api.novelties.warnings)

    def _note_failure(self) -> None:
        """Writes the row of a run that failed; that this failed too never hides the failure before it."""
        from mithril_elt.rows import arrow  # noqa: PLC0415  # imports pyarrow
        from mithril_elt.source import runs_source  # noqa: PLC0415  # imports dlt

        self.result.finished_at = datetime.now(UTC)
        self.count()
        with suppress(MithrilError), Translated(self.db):
            load_package(self.pipeline, self.db, runs_source(arrow("runs", [vars(self.result)])))


def _check_times(wanted: LoadPlan, now: datetime | None) -> None:
    """Refuses times that have no meaning before anything is written."""
    plan([], Wish(now or datetime.now(UTC), wanted.since, wanted.until))
