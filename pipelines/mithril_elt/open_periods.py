"""The price periods that were open when last read, as they are remembered from run to run in dlt's state.

Stands under `resources`. It stays small however long the history: periods are forgotten once they are closed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mithril_elt.instants import naive_utc

__all__ = ["OpenPeriods"]

_LONGEST = 3  # superseded periods to remember of an instance


class OpenPeriods:
    """The price periods of a project that were open when last read, in the state of the price history.

    Each with the instant from which its end can be counted on to become known: the start of the next period,
    or when its instance was seen to be over; None until then. Of those that have one only the longest of an
    instance are kept: a short one lies in the look-back, and is read again with it.
    """

    def __init__(self, state: dict[str, Any], project: str) -> None:
        kept = state.setdefault("open", {}).setdefault(project, {})
        for fid, periods in kept.items():
            if isinstance(periods, str):  # as the release before wrote it
                kept[fid] = {periods: None}
        self._kept: dict[str, dict[str, str | None]] = kept

    def note_all(self, table: pa.Table, *, but_of: Collection[str] = ()) -> set[tuple[str, datetime]]:
        """Takes in what rows of the price history say, but of those instances; the periods that they call open.

        Of closed periods only those count that are, or follow, one that is open: all others are left aside unseen.
        """
        if but_of:
            table = table.filter(
                pc.invert(pc.is_in(table.column("instance_fid"), pa.array(sorted(but_of), pa.string())))
            )
        gone = pc.is_valid(table.column("withdrawn_at"))
        is_open = pc.and_(pc.is_null(table.column("end_time")), pc.invert(gone))
        for fid, start, _ in _periods(table.filter(gone)):
            self.forget(fid, start)
        opened = _periods(table.filter(is_open))
        for fid, start, end in opened:
            self.note(fid, start, end)
        closed = table.filter(pc.invert(pc.or_(gone, is_open)))
        for fid, start, end in _periods(closed.filter(self._may_close(closed))):
            self.note(fid, start, end)
        return {(fid, start) for fid, start, _ in opened}

    def _may_close(self, rows: pa.Table) -> pa.ChunkedArray:
        """For each row, whether it begins with or after a period of its instance that is open."""
        first = {fid: min(map(datetime.fromisoformat, periods)) for fid, periods in self._kept.items()}
        kind = rows.column("start_time").type
        since = pa.array([naive_utc(at) for at in first.values()], kind)
        of_fid = pc.index_in(rows.column("instance_fid"), pa.array(list(first), pa.string()))
        follows = pc.greater_equal(rows.column("start_time"), since.take(of_fid.combine_chunks()))
        return pc.fill_null(follows, fill_value=False)

    def note(self, fid: str, start: datetime, end: datetime | None) -> None:
        """Takes in what an answer says of one period."""
        if end is not None and fid not in self._kept:
            return
        periods = self._kept.get(fid, {})
        for earlier, known_from in periods.items():
            if known_from is None and datetime.fromisoformat(earlier) < start:
                periods[earlier] = start.isoformat()
        if end is not None:
            periods.pop(start.isoformat(), None)
        else:
            periods.setdefault(start.isoformat(), None)
        self._keep(fid, _bounded(periods))

    def forget(self, fid: str, start: datetime) -> None:
        """Leaves out a period that the API does not tell any more: it follows none."""
        gone = start.isoformat()
        periods = self._kept.get(fid, {})
        self._keep(fid, {each: None if k == gone else k for each, k in periods.items() if each != gone})

    def note_over(self, fids: Iterable[str], at: datetime) -> None:
        """Takes in which instances are over: nothing will be billed to them after `at`."""
        for fid in fids:
            for start, known_from in self._kept.get(fid, {}).items():
                self._kept[fid][start] = known_from or at.isoformat()

    def forget_before(self, at: datetime) -> None:
        """Leaves out those whose end, if it were to come, would have been told by `at`."""
        for fid, periods in list(self._kept.items()):
            kept = {s: k for s, k in periods.items() if k is None or datetime.fromisoformat(k) >= at}
            self._keep(fid, kept)

    def __iter__(self) -> Iterator[tuple[str, datetime]]:
        """Each with its instance and its start."""
        for fid, periods in self._kept.items():
            for start in periods:
                yield fid, datetime.fromisoformat(start)

    def _keep(self, fid: str, periods: dict[str, str | None]) -> None:
        if periods:
            self._kept[fid] = periods
        else:
            self._kept.pop(fid, None)


def _bounded(periods: dict[str, str | None]) -> dict[str, str | None]:
    """The newest period, and the longest ones of those that another has followed."""
    starts = sorted(periods, key=datetime.fromisoformat)
    followed = {}
    for start, following in pairwise(starts):
        followed[start] = periods[start] or following
    longest = sorted(followed, key=lambda start: _lasts(start, followed[start]), reverse=True)[:_LONGEST]
    return {start: followed.get(start, periods[start]) for start in starts if start in longest or start == starts[-1]}


def _lasts(start: str, until: str) -> Any:
    return datetime.fromisoformat(until) - datetime.fromisoformat(start)


def _periods(rows: pa.Table) -> list[tuple[str, datetime, datetime | None]]:
    """Instance, start and end of each."""
    columns = (rows.column(name).to_pylist() for name in ("instance_fid", "start_time", "end_time"))
    return [(fid, start.replace(tzinfo=UTC), end) for fid, start, end in zip(*columns, strict=True)]
