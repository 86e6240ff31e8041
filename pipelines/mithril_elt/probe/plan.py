"""The questions, in an order in which each answer makes the next one decisive; the most useful ones come first.

Stands in `probe` on `asking` and `subjects`. What the budget has no room for is not asked, and the
findings say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mithril_elt.instants import iso
from mithril_elt.probe.asking import Asker, Heard
from mithril_elt.probe.counting import counted
from mithril_elt.probe.events import Event, events_of
from mithril_elt.probe.subjects import Subject, choose_subject

__all__ = ["Notes", "has_all_prices", "question", "reserved_among", "reserved_that_ran"]

_PROJECTS = 3  # so many are looked at for one that has instances
_PAGE = 100


@dataclass
class Notes:
    """What was heard, by what it was asked for; None or empty where it was not asked or not answered."""

    project: str | None = None
    instances: Heard | None = None
    tries: dict[str, list[Heard]] = field(default_factory=dict)
    walk: list[Heard] = field(default_factory=list)
    single: Heard | None = None
    subject: Subject | None = None
    cut: Heard | None = None
    bounds: Heard | None = None
    price_subject: Subject | None = None
    price_cut: Heard | None = None
    reserved: Heard | None = None
    is_spent: bool = False
    log: list[Heard] = field(default_factory=list)

    @property
    def heard_of_limit_1(self) -> list[Heard]:
        """The answers that tell what a limit counts."""
        return [*self.walk, *([self.single] if self.single else [])]

    def base(self, history: str) -> Heard | None:
        """The answer that has the history's events, as far as one page goes, without a window."""
        return next((heard for heard in self.tries.get(history, []) if events_of(heard)), None)

    def events(self, history: str) -> list[Event]:
        """The events of that answer."""
        base = self.base(history)
        return events_of(base) if base else []


def question(ask: Asker, projects: Sequence[str]) -> Notes:
    """Asks all that the budget allows."""
    notes = Notes(log=ask.log)
    _ask_for_instances(ask, notes, projects)
    if notes.project is None:
        return notes
    _ask_for_history(ask, notes, "status_history")
    base = notes.base("status_history")
    if base is not None:
        notes.subject = choose_subject(events_of(base))
        notes.cut = _ask_for_cut(ask, notes, "status_history", notes.subject)
        _walk(ask, notes, base)
        _ask_for_bounds(ask, notes)
    _ask_for_history(ask, notes, "price_history")
    notes.price_subject = choose_subject(notes.events("price_history"))
    notes.price_cut = _ask_for_cut(ask, notes, "price_history", notes.price_subject)
    _ask_for_reserved(ask, notes)
    notes.is_spent = ask.is_spent
    return notes


def _ask_for_instances(ask: Asker, notes: Notes, projects: Sequence[str]) -> None:
    """The oldest instances of the first project that has any, as many as come where no limit is asked for."""
    for project in projects[:_PROJECTS]:
        heard = ask.ask_for_rows("instances", {"project": project, "sort_by": "created_at", "sort_dir": "asc"})
        if notes.project is None or (heard and heard.rows):
            notes.project, notes.instances = project, heard
        if heard and heard.rows:
            return


def _ask_for_history(ask: Asker, notes: Notes, history: str) -> None:
    """By project alone; where that gets no rows, by the order with most instances; else by one instance."""
    tries = notes.tries.setdefault(history, [])
    alone_is_refused = any(not heard.accepted for heard in notes.tries.get("status_history", [])[:1])
    for scope in _scopes(notes.instances):
        if not scope and history == "price_history" and alone_is_refused:
            continue
        heard = ask.ask_for_rows(history, {"project": notes.project, **scope, "limit": _PAGE})
        if heard:
            tries.append(heard)
        if heard is None or events_of(heard):
            return


def _scopes(instances: Heard | None) -> list[dict[str, str]]:
    rows = instances.rows if instances else ()
    bids = [row.bid for row in rows if row.bid]
    reservations = [row.reservation for row in rows if row.reservation]
    scopes: list[dict[str, str]] = [{}]
    if bids:
        scopes.append({"bid_fid": max(bids, key=bids.count)})
    elif reservations:
        scopes.append({"reservation_fid": max(reservations, key=reservations.count)})
    return scopes + [{"instance_fid": row.fid} for row in rows[:1]]


def _walk(ask: Asker, notes: Notes, base: Heard) -> None:
    """Two pages that have rows, of one row each; then, if it is open still what a row is, one instance alone."""
    page = ask.ask_for_rows(base.endpoint, {**_scope(base), "limit": 1})
    while page is not None and len(notes.walk) < 2:
        if events_of(page):
            notes.walk.append(page)
        page = ask.past_empty(ask.ask_on(page)) if page.cursor and len(notes.walk) < 2 else None
    many = _many_events(events_of(base))
    if many and counted(notes.walk, events_of(base)) is None:
        notes.single = ask.ask_for_rows(base.endpoint, {**_scope(base), "instance_fid": many, "limit": 1})


def _scope(heard: Heard) -> dict[str, Any]:
    return {name: value for name, value in heard.params.items() if name not in {"limit", "next_cursor"}}


def _many_events(events: Iterable[Event]) -> str | None:
    """The instance with most events, if it has more than one."""
    fids = [event.fid for event in {event.same: event for event in events}.values()]
    most = max(fids, key=fids.count, default=None)
    return most if most and fids.count(most) > 1 else None


def _ask_for_cut(ask: Asker, notes: Notes, history: str, subject: Subject | None) -> Heard | None:
    """A window that begins strictly between two events of one instance."""
    if subject is None or subject.cut is None:
        return None
    return _ask_within(ask, notes, history, subject.fid, start=subject.cut.start, end=subject.cut.end)


def _ask_for_bounds(ask: Asker, notes: Notes) -> None:
    """A window from the very instant of an event to that of another."""
    if notes.subject and (bounds := notes.subject.bounds):
        start, end = bounds.start.at, bounds.end.at
        notes.bounds = _ask_within(ask, notes, "status_history", notes.subject.fid, start=start, end=end)


def _ask_within(
    ask: Asker, notes: Notes, history: str, fid: str, *, start: datetime, end: datetime | None
) -> Heard | None:
    one = {"project": notes.project, "instance_fid": fid, "limit": _PAGE}
    return ask.ask_for_rows(history, {**one, "start_time": iso(start), "end_time": iso(end)})


def reserved_among(notes: Notes) -> Event | None:
    """A price that the history has of a reserved instance."""
    base = notes.base("price_history")
    reserved = _reserved(notes)
    return next((event for event in events_of(base) if event.fid in reserved), None) if base else None


def has_all_prices(notes: Notes) -> bool:
    """Whether all prices of the project came on one page."""
    base = notes.base("price_history")
    return base is not None and base.cursor is None and not any(name.endswith("_fid") for name in base.params)


def reserved_that_ran(notes: Notes) -> str | None:
    """A reserved instance that was seen running, by the status history or by the list; of the largest reservation."""
    reserved = _reserved(notes)
    ran = [event.fid for event in notes.events("status_history") if event.said == "STATUS_RUNNING"]
    listed = [row.fid for row in (notes.instances.rows if notes.instances else ()) if row.status == "STATUS_RUNNING"]
    sizes = Counter(reserved.values())
    return max((fid for fid in ran + listed if fid in reserved), key=lambda fid: sizes[reserved[fid]], default=None)


def _reserved(notes: Notes) -> dict[str, str]:
    """The reservation of each reserved instance that was heard of."""
    listed = {row.fid: row.reservation for row in (notes.instances.rows if notes.instances else ())}
    bases = [notes.base(history) for history in ("status_history", "price_history")]
    told = {row.instance_fid: row.reservation_fid for base in bases if base for row in base.rows}
    return {fid: reservation for fid, reservation in [*listed.items(), *told.items()] if reservation}


def _ask_for_reserved(ask: Asker, notes: Notes) -> None:
    """The prices of a reserved instance that has run, unless the prices of all have told already."""
    fid = reserved_that_ran(notes)
    if fid and not reserved_among(notes) and not has_all_prices(notes):
        notes.reserved = ask.ask_for_rows(
            "price_history", {"project": notes.project, "instance_fid": fid, "limit": _PAGE}
        )
