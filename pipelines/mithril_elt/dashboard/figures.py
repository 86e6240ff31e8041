"""What a page needs, asked of the reports while the database is open once: no figure is worked out here.

Stands on `reports` and `periods`; `overview` and `rows` make pages of what this returns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mithril_elt.dashboard.health import Health, health
from mithril_elt.dashboard.periods import Period, Periods, periods
from mithril_elt.dashboard.state import State
from mithril_elt.errors import MithrilError, UsageError, WarehouseError
from mithril_elt.place import Place, options_of
from mithril_elt.reports import Report, known_ids, report
from mithril_elt.reports.catalog import DEFINITIONS
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.list_catalog import RECONCILIATION, RETURN_NOW
from mithril_elt.reports.marts import Marts, read_marts

__all__ = ["CHOICES", "Overview", "Reader", "Rows", "Source", "UnreadyError"]

CHOICES = ("project", "order", "user")  # what one chooses from lists; all else is come to by the rows
_BY = ("project", "user", "order")
_NOT_ENDED = "The data ends at "


class UnreadyError(WarehouseError):
    """The database cannot be read now, or is none that has figures: one sentence, which says what to do."""


_OF_ALL = (RECONCILIATION.name, RETURN_NOW.name)  # these take no time and no part


@dataclass(frozen=True)
class Source:
    """Where the figures are: a place, and the prefix of its schemas, if any."""

    place: Place
    dataset: str | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The options of the command line that choose it, as words."""
        return (*options_of(self.place), *(("--dataset", self.dataset) if self.dataset else ()))


@dataclass(frozen=True)
class Overview:
    """The figures of the first page. `this`, `same` and `whole` have a value by metric, as `report summary` has.

    The last two are None of a time before `first_at`, the first hour of which the whole account has any figures.
    """

    state: State
    periods: Periods
    as_of: datetime | None
    first_at: datetime | None
    months: tuple[str, ...]
    choices: dict[str, dict[str, str | None]]
    this: dict[str, Cell]
    same: dict[str, Cell] | None
    whole: dict[str, Cell] | None
    warnings: tuple[str, ...]
    grain: str
    cost_by_time: Report
    cost_by_time_before: Report | None
    uptime_by_time: Report
    uptime_by_order: Report
    reservations: Report
    pauses: Report
    cost_by: dict[str, Report]
    health: Health


@dataclass(frozen=True)
class Rows:
    """The rows behind a figure, and what is needed around them."""

    state: State
    periods: Periods
    months: tuple[str, ...]
    choices: dict[str, dict[str, str | None]]
    report: Report


class Reader:
    """Reports of an open database, of the part that a state is of."""

    def __init__(self, marts: Marts, source: Source, state: State) -> None:
        self._marts, self._source, self._state = marts, source, state

    @classmethod
    @contextmanager
    def opened(cls, source: Source, state: State) -> Iterator[Reader]:
        """A reader, whose database is closed afterwards. Raises UnreadyError if there are no figures to be had."""
        from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb

        with ExitStack() as stack:
            try:
                marts = stack.enter_context(read_marts(source.place, schema_name("marts", source.dataset)))
            except MithrilError as error:
                raise UnreadyError(str(error)) from error
            yield cls(replace(marts, kept={}), source, state)

    def overview(self) -> Overview:
        """All figures of the first page. Raises UsageError for a state that has no meaning."""
        as_of = self._as_of()
        at = periods(self._state, as_of, self._marts.timezone)
        grain = at.this.grain(as_of)
        this = self._report("summary", at.this)
        first_at = self._marts.first_at()
        return Overview(
            self._state,
            at,
            as_of,
            first_at,
            self._months(),
            self._choices(),
            _by_metric(this),
            self._before(at.same, first_at),
            self._before(at.whole, first_at),
            self._warnings(this),
            grain,
            self._report("cost", at.this, grain),
            self._report("cost", at.whole or at.against, grain) if at.against else None,
            self._report("uptime", at.this, grain),
            self._report("uptime", at.this, "order"),
            self._report("reservations", at.this, "reservation"),
            self._report("pause-credits", at.this, "reservation"),
            {by: self._report("cost", at.this, by) for by in _BY},
            health(self._marts, self._source.dataset, as_of),
        )

    def _before(self, period: Period | None, first_at: datetime | None) -> dict[str, Cell] | None:
        """The figures of an earlier time; None where nothing is known of it, which is not the same as zeros."""
        if period is None or period.to_at is None or first_at is None or period.to_at <= first_at:
            return None
        return _by_metric(self._report("summary", period))

    def _warnings(self, summary: Report) -> tuple[str, ...]:
        """Those of the reports, but that a month has not ended: the page says so where it names the month."""
        return tuple(each for each in summary.warnings if self._state.to_at or not each.startswith(_NOT_ENDED))

    def rows(self) -> Rows:
        """The rows that a state asks for. Raises UsageError for a report, a grouping or a part that has no meaning."""
        name, by = self._state.report or "cost", self._state.by
        if name not in DEFINITIONS:
            raise UsageError(f"report {name!r} has no rows: there are {', '.join(DEFINITIONS)}")
        if name in _OF_ALL:
            found = report(self._marts, name)
            return Rows(self._state, Periods(Period(None, None), None, None), (), {}, found)
        at = periods(self._state, self._as_of(), self._marts.timezone)
        found = self._report(name, at.this, *([by or "day"] if DEFINITIONS[name].groupings else []))
        figures = [each.name for each in DEFINITIONS[name].figures]
        if self._state.figure not in (None, *figures):
            raise UsageError(f"figure {self._state.figure!r} is none of {name}: there are {', '.join(figures)}")
        return Rows(self._state, at, self._months(), self._choices(), found)

    def table(self, name: str, by: str, period: Period) -> Report:
        """A report of that time."""
        return self._report(name, period, by)

    def _as_of(self) -> datetime | None:
        one = self._state.only.get("project")
        known = [each.as_of for each in self._marts.projects() if each.as_of and one in (None, each.project_id)]
        return min(known, default=None)

    def _report(self, name: str, period: Period | None, *by: str) -> Report:
        period = period or Period(None, None)
        asked: Mapping[str, Any] = {"only": self._state.only, "from_at": period.from_at, "to_at": period.to_at}
        return report(self._marts, name, by=by, **asked)

    def _months(self) -> tuple[str, ...]:
        """The months that have anything, the newest first."""
        months = "select month from {marts}.fct_instance_hours union select month from {marts}.fct_reservation_hours"
        return tuple(sorted((f"{month:%Y-%m}" for (month,) in self._marts.rows(months)), reverse=True))

    def _choices(self) -> dict[str, dict[str, str | None]]:
        return {option: known_ids(self._marts, option) for option in CHOICES}


def _by_metric(summary: Report) -> dict[str, Cell]:
    return {str(metric): value for metric, value, _ in summary.rows}
