"""What one dlt run reads: the lists, windows of both histories, and the ledger of what is covered.

Stands inside `source`. Each function here makes the generator behind one dlt resource. The ledger is
dlt's resource state: the covered spans of each project, and the start of each price period that was open
when last read; both stay small however long the history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
import pyarrow as pa

from mithril_elt.api import Mithril, Walk
from mithril_elt.decode import Page
from mithril_elt.instants import iso
from mithril_elt.lists import Lists, read_lists
from mithril_elt.rows import Rows, arrow, price_rows, status_rows
from mithril_elt.windows import Span, merged

__all__ = ["HISTORIES", "History", "Reading", "covered_spans", "history_tables", "list_tables", "window_tables"]

MARGIN = timedelta(seconds=1)  # asked on both sides and cut off again: bounds may be inclusive or not

Todo = Callable[[str, list[Span]], list[Span]]
Observer = Callable[[str, str, Span, pa.Table], None]


@dataclass(frozen=True)
class History:
    """One of the two histories: its endpoint, its raw table, and how its rows are made."""

    name: str
    endpoint: str
    table: str
    rows: Callable[..., Rows]


HISTORIES = (
    History("status", "status_history", "instance_status_events", status_rows),
    History("pricing", "price_history", "instance_price_periods", price_rows),
)


def _nothing_more(_table: str, _project: str, _span: Span, _rows: pa.Table) -> None:
    return None


@dataclass
class Reading:
    """What one dlt run reads, and what came of it.

    `todo` says which spans of a project are to be read, given those that are covered; `observe` sees each
    table of history rows before it is loaded; `closes_periods`: price periods that were left open are
    asked for again, but for those that begin in a window of the whole run (`planned`, or `todo` if None).
    """

    open_api: Callable[[], AbstractContextManager[Mithril]]
    projects: Callable[[Mithril], Sequence[str]]
    todo: Todo
    run_id: str
    lists: Lists | None = None
    with_lists: bool = True
    closes_periods: bool = True
    planned: Mapping[str, Sequence[Span]] | None = None
    observe: Observer = _nothing_more
    ledger: list[dict[str, Any]] = field(default_factory=list)
    rows: int = 0
    unfinished: set[str] = field(default_factory=set)

    def all_lists(self) -> Lists:
        """The lists, read once: only then is a session opened for them."""
        if self.lists is None:
            with self.open_api() as api:
                self.lists = read_lists(api, self.projects(api))
        return self.lists


def list_tables(reading: Reading, name: str) -> Callable[[], Iterator[pa.Table]]:
    """The generator behind the resource of a list: one table, the whole list."""

    def tables() -> Iterator[pa.Table]:
        table = reading.all_lists().tables[name]
        reading.rows += table.num_rows
        yield table

    return tables


def history_tables(reading: Reading, history: History) -> Callable[[], Iterator[pa.Table]]:
    """The generator behind the resource of a history: a table a page, window by window, oldest first."""

    def tables() -> Iterator[pa.Table]:
        reading.unfinished.add(history.name)
        yield arrow(history.table, [])  # so that the table is there even if no window is due
        state = dlt.current.resource_state()
        reading.all_lists()  # they tell how far back there is something
        with reading.open_api() as api:
            todo = {p: reading.todo(p, covered_spans(state, p)) for p in reading.projects(api)}
            if history.name == "pricing" and reading.closes_periods:
                yield from _closings(reading, api, state, reading.planned or todo)
            depth = max(map(len, todo.values()), default=0)
            for n in range(depth):
                spans = {project: due[n] for project, due in todo.items() if n < len(due)}
                yield from _windows(reading, api, history, state, spans)
        reading.unfinished.discard(history.name)

    return tables


def _windows(
    reading: Reading, api: Mithril, history: History, state: dict[str, Any], spans: Mapping[str, Span]
) -> Iterator[pa.Table]:
    """One window of each project, read to its end side by side; only then is it in the ledger."""
    counts = {project: [0, 0] for project in spans}
    read_at: dict[str, datetime] = {}
    walks = [_walk(history, project, span) for project, span in spans.items()]
    for walk, page in api.stream(walks):
        project, span = walk.tag, spans[walk.tag]
        table = _table(history, api, project, span, page)
        _note_open(history, state, project, table)
        reading.observe(history.table, project, span, table)
        counts[project] = [counts[project][0] + table.num_rows, counts[project][1] + 1]
        read_at[project] = page.server_at
        yield table
    for project, span in spans.items():
        covered = merged([*covered_spans(state, project), span])
        state.setdefault("covered", {})[project] = [each.to_json() for each in covered]
        rows, requests = counts[project]
        reading.rows += rows
        reading.ledger.append(
            {"project": project, "history": history.name, "from_at": span.start, "to_at": span.end}
            | {"run_id": reading.run_id, "rows": rows, "requests": requests, "read_at": read_at[project]}
        )


def _walk(history: History, project: str, span: Span, **filters: str) -> Walk:
    bounds = {"start_time": iso(span.start - MARGIN), "end_time": iso(span.end + MARGIN)}
    return Walk(history.endpoint, {"project": project, **bounds, **filters}, tag=project)


def _table(history: History, api: Mithril, project: str, span: Span, page: Page) -> pa.Table:
    rows = history.rows(page.rows, span, api.novelties, project=project, read_at=page.server_at)
    return arrow(history.table, rows)


def covered_spans(state: Mapping[str, Any], project: str) -> list[Span]:
    """The spans of a project that a resource's state says are covered."""
    return [Span.from_json(pair) for pair in state.get("covered", {}).get(project, [])]


def _note_open(history: History, state: dict[str, Any], project: str, table: pa.Table) -> None:
    """Keeps the start of each instance's newest open period, and forgets those that are closed now."""
    if history.name != "pricing":
        return
    still_open: dict[str, str] = state.setdefault("open", {}).setdefault(project, {})
    columns = (table.column(name).to_pylist() for name in ("instance_fid", "start_time", "end_time"))
    for fid, start, end in zip(*columns, strict=True):
        started = start.replace(tzinfo=UTC).isoformat()
        if end is None:
            still_open[fid] = max(started, still_open.get(fid, started), key=datetime.fromisoformat)
        elif still_open.get(fid) == started:
            del still_open[fid]


def _closings(
    reading: Reading, api: Mithril, state: dict[str, Any], due: Mapping[str, Sequence[Span]]
) -> Iterator[pa.Table]:
    """Asks again for each period that was open when last read and began before the windows that are due.

    By instance and around its start, so that it costs one small answer, however long the period lasts.
    """
    pricing = HISTORIES[1]
    walks = []
    for project, spans in due.items():
        for fid, started in state.get("open", {}).get(project, {}).items():
            at = datetime.fromisoformat(started)
            if not any(span.start <= at < span.end for span in spans):
                exactly = Span(at, at + timedelta(microseconds=1))
                walk = _walk(pricing, project, exactly, instance_fid=fid)
                walks.append(Walk(walk.endpoint, walk.params, tag=(project, fid, exactly)))
    for walk, page in api.stream(walks):
        project, fid, exactly = walk.tag
        page.rows = [history for history in page.rows if history.instance_fid == fid]
        table = _table(pricing, api, project, exactly, page)
        _note_open(pricing, state, project, table)
        reading.rows += table.num_rows
        yield table


def window_tables(reading: Reading) -> Callable[[], Iterator[pa.Table]]:
    """The generator behind the ledger: a row for each window that was read to its end."""

    def tables() -> Iterator[pa.Table]:
        while reading.unfinished:  # where dlt takes resources in turn, not one after the other
            yield arrow("windows", [])
        yield arrow("windows", reading.ledger)

    return tables
