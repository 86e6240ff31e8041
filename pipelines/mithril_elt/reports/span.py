"""The span of time a report is for: whole UTC hours, half-open; and how users write instants.

Stands at the edge of the flow, before `query`: nothing naive or ambiguous gets past this module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mithril_elt.errors import UsageError

__all__ = ["Span", "iso", "parse_instant"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_HOUR = timedelta(hours=1)


def parse_instant(text: str, *, option: str) -> datetime:
    """The instant that a user wrote, in UTC: ISO 8601 with a zone, or a date, which is its midnight in UTC.

    Raises UsageError, naming the option, for anything else: a time of day without a zone above all.
    """
    written = text.strip()
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is no instant: write 2026-03-01 or 2026-03-01T12:00:00Z (ISO 8601)."
        ) from None
    if _DATE.fullmatch(written):
        return instant.replace(tzinfo=UTC)
    if instant.tzinfo is None:
        raise UsageError(f"{option} {text!r} names no time zone: add Z for UTC, or an offset such as +02:00.")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise UsageError(f"{option} {text!r} is outside the years 1 to 9999.") from None


def iso(instant: datetime | None) -> str | None:
    """The instant as ISO 8601 in UTC with `Z`; fractions of a second only where there are any."""
    if instant is None:
        return None
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@dataclass(frozen=True)
class Span:
    """From `from_at` (included) to `to_at` (not included), both whole UTC hours; None is open."""

    from_at: datetime | None = None
    to_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what the marts, which are cut at UTC hours, could not answer exactly."""
        for option, instant in (("--from", self.from_at), ("--to", self.to_at)):
            if instant is not None:
                _refuse_other_than_whole_hours(option, instant)
        if self.from_at is not None and self.to_at is not None and self.from_at >= self.to_at:
            raise UsageError(f"--from {iso(self.from_at)} is not before --to {iso(self.to_at)}.")

    @property
    def naive_from(self) -> datetime | None:
        """`from_at` as the marts keep it: UTC without a zone."""
        return None if self.from_at is None else self.from_at.astimezone(UTC).replace(tzinfo=None)

    @property
    def naive_to(self) -> datetime | None:
        """`to_at` as the marts keep it: UTC without a zone."""
        return None if self.to_at is None else self.to_at.astimezone(UTC).replace(tzinfo=None)


def _refuse_other_than_whole_hours(option: str, instant: datetime) -> None:
    if instant.tzinfo is None:
        raise UsageError(f"{option} {instant.isoformat()} names no time zone.")
    if (instant - datetime.min.replace(tzinfo=UTC)) % _HOUR:
        raise UsageError(f"{option} {iso(instant)} is not a whole UTC hour, and reports are cut at UTC hours.")
