"""What windows told: whether the state in force at the start is told too, and whether the bounds belong.

Stands in `probe` on `plan`; pure: from what was heard to a finding.
"""

from __future__ import annotations

from mithril_elt.findings import Finding
from mithril_elt.probe.asking import Heard
from mithril_elt.probe.events import Event, events_of, in_time_order
from mithril_elt.probe.plan import Notes
from mithril_elt.probe.subjects import Cut

__all__ = ["end_bound", "start_bound", "start_selects"]

_WHAT = {
    "inside": "a window that begins in a spell has nothing from before its start",
    "in_force": "a window that begins in a spell also has the event that began it, with its own time",
    "clipped": "a window that begins in a spell also has the event that began it, its time set to the start",
}


def start_selects(notes: Notes) -> Finding:
    """Whether the event in force at the start is told too, with its own time or with the start's; in both histories."""
    status = _selected(notes.subject.cut if notes.subject else None, notes.cut)
    price = _selected(notes.price_subject.cut if notes.price_subject else None, notes.price_cut)
    if status and price and status[0] != price[0]:
        why = f"the histories differ: {status[0]} for status, {price[0]} for prices"
        return Finding("start_selects", None, why, status[1])
    found = status or price
    if found is None:
        why = "no instance was seen with two events and time between them" if notes.cut is None else _UNCLEAR
        return Finding("start_selects", None, why, notes.cut.evidence() if notes.cut else {})
    seen_in = "both histories" if status and price else "the status history" if status else "the price history"
    return Finding("start_selects", found[0], f"{_WHAT[found[0]]} ({seen_in})", found[1])


_UNCLEAR = "the answer does not have the event that lies in the middle of the window"


def _selected(cut: Cut | None, heard: Heard | None) -> tuple[str, dict[str, object]] | None:
    """What the window told of its start, and the rows that say so; None where it does not decide."""
    if cut is None or heard is None or not heard.accepted:
        return None
    told = [event for event in in_time_order(events_of(heard)) if event.fid == cut.before.fid]
    anchor = next((event for event in told if event.at == cut.after.at), None)
    if anchor is None:
        return None
    for value, at in (("in_force", cut.before.at), ("clipped", cut.start)):
        if row := next((event for event in told if event.at == at), None):
            return value, heard.evidence(row.told, anchor.told)
    if told[0].at < cut.after.at or heard.cursor is not None:  # something else than was expected, or not all
        return None
    return "inside", heard.evidence(anchor.told)


def start_bound(notes: Notes) -> Finding:
    """Whether an event at the very start of a window is told; it is anyway where the one in force is."""
    told = _bounded(notes)
    if told is None or notes.subject is None or notes.subject.bounds is None or notes.bounds is None:
        return Finding("start_bound", None, _NO_BOUNDS)
    start = notes.subject.bounds.start
    at_start = [event for event in told if event.at == start.at]
    if not at_start:
        if notes.bounds.cursor is not None:
            return Finding("start_bound", None, "the window has more than one page", notes.bounds.evidence())
        why = f"the event at the window's very start, {start.written}, is not in it"
        return Finding("start_bound", "exclusive", why, notes.bounds.evidence(told[0].told))
    selects = start_selects(notes).seen
    earlier = [event for event in told if event.at < start.at]
    if selects == "inside" or earlier:
        why = "the event at the window's very start is in it"
        return Finding("start_bound", "inclusive", why, notes.bounds.evidence(at_start[0].told))
    why = (
        "the event at the window's very start is in it, as the one in force then would be anyway: no difference"
        if selects
        else "the event at the window's very start is in it, but perhaps only as the one in force"
    )
    return Finding("start_bound", None, why, notes.bounds.evidence(at_start[0].told))


def end_bound(notes: Notes) -> Finding:
    """Whether an event at the very end of a window is told."""
    told = _bounded(notes)
    if told is None or notes.subject is None or notes.subject.bounds is None or notes.bounds is None:
        return Finding("end_bound", None, _NO_BOUNDS)
    end = notes.subject.bounds.end
    if at_end := [event for event in told if event.at == end.at]:
        why = "the event at the window's very end is in it"
        return Finding("end_bound", "inclusive", why, notes.bounds.evidence(at_end[-1].told))
    if notes.bounds.cursor is not None:
        return Finding("end_bound", None, "the window has more than one page", notes.bounds.evidence())
    why = f"the event at the window's very end, {end.written}, is not in it"
    return Finding("end_bound", "exclusive", why, notes.bounds.evidence(told[-1].told))


_NO_BOUNDS = "no window was answered that has an event of its own beside those at its bounds"


def _bounded(notes: Notes) -> list[Event] | None:
    """What the window with events at both bounds told, oldest first.

    None where that proves nothing: it lacks even the event inside it, or, if there is none, both.
    """
    if notes.subject is None or notes.subject.bounds is None or notes.bounds is None or not notes.bounds.accepted:
        return None
    bounds = notes.subject.bounds
    told = [event for event in in_time_order(events_of(notes.bounds)) if event.fid == notes.subject.fid]
    sure = {bounds.inside.at} if bounds.inside else {bounds.start.at, bounds.end.at}
    return told if any(event.at in sure for event in told) else None
