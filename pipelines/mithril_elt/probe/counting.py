"""What a page of limit 1 has one of: instances or events.

Stands in `probe` on `events`, under `plan`, which asks on until it is clear; pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from mithril_elt.probe.asking import Heard
from mithril_elt.probe.events import Event, by_instance, events_of

__all__ = ["Counted", "counted"]

Counted = tuple[Literal["instances", "events"], Heard]


def counted(pages: Sequence[Heard], known: Iterable[Event]) -> Counted | None:
    """The value, and the first of these pages of limit 1 that proves it; None if none does.

    `known`: events from an answer without that limit. What a page repeats of those before it does not count.
    """
    all_known = {fid: len({event.same for event in events}) for fid, events in by_instance(known).items()}
    before: set[tuple[str, datetime, str | int]] = set()
    for page in pages:
        new = {event.same for event in events_of(page)} - before
        before |= new
        fids = {fid for fid, _, _ in new}
        if len(fids) != 1:
            continue
        if len(new) > 1:
            return "instances", page
        if page.cursor and all_known.get(min(fids), 0) > 1:
            return "events", page
    return None
