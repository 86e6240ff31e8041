"""The controls above a notebook, and what is chosen by them: whole days, one project or all, a grouping.

Stands under the notebooks, on `opened`. What nobody chose is the newest quarter of a year, of all projects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import marimo as mo

from mithril_elt.instants import midnight
from mithril_elt.opened import OpenMarts
from mithril_elt.quoting import quoted_text
from mithril_elt.reports.catalog import REPORTS

__all__ = ["Chosen", "Controls", "quoted"]

_AT_FIRST = timedelta(days=92)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Chosen:
    """A span of whole days, each end None where the data ends as well, and one project's id or None for all."""

    from_at: datetime | None
    to_at: datetime | None
    project_id: str | None

    @property
    def options(self) -> dict[str, Any]:
        """What the reports take for it: `mithril.cost("day", **chosen.options)`."""
        only = {"project": self.project_id} if self.project_id else None
        return {"from_": self.from_at, "to": self.to_at, "only": only}

    def where(self, start: str = "hour_at", end: str | None = None, *, project: str = "project_id") -> str:
        """The same in SQL: rows of that instant, or of spans from `start` to `end` that touch it."""
        conditions = ["true"]
        if self.from_at:
            conditions.append(f"{end} > {_sql(self.from_at)}" if end else f"{start} >= {_sql(self.from_at)}")
        if self.to_at:
            conditions.append(f"{start} < {_sql(self.to_at)}")
        if self.project_id:
            conditions.append(f"{project} = {quoted(self.project_id)}")
        return " and ".join(conditions)


class Controls:
    """The controls for what one database has."""

    def __init__(self, mithril: OpenMarts) -> None:
        self._mithril = mithril

    @cached_property
    def _ends(self) -> tuple[date, date]:
        """The first and the last day of which there is anything."""
        [first] = self._mithril.sql("select min(hour_at) as at from fct_instance_hours")["at"]
        as_of = self._mithril.as_of or datetime.now(UTC)
        zone = ZoneInfo(self._mithril.timezone)
        last = (as_of - timedelta(microseconds=1)).astimezone(zone).date()
        if first is None or first != first:  # noqa: PLR0124  # not a time
            return last, last
        return min(first.astimezone(zone).date(), last), last

    @cached_property
    def day(self) -> str:
        """What a day is: of which zone."""
        return f"day ({self._mithril.timezone})"

    def days(self) -> Any:
        """The first and the last day, both included."""
        first, last = self._ends
        return mo.ui.date_range(
            start=first,
            stop=last,
            value=(max(first, last + _DAY - _AT_FIRST), last),
            label=f"Days ({self._mithril.timezone})",
        )

    def project(self) -> Any:
        """One project, or all."""
        found = self._mithril.sql("select project_id, project_name from dim_projects order by 2, 1")
        named = {f"{name or 'unnamed'} ({identity})": identity for identity, name in found.itertuples(index=False)}
        return mo.ui.dropdown({"all": None, **named}, value="all", label="Project", allow_select_none=False)

    def grouping(self, report: str, at_first: str) -> Any:
        """Of what a row of a report is."""
        known = [option for option in REPORTS[report].groupings if option != "hour"]
        return mo.ui.dropdown(known, value=at_first, label="A row for each", allow_select_none=False)

    def choice(self, options: Mapping[str, Any], label: str) -> Any:
        """One of several, the first unless another is chosen."""
        return mo.ui.dropdown(
            dict(options), value=next(iter(options), None), label=label, allow_select_none=not options
        )

    def chosen(self, days: Any, project: Any) -> Chosen:
        """What the two controls say."""
        first, last = self._ends
        begin, end = days.value
        return Chosen(
            None if begin <= first else midnight(begin, self._mithril.timezone),
            None if end >= last else midnight(end + _DAY, self._mithril.timezone),
            project.value,
        )


def quoted(text: str | None) -> str:
    """A text as SQL has it; null for None."""
    return "null" if text is None else quoted_text(text)


def _sql(at: datetime) -> str:
    return f"timestamp '{at:%Y-%m-%d %H:%M:%S}'"
