"""Which instances may be paused, and why not the others: decided from the marts and the user's table of use.

Stands in `acting`, between the marts and `pausing`. Nothing is asked of the API, and what is not known is no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from mithril_elt.acting.rules import LEAST_PAUSE, Candidate, Rules
from mithril_elt.instants import naive_utc
from mithril_elt.reports.low_use import OPPORTUNITY, unused_lines
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.span import Span
from mithril_elt.reports.use import LowUse

__all__ = ["find_candidates"]

_INSTANCES = """
    select
        i.instance_id, i.instance_name, i.project_id, i.bid_id, i.reservation_id, i.created_at, i.as_of,
        coalesce(r.has_terms, false), r.starts_at, r.ends_at, f.rate_cents
    from {marts}.dim_instances as i
    left join {marts}.dim_reservations as r on i.reservation_id = r.reservation_id
    left join {marts}.fct_reservation_rates as f
        on i.reservation_id = f.reservation_id and f.rate_kind = 'pause_credit' and f.is_in_force
    order by i.instance_id
"""
# Of instances that have an open spell, all of theirs, the latest first.
_SPELLS = """
    select instance_id, status, is_up, is_down, started_at, ended_at, is_open
    from {marts}.fct_status_spells
    where instance_id in (select instance_id from {marts}.fct_status_spells where is_open)
        and instance_id in (select instance_id from {marts}.dim_instances where reservation_id is not null)
    order by instance_id, started_at desc
"""
_AT_STAKE = """
    select instance_id, opportunity, sum(idle_us), sum(at_stake_cent_us)
    from {marts}.fct_opportunities
    where instance_id is not null
    group by instance_id, opportunity
"""


@dataclass(frozen=True)
class _Look:
    """By what is decided: the rules, the table of use if there is one, the instant."""

    rules: Rules
    use: LowUse | None
    at: datetime


@dataclass(frozen=True)
class _State:
    """What an instance does now, and since when it is up, or is not."""

    status: str
    is_up: bool
    is_down: bool
    since: datetime


def find_candidates(marts: Marts, rules: Rules, use: LowUse | None, now: datetime) -> list[Candidate]:
    """Every open reserved instance, and every one that is named, with what a pause earns or why it will not do.

    Those that would be paused come first, the dearest before the others; `now` has a zone. Instances that have ended or
    are of no open reservation are told of only if they are named.
    """
    look = _Look(rules, use, naive_utc(now))
    states, stakes = _states(marts), _stakes(marts, use)
    rows = {row[0]: row for row in marts.rows(_INSTANCES)}
    found = [_looked_at(row, states.get(key), look) for key, row in rows.items()]
    found += [Candidate(named, refusal="unknown") for named in rules.named if named not in rows]
    quiet = {"spot", "no_reservation", "not_open", "ended"}
    told = [
        each for each in found if each.instance_id in rules.named or (not rules.named and each.refusal not in quiet)
    ]
    return sorted((_with_stakes(each, stakes) for each in told), key=_rank)


def _rank(each: Candidate) -> tuple[Any, ...]:
    return bool(each.refusal), -(each.expected_cent_us or 0), each.instance_id


def _with_stakes(each: Candidate, stakes: Mapping[tuple[str, str], tuple[int, int | None]]) -> Candidate:
    idle_us, at_stake = stakes.get((each.instance_id, each.opportunity), (0, 0))
    return replace(each, idle_us=idle_us, at_stake_cent_us=at_stake)


def _stakes(marts: Marts, use: LowUse | None) -> dict[tuple[str, str], tuple[int, int | None]]:
    """What the report of opportunities says of each instance and opportunity: time and dollars, None without a rate."""
    unused, _ = unused_lines(marts, use, Span()) if use else ([], [])
    found = {(each.instance_id, OPPORTUNITY): (each.idle_us, each.at_stake_cent_us) for each in unused}
    for key, opportunity, idle, stake in marts.rows(_AT_STAKE):
        found[key, opportunity] = int(idle or 0), None if stake is None else int(stake)
    return found


def _states(marts: Marts) -> dict[str, _State]:
    return {key: _state(list(spells)) for key, spells in groupby(marts.rows(_SPELLS), key=lambda row: row[0])}


def _state(spells: list[tuple[Any, ...]]) -> _State:
    """From spells, the latest first: how it stands, since the first of those that follow each other and are alike."""
    _, status, is_up, is_down, since, *_ = spells[0]
    for earlier in spells[1:]:
        if earlier[5] != since or earlier[2] != is_up or earlier[1] == "PAUSED":
            break
        since = earlier[4]
    return _State(status, is_up, is_down, since)


def _looked_at(row: tuple[Any, ...], state: _State | None, look: _Look) -> Candidate:
    key, name, project, bid, reservation, created_at, as_of, has_terms, starts_at, ends_at, rate = row
    each = Candidate(
        key, name or "", project, reservation or "", state.status if state else "", pause_credit_cents=rate, as_of=as_of
    )
    if bid is not None:
        return replace(each, refusal="spot")
    if reservation is None or not has_terms:
        return replace(each, refusal="no_reservation")
    if state is None:
        return replace(each, refusal="ended")
    if (starts_at is not None and look.at < starts_at) or (ends_at is not None and look.at >= ends_at):
        return replace(each, refusal="not_open")
    each = replace(each, planned=_planned(look, ends_at), **_idleness(key, state, look))
    return replace(each, refusal=_refusal(each, state, created_at or state.since, look))


def _planned(look: _Look, ends_at: datetime | None) -> timedelta | None:
    left = None if ends_at is None else ends_at - look.at
    return min((span for span in (left, look.rules.lasts) if span is not None), default=None)


def _idleness(key: str, state: _State, look: _Look) -> dict[str, Any]:
    """By which opportunity it would be paused, and since when there is that."""
    if not state.is_up:
        return {"opportunity": "pause_when_idle", "idle_since": state.since}
    low_since = look.use.low_since(key, look.at) if look.use else None
    if low_since is None:
        return {}
    return {"opportunity": OPPORTUNITY, "idle_since": max(low_since, state.since)}


def _refusal(each: Candidate, state: _State, created_at: datetime, look: _Look) -> str:
    """The first reason against it; none if it may be paused."""
    is_named = each.instance_id in look.rules.named
    reasons: Iterable[tuple[str, bool]] = (
        ("paused", state.status == "PAUSED"),
        ("ends_too_soon", each.planned is not None and each.planned < LEAST_PAUSE),
        ("no_rate", each.pause_credit_cents is None),
        ("earns_nothing", each.pause_credit_cents == 0),
        ("too_young", look.at - max(state.since, created_at) < look.rules.safe_age),
        ("in_use", state.is_up and _is_in_use(each, look)),
        ("use_unknown", state.is_up and not each.opportunity and not is_named),
        ("on_its_way", not state.is_up and not state.is_down and not is_named),
    )
    return next((reason for reason, holds in reasons if holds), "")


def _is_in_use(each: Candidate, look: _Look) -> bool:
    """By the table of use, whoever named it: not idle now, or not for long enough."""
    if look.use is None or not look.use.is_known(each.instance_id, look.at):
        return False
    return each.idle_since is None or look.at - each.idle_since < look.rules.idle_for
