"""How the tests of the made-up account read its stories: spells, stretches, spans of a market."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import HOUR_US, Instance, Market, StatusChange

if TYPE_CHECKING:
    from collections.abc import Iterator


DAY_US = 24 * HOUR_US
UP = {"RUNNING", "PREEMPTING", "RELOCATING"}
ENDINGS = {"TERMINATED", "REPLACED"}
BEFORE: dict[str, set[str | None]] = {
    "NEW": {None},
    "CONFIRMED": {"NEW", "PAUSED"},
    "INITIALIZING": {"CONFIRMED"},
    "STARTING": {"INITIALIZING", "CONFIRMED", "PREEMPTED", "ERROR", "RELOCATING"},
    "RUNNING": {"STARTING", "PREEMPTING", "RELOCATING", "SCHEDULED", "RUNNING"},
    "STOPPING": {*UP},
    "PAUSED": {"STOPPING"},
    "PREEMPTING": {"RUNNING"},
    "PREEMPTED": {"PREEMPTING", "STARTING", "RELOCATING"},
    "RELOCATING": {"RUNNING"},
    "REPLACED": {"RELOCATING"},
    "ERROR": {"RUNNING"},
    "SCHEDULED": {"RUNNING"},
    "FAILED": {"RUNNING"},
}

SIZES = [(7, 40, 30), (7, 12, 7), (1, 300, 60), (2**40, 90, 14)]


def bare(change: StatusChange) -> str:
    return change.status.removeprefix("STATUS_")


def spells(instance: Instance) -> Iterator[tuple[str, int, int | None, str | None]]:
    """Each change as (status, from, until, next status)."""
    for change, after in pairwise([*instance.changes, None]):
        assert change is not None
        yield bare(change), change.at_us, after.at_us if after else None, bare(after) if after else None


def up_stretches(instance: Instance) -> list[tuple[int, int | None]]:
    """The longest spans in which an instance is up; the last may be open."""
    stretches: list[tuple[int, int | None]] = []
    for status, from_us, until_us, _ in spells(instance):
        if status not in UP:
            continue
        if stretches and stretches[-1][1] == from_us:
            stretches[-1] = (stretches[-1][0], until_us)
        else:
            stretches.append((from_us, until_us))
    return stretches


def over_spans(market: Market, limit_cents: int) -> list[tuple[int, int]]:
    """The spans of closed steps in which the market's price is above the limit."""
    spans: list[tuple[int, int]] = []
    for (from_us, until_us), cents in zip(pairwise(market.changed_at_us), market.spot_price_cents, strict=False):
        if cents > limit_cents:
            begun_us = spans.pop()[0] if spans and spans[-1][1] == from_us else from_us
            spans.append((begun_us, until_us))
    return spans
