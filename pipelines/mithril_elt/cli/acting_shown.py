"""What `opportunities` shows, in words and as facts: what may be paused, requests, how they ended, what they earned.

Stands inside `cli`, on `acting`; prints through `saying` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mithril_elt.acting import REASONS, Action, Candidate, Outcome, request_body
from mithril_elt.acting.rules import PAUSED
from mithril_elt.cli.saying import say
from mithril_elt.instants import iso
from mithril_elt.reports.apportion import as_decimal, divide
from mithril_elt.reports.kinds import HOURS, USD

__all__ = [
    "action_facts",
    "candidate_facts",
    "outcome_facts",
    "request_facts",
    "show_actions",
    "show_candidates",
    "show_outcome",
    "show_requests",
]

_KEY_SHOWN = "Bearer fkey_…"


def _amount(number: int | None, per: int) -> Decimal | None:
    return None if number is None else as_decimal(divide(number, per))


def _exact(number: int | None, per: int) -> str | None:
    amount = _amount(number, per)
    return None if amount is None else f"{amount:f}"


def _rounded(number: int | None, per: int) -> str:
    amount = _amount(number, per)
    return "–" if amount is None else f"{amount:,.2f}"


def _at(naive: datetime | None) -> str | None:
    return None if naive is None else iso(naive.replace(tzinfo=UTC))


def candidate_facts(each: Candidate) -> dict[str, Any]:
    """A candidate as machines get it."""
    return {
        "instance_id": each.instance_id,
        "instance_name": each.instance_name or None,
        "project_id": each.project_id or None,
        "reservation_id": each.reservation_id or None,
        "status": each.status or None,
        "opportunity": each.opportunity or None,
        "idle_since": _at(each.idle_since),
        "pause_usd_per_hour": _exact(each.pause_credit_cents, 100),
        "planned_hours": _exact(each.planned_us, HOURS.per),
        "expected_usd": _exact(each.expected_cent_us, USD.per),
        "missed_hours": _exact(each.idle_us, HOURS.per),
        "missed_usd": _exact(each.at_stake_cent_us, USD.per),
        "refusal": each.refusal or None,
        "reason": REASONS.get(each.refusal),
    }


def show_candidates(found: Sequence[Candidate], *, err: bool = False) -> None:
    """A line for each that would be paused, with the dollars expected, and one for each that is left alone."""
    chosen = [each for each in found if not each.refusal]
    if chosen:
        known = [each.expected_cent_us for each in chosen if each.expected_cent_us is not None]
        total = f"{_rounded(sum(known), USD.per)} USD" if known else "nobody knows how much"
        say(f"{len(chosen)} to pause, {total} of credit if they stay paused:", err=err)
    else:
        say("Nothing to pause.", err=err)
    for each in chosen:
        say(f"  {_named(each)}: {_why(each)}; {_worth(each)}", err=err)
    for each in found:
        if each.refusal:
            say(f"  left alone: {_named(each)}: {REASONS[each.refusal]}", err=err)


def _named(each: Candidate) -> str:
    return " ".join(part for part in (each.instance_id, each.instance_name) if part)


def _why(each: Candidate) -> str:
    status = each.status.lower()
    if not each.opportunity:
        return f"{status}, named by you"
    idle = "GPUs out of use" if each.opportunity == "pause_when_unused" else "standing still"
    return f"{status}, {idle} since {_at(each.idle_since)}"


def _worth(each: Candidate) -> str:
    rate = f"{_rounded(each.pause_credit_cents, 100)} USD an hour"
    if each.planned_us is None:
        return rate
    return f"{rate}, {_rounded(each.expected_cent_us, USD.per)} USD in {_rounded(each.planned_us, HOURS.per)} h"


def request_facts(url: str, batches: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """The requests that would be sent, but for the key."""
    return [
        {
            "method": "PATCH",
            "url": f"{url.rstrip('/')}/v2/instances",
            "headers": {"Authorization": _KEY_SHOWN, "Content-Type": "application/json"},
            "body": {"instances": list(batch), "status": PAUSED},
        }
        for batch in batches
    ]


def show_requests(url: str, batches: Sequence[Sequence[str]], *, err: bool = False) -> None:
    """The same as they go over the wire."""
    for facts, batch in zip(request_facts(url, batches), batches, strict=True):
        say(f"{facts['method']} {facts['url']}", err=err)
        for name, value in facts["headers"].items():
            say(f"{name}: {value}", err=err)
        say(request_body(batch), err=err)
    say("Nothing was asked.", err=err)


def outcome_facts(each: Outcome) -> dict[str, Any]:
    """How one ended, as machines get it."""
    return {
        "instance_id": each.candidate.instance_id,
        "outcome": each.verdict,
        "status_before": each.status_before,
        "status_now": each.status_now,
        "http_status": each.http_status,
        "detail": each.detail,
    }


def show_outcome(each: Outcome, *, err: bool = False) -> None:
    """How one ended, in a line."""
    was = f", was {each.status_before.removeprefix('STATUS_')}" if each.status_before else ""
    now = f", is {each.status_now.removeprefix('STATUS_')}" if each.status_now else ""
    detail = f": {each.detail}" if each.detail and each.verdict != "paused" else ""
    say(f"{each.candidate.instance_id} {each.verdict.replace('_', ' ')}{was}{now}{detail}", err=err)


def action_facts(each: Action) -> dict[str, Any]:
    """What became of one that was asked, as machines get it."""
    return {
        "run_id": each.run_id,
        "asked_at": _at(each.asked_at),
        "instance_id": each.instance_id,
        "reservation_id": each.reservation_id,
        "opportunity": each.opportunity,
        "outcome": each.outcome,
        "detail": each.detail,
        "status_before": each.status_before,
        "status_now": each.status_now,
        "pause_usd_per_hour": _exact(each.pause_credit_cents, 100),
        "planned_hours": _exact(each.planned_us, HOURS.per),
        "expected_usd": _exact(each.expected_cent_us, USD.per),
        "paused_at": _at(each.paused_at),
        "is_over": each.is_over,
        "paused_hours": _exact(each.paused_us, HOURS.per),
        "forecast_usd": _exact(each.forecast_cent_us, USD.per),
        "credit_usd": _exact(each.credit_cent_us, USD.per),
    }


def show_actions(actions: Sequence[Action]) -> None:
    """A line for each that was asked, and what all of them have earned."""
    if not actions:
        say("Nothing was ever asked of an instance from here.")
        return
    for each in actions:
        say(f"{_at(each.asked_at)}  {each.instance_id}  {each.outcome.replace('_', ' ')}: {_earned(each)}")
    earned = sum(each.credit_cent_us or 0 for each in actions)
    say(f"{len(actions)} asked, {_rounded(earned, USD.per)} USD of credit earned since.")


def _earned(each: Action) -> str:
    if each.paused_at is None:
        known = "no pause of it is loaded" if each.outcome in ("paused", "underway", "unclear") else each.detail
        return known or "nothing is known of it"
    over = "" if each.is_over else " so far"
    return (
        f"paused {_rounded(each.paused_us, HOURS.per)} h{over} from {_at(each.paused_at)},"
        f" {_rounded(each.credit_cent_us, USD.per)} USD of credit ({_rounded(each.forecast_cent_us, USD.per)} foreseen"
        " for so long)"
    )
