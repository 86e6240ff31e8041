"""How new and how sound the figures are: the last run, the last build, what the vendor says otherwise.

Stands on the marts and what is noted beside them; a reader who may not see that is told that it is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mithril_elt.reports.marts import Marts
from mithril_elt.visible import shortened

__all__ = ["Check", "Health", "LastRun", "Project", "health"]


@dataclass(frozen=True)
class LastRun:
    """The newest load: when it began, whether it came to its end, what it said if not."""

    started_at: datetime
    is_done: bool
    error: str | None


@dataclass(frozen=True)
class Project:
    """A project: its name, if any, and up to when its figures are complete; None if it has none yet."""

    project_id: str
    name: str | None
    as_of: datetime | None


GOOD, BAD, UNKNOWN = "good", "bad", "unknown"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: how it is, in a word and in words; `report` has more. Troubles stand at the top."""

    what: str
    mark: str
    words: str
    report: str | None = None
    is_trouble: bool = False


@dataclass(frozen=True)
class Health:
    """What a reader should know before believing a figure.

    `last_run`, `built_at`, `tests_passed`: None where it is not known. `failed`: which tests did not pass. `agrees`,
    `differs`, `not_compared`: fields of the vendor's own summaries of reservations, beside ours.
    """

    as_of: datetime | None
    projects: tuple[Project, ...]
    last_run: LastRun | None
    built_at: datetime | None
    tests_passed: bool | None
    failed: str | None
    agrees: int
    differs: int
    not_compared: int

    def troubles(self, now: datetime, stale_after: timedelta) -> list[str]:
        """What is wrong with the data, in a few words each: nothing, if it can be believed."""
        return [f"{check.what.lower()}: {check.words}" for check in self.checks(now, stale_after) if check.is_trouble]

    def checks(self, now: datetime, stale_after: timedelta) -> list[Check]:
        """What was looked at, and how it is."""
        return [*(self._completeness(now, stale_after)), self._run(), self._tests(), self._vendor()]

    def _completeness(self, now: datetime, stale_after: timedelta) -> list[Check]:
        checks = []
        for project in self.projects:
            what = f"Project {project.name or project.project_id}"
            if project.as_of is None:
                checks.append(Check(what, BAD, "has no figures yet: its histories were not read to their end"))
                continue
            is_old = now - project.as_of > stale_after
            words = f"complete up to {project.as_of:%Y-%m-%d %H:%M} UTC"
            old = f", which is more than {_words(stale_after)} ago: `mithril-elt run` goes on from there"
            checks.append(Check(what, BAD if is_old else GOOD, words + (old if is_old else ""), is_trouble=is_old))
        return checks

    def _run(self) -> Check:
        if self.last_run is None:
            return Check("Last run", UNKNOWN, "the log of runs cannot be read here")
        began = f"{self.last_run.started_at:%Y-%m-%d %H:%M} UTC"
        if self.last_run.is_done:
            return Check("Last run", GOOD, f"of {began} came to its end")
        return Check("Last run", BAD, f"of {began} failed: {self.last_run.error or 'no word why'}", is_trouble=True)

    def _tests(self) -> Check:
        if self.tests_passed is None:
            return Check("Data tests", UNKNOWN, "no build is noted")
        built = f"{self.built_at:%Y-%m-%d %H:%M} UTC" if self.built_at else "unknown time"
        if self.tests_passed:
            return Check("Data tests", GOOD, f"all passed in the build of {built}")
        words = f"in the build of {built} {self.failed or 'some failed: the figures are not to be trusted'}"
        return Check("Data tests", BAD, words, is_trouble=True)

    def _vendor(self) -> Check:
        words = f"{self.agrees} fields agree, {self.differs} differ, {self.not_compared} cannot be compared"
        mark = BAD if self.differs else GOOD if self.agrees else UNKNOWN
        return Check("The vendor’s own summaries", mark, words, report="reconciliation")


def health(marts: Marts, dataset: str | None, as_of: datetime | None) -> Health:
    """The health of the figures in an open database."""
    counted = dict(marts.rows("select agrees, count(*) from {marts}.fct_reconciliation group by agrees"))
    named = "select project_id, project_name, as_of from {marts}.dim_projects order by project_id"
    return Health(
        as_of,
        tuple(Project(identity, name, _utc(at)) for identity, name, at in marts.rows(named)),
        _last_run(marts.connection, dataset),
        *_last_build(marts),
        *(int(counted.get(agrees, 0)) for agrees in (True, False, None)),
    )


def _last_build(marts: Marts) -> tuple[datetime | None, bool | None, str | None]:
    """When the marts were built, whether all data tests passed, and which did not.

    A build that is sound has a fingerprint.
    """
    if not marts.newest_build():
        return None, None, None
    [(finished_at, passed)] = marts.rows(
        "select finished_at, fingerprint is not null from {staging}.builds order by number desc limit 1"
    )
    failed = marts.failed_tests()
    return _utc(finished_at), bool(passed), failed and shortened(failed, 300)


def _last_run(connection: Any, dataset: str | None) -> LastRun | None:
    """The newest row of the log of runs; None where there is none, or who reads may not read it."""
    schema = f"{dataset}_raw" if dataset else "raw"
    newest = f'select started_at, outcome, error from "{schema}".runs order by started_at desc limit 1'  # noqa: S608  # own
    try:
        found = connection.execute(newest).fetchall()
    except Exception:  # noqa: BLE001  # whatever an engine says: a right that is missing, a bucket that is far
        return None
    for started_at, outcome, error in found:
        return LastRun(started_at.replace(tzinfo=UTC), outcome == "done", error and shortened(str(error), 300))
    return None


def _words(span: timedelta) -> str:
    hours = span // timedelta(hours=1)
    return f"{hours // 24} days" if hours >= 48 and hours % 24 == 0 else f"{hours} hours"


def _utc(at: datetime | None) -> datetime | None:
    return at and at.replace(tzinfo=UTC)
