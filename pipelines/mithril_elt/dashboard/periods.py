"""The time that a page is of, and what it is held against: this month and the last, whole and as far as this one is.

Stands on `state`; pure. All of it are whole UTC hours, which reports are cut at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from mithril_elt.dashboard.state import State
from mithril_elt.errors import UsageError
from mithril_elt.instants import iso, midnight
from mithril_elt.reports.span import Span

__all__ = ["Period", "Periods", "month_words", "periods"]

_HOUR = timedelta(hours=1)
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@dataclass(frozen=True)
class Period:
    """A half-open span of whole UTC hours, in UTC; each end may be open. `zone`: of its days and months."""

    from_at: datetime | None
    to_at: datetime | None
    zone: str = "UTC"

    @property
    def words(self) -> str:
        """How it is called: `March 2026`, or its two ends, of which the second is not part of it."""
        if self.from_at and self.to_at:
            month = self.day_of(self.from_at).replace(day=1)
            if (self.from_at, self.to_at) == (midnight(month, self.zone), midnight(_next(month), self.zone)):
                return month_words(f"{month:%Y-%m}")
        ends = [("from", self.from_at), ("until", self.to_at)]
        said = [f"{word} {self._clock(at):%Y-%m-%d %H:%M}" for word, at in ends if at is not None]
        return f"{' '.join(said)} {self.zone}" if said else "all time"

    @property
    def short(self) -> str:
        """Its two ends, where what is beside it says the rest: `1 to 17 Mar 05:00`."""
        if self.from_at is None or self.to_at is None:
            return self.words
        return f"{_day(self._clock(self.from_at))} to {_day(self._clock(self.to_at))} {self.zone}"

    def day_of(self, at: datetime) -> date:
        """The day that an instant lies in."""
        return self._clock(at).date()

    def _clock(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))

    def grain(self, as_of: datetime | None) -> str:
        """By what it is shown, so that there are some ten to a hundred: hours, days or months."""
        end = min((at for at in (self.to_at, as_of) if at is not None), default=None)
        if self.from_at is None or end is None or end - self.from_at > timedelta(days=100):
            return "month"
        is_short = self.to_at is not None and self.to_at - self.from_at <= timedelta(days=3)
        return "hour" if is_short else "day"  # a month stays one of days, however new it is


@dataclass(frozen=True)
class Periods:
    """`this` is what is shown. `same` is the part of the time before that is as long as this one is by now; `whole` all
    of the month before. Either is None where there is no such time, or the two are one.
    """

    this: Period
    same: Period | None
    whole: Period | None

    @property
    def against(self) -> Period | None:
        """What a change is told against."""
        return self.same or self.whole


def _day(at: datetime) -> str:
    return f"{at.day} {_MONTHS[at.month - 1][:3]} {at:%H:%M}"


def month_words(month: str) -> str:
    """`March 2026`."""
    return f"{_MONTHS[int(month[5:]) - 1]} {month[:4]}"


def periods(state: State, as_of: datetime | None, zone: str = "UTC") -> Periods:
    """The periods of a state, of figures that are complete up to `as_of`, whose days are cut in that zone.

    Raises:
        UsageError: the time has no meaning: it begins when the figures are at their end, or it ends before it begins.
    """
    if state.from_at or state.to_at:
        span = Span.told(state.from_at, state.to_at, timezone=zone)
        return _of_span(span.from_at, span.to_at, as_of, zone)
    if state.month is None and as_of is None:
        return Periods(Period(None, None, zone), None, None)
    # At the very beginning of a month nothing of it is known yet.
    last = (as_of or datetime.now(UTC)) - timedelta(microseconds=1)
    month = date.fromisoformat(f"{state.month}-01") if state.month else Period(None, None, zone).day_of(last)
    month = month.replace(day=1)
    before, start, end = (midnight(each, zone) for each in (_last(month), month, _next(month)))
    _refuse_future(start, as_of, f"month {month:%Y-%m}")
    this, whole = Period(start, end, zone), Period(before, start, zone)
    if as_of is None or as_of >= end:
        return Periods(this, None, whole)
    known = before + (as_of - start) // _HOUR * _HOUR
    return Periods(this, Period(before, known, zone) if before < known < start else None, whole)


def _of_span(from_at: datetime | None, to_at: datetime | None, as_of: datetime | None, zone: str) -> Periods:
    this = Period(from_at, to_at, zone)
    if from_at is None:
        return Periods(this, None, None)
    _refuse_future(from_at, as_of, f"from {iso(from_at)}")
    end = min((at for at in (to_at, as_of) if at is not None), default=from_at)
    length = (end - from_at) // _HOUR * _HOUR
    return Periods(this, Period(from_at - length, from_at, zone) if length > timedelta(0) else None, None)


def _refuse_future(start: datetime, as_of: datetime | None, told: str) -> None:
    if as_of is not None and start >= as_of:
        raise UsageError(f"{told}: the figures are complete up to {iso(as_of)}, and none are of a later time")


def _last(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
