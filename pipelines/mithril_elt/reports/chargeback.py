"""Cost as lines to be charged on: what was used, what stood idle and what was credited, by user, project and label.

Stands between marts and `compose`, on `query`, `rules` and `apportion`. Nothing is spread: reserved time that stood
idle and credits are lines of their own, and all lines add up to the net cost of `report cost` to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mithril_elt.reports.apportion import apportion, as_decimal
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.groupings import LABEL, Grouping
from mithril_elt.reports.kinds import HOURS, USD
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.query import gather
from mithril_elt.reports.rules import Rule, idle_rules, labelled
from mithril_elt.reports.span import Span

__all__ = ["charged_lines", "rule_notices"]

Key = tuple[Any, ...]


@dataclass(frozen=True)
class _Kind:
    """A kind of line: its name, the measures of its time and its amount, with which kinds it is rounded together."""

    line: str
    time: str
    amount: str
    rounded_with: str
    sign: int = 1


# `report cost` divides spot cost, allocated cost (used and idle) and credit once each: so do these.
_KINDS = (
    _Kind("spot", "billed", "spot_cost", "spot_cost"),
    _Kind("reserved", "reserved_used", "used_cost", "allocated_cost"),
    _Kind("idle", "unused", "idle_cost", "allocated_cost"),
    _Kind("pause credit", "credited", "pause_credit", "pause_credit", -1),
)


@dataclass
class _Line:
    """What is charged of one kind in one group, in the integers of the marts; an amount is None where none is known."""

    key: Key
    kind: _Kind
    time_us: int
    amount_cent_us: int | None
    hours: Decimal = Decimal(0)
    cost_usd: Decimal | None = None


def charged_lines(
    marts: Marts, groupings: Sequence[Grouping], span: Span, rules: Sequence[Rule], shown: Callable[[Key], Key]
) -> tuple[tuple[tuple[Cell, ...], ...], tuple[Cell, ...]]:
    """The lines: their groups, the kind, hours and dollars; and the total of the last two, of hours none.

    In order of time, then the dearest group first, its lines in the order spot, reserved, idle, pause credit. `shown`
    makes texts of a group's key.
    """
    folded = _folded(marts, groupings, span, rules)
    lines = [
        _Line(key, kind, time_us, amount)
        for kind in _KINDS
        for key, (time_us, amount) in folded[kind.line].items()
        if time_us or amount
    ]
    lines.sort(key=_order(lines, groupings))  # first: of equal remainders the first line has the unit, on any engine
    _round(lines)
    known = [line.cost_usd for line in lines if line.cost_usd is not None]
    total = None if len(known) < len(lines) and not any(known) else sum(known, start=as_decimal(0))
    return tuple((*shown(line.key), line.kind.line, line.hours, line.cost_usd) for line in lines), (None, total)


def rule_notices(marts: Marts, rules: Sequence[Rule]) -> list[str]:
    """What a reader must know of the rules: those that decide of no name, each as a sentence."""
    if not rules:
        return [
            "There are no rules (chargeback.csv, --rules or MITHRIL_CHARGEBACK_RULES): all names are under (no rule)."
        ]
    sentences = []
    for rule, taken_by in idle_rules(_names(marts).values(), rules):
        why = (
            f"all that it fits is taken by {taken_by.pattern!r} before it"
            if taken_by
            else "no instance has such a name"
        )
        sentences.append(f"{rule.where}: the rule {rule.pattern!r} is for nothing: {why}.")
    return sentences


def _folded(
    marts: Marts, groupings: Sequence[Grouping], span: Span, rules: Sequence[Rule]
) -> dict[str, dict[Key, tuple[int, int | None]]]:
    """Time and amount by group, for each kind of line; the marts group by instance where a label is asked for."""
    gathered = gather(marts, {name for kind in _KINDS for name in (kind.time, kind.amount)}, groupings, span)
    place = next((n for n, grouping in enumerate(groupings) if grouping is LABEL), None)
    labels = {} if place is None else labelled(_names(marts), rules)
    keys = [
        key if place is None else (*key[:place], labels.get(key[place]), *key[place + 1 :]) for key in gathered.keys
    ]
    folded: dict[str, dict[Key, tuple[int, int | None]]] = {kind.line: {} for kind in _KINDS}
    for kind in _KINDS:
        here = folded[kind.line]
        for key, time_us, amount in zip(keys, gathered.values[kind.time], gathered.values[kind.amount], strict=True):
            time_before, amount_before = here.get(key, (0, 0))
            here[key] = time_before + (time_us or 0), _added(time_before, amount_before, time_us or 0, amount)
    return folded


def _added(time_before: int, before: int | None, time_us: int, amount: int | None) -> int | None:
    """The known part of two amounts; None if one is not known and the other is of nothing."""
    known = [each for time, each in ((time_before, before), (time_us, amount)) if each is not None and (time or each)]
    return sum(known) if known or None not in (before, amount) else None


def _round(lines: Sequence[_Line]) -> None:
    """Hours and dollars of 12 places, such that they add up to what `report cost` has in all."""
    for kind in _KINDS:
        here = [line for line in lines if line.kind is kind]
        for line, units in zip(here, apportion([line.time_us for line in here], HOURS.per), strict=True):
            line.hours = as_decimal(units or 0)
    for together in dict.fromkeys(kind.rounded_with for kind in _KINDS):
        here = [line for line in lines if line.kind.rounded_with == together]
        for line, units in zip(here, apportion([line.amount_cent_us for line in here], USD.per), strict=True):
            line.cost_usd = None if units is None else as_decimal(line.kind.sign * units)


def _order(lines: Sequence[_Line], groupings: Sequence[Grouping]) -> Callable[[_Line], tuple[Any, ...]]:
    costs: dict[Key, int] = {}
    for line in lines:
        costs[line.key] = costs.get(line.key, 0) + line.kind.sign * (line.amount_cent_us or 0)

    def rank(line: _Line) -> tuple[Any, ...]:
        parts = list(zip(groupings, line.key, strict=True))
        times = [part for grouping, part in parts if grouping.is_time]
        ids = [(part is None, part or "") for grouping, part in parts if not grouping.is_time]
        return (*times, -costs[line.key], *ids, _KINDS.index(line.kind))

    return rank


def _names(marts: Marts) -> dict[str, str | None]:
    return dict(marts.rows("select instance_id, instance_name from {marts}.dim_instances"))
