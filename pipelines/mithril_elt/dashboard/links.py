"""Where a number leads: to another state of the page where it is served, to a table further down where it is one file.

Stands on `state`. Addresses are relative, so that a page can be served under any path.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from mithril_elt.dashboard.state import State

__all__ = ["FINER", "Links"]

# By what the rows of one group are shown: who spends leads to on what, that to which machine, and that to when.
FINER = {
    "month": "day",
    "day": "order",
    "hour": "instance",
    "project": "order",
    "user": "order",
    "region": "order",
    "instance-type": "order",
    "order": "instance",
    "bid": "instance",
    "reservation": "instance",
    "instance": "hour",
}


@dataclass(frozen=True)
class Links:
    """Links from a page of that state. `is_file`: the page is one file, with tables of these reports and groupings.

    `place`: the options that choose the same database on a terminal.
    """

    state: State
    is_file: bool = False
    tables: tuple[tuple[str, str], ...] = ()
    place: tuple[str, ...] = ()

    def overview(self, state: State | None = None) -> str | None:
        """To the first page of a state, else of this one."""
        return None if self.is_file else f"./{(state or self.state).overview().query()}"

    def rows(self, report: str, by: str | None, figure: str | None = None, state: State | None = None) -> str | None:
        """To the rows of a report; `by` is None of one that is one list."""
        if self.is_file:
            return f"#{report}-{by}" if (report, by) in self.tables and state is None else None
        return f"rows{(state or self.state).rows(report, by, figure).query()}"

    def download(self, form: str) -> str:
        """To the same rows as a file of that format."""
        return f"rows.{form}{self.state.themed(None).query()}"

    def group(self, option: str, identity: str | None) -> str | None:
        """To the first page of one project, order or user …, if it has an id."""
        return self.overview(self.state.of(**{option: identity})) if identity else None

    def finer(self, by: str, identity: str | None, takes: tuple[str, ...]) -> str | None:
        """To the rows that one row of a report by that grouping is made of; None where there are no finer ones."""
        others = ("order",) if by in ("day", "hour") else ("day", "hour")
        chosen = {*self.state.only, by}  # what is of one of these is one row
        next_by = next((each for each in (FINER[by], *others) if each in takes and each not in chosen), None)
        if self.is_file or not identity or next_by is None:
            return None
        return f"rows{replace(self.inside(by, identity), by=next_by).query()}"

    def inside(self, by: str, identity: str) -> State:
        """This state, narrowed to one group."""
        if by == "month":
            return replace(self.state, month=identity, from_at=None, to_at=None)
        if by not in ("day", "hour"):
            return self.state.of(**{by: identity})
        if by == "day":
            day = date.fromisoformat(identity)
            return self.state.at(day, day + timedelta(days=1))
        start = datetime.fromisoformat(identity)
        return self.state.at(start, start + timedelta(hours=1))
