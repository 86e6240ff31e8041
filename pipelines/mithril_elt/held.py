"""What the database holds already, beside what a reading brought: rows that came late, rows that are gone.

Stands beside `resources`: it asks the destination through dlt's own client, so that it works wherever dlt loads
by SQL. Where it does not, nothing is held: then no row is late and none is withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cached_property, reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.destination.exceptions import SqlClientNotAvailable
from dlt.destinations.exceptions import DatabaseUndefinedRelation

from mithril_elt.instants import naive_utc
from mithril_elt.tables import RawTable, raw_table
from mithril_elt.wanted import within
from mithril_elt.windows import Span

__all__ = ["Held", "Lateness", "without"]


_CHUNK = 100_000  # rows fetched at a time


@dataclass
class Lateness:
    """Rows that became visible late: in time that was covered already, and not held yet.

    `seconds`: the greatest span from such a row's instant to where the run before had ended; a look-back of that
    length finds it.
    """

    rows: int = 0
    seconds: int = 0

    def note(self, found: pa.Table, instant: str, covered: Sequence[Span]) -> None:
        """Counts those of the rows, of which there are the keys and none is held, that lie in covered time."""
        if not covered or not found.num_rows:
            return
        late = found.filter(reduce(pc.or_, (within(found.column(instant), span) for span in covered)))
        self.rows += late.group_by(late.column_names).aggregate([]).num_rows  # a row may have come on two pages
        if late.num_rows:
            first = pc.min(late.column(instant)).as_py().replace(tzinfo=UTC)
            self.seconds = max(self.seconds, (max(span.end for span in covered) - first) // timedelta(seconds=1))


class Held:
    """The rows of a history table in the destination of a pipeline, but for those that are withdrawn."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline

    @cached_property
    def _client(self) -> Any:
        """Made once, since dlt looks up all its settings for it; the connection is opened for each question."""
        return self._pipeline.sql_client()

    def keys(self, table: str, instant: str, project: str, span: Span) -> pa.Table:
        """The keys of the rows of a project in a span."""
        return self._select(raw_table(table), raw_table(table).key, instant, project=project, span=span)

    def rows(self, table: str, instant: str, project: str, span: Span, fid: str) -> pa.Table:
        """The whole rows of one instance in a span."""
        columns = [column.name for column in raw_table(table).columns]
        return self._select(raw_table(table), columns, instant, project=project, span=span, fid=fid)

    def _select(
        self, table: RawTable, columns: Iterable[str], instant: str, *, project: str, span: Span, fid: str | None = None
    ) -> pa.Table:
        """Those columns of those rows; none where there is no such table."""
        schema = pa.schema([table.arrow_schema.field(name) for name in columns])
        wanted = {"project": project} | ({"instance_fid": fid} if fid else {})
        with suppress(DatabaseUndefinedRelation, SqlClientNotAvailable), self._client as client:
            name, quoted = client.make_qualified_table_name(table.name), client.escape_column_name
            known = _columns(client, name)
            clauses = [f"{quoted(column)} = %s" for column in wanted]
            clauses += [f"{quoted(instant)} >= %s", f"{quoted(instant)} < %s"]
            clauses += [f"{quoted('withdrawn_at')} is null"] if "withdrawn_at" in known else []
            selected = ", ".join(quoted(column) for column in schema.names if column in known)
            query = f"select {selected} from {name} where {' and '.join(clauses)}"  # noqa: S608  # own names
            bounds = (naive_utc(at) for at in (span.start, span.end))
            with client.execute_query(query, *wanted.values(), *bounds) as cursor:
                parts = [_as_declared(part, schema) for part in cursor.iter_arrow(_CHUNK)]
            return pa.concat_tables([schema.empty_table(), *parts])
        return schema.empty_table()


def _columns(client: Any, name: str) -> set[str]:
    """The columns of a table; one of an older release may lack some."""
    with client.execute_query(f"select * from {name} where 1 = 0") as cursor:  # noqa: S608  # own names
        return {column[0] for column in cursor.description}


def _as_declared(found: pa.Table, schema: pa.Schema) -> pa.Table:
    """In the declared types, with nulls for columns that were not found."""
    none = pa.nulls(found.num_rows)
    columns = {f.name: found.column(f.name) if f.name in found.column_names else none for f in schema}
    return pa.table({f.name: pc.cast(columns[f.name], f.type) for f in schema}, schema=schema)


def without(rows: pa.Table, others: pa.Table, key: Sequence[str]) -> pa.Table:
    """Those rows whose key none of the others has."""
    if not rows.num_rows or not others.num_rows:
        return rows
    return rows.join(others.select(list(key)), keys=list(key), join_type="left anti")
