"""The two histories: what each is called, how its rows are made, and how a span of one is asked for.

Stands under `resources`, on `rows`. A second more is asked for on both sides of a span and cut off again:
whether the bounds belong to it is not documented.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

from mithril_elt.api import Walk
from mithril_elt.decode import Novelties, Page
from mithril_elt.instants import iso
from mithril_elt.rows import Rows, Wanted, arrow, price_rows, status_rows
from mithril_elt.tables import raw_table
from mithril_elt.windows import Span

__all__ = ["HISTORIES", "PRICING", "History"]

MARGIN = timedelta(seconds=1)


@dataclass(frozen=True)
class History:
    """One of the two histories: its endpoint, its raw table, the instant of a row, and how its rows are made."""

    name: str
    endpoint: str
    table: str
    instant: str
    rows: Callable[..., Rows]

    @property
    def key(self) -> list[str]:
        """The key of its raw table."""
        return list(raw_table(self.table).key)

    def walk(self, project: str, span: Span, *, tag: Any, **filters: str) -> Walk:
        """The question for a span, of the project or of what the filters name. It may be refused."""
        bounds = {"start_time": iso(span.start - MARGIN), "end_time": iso(span.end + MARGIN)}
        params = {"project": project, **bounds, **filters}
        return Walk(self.endpoint, params, tag=tag, may_be_refused=True, span=span)

    def tabled(self, page: Page, project: str, wanted: Wanted, novelties: Novelties) -> pa.Table:
        """Those rows of a page that are wanted, as rows of the raw table."""
        return arrow(self.table, self.rows(page.rows, wanted, novelties, project=project, read_at=page.server_at))


PRICING = History("pricing", "price_history", "instance_price_periods", "start_time", price_rows)
HISTORIES = (History("status", "status_history", "instance_status_events", "timestamp", status_rows), PRICING)
