"""The span of time a report is for, whole UTC hours, half-open; and the part of the account, if not all of it.

Stands at the end of the flow, before `query`: what the marts could not answer exactly is refused here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from mithril_elt.errors import UsageError
from mithril_elt.instants import iso, midnight, naive_utc
from mithril_elt.reports.part import Of, Part, within

__all__ = ["Span"]

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Span:
    """From `from_at` (included) to `to_at` (not included), both whole UTC hours; None is open. No `part` is all."""

    from_at: datetime | None = None
    to_at: datetime | None = None
    part: Part = ()

    def __post_init__(self) -> None:
        """Refuse what the marts, which are cut at UTC hours, could not answer exactly."""
        for option, instant in (("--from", self.from_at), ("--to", self.to_at)):
            if instant is not None:
                _refuse_other_than_whole_hours(option, instant)
        if self.from_at is not None and self.to_at is not None and self.from_at >= self.to_at:
            raise UsageError(f"--from {iso(self.from_at)} is not before --to {iso(self.to_at)}")

    @classmethod
    def told(
        cls, from_at: datetime | date | None, to_at: datetime | date | None, part: Part = (), timezone: str = "UTC"
    ) -> Span:
        """The span between instants or dates, each of which is its midnight in that zone."""
        return cls(_begun(from_at, timezone), _begun(to_at, timezone), part)

    @property
    def sql_from(self) -> str:
        """`from_at` as a literal of the marts' kind: UTC without a zone; without a bound, before everything."""
        return _literal(self.from_at, unbounded="-infinity")

    @property
    def sql_to(self) -> str:
        """`to_at` as a literal of the marts' kind: UTC without a zone; without a bound, after everything."""
        return _literal(self.to_at, unbounded="infinity")

    def within(self, of: Of) -> str:
        """SQL that is true of what is in the part, by its `instance_id` or `reservation_id`."""
        return within(self.part, of)


def _begun(at: datetime | date | None, timezone: str) -> datetime | None:
    return at if at is None or isinstance(at, datetime) else midnight(at, timezone)


def _literal(instant: datetime | None, *, unbounded: str) -> str:
    text = unbounded if instant is None else naive_utc(instant).isoformat(sep=" ")
    return f"timestamp '{text}'"


def _refuse_other_than_whole_hours(option: str, instant: datetime) -> None:
    if instant.tzinfo is None:
        raise UsageError(f"{option} {instant.isoformat()} names no time zone")
    if (instant - datetime.min.replace(tzinfo=UTC)) % _HOUR:
        raise UsageError(f"{option} {iso(instant)} is not a whole UTC hour, and reports are cut at UTC hours")
