"""How the events of an instance follow each other: in what order, at what times, with what statuses.

Stands in `probe` on `plan`; pure: from what was heard to a finding.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import factorial, prod

from mithril_elt.findings import Finding
from mithril_elt.probe.asking import Heard
from mithril_elt.probe.counting import counted
from mithril_elt.probe.events import Event, by_instance, events_of, in_time_order
from mithril_elt.probe.plan import Notes

__all__ = ["equal_times", "order", "repeated_statuses"]

_CHANCE = 1_000_000  # an order is an accident as seldom as once in so many times
_FEWEST_EVENTS = 100

_Pair = tuple[Event, Event]


def order(notes: Notes) -> Finding:
    """The order in which the events of an instance are told, where that can hardly be an accident."""
    told = {history: _lists(notes.base(history)) for history in ("status_history", "price_history")}
    lists = [events for each in told.values() for events in each]
    ways = {_way(events) for events in lists}
    if "shuffled" in ways:
        page, events = _first_so(notes, told, "shuffled")
        what = "events of an instance are told neither by rising time nor by falling"
        return Finding("order", "shuffled", what, page.evidence(*(event.told for event in _step_back(events))))
    if len(ways) > 1:
        if all(len({_way(events) for events in each}) == 1 for each in told.values()):
            return Finding("order", None, "the histories differ: one is told by rising time, one by falling")
        page, events = _first_so(notes, told, "reversed")
        what = "some instances are told by rising time, others by falling"
        return Finding("order", "shuffled", what, page.evidence(events[0].told, events[1].told))
    if prod(factorial(len({event.at for event in events})) for events in lists) < _CHANCE:
        return Finding("order", None, "too few instances have several events to tell order from accident")
    [way] = ways
    page, events = _first_so(notes, told, way)
    rising = "rising" if way == "sorted" else "falling"
    what = f"the events of each of {len(lists)} instances are told by {rising} time"
    return Finding("order", way, what, page.evidence(events[0].told, events[1].told))


def _lists(page: Heard | None) -> list[list[Event]]:
    """The events of each instance that has some at different times."""
    stories = by_instance(events_of(page)).values() if page else ()
    return [events for events in stories if len({event.at for event in events}) > 1]


def _first_so(notes: Notes, told: dict[str, list[list[Event]]], way: str) -> tuple[Heard, list[Event]]:
    return next(
        (page, events)
        for history, lists in told.items()
        for events in lists
        if _way(events) == way and (page := notes.base(history))
    )


def _way(events: list[Event]) -> str:
    at = [event.at for event in events]
    return "sorted" if at == sorted(at) else "reversed" if at == sorted(at, reverse=True) else "shuffled"


def _step_back(events: list[Event]) -> tuple[Event, Event]:
    return next((a, b) for a, b in pairwise(events) if b.at < a.at)


def equal_times(notes: Notes) -> Finding:
    """Whether an instance has two events at one instant."""
    equal = [(a, b) for a, b in _neighbours(notes) if a.at == b.at and a.said != b.said]
    return _paired(notes, "equal_times", equal, "two events of an instance have the same instant")


def repeated_statuses(notes: Notes) -> Finding:
    """Whether an instance is told to have again the status that it has; of events alone at their instant."""
    at_once = Counter((event.fid, event.at) for event in notes.events("status_history"))
    again = [
        (a, b) for a, b in _neighbours(notes) if a.said == b.said and at_once[a.fid, a.at] == at_once[b.fid, b.at] == 1
    ]
    return _paired(notes, "repeated_statuses", again, "an event has the status that the one before it has")


def _neighbours(notes: Notes) -> list[_Pair]:
    """Each two events of an instance that follow each other; not of one that may go on on the next page."""
    base = notes.base("status_history")
    if base is None:
        return []
    found = counted(notes.heard_of_limit_1, events_of(base))
    is_cut = base.cursor is not None and (found is None or found[0] == "events")
    stories = by_instance(events_of(base))
    if is_cut:
        stories.pop(base.rows[-1].instance_fid, None)
    return [pair for events in stories.values() for pair in pairwise(in_time_order(events))]


def _paired(notes: Notes, reading: str, pairs: list[_Pair], what: str) -> Finding:
    """True if there is such a pair; false only if so many events have none that it can hardly be an accident."""
    base = notes.base("status_history")
    if base is None:
        return Finding(reading, None, "no status history was seen")
    if pairs:
        return Finding(reading, "true", what, base.evidence(*(event.told for event in pairs[0])))
    seen = len(_neighbours(notes))
    if seen < _FEWEST_EVENTS:
        return Finding(reading, None, f"not so among {seen} events, which are too few to rule it out", base.evidence())
    return Finding(reading, "false", f"not so among {seen} events", base.evidence())
