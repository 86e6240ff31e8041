"""The pauses' credits by the day on which they were earned, and how old they are: a ledger from the true pauses.

Stands after `figures` in the sandbox; `audit` holds the marts against it.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mithril_elt.sandbox.figures import PauseTruth

__all__ = ["Entry", "credit_ledger"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = 6


@dataclass
class Entry:
    """What was earned on a day and is equally old: time, the time without a known credit, and the credit known."""

    pauses: int = 0
    credited_us: int = 0
    unrated_us: int = 0
    known_cent_us: int = 0


def credit_ledger(pauses: Iterable[PauseTruth], as_of_us: int) -> dict[tuple[str, str, str], Entry]:
    """The entries by reservation, UTC day (`2026-03-30`) and how they stand at as_of."""
    entries: dict[tuple[str, str, str], Entry] = {}
    for pause in pauses:
        if not pause.is_credited:
            continue
        ended_at = _EPOCH + timedelta(microseconds=pause.ended_at_us)
        ageing = "accruing" if pause.is_open else _ageing(ended_at, _EPOCH + timedelta(microseconds=as_of_us))
        key = pause.reservation_fid, ended_at.date().isoformat(), ageing
        entry = entries.setdefault(key, Entry())
        entry.pauses += 1
        entry.credited_us += pause.credited_us
        entry.unrated_us += pause.credited_us if pause.pause_credit_cent_us is None else 0
        entry.known_cent_us += pause.pause_credit_cent_us or 0
    return entries


def _ageing(earned_at: datetime, as_of: datetime) -> str:
    left = _lapses_at(earned_at) - as_of
    if left <= timedelta():
        return "expired"
    days = [limit for limit in (30, 60, 90) if left <= timedelta(days=limit)]
    return f"within_{days[0]}_days" if days else "later"


def _lapses_at(earned_at: datetime) -> datetime:
    """The same day so many months later, or the last one of a month that is shorter."""
    years, month = divmod(earned_at.month - 1 + _MONTHS, 12)
    year, month = earned_at.year + years, month + 1
    return earned_at.replace(year=year, month=month, day=min(earned_at.day, monthrange(year, month)[1]))
