"""How instants, and values that there are not, are written.

Stands in `probe` on `plan`; pure: from what was heard to a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mithril_elt.endpoints import Instance, PriceHistory
from mithril_elt.findings import Finding
from mithril_elt.probe.asking import Heard
from mithril_elt.probe.events import events_of
from mithril_elt.probe.plan import Notes

__all__ = ["fractions", "optional_keys", "times"]

_FEWEST_INSTANTS = 10  # of three ways to write them, mixed evenly, one in 20,000 such sets has but one
_ZONE = re.compile(r"T[\d:.]+(Z|[+-]\d\d:?\d\d)?$")
_FRACTION = re.compile(r"\.(\d+)")

_Written = tuple[Heard, dict[str, Any], str]  # where, in which row, how


def times(notes: Notes) -> Finding:
    """How instants name UTC."""
    found: dict[str, _Written] = {}
    instants = set()
    for written in _instants(notes):
        named = _ZONE.search(written[2])
        found.setdefault((named and named[1]) or "no zone", written)
        instants.add(written[2])
    evidence = _written_evidence(found.values())
    if len(found) > 1:
        return Finding("times", "mixed", f"instants end on {' and on '.join(sorted(found))}", evidence)
    if len(instants) < _FEWEST_INSTANTS:
        return Finding("times", None, f"{len(instants)} instants are too few to tell", evidence)
    zone = min(found)
    if zone not in {"Z", "+00:00", "-00:00"}:
        return Finding("times", None, f"each of {len(instants)} instants has {zone}, which no reading has", evidence)
    return Finding("times", zone, f"each of {len(instants)} instants ends on {zone}", evidence)


def fractions(notes: Notes) -> Finding:
    """Whether an instant on a whole second has a fraction."""
    found: dict[str, _Written] = {}
    for written in _instants(notes):
        fraction = _FRACTION.search(written[2])
        if fraction is None or not int(fraction[1]):
            found.setdefault("always" if fraction else "needed", written)
    evidence = _written_evidence(found.values())
    if not found:
        return Finding("fractions", None, "no instant lies on a whole second")
    if len(found) > 1:
        return Finding("fractions", None, "instants on whole seconds are written in both ways", evidence)
    [value] = found
    with_or_without = "with a fraction of zeros" if value == "always" else "without a fraction"
    return Finding("fractions", value, f"instants on whole seconds are written {with_or_without}", evidence)


def _instants(notes: Notes) -> Iterator[_Written]:
    """Every instant as it was written, but for those that a window's start may have been put in the place of."""
    for page in notes.log:
        if page.endpoint == "instances":
            for row in page.raw:
                yield from (
                    (page, {"fid": row["fid"], name: row[name]}, row[name]) for name in ("created_at",) if row.get(name)
                )
        elif "start_time" not in page.params:
            for event in events_of(page):
                yield page, event.told, event.written
                if event.raw.get("end_time"):
                    yield page, event.told, event.raw["end_time"]


def _written_evidence(written: Iterable[_Written]) -> dict[str, Any]:
    """The first two ways of writing, each with the row that has it."""
    shown = list(written)[:2]
    return shown[0][0].evidence(*(row for _, row, _ in shown)) if shown else {}


def optional_keys(notes: Notes) -> Finding:
    """Whether what has no value is null or left out, in the list of instances and in the histories."""
    lists, histories = _without_value(notes, lists=True), _without_value(notes, lists=False)
    evidence = _absence_evidence([*lists.values(), *histories.values()])
    values = {("null", "null"): "null", ("absent", "absent"): "absent", ("null", "absent"): "mixed"}
    if not lists or not histories:
        return Finding("optional_keys", None, "nothing without a value was seen in both lists and histories", evidence)
    ways = "/".join(sorted(lists)), "/".join(sorted(histories))
    why = f"what has no value is {ways[0]} in the list of instances and {ways[1]} in the histories"
    return Finding("optional_keys", values.get(ways), why, evidence)


_OPTIONAL = {True: sorted(Instance.may_lack), False: sorted(PriceHistory.may_lack)}
_Absence = tuple[Heard, dict[str, Any]]


def _without_value(notes: Notes, *, lists: bool) -> dict[str, _Absence]:
    """By `null` and `absent` the first row that has a key so."""
    found: dict[str, _Absence] = {}
    for page in notes.log:
        if (page.endpoint == "instances") is lists:
            for row in page.raw:
                for key in _OPTIONAL[lists]:
                    if row.get(key) is None:
                        found.setdefault("null" if key in row else "absent", (page, row))
    return found


def _absence_evidence(absences: list[_Absence]) -> dict[str, Any]:
    """The first two rows, each with the optional keys that it has."""
    if not absences:
        return {}
    shown = {"fid", "instance_fid", *Instance.may_lack, *PriceHistory.may_lack}
    rows = [{key: value for key, value in row.items() if key in shown} for _, row in absences[:2]]
    return absences[0][0].evidence(*rows)
