"""The user's rules for `report chargeback`: which names of instances are charged under which label.

Stands at the beginning of `chargeback`, beside the marts: a CSV file of the user's, read at each report and loaded
nowhere. The first rule that a name fits holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property
from pathlib import Path

from mithril_elt.csv_rows import csv_rows
from mithril_elt.errors import UsageError

__all__ = ["NO_RULE", "Rule", "idle_rules", "labelled", "read_rules"]

NO_RULE = "(no rule)"
_COLUMNS = ("pattern", "label")


@dataclass(frozen=True)
class Rule:
    """A pattern of names (`*` is any signs, `?` one, `[ab]` one of these), its label, and where it is written."""

    pattern: str
    label: str
    where: str

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile(translate(self.pattern))

    def fits(self, name: str) -> bool:
        """Whether it fits the whole name; capitals are told apart."""
        return self._expression.match(name) is not None


def read_rules(path: Path) -> list[Rule]:
    """The rules of a file, in its order.

    Raises:
        UsageError: there is no such file, it lacks a column or has no row, or a row is no rule or is there twice.
    """
    rules = [
        _rule(cells["pattern"], cells["label"], where)
        for where, cells in csv_rows(
            path, _COLUMNS, of="the rules", one="rule", each="pattern, the first to be tried first"
        )
    ]
    seen: dict[str, Rule] = {}
    for rule in rules:
        first = seen.setdefault(rule.pattern, rule)
        if first is not rule:
            raise UsageError(f"{rule.where}: the pattern {rule.pattern!r} is there already ({first.where})")
    return rules


def labelled(names: Mapping[str, str | None], rules: Sequence[Rule]) -> dict[str, str]:
    """The label of each instance, by its id, given the names; what has no name is taken for an empty one."""
    labels = {name: _label(name, rules) for name in {name or "" for name in names.values()}}
    return {identity: labels[name or ""] for identity, name in names.items()}


def idle_rules(names: Iterable[str | None], rules: Sequence[Rule]) -> list[tuple[Rule, Rule | None]]:
    """The rules that decide of no name, each with the earlier one that has taken what it fits; None if it fits none."""
    told = {name or "" for name in names}
    holding = {name: next((rule for rule in rules if rule.fits(name)), None) for name in told}
    found = []
    for rule in rules:
        if rule in holding.values():
            continue
        taken = [holding[name] for name in sorted(told) if rule.fits(name)]
        found.append((rule, taken[0] if taken else None))
    return found


def _label(name: str, rules: Sequence[Rule]) -> str:
    return next((rule.label for rule in rules if rule.fits(name)), NO_RULE)


def _rule(pattern: str, label: str, where: str) -> Rule:
    if not pattern:
        raise UsageError(f"{where}: there is no pattern such as train-*")
    if not label or label == NO_RULE:
        raise UsageError(
            f"{where}: {label!r} is no label" + (": it stands for names that no rule fits" if label else "")
        )
    broken = _broken(pattern)
    if broken:
        raise UsageError(f"{where}: the pattern {pattern!r} is broken: {broken}")
    return Rule(pattern, label, where)


def _broken(pattern: str) -> str | None:
    """What is wrong with a pattern: brackets that do not close are else taken by their letter, and fit nothing."""
    position = 0
    while (begin := pattern.find("[", position)) >= 0:
        first = begin + 2 if pattern[begin + 1 : begin + 2] == "!" else begin + 1
        end = pattern.find("]", first + 1)  # a bracket that stands first is one of the signs
        if end < 0:
            return "the bracket [ does not close; a bracket as such is [[]"
        signs = pattern[first:end]
        turned = [f"{low}-{high}" for low, high in re.findall(r"(.)-(.)", signs, re.DOTALL) if low > high]
        if turned:
            return f"{turned[0]} goes from the later sign to the earlier"
        position = end + 1
    return None
