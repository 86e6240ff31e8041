"""Rows that became visible late: in time that was covered already, and not in the database yet.

Stands beside `load`: it sees each table of history rows before that is loaded, and only counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from mithril_elt.tables import raw_table
from mithril_elt.windows import Span

__all__ = ["Lateness"]

_INSTANT = {"instance_status_events": "timestamp", "instance_price_periods": "start_time"}


class Lateness:
    """Counts late rows of a run; `seconds` is the greatest span from a row's instant to the run's end."""

    def __init__(self, pipeline: Any, covered: Mapping[str, Sequence[Span]], as_of: datetime | None) -> None:
        self.pipeline, self.covered, self.as_of = pipeline, covered, as_of
        self.rows = 0
        self.seconds = 0

    def observe(self, table: str, project: str, span: Span, rows: pa.Table) -> None:
        """Counts those of `rows` that lie in covered time and that the raw table does not have."""
        known = max(self.covered[project], default=None)
        if known is None or span.start >= known.end or not rows.num_rows:
            return
        instant = _INSTANT[table]
        key = " and ".join(f'old."{column}" = new."{column}"' for column in raw_table(table).key)
        query = f"""
            select count(*), min(new."{instant}")
            from new_rows as new
            where new."{instant}" between ? and ? and not exists (select 1 from {{raw}} as old where {key})
        """  # noqa: S608  # names of this package's own tables and columns
        with self.pipeline.sql_client() as client:
            raw = client.make_qualified_table_name(table)
            connection = client.native_connection
            connection.register("new_rows", rows)
            bounds = [known.start.replace(tzinfo=None), known.end.replace(tzinfo=None) - timedelta(microseconds=1)]
            found = connection.execute(query.format(raw=raw), bounds).fetchone()
            connection.unregister("new_rows")
        self._note(*found)

    def _note(self, rows: int, oldest: datetime | None) -> None:
        self.rows += rows
        if oldest and self.as_of:
            late = self.as_of - oldest.replace(tzinfo=UTC)
            self.seconds = max(self.seconds, int(late.total_seconds()))
