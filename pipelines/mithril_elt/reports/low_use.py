"""What pausing would have earned while instances were up and their GPUs were not used: lines for the opportunities.

Stands between `use`, which has the user's table, and `opportunities`, whose lines it adds to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mithril_elt.instants import naive_utc
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.span import Span
from mithril_elt.reports.unknowns import counted
from mithril_elt.reports.use import LowUse, UseSpell

__all__ = ["OPPORTUNITY", "UnusedLine", "unused_lines"]

OPPORTUNITY = "pause_when_unused"
_RESTART = timedelta(minutes=7)  # a pause has to end so long before the GPUs are wanted again
_LEAST_PAUSE = timedelta(hours=1)
_ADVICE = "Pause it while its GPUs are not used: it was up, and nothing was computed."
_OVER = "It is over: nothing can be done about it any more."  # as fct_opportunities says it

_US = timedelta(microseconds=1)
_HOUR_US = 3_600_000_000
# Up time of instances whose reservation has terms, inside its window.
_UP = """
    select s.instance_id, i.reservation_id, s.started_at, s.ended_at, r.starts_at, r.ends_at
    from {marts}.fct_status_spells as s
    inner join {marts}.dim_instances as i on s.instance_id = i.instance_id
    inner join {marts}.dim_reservations as r on i.reservation_id = r.reservation_id
    where s.is_up and r.has_terms and i.bid_id is null
    order by s.instance_id, s.started_at
"""
_RATES = """
    select reservation_id, from_at, to_at, rate_cents from {marts}.fct_reservation_rates
    where rate_kind = 'pause_credit'
"""
# Instances that go on as_of, of reservations that do.
_GOING_ON = """
    select distinct s.instance_id
    from {marts}.fct_status_spells as s
    inner join {marts}.dim_instances as i on s.instance_id = i.instance_id
    inner join {marts}.dim_reservations as r on i.reservation_id = r.reservation_id
    where s.is_open and (r.ends_at is null or r.ends_at > r.as_of)
"""


@dataclass(frozen=True)
class UnusedLine:
    """Time of an instance that a pause could have been of, in microseconds, and what it would have earned.

    `at_stake_cent_us` is the part that is known; None where no rate is. `is_over`: the instance or its reservation has
    ended by as_of.
    """

    reservation_id: str
    instance_id: str
    idle_us: int
    at_stake_cent_us: int | None
    is_over: bool = False

    @property
    def advice(self) -> str:
        """What to do about it, as a sentence."""
        return _OVER if self.is_over else _ADVICE


@dataclass(frozen=True)
class _Up:
    """Up time in one piece: spells that follow each other are one."""

    instance_id: str
    reservation_id: str
    from_at: datetime
    to_at: datetime


def unused_lines(marts: Marts, use: LowUse, span: Span) -> tuple[list[UnusedLine], list[str]]:
    """A line for each instance that stood unused for long enough, and what the table leaves open, as sentences.

    A stretch counts if a pause of an hour fits into it and ends seven minutes before it does; then all but those seven
    minutes count, at the pause rate of each moment. What falls out of the span is cut off after that, so that the lines
    of days add up to those of a month.
    """
    ups, rates = _ups(marts), _rates(marts)
    lines: dict[tuple[str, str], list[tuple[int, int | None]]] = {}
    for up, from_at, to_at in _overlaps(ups, use.low):
        until = to_at - _RESTART
        if until - from_at < _LEAST_PAUSE:
            continue
        for piece in _pieces(*_cut(from_at, until, span), rates.get(up.reservation_id, [])):
            lines.setdefault((up.reservation_id, up.instance_id), []).append(piece)
    going_on = {instance_id for (instance_id,) in marts.rows(_GOING_ON)}
    told = [_line(*key, pieces, is_over=key[1] not in going_on) for key, pieces in sorted(lines.items())]
    return told, _left_open(use, ups, span)


def _line(reservation_id: str, instance_id: str, pieces: list[tuple[int, int | None]], *, is_over: bool) -> UnusedLine:
    known = [amount for _, amount in pieces if amount is not None]
    idle_us = sum(us for us, _ in pieces)
    return UnusedLine(reservation_id, instance_id, idle_us, sum(known) if known else None, is_over)


def _ups(marts: Marts) -> dict[str, list[_Up]]:
    found: dict[str, list[_Up]] = {}
    for key, reservation, started_at, ended_at, starts_at, ends_at in marts.rows(_UP):
        from_at, to_at = max(started_at, starts_at or started_at), min(ended_at, ends_at or ended_at)
        if from_at >= to_at:
            continue
        of_instance = found.setdefault(key, [])
        if of_instance and of_instance[-1].to_at == from_at:
            from_at = of_instance.pop().from_at
        of_instance.append(_Up(key, reservation, from_at, to_at))
    return found


def _rates(marts: Marts) -> dict[str, list[tuple[datetime, datetime, int | None]]]:
    found: dict[str, list[tuple[datetime, datetime, int | None]]] = {}
    for key, *rate in marts.rows(_RATES):
        found.setdefault(key, []).append(tuple(rate))
    return found


def _overlaps(ups: dict[str, list[_Up]], spells: Iterable[UseSpell]) -> Iterator[tuple[_Up, datetime, datetime]]:
    """Where spells of the table and up time overlap."""
    for spell in spells:
        for up in ups.get(spell.instance_id, []):
            from_at, to_at = max(spell.from_at, up.from_at), min(spell.to_at, up.to_at)
            if from_at < to_at:
                yield up, from_at, to_at


def _cut(from_at: datetime, to_at: datetime, span: Span) -> tuple[datetime, datetime]:
    begins = max(from_at, naive_utc(span.from_at)) if span.from_at else from_at
    ends = min(to_at, naive_utc(span.to_at)) if span.to_at else to_at
    return begins, ends


def _pieces(
    from_at: datetime, to_at: datetime, rates: list[tuple[datetime, datetime, int | None]]
) -> Iterator[tuple[int, int | None]]:
    """The time cut where the rate changes: microseconds, and what they earn."""
    for rate_from, rate_to, cents in rates:
        us = (min(to_at, rate_to) - max(from_at, rate_from)) // _US
        if us > 0:
            yield us, None if cents is None else us * cents


def _left_open(use: LowUse, ups: dict[str, list[_Up]], span: Span) -> list[str]:
    """What the table tells nothing of, counted: gaps in it, and instances and time that it does not have."""
    gaps = [(up, *_cut(from_at, to_at, span)) for up, from_at, to_at in _overlaps(ups, use.gaps)]
    gaps = [gap for gap in gaps if gap[1] < gap[2]]
    sentences = []
    if gaps:
        hours, who = _hours(gaps), counted(len({up.instance_id for up, *_ in gaps}), "instance")
        sentences.append(
            f"The utilisation has {counted(len(gaps), 'gap')} of {hours} in all while {who} of reservations were up:"
            " not known, and not counted as idle."
        )
    absent = [(up, *_cut(*untold, span)) for of in ups.values() for up in of for untold in _untold(use, up)]
    absent = [each for each in absent if each[1] < each[2]]
    if absent:
        who = counted(len({up.instance_id for up, *_ in absent}), "instance")
        sentences.append(f"The utilisation tells nothing of {_hours(absent)} in which {who} of reservations were up.")
    if use.unreadable_rows:
        sentences.append(f"{use.unreadable_rows:,} rows of the utilisation have no instance or no instant: left out.")
    return sentences


def _untold(use: LowUse, up: _Up) -> list[tuple[datetime, datetime]]:
    """Up time before the table begins to tell of an instance, and after it ends; all of it where it never does."""
    if up.instance_id not in use.told:
        return [(up.from_at, up.to_at)]
    first, last = use.told[up.instance_id]
    return [(up.from_at, min(up.to_at, first)), (max(up.from_at, last), up.to_at)]


def _hours(spans: Iterable[tuple[Any, datetime, datetime]]) -> str:
    hundredths = sum((to_at - from_at) // _US for _, from_at, to_at in spans) * 100 // _HOUR_US
    return f"{hundredths // 100:,}.{hundredths % 100:02} h"
