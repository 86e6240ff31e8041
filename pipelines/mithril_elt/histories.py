"""The two histories: what each is called, how a span of one is asked for, and which of its rows count.

Stands under `resources`, on `columns` and `wanted`. A second more is asked for on both sides of a span and cut off
again: whether the bounds belong to it is not documented.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mithril_elt.api import Walk
from mithril_elt.columns import event_columns, history_page
from mithril_elt.decode import Novelties, Page
from mithril_elt.endpoints import PAGE_LIMIT
from mithril_elt.instants import iso
from mithril_elt.tables import raw_table
from mithril_elt.wanted import Wanted
from mithril_elt.windows import Span, cut

__all__ = ["HISTORIES", "PRICING", "History", "pages_count"]

MARGIN = timedelta(seconds=1)

_LONG_PAGES = 64  # of a walk: more than three times what a slice is cut for
_PARTS = 8  # that a walk which proves long is cut into
_SHORTEST = timedelta(minutes=1)  # what is shorter is walked to its end


@dataclass(frozen=True)
class History:
    """One of the two histories: its endpoint, its raw table, and the instant of a row."""

    name: str
    endpoint: str
    table: str
    instant: str

    @property
    def key(self) -> list[str]:
        """The key of its raw table."""
        return list(raw_table(self.table).key)

    @property
    def schema(self) -> pa.Schema:
        """The columns of its raw table."""
        return raw_table(self.table).arrow_schema

    def walk(self, project: str, span: Span, *, tag: Any, **filters: str) -> Walk:
        """The question for a span, of the project or of what the filters name. It may be refused."""
        bounds = {"start_time": iso(span.start - MARGIN), "end_time": iso(span.end + MARGIN)}
        params = {"project": project, **bounds, **filters}
        walk = Walk(self.endpoint, params, tag=tag, may_be_refused=True, span=span, decode=history_page)

        def parts(count: int, page: Page) -> list[Walk]:
            is_long = count >= _LONG_PAGES and _may_count_events(page) and span.end - span.start >= _SHORTEST
            spans = cut([span], -(-(span.end - span.start) // _PARTS)) if is_long else ()
            return [self.walk(project, part, tag=tag, **filters) for part in spans]

        return replace(walk, parts=parts)

    def parted(self, walk: Walk, spans: Sequence[Span]) -> Walk:
        """The same walk, whose place those spans take once a page shows that pages count events.

        What it has read by then is read again, since nobody knows in which order pages come; as where a walk proves
        long. Where pages count instances each part would have as many.
        """

        def parts(count: int, page: Page) -> Sequence[Walk]:
            if pages_count(page) != "events":
                return walk.parts(count, page)
            return [self.walk(walk.params["project"], part, tag=walk.tag) for part in spans]

        return replace(walk, parts=parts) if spans else walk

    def tabled(self, pages: Sequence[Page], project: str, wanted: Wanted, novelties: Novelties) -> pa.Table:
        """Those rows of some pages that are wanted, as rows of the raw table.

        Raises:
            ContractError: what no column can hold.
        """
        rows = wanted.of(event_columns(self.endpoint, pages, novelties), self.instant, novelties)
        rows = rows.append_column("project", pa.repeat(pa.scalar(project), rows.num_rows))
        nothing = pa.nulls(rows.num_rows)
        columns = {f.name: rows.column(f.name) if f.name in rows.column_names else nothing for f in self.schema}
        return pa.table({f.name: pc.cast(columns[f.name], f.type) for f in self.schema}, schema=self.schema)


def pages_count(page: Page) -> str | None:
    """What a page counts, `events` or `instances`: a full one has so many of it, and more or less of the other."""
    instances, events = len(page.rows), sum(len(row.events) for row in page.rows)
    if page.next_cursor is None or (instances, events) == (PAGE_LIMIT, PAGE_LIMIT):
        return None
    return "events" if events == PAGE_LIMIT else "instances" if instances == PAGE_LIMIT else None


def _may_count_events(page: Page) -> bool:
    """Also where an API has pages of less than was asked for."""
    return len(page.rows) < PAGE_LIMIT and sum(len(row.events) for row in page.rows) <= PAGE_LIMIT


PRICING = History("pricing", "price_history", "instance_price_periods", "start_time")
HISTORIES = (History("status", "status_history", "instance_status_events", "timestamp"), PRICING)
