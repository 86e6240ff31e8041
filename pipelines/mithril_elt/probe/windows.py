"""What windows told: whether the state in force at the start is told too, and whether the bounds belong.

Stands in `probe` on `plan`; pure: from what was heard to a finding.
"""

from __future__ import annotations

from mithril_elt.findings import Finding
from mithril_elt.probe.asking import Heard
from mithril_elt.probe.events import Event, events_of, in_time_order
from mithril_elt.probe.plan import Notes
from mithril_elt.probe.subjects import Bounds, Cut

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
    if anchor is None or told[0].at < cut.before.at or (cut.end and told[-1].at > cut.end):
        return None  # not the window that was asked for
    if row := next((event for event in told if event.at == cut.start), None):
        return "clipped", heard.evidence(row.told, anchor.told)
    if row := next((event for event in told if event.at == cut.before.at), None):
        return ("in_force", heard.evidence(row.told, anchor.told)) if cut.earlier else None
    if told[0].at < cut.after.at or heard.cursor is not None:  # something else than was expected, or not all
        return None
    return "inside", heard.evidence(anchor.told)


def start_bound(notes: Notes) -> Finding:
    """Whether an event at the very start of a window is told; it is anyway where the one in force is."""
    found = _bounded(notes)
    if found is None:
        return Finding("start_bound", None, _NO_BOUNDS)
    bounds, heard, told = found
    at_start = [event for event in told if event.at == bounds.start.at]
    if not at_start:
        if heard.cursor is not None:
            return Finding("start_bound", None, "the window has more than one page", heard.evidence())
        why = f"the event at the window's very start, {bounds.start.written}, is not in it"
        return Finding("start_bound", "exclusive", why, heard.evidence(told[0].told))
    selects = start_selects(notes).seen
    if selects == "inside" or (selects and any(event.at < bounds.start.at for event in told)):
        why = "the event at the window's very start is in it"
        return Finding("start_bound", "inclusive", why, heard.evidence(at_start[0].told))
    why = (
        "the event at the window's very start is in it, as the one in force then would be anyway: no difference"
        if selects
        else "the event at the window's very start is in it, but perhaps only as the one in force"
    )
    return Finding("start_bound", None, why, heard.evidence(at_start[0].told))


def end_bound(notes: Notes) -> Finding:
    """Whether an event at the very end of a window is told."""
    found = _bounded(notes)
    if found is None:
        return Finding("end_bound", None, _NO_BOUNDS)
    bounds, heard, told = found
    if at_end := [event for event in told if event.at == bounds.end.at]:
        if bounds.later is None:
            why = "the event at the window's very end is in it, but no later one is known that should not be"
            return Finding("end_bound", None, why, heard.evidence(at_end[-1].told))
        why = "the event at the window's very end is in it"
        return Finding("end_bound", "inclusive", why, heard.evidence(at_end[-1].told))
    if heard.cursor is not None:
        return Finding("end_bound", None, "the window has more than one page", heard.evidence())
    why = f"the event at the window's very end, {bounds.end.written}, is not in it"
    return Finding("end_bound", "exclusive", why, heard.evidence(told[-1].told))


_NO_BOUNDS = "no window was answered as asked that has an event of its own beside those at its bounds"


def _bounded(notes: Notes) -> tuple[Bounds, Heard, list[Event]] | None:
    """The window with events at both bounds, its answer, and what that told, oldest first.

    None where that proves nothing: it lacks even the event inside it, or, if there is none, both; or it has
    one from after its end.
    """
    bounds, heard = notes.subject.bounds if notes.subject else None, notes.bounds
    if bounds is None or heard is None or not heard.accepted:
        return None
    told = [event for event in in_time_order(events_of(heard)) if event.fid == bounds.start.fid]
    sure = {bounds.inside.at} if bounds.inside else {bounds.start.at, bounds.end.at}
    is_as_asked = any(event.at in sure for event in told) and told[-1].at <= bounds.end.at
    return (bounds, heard, told) if is_as_asked else None
