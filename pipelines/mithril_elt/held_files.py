"""What the files hold already, beside what a reading brought; and what of that is worth a file.

Stands beside `held`, whose questions it answers where the raw tables are files. A database merges what comes by
itself. To files only is added, so that rows which are held alike would pile up with each look-back, and lists with
each run: those are left out before.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cached_property, partial
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from mithril_elt.held import Held
from mithril_elt.instants import naive_utc
from mithril_elt.quoting import quoted_name, quoted_text
from mithril_elt.raw_files import RawFiles
from mithril_elt.raw_views import IS_LISTED
from mithril_elt.tables import RAW_TABLES, RawTable, raw_table
from mithril_elt.warehouse import read_files
from mithril_elt.windows import Span

__all__ = ["HeldFiles", "appending"]

_SCHEMA = "raw"

# The tables of which a row that is held alike is left out. Of all others models ask which load told a row last.
# Each with its instant, and the history whose windows say what time of it was read.
_TOLD_ONCE = {
    "instance_status_events": ("timestamp", "status"),
    "instance_price_periods": ("start_time", "pricing"),
    "market_prices": ("timestamp", None),
}


class HeldFiles(Held):
    """The rows of the raw tables in files that were there when it was made, but for those that are withdrawn."""

    def __init__(self, found: RawFiles) -> None:
        self.found = found

    def keys(self, table: str, instant: str, project: str, span: Span) -> pa.Table:
        """The keys of the rows of a project in a span."""
        return self._where(raw_table(table), raw_table(table).key, _of(project, span, instant))

    def rows(self, table: str, instant: str, project: str, span: Span, fid: str) -> pa.Table:
        """The whole rows of one instance in a span."""
        columns = [column.name for column in raw_table(table).columns]
        wanted = f"{_of(project, span, instant)} and instance_fid = {_literal(fid)}"
        return self._where(raw_table(table), columns, wanted)

    def ledger(self) -> list[dict[str, Any]]:
        """The windows that were read, in no order."""
        table = raw_table("windows")
        columns = [column.name for column in table.columns]
        with self._asked(table) as connection:
            found = connection.execute(f"select {_listed(columns)} from {_SCHEMA}.windows").fetchall()
        return [dict(zip(columns, row, strict=True)) for row in found]

    @cached_property
    def _read(self) -> dict[str, list[tuple[datetime, datetime]]]:
        """By history, the spans that were read."""
        found: dict[str, list[tuple[datetime, datetime]]] = {"status": [], "pricing": []}
        for row in self.ledger():
            found[row["history"]].append((row["from_at"], row["to_at"]))
        return found

    def worth_a_file(self, table: RawTable, came: pa.Table) -> pa.Table:
        """What is to be added to the files of a table, of what came for it.

        Of a list: the versions that are not the newest already, and those that the list has no more.
        """
        if table.history == "versions":
            return self._turns(table, came)
        instant, history = _TOLD_ONCE.get(table.name, (None, None))
        if instant is None or not came.num_rows:
            return came
        first, last = (pc.min(came.column(instant)).as_py(), pc.max(came.column(instant)).as_py())
        if history and not any(start <= last and first < end for start, end in self._read[history]):
            return came
        between = f"{quoted_name(instant)} between {_literal(first)} and {_literal(last)}"
        alike = [c.name for c in table.columns if c.name != "read_at" and c.name not in table.key]
        same = [f"came.{quoted_name(each)} = held.{quoted_name(each)}" for each in table.key]
        same += [f"came.{quoted_name(each)} is not distinct from held.{quoted_name(each)}" for each in alike]
        held = f"(from {_SCHEMA}.{table.name} where {between})"
        with self._asked(table) as connection:
            connection.register("came", came)
            new = f"from came anti join {held} as held on {' and '.join(same)}"
            return _as_declared(connection.execute(new).to_arrow_table(), table.arrow_schema)

    def _turns(self, table: RawTable, came: pa.Table) -> pa.Table:
        """A version ends by its hash, and only where the list of its project came: as dlt's `scd2` has it."""
        columns = _listed(column.name for column in table.columns)
        current = f"(from {_SCHEMA}.{table.name} where _dlt_valid_to is null)"
        within = table.versioned_within
        listed = f" where {within} in (select {within} from came)" if within else ""
        come = f"select {columns}, true as {IS_LISTED} from came anti join {current} as current using (version_hash)"
        gone = (
            f"select {columns}, false as {IS_LISTED} from (from {current}{listed}) anti join came using (version_hash)"
        )
        sql = f"{come} union all by name {gone}"
        schema = table.arrow_schema.append(pa.field(IS_LISTED, pa.bool_()))
        with self._asked(table) as connection:
            connection.register("came", came)
            return _as_declared(connection.execute(sql).to_arrow_table(), schema)

    def _where(self, table: RawTable, columns: Iterable[str], wanted: str) -> pa.Table:
        schema = pa.schema([table.arrow_schema.field(name) for name in columns])
        if not self.found.noted:
            return schema.empty_table()
        is_held = " and withdrawn_at is null" if "withdrawn_at" in table.arrow_schema.names else ""
        sql = f"select {_listed(schema.names)} from {_SCHEMA}.{table.name} where {wanted}{is_held}"
        with self._asked(table) as connection:
            return _as_declared(connection.execute(sql).to_arrow_table(), schema)

    def _asked(self, table: RawTable) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection of its own for each question."""
        return read_files(self.found, _SCHEMA, [table])


def appending(source: Any, held: HeldFiles) -> Any:
    """The source of dlt, of which each table is added to, and only what is worth a file."""
    tables = {table.name: table for table in RAW_TABLES}
    for name, resource in source.resources.items():
        columns = {c.name: {"name": c.name, "dedup_sort": None} for c in tables[name].columns if c.name == "end_time"}
        resource.apply_hints(write_disposition="append", primary_key=(), merge_key=(), columns=columns or None)
        resource.add_map(partial(held.worth_a_file, tables[name]))
        resource.add_filter(_has_rows)
    return source


def _has_rows(table: pa.Table) -> bool:
    return bool(table.num_rows)


def _of(project: str, span: Span, instant: str) -> str:
    ends = [_literal(naive_utc(at)) for at in (span.start, span.end)]
    return (
        f"project = {_literal(project)} and {quoted_name(instant)} >= {ends[0]} and {quoted_name(instant)} < {ends[1]}"
    )


def _as_declared(found: pa.Table, schema: pa.Schema) -> pa.Table:
    return found.select(schema.names).cast(schema)


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(map(quoted_name, columns))


def _literal(value: str | datetime) -> str:
    # No bound parameter: for one DuckDB imports pandas.
    if isinstance(value, datetime):
        return f"timestamp '{value.replace(tzinfo=None).isoformat(' ')}'"
    return quoted_text(value)
