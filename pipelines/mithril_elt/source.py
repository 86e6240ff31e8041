"""The dlt source: resources named as the raw tables, with their keys and how rows are merged.

Stands between `resources` (what is asked and in which order) and `load`. `mithril_source()` works in any
dlt pipeline; `load` drives the same resources window by window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from mithril_elt.api import Mithril
from mithril_elt.held import Held
from mithril_elt.histories import HISTORIES
from mithril_elt.lists import LIST_TABLES, choose_projects
from mithril_elt.reading import Reading
from mithril_elt.resources import history_tables, list_tables, run_tables, window_tables
from mithril_elt.settings import DEFAULT_API_URL
from mithril_elt.sizing import Slices
from mithril_elt.tables import RawTable, raw_table
from mithril_elt.windows import LOOKBACK, WINDOW, Span, Wish, cut, plan

__all__ = [
    "bounded",
    "mithril_source",
    "reading_source",
    "runs_source",
    "scope_of",
    "table_hints",
    "table_resource",
]


def table_hints(table: RawTable) -> dict[str, Any]:
    """dlt's hints of a raw table: key, how rows are merged, every column with its description."""
    columns = {c.name: {"name": c.name, "nullable": c.nullable, "description": c.description} for c in table.columns}
    for column in table.columns:
        if column.kind == "timestamp":
            columns[column.name] |= {"timezone": False, "precision": 6}
    common = {"table_name": table.name, "columns": columns}
    if table.history == "versions":
        strategy = {"disposition": "merge", "strategy": "scd2", "row_version_column_name": "version_hash"}
        return {**common, "write_disposition": strategy, "merge_key": table.versioned_within}
    if "end_time" in columns:
        columns["end_time"]["dedup_sort"] = "desc"  # of two readings in one answer, the closed one
    strategy = {"disposition": "merge", "strategy": "delete-insert"}
    return {**common, "write_disposition": strategy, "primary_key": list(table.key)}


def scope_of(table: RawTable) -> str | None:
    """Which rows of a table a load replaces: those of its keys, and none before the first of them, in dlt's words.

    The latter follows; said, it spares an engine all rows before that, however long the history is. None where a key
    has no instant, or versions are kept. DuckDB and PostgreSQL understand it.
    """
    if not table.instants:
        return None
    keys = " and ".join(f"loaded.{name} = {{table}}.{name}" for name in table.key)
    loaded, first = "{staging_table} as loaded", "{staging_table} as first"
    scope = [f"exists (select 1 from {loaded} where {keys})"]  # noqa: S608  # own names
    scope += [f"{{table}}.{name} >= (select min(first.{name}) from {first})" for name in table.instants]  # noqa: S608  # as above
    return " and ".join(scope)


def bounded(source: Any) -> Any:
    """The source, each of whose tables is looked at no further back than its new rows go, when they are merged."""
    for name, resource in source.resources.items():
        table = raw_table(name)
        if scope := scope_of(table):
            merged = table_hints(table)["write_disposition"]
            resource.apply_hints(write_disposition={**merged, "destination_scope": scope})
    return source


@dlt.source(name="mithril", max_table_nesting=0)
def reading_source(reading: Reading) -> Any:
    """The resources of one reading, named as the raw tables."""
    if reading.with_lists:
        for name in LIST_TABLES:
            yield table_resource(name, list_tables(reading, name))
    for history in HISTORIES:
        yield table_resource(history.table, history_tables(reading, history))
    yield table_resource("windows", window_tables(reading))
    if reading.run_rows:
        yield table_resource("runs", run_tables(reading, reading.run_rows))


@dlt.source(name="mithril", max_table_nesting=0)
def runs_source(run: pa.Table) -> Any:
    """The row of one run."""
    yield table_resource("runs", lambda: iter([run]))


def table_resource(name: str, tables: Callable[[], Iterator[pa.Table]]) -> DltResource:
    """A dlt resource that fills the raw table of that name."""
    return dlt.resource(tables, name=name, **table_hints(raw_table(name)))


@dlt.source(name="mithril", max_table_nesting=0)
def mithril_source(
    api_key: str = dlt.secrets.value,
    api_url: str = DEFAULT_API_URL,
    *,
    projects: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    lookback_days: int = LOOKBACK.days,
    deep: bool = False,
) -> Any:
    """Everything of an account, for use in your own pipeline: `pipeline.run(mithril_source())`.

    Every table of `tables.RAW_TABLES` but `runs`; incremental by itself: the ledger travels in the
    pipeline's state. Load with `loader_file_format="parquet"`. All windows are read in one dlt run; the
    command line loads window by window, so that a crash costs one window at most.

    Args:
        api_key: `fkey_…`, from `sources.mithril.api_key` of dlt's configuration.
        api_url: the API's address.
        projects: fids or names; none: all that the key sees.
        since: where to start the first time; by default the day of the oldest thing the lists name.
        until: where to end; by default the server's clock at the start.
        lookback_days: how much of what is covered is read again, for rows that become visible late.
        deep: read everything again from `since`.
    """
    kept: dict[str, Any] = {}

    def chosen(api: Mithril) -> Sequence[str]:
        if "projects" not in kept:
            kept["projects"] = choose_projects(api, projects)
        return list(kept["projects"])

    def windows(covered: Mapping[str, Sequence[Span]]) -> Iterator[Mapping[str, Span]]:
        lists, lookback = reading.all_lists(), timedelta(days=lookback_days)
        due = {
            project: plan(spans, Wish(lists.as_of, since, until, lists.oldest.get(project), lookback, deep))
            for project, spans in covered.items()
        }
        for n in range(max(map(len, due.values()), default=0)):
            yield {project: spans[n] for project, spans in due.items() if n < len(spans)}

    reading = Reading(
        open_api=lambda: Mithril(api_key, api_url),
        projects=chosen,
        windows=windows,
        run_id="dlt",
        held=lambda: Held(dlt.current.pipeline()),
        until=until,
        lookback=timedelta(days=lookback_days),
        slices=lambda _project, _history, span: Slices(list(cut([span], WINDOW))),
    )
    return list(reading_source(reading).resources.values())
