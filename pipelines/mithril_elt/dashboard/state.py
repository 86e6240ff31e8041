"""What a page shows, all of it in its address: the time, the part of the account, the rows; so a link can be shared.

Stands before everything else of the dashboard; pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from mithril_elt.errors import UsageError
from mithril_elt.instants import iso, parse_end
from mithril_elt.reports import GROUPINGS, PARTS

__all__ = ["THEMES", "State"]

THEMES = ("light", "dark")
_MONTH = re.compile(r"(19[789]|20\d|21\d)\d-(0[1-9]|1[0-2])", re.ASCII)
_OF_ROWS = ("report", "by", "figure")
_KEYS = ("month", "from", "to", *PARTS, *_OF_ROWS, "theme")
_YEARS = range(1970, 2200)
_LONGEST = 500  # signs of a value; an id has 21


@dataclass(frozen=True)
class State:
    """What is shown.

    `month`: `2026-03`; or a span of whole UTC hours or of days where the marts cut them, each end of which may be open;
    or, without any, the newest month.
    `part`: groupings and the id of one group of each. `report`, `by` and `figure`: of which rows are shown, on the page
    of rows. `theme`: light or dark, else as the reader's system has it.
    """

    month: str | None = None
    from_at: datetime | date | None = None
    to_at: datetime | date | None = None
    part: tuple[tuple[str, str], ...] = ()
    report: str | None = None
    by: str | None = None
    figure: str | None = None
    theme: str | None = None

    @classmethod
    def told(cls, pairs: Iterable[tuple[str, str]]) -> State:
        """The state that an address tells; what is empty is not given, as forms send it.

        Raises:
            UsageError: a name that is not known, which would be a filter that does not filter; one told twice, or with
                a value that has no meaning.
        """
        given = _given(pairs)
        month = given.get("month")
        if month is not None and not _MONTH.fullmatch(month):
            raise UsageError(f"month {month!r} is no month: write 2026-03")
        if month and ("from" in given or "to" in given):
            raise UsageError("month and from or to exclude each other: choose one of the two")
        for key, known in (("theme", THEMES), ("by", tuple(GROUPINGS))):
            if given.get(key) not in (None, *known):
                raise UsageError(f"{key} {given[key]!r} is none: there are {', '.join(known)}")
        part = tuple((option, given[option]) for option in PARTS if option in given)
        report, by, figure = (given.get(key) for key in _OF_ROWS)
        return cls(month, _end(given, "from"), _end(given, "to"), part, report, by, figure, given.get("theme"))

    @property
    def only(self) -> dict[str, str]:
        """The part as reports take it."""
        return dict(self.part)

    def of(self, **only: str | None) -> State:
        """The same of another part: groupings with `_` for `-`, each with an id, or None for all."""
        chosen = {**self.only, **{option.replace("_", "-"): identity for option, identity in only.items()}}
        return replace(self, part=tuple((option, chosen[option] or "") for option in PARTS if chosen.get(option)))

    def at(self, from_at: datetime | date, to_at: datetime | date) -> State:
        """The same for another span of time."""
        return replace(self, month=None, from_at=from_at, to_at=to_at)

    def rows(self, report: str, by: str | None, figure: str | None = None) -> State:
        """The rows of a report beside the same figures."""
        return replace(self, report=report, by=by, figure=figure)

    def overview(self) -> State:
        """The same without rows, and without a part of which not all figures have a meaning."""
        narrow = {"instance", "bid"}
        part = tuple(pair for pair in self.part if pair[0] not in narrow)
        return replace(self, part=part, report=None, by=None, figure=None)

    def themed(self, theme: str | None) -> State:
        """The same in another light."""
        return replace(self, theme=theme)

    def query(self) -> str:
        """The state as the end of an address: `?month=2026-03&user=user_1`, in ASCII; empty if it says nothing."""
        pairs = [(key, value) for key, value in self.pairs() if value]
        return f"?{urlencode(pairs)}" if pairs else ""

    def pairs(self) -> list[tuple[str, Any]]:
        """Each name and its value, in the order of an address."""
        told = {"month": self.month, "from": _told(self.from_at), "to": _told(self.to_at), **self.only}
        told |= {"report": self.report, "by": self.by, "figure": self.figure, "theme": self.theme}
        return [(key, told.get(key)) for key in _KEYS]


def _given(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for key, value in pairs:
        if key not in _KEYS:
            raise UsageError(f"{key!r} is nothing that this page can be asked for: there are {', '.join(_KEYS)}")
        if key in given:
            raise UsageError(f"{key} is told twice: a page is of one")
        if len(value) > _LONGEST:
            raise UsageError(f"the value of {key} is longer than {_LONGEST} signs")
        if value:
            given[key] = value
    return given


def _end(given: Mapping[str, str], key: str) -> datetime | date | None:
    at = parse_end(given[key], option=key) if key in given else None
    if at is not None and at.year not in _YEARS:
        raise UsageError(f"{key} {given[key]!r} is of a year without any figures")
    return at


def _told(at: datetime | date | None) -> str | None:
    return iso(at) if at is None or isinstance(at, datetime) else at.isoformat()
