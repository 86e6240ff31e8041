"""The dashboard as one file, for a bucket or a mail: nothing in it is asked of any network.

Stands on `figures` and `pages`. What leads to other pages where it is served leads to tables further down.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from mithril_elt.dashboard.figures import Reader, Source
from mithril_elt.dashboard.pages import Look, overview_page
from mithril_elt.dashboard.state import State

__all__ = ["static_page"]

_TABLES = (
    ("cost", "day"),
    ("cost", "order"),
    ("cost", "user"),
    ("cost", "project"),
    ("cost", "reservation"),
    ("cost", "instance"),
    ("usage", "order"),
    ("reservations", "reservation"),
    ("pause-credits", "reservation"),
    ("uptime", "order"),
)


def static_page(source: Source, state: State, *, now: datetime, stale_after: timedelta) -> str:
    """The first page of a state as a page of its own, with the rows behind its figures.

    Raises:
        UsageError: the state has no meaning.
        UnreadyError: there are no figures to be had.
    """
    with Reader.opened(source, state) as reader:
        found = reader.overview()
        tables = {(name, by): reader.table(name, by, found.periods.this) for name, by in _TABLES}
    return overview_page(found, Look(now, stale_after, is_file=True, place=source.options), tables)
