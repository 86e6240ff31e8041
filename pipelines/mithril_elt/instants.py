"""How instants and durations are written: by users, by the API, in reports.

Stands under everything but `errors`: nothing naive or ambiguous gets past this module.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from mithril_elt.errors import UsageError

__all__ = ["iso", "midnight", "naive_utc", "parse_duration", "parse_end", "parse_instant", "parse_iso_duration"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NUMBER = r"(\d{1,9}(?:\.\d{1,9})?)"
_ISO_DURATION = re.compile(
    rf"(-?)P(?=.)(?:{_NUMBER}Y)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?=.)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.ASCII,
)
_UNITS_US = tuple(seconds * 1_000_000 for seconds in (365 * 86_400, 7 * 86_400, 86_400, 3_600, 60, 1))


def naive_utc(at: datetime) -> datetime:
    """An aware instant as the tables have it: in UTC, without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None)


def parse_instant(text: str, *, option: str) -> datetime:
    """The instant that a user wrote, in UTC: ISO 8601 with a zone, or a date, which is its midnight in UTC.

    Raises:
        UsageError: anything else, a time of day without a zone above all; names the option.
    """
    written = text.strip()
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is no instant: write 2026-03-01 or 2026-03-01T12:00:00Z (ISO 8601)"
        ) from None
    if _DATE.fullmatch(written):
        return instant.replace(tzinfo=UTC)
    if instant.tzinfo is None:
        raise UsageError(f"{option} {text!r} names no time zone: add Z for UTC, or an offset such as +02:00")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise UsageError(f"{option} {text!r} is outside the years 1 to 9999") from None


def parse_end(text: str, *, option: str) -> datetime | date:
    """An end of a span that a user wrote: an instant, in UTC, or a date, which is its midnight wherever days are cut.

    Raises:
        UsageError: as `parse_instant` does.
    """
    at = parse_instant(text, option=option)
    return at.date() if _DATE.fullmatch(text.strip()) else at


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone, in UTC. Raises UsageError for a day at an end of time."""
    try:
        return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        raise UsageError(f"{day} begins outside the years 1 to 9999 in {zone}") from None


def parse_duration(text: str, *, option: str) -> timedelta:
    """The duration that a user wrote: `90m`, `12h`, `3d` or `2w`.

    Raises:
        UsageError: anything else; names the option.
    """
    number, unit = text.strip()[:-1], text.strip()[-1:]
    if unit not in _UNITS or not number.isdecimal() or len(number) > 5:
        raise UsageError(f"{option} {text!r} is no duration: write 90m, 12h, 3d or 2w")
    return timedelta(**{_UNITS[unit]: int(number)})


def parse_iso_duration(text: str) -> timedelta:
    """The duration that the API wrote in ISO 8601, exactly: `PT36H`, `P1DT12H`, `P1Y35D`.

    A year is 365 days: FastAPI, which the API is made with, writes durations of 365 days and more so.

    Raises:
        ValueError: anything else: months, which have no length, or what is finer than a microsecond.
    """
    found = _ISO_DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no ISO 8601 duration")
    sign, *numbers = found.groups()
    microseconds = sum(Decimal(number) * us for number, us in zip(numbers, _UNITS_US, strict=True) if number)
    whole = int(microseconds)
    if whole != microseconds:
        raise ValueError(f"the duration {text!r} is finer than a microsecond")
    try:
        return timedelta(microseconds=-whole if sign else whole)
    except OverflowError:
        raise ValueError(f"the duration {text!r} is longer than can be kept") from None


def iso(instant: datetime | None) -> str | None:
    """The instant as ISO 8601 in UTC with `Z`; fractions of a second only where there are any.

    Raises:
        UsageError: it has no time zone, so nobody knows which instant it is.
    """
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise UsageError(f"the instant {instant.isoformat()} names no time zone: give one with tzinfo=UTC")
    return naive_utc(instant).isoformat() + "Z"
