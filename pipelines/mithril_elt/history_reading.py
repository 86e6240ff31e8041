"""The windows of one history: asked for, compared with what is held, and noted as covered.

Stands under `resources`, on `asking` and `rechecks`. What is remembered from run to run is dlt's resource state
(`ledger`); it stays small however long the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import dlt
import pyarrow as pa

from mithril_elt.api import Mithril
from mithril_elt.asking import BY_PROJECT, asked
from mithril_elt.decode import Page
from mithril_elt.held import without
from mithril_elt.histories import PRICING, History
from mithril_elt.ledger import add_covered, covered_spans
from mithril_elt.lists import Lists
from mithril_elt.open_periods import OpenPeriods
from mithril_elt.orders import Orders, over_instances
from mithril_elt.packing import Took
from mithril_elt.reading import Reading
from mithril_elt.rechecks import Question, Recheck, exactly, questions_of
from mithril_elt.rows import arrow
from mithril_elt.wanted import Wanted, within
from mithril_elt.windows import Span

__all__ = ["HistoryReading"]

_BATCH_BYTES = 16 * 2**20  # of answers that become one table, and of those that wait while the other history is read
_FEW_PAGES, _MANY_PAGES = 16, 1024  # that may wait, at least and at most


class HistoryReading:
    """The windows of one history in one dlt run: the state that reading them shares."""

    def __init__(self, reading: Reading, api: Mithril, history: History) -> None:
        self.reading, self.api, self.history, self.lists = reading, api, history, reading.all_lists()
        self.state: dict[str, Any] = dlt.current.resource_state()
        self.projects = reading.projects(api)
        self.windows = reading.windows({project: self._covered(project) for project in self.projects})
        self.planned = reading.planned
        if self.planned is None:
            self.windows = list(self.windows)
            self.planned = {p: [spans[p] for spans in self.windows if p in spans] for p in self.projects}
        self.orders = _Orders(self.lists, dlt.current.source_state().setdefault("orders", {}))
        self.held = reading.held()
        self.recheck = Recheck(api, history, self.held)
        self.open = {p: OpenPeriods(self.state, p) for p in self.projects} if history is PRICING else {}
        self.reserved = {p: _reserved(self.lists, p) for p in self.open}
        self.largest_page_bytes = 0
        self.told: set[tuple[str, datetime]] = set()

    def tables(self) -> Iterator[pa.Table]:
        """All rows of the run, and of each project's periods that were open before it."""
        before = {project: set(periods) for project, periods in self.open.items()}
        for spans in self.windows:
            yield from self._window(spans, before)
        if self.open and self.reading.closes_periods:
            yield from self._closings(before)
        self.reading.withdrawn_rows += self.recheck.withdrawn_rows

    def _covered(self, project: str) -> list[Span]:
        return covered_spans(self.state, project, until=self.lists.as_of)

    def _window(self, spans: Mapping[str, Span], before: Mapping[str, set[tuple[str, datetime]]]) -> Iterator[pa.Table]:
        """One window of each project, read to its end side by side; only then is it in the ledger."""
        came: dict[str, list[pa.Table]] = {project: [] for project in spans}
        read_at = dict.fromkeys(spans, self.lists.as_of)
        wanted = {
            project: Wanted(span, before.get(project, set()), begins_at=self._begins_at(project, span))
            for project, span in spans.items()
        }
        took = {project: Took() for project in spans}
        asked_for = self._asked(spans)
        yield arrow(self.history.table, [])  # dlt takes resources in turn: so the other history sets out, too
        for project, pages in _gathered(asked_for):
            table = self.history.tabled(pages, project, wanted[project], self.api.novelties)
            self._note_periods(project, table)
            came[project].append(table.select(self.history.key))
            took[project].note(pages, table.num_rows)
            self.largest_page_bytes = max(self.largest_page_bytes, took[project].largest_page_bytes)
            read_at[project] = pages[-1].server_at
            yield table
        for project, span in spans.items():
            keys = pa.concat_tables([arrow(self.history.table, []).select(self.history.key), *came[project]])
            yield from self._compared(project, span, keys)
            self._finish(project, span, took[project], read_at[project])

    def _planned(self, project: str) -> Sequence[Span]:
        return (self.planned or {}).get(project, ())

    def _asked(self, spans: Mapping[str, Span]) -> Iterator[tuple[str, Page]]:
        slices = {project: self.reading.slices(project, self.history.name, span) for project, span in spans.items()}
        ahead = _FEW_PAGES
        if self.largest_page_bytes:
            ahead = max(_FEW_PAGES, min(_MANY_PAGES, _BATCH_BYTES // self.largest_page_bytes))
        return asked(self.api, self.history, slices, self.reading.ways, self.orders, ahead=ahead)

    def _begins_at(self, project: str, span: Span) -> datetime:
        """Where the history of a project begins: at what was read first, or at the oldest thing that is listed."""
        starts = [each.start for each in (*self._covered(project), *self._planned(project), span)]
        return min(*starts, self.lists.oldest.get(project, span.start))

    def _compared(self, project: str, span: Span, came: pa.Table) -> Iterator[pa.Table]:
        """Beside what is held of the window: rows that are new in covered time are late; others may be gone."""
        instant = self.history.instant
        held = self.held.keys(self.history.table, instant, project, span)
        inside = came.filter(within(came.column(instant), span))
        new = without(inside, held, self.history.key)
        self.reading.late.note(new, instant, self._covered(project))
        gone = without(held, inside, self.history.key)
        yield from self._asked_again(questions_of(self.history, project, gone))

    def _finish(self, project: str, span: Span, took: Took, read_at: datetime) -> None:
        add_covered(self.state, project, span, until=self.lists.as_of)
        self.reading.ledger.append(
            {"project": project, "history": self.history.name, "from_at": span.start, "to_at": span.end}
            | {"run_id": self.reading.run_id, "rows": took.rows, "requests": took.requests, "read_at": read_at}
            | {"run_ends_at": self.reading.ends_at, "asked_by": self.reading.ways.get(project, BY_PROJECT)}
            | {"pages_count": took.pages_count}
        )
        self.reading.on_window(project, self.history.name, span, took)

    def _asked_again(self, questions: list[Question]) -> Iterator[pa.Table]:
        for project, table in self.recheck.tables(questions):
            self._note_periods(project, table)
            yield table

    def _closings(self, before: Mapping[str, set[tuple[str, datetime]]]) -> Iterator[pa.Table]:
        """Asks for each period that was open before, unless a window told it again.

        By instance and around its start, so that it costs one small answer, however long the period lasts.
        """
        questions = []
        for project, periods in self.open.items():
            questions += [
                Question(project, fid, exactly(start))
                for fid, start in before[project] & set(periods) - self.told
                if not any(start in span for span in self._planned(project))
            ]
        yield from self._asked_again(sorted(questions, key=lambda each: (each.fid, each.span)))
        for project, periods in self.open.items():
            periods.note_over(over_instances(self.lists, project), self.lists.as_of)
            periods.forget_before(self.lists.as_of - self.reading.lookback)

    def _note_periods(self, project: str, table: pa.Table) -> None:
        """Keeps what an answer says of open price periods, but for instances that are not billed by them."""
        if self.open:
            self.told |= self.open[project].note_all(table, but_of=self.reserved[project])


class _Orders(dict[str, Orders]):
    """The orders of each project, from the lists and what is remembered, made when they are first asked for."""

    def __init__(self, lists: Lists, remembered: dict[str, Any]) -> None:
        super().__init__()
        self._lists, self._remembered = lists, remembered

    def __missing__(self, project: str) -> Orders:
        self[project] = Orders(self._lists, project, self._remembered.setdefault(project, {}))
        return self[project]


def _gathered(pages: Iterable[tuple[str, Page]]) -> Iterator[tuple[str, list[Page]]]:
    """The pages of each project, many at a time: a table costs dlt the same however many rows it has."""
    held: dict[str, list[Page]] = {}
    for project, page in pages:
        held.setdefault(project, []).append(page)
        if sum(each.size_bytes for each in held[project]) >= _BATCH_BYTES:
            yield project, held.pop(project)
    yield from held.items()


def _reserved(lists: Lists, project: str) -> set[str]:
    """The instances that are billed by their reservation: no cost hangs on their prices."""
    return {row["fid"] for row in lists.rows("instances", project) if row["reservation"] and not row["bid"]}
