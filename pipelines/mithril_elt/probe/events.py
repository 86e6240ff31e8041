"""The events of both histories in one form: whose, when, what is said from then on, and as it was sent.

Stands in `probe` under all that looks at events; pure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from mithril_elt.decode import utc
from mithril_elt.probe.asking import Heard

__all__ = ["Event", "by_instance", "events_of", "in_time_order"]

_START = {"status_history": "timestamp", "price_history": "start_time"}
_FINER = re.compile(r"\.\d{6}\d*[1-9]")  # than a microsecond


class Event(NamedTuple):
    """From `at` on the instance has the status, or an hour of it the price, that `said` is.

    `end`: of a price period that is closed. `raw`: the event as it was sent.
    """

    fid: str
    at: datetime
    said: str | int
    end: datetime | None
    raw: dict[str, Any]
    time_field: str

    @property
    def told(self) -> dict[str, Any]:
        """The event as evidence: as it was sent, with whose it is."""
        return {"instance_fid": self.fid, **self.raw}

    @property
    def written(self) -> str:
        """Its instant as it was sent."""
        return str(self.raw[self.time_field])

    @property
    def is_exact(self) -> bool:
        """Whether a question can name its very instant: microseconds are as fine as questions get."""
        return _FINER.search(self.written) is None

    @property
    def same(self) -> tuple[str, datetime, str | int]:
        """What makes it this event, however it is written."""
        return self.fid, self.at, self.said


def events_of(heard: Heard) -> list[Event]:
    """All events of a page of a history, in the order in which they were sent."""
    field = _START[heard.endpoint]
    return [
        Event(
            row.instance_fid,
            utc(getattr(event, field)),
            event.status if field == "timestamp" else event.price_cents,
            utc(event.end_time) if field == "start_time" and event.end_time else None,
            raw,
            field,
        )
        for row, sent in zip(heard.rows, heard.raw, strict=True)
        for event, raw in zip(row.events, sent["events"], strict=True)
    ]


def by_instance(events: Iterable[Event]) -> dict[str, list[Event]]:
    """The events of each instance, in the order in which they were sent."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        found[event.fid].append(event)
    return dict(found)


def in_time_order(events: Iterable[Event]) -> list[Event]:
    """Oldest first; of equal times the order in which they were sent."""
    return sorted(events, key=lambda event: event.at)
