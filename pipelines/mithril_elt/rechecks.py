"""What is asked once more, instance by instance: periods that were open, and rows that a window did not tell again.

Stands under `resources`, on `histories` and `held`. A row is withdrawn only on a plain answer about its own
instance that lacks it: pages may shift while they are walked, and an instance may be forgotten, so that a row
missing from a window proves nothing yet. It stays in the raw table, with the time at which it was found gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from mithril_elt.api import Mithril
from mithril_elt.errors import NotFoundError
from mithril_elt.held import Held, without
from mithril_elt.histories import History
from mithril_elt.tables import raw_table
from mithril_elt.wanted import Wanted
from mithril_elt.windows import Span

__all__ = ["Question", "Recheck", "exactly", "questions_of"]


@dataclass(frozen=True)
class Question:
    """An instance of a project, and the span of its history that is asked for."""

    project: str
    fid: str
    span: Span


def exactly(at: datetime) -> Span:
    """The span that has just that instant."""
    return Span(at, at + timedelta(microseconds=1))


def questions_of(history: History, project: str, gone: pa.Table) -> list[Question]:
    """A question for each instance of those rows, from the first of them to the last."""
    if not gone.num_rows:
        return []
    bounds = gone.group_by("instance_fid").aggregate([(history.instant, "min"), (history.instant, "max")])
    fids, first, last = (
        bounds.column(name).to_pylist() for name in ("instance_fid", f"{history.instant}_min", f"{history.instant}_max")
    )
    spans = (Span(a.replace(tzinfo=UTC), exactly(b.replace(tzinfo=UTC)).end) for a, b in zip(first, last, strict=True))
    return [Question(project, fid, span) for fid, span in zip(fids, spans, strict=True)]


@dataclass
class Recheck:
    """Asks such questions of one history, and compares the answers with what is held."""

    api: Mithril
    history: History
    held: Held
    withdrawn_rows: int = 0

    def tables(self, questions: Iterable[Question]) -> Iterator[tuple[str, pa.Table]]:
        """The rows that came, and those that came no more with `withdrawn_at`; each table with its project."""
        answers: dict[Question, list[pa.Table]] = {}
        answered_at: dict[Question, datetime] = {}
        walks = [self.history.walk(each.project, each.span, tag=each, instance_fid=each.fid) for each in questions]
        for walk, page in self.api.stream(walks):
            question: Question = walk.tag
            if isinstance(page.refusal, NotFoundError):
                self.api.novelties.warn("the histories do not know an instance any more: what is held of it stays")
                continue
            if page.refusal:
                raise page.refusal
            wanted = Wanted(question.span, fid=question.fid)
            table = self.history.tabled([page], question.project, wanted, self.api.novelties)
            answers.setdefault(question, []).append(table)
            answered_at[question] = page.server_at
            yield question.project, table
        for question, tables in answers.items():
            withdrawn = self._withdrawn(question, pa.concat_tables(tables), answered_at[question])
            if withdrawn.num_rows:
                self.withdrawn_rows += withdrawn.num_rows
                yield question.project, withdrawn

    def _withdrawn(self, question: Question, came: pa.Table, at: datetime) -> pa.Table:
        """The rows held of what was asked for that did not come, marked."""
        held = self.held.rows(self.history.table, self.history.instant, question.project, question.span, question.fid)
        gone = without(held, came, self.history.key)
        columns = {name: gone.column(name) for name in gone.column_names}
        columns["withdrawn_at"] = pa.array([at.replace(tzinfo=None)] * gone.num_rows, pa.timestamp("us"))
        return pa.table(columns, schema=raw_table(self.history.table).arrow_schema)
