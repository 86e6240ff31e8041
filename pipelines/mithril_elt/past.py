"""What the windows of a project and a history took so far: the ledger, added up.

Stands on `windows` under `sizing`, `load` and `forecast`; pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from mithril_elt.windows import Span, merged

__all__ = ["Past", "past_of"]

_US = timedelta(microseconds=1)


@dataclass
class Past:
    """The windows that were read of one project and history, in the order of their ends, and what they took.

    `newest_rows`: of the one that reaches furthest. `pages_count`: what a full page counts, `events` or `instances`, by
    the newest that showed it.
    """

    spans: list[Span] = field(default_factory=list)
    requests: int = 0
    rows: int = 0
    newest_rows: int = 0
    pages_count: str | None = None
    _read_us: int = 0

    def __post_init__(self) -> None:
        """Adds up the spans once: there are thousands, and each window asks."""
        self._read_us = sum(map(_us, self.spans))

    def note(self, span: Span, requests: int, rows: int, pages_count: str | None = None) -> None:
        """Adds a window."""
        self.pages_count = pages_count or self.pages_count
        if not self.spans or span.end >= self.spans[-1].end:
            self.newest_rows = rows
            self.spans.append(span)
        else:
            self.spans.insert(-1, span)
        self._read_us += _us(span)
        self.requests += requests
        self.rows += rows

    @property
    def covered(self) -> list[Span]:
        """The time that they cover together."""
        return merged(self.spans)

    def requests_of(self, span: Span) -> int:
        """What a span takes if requests are spread evenly over all spans so far, rounded up; 0 if none was read."""
        return math.ceil(_us(span) * self._spread(self.requests))

    def rows_of(self, span: Span) -> int:
        """The same of rows."""
        return math.ceil(_us(span) * self._spread(self.rows))

    @property
    def rows_per_us(self) -> Fraction:
        """As in all windows together, or as in the newest if that is more: fleets grow."""
        newest = Fraction(self.newest_rows, _us(self.spans[-1])) if self.spans else Fraction(0)
        return max(self._spread(self.rows), newest)

    def _spread(self, total: int) -> Fraction:
        return Fraction(total, self._read_us) if self.spans else Fraction(0)


def past_of(ledger: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Past]:
    """By project and history; from rows of `raw.windows`, whose instants are UTC without saying so."""
    found: dict[tuple[str, str], Past] = {}
    for row in sorted(ledger, key=lambda row: row["to_at"]):
        span = Span(_utc(row["from_at"]), _utc(row["to_at"]))
        past = found.setdefault((row["project"], row["history"]), Past())
        past.note(span, row["requests"], row["rows"], row.get("pages_count"))
    return found


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)


def _us(span: Span) -> int:
    return (span.end - span.start) // _US
