"""Which rows of an answer a window takes, so that they are the same whatever `start_time` and `end_time` select.

Stands under `histories`; pure. A state that was in force before the window, or was clipped to its edge, belongs to
another window or to none.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from mithril_elt.decode import Novelties
from mithril_elt.instants import iso, naive_utc
from mithril_elt.windows import Span

__all__ = ["Wanted", "within"]

_CLOCKS_DIFFER = timedelta(minutes=1)


def within(instants: pa.ChunkedArray, span: Span) -> pa.ChunkedArray:
    """For each instant, whether it lies in the span."""
    start, end = (pa.scalar(naive_utc(at), pa.timestamp("us")) for at in (span.start, span.end))
    return pc.and_(pc.greater_equal(instants, start), pc.less(instants, end))


@dataclass(frozen=True)
class Wanted:
    """The rows inside a span, and those of `also`, by instance and instant; of `fid` alone, if it is given.

    Before `begins_at`, if it is given, no window will ever look.
    """

    span: Span
    also: AbstractSet[tuple[str, datetime]] = frozenset()
    fid: str | None = None
    begins_at: datetime | None = None

    def of(self, told: pa.Table, instant: str, novelties: Novelties) -> pa.Table:
        """Those of the rows that are wanted; what no window will ever have is warned of."""
        if self.fid is not None:
            told = told.filter(pc.equal(told.column("instance_fid"), self.fid))
        _watch_the_clock(told, instant, novelties)
        inside = within(told.column(instant), self.span)
        if pc.all(inside, min_count=0).as_py():
            return told
        outside = told.filter(pc.invert(inside))
        also = pa.array(self._also(outside, instant), pa.bool_())
        self._warn_of_the_old(outside.filter(pc.invert(also)).column(instant), novelties)
        return pa.concat_tables([told.filter(inside), outside.filter(also)])

    def _also(self, outside: pa.Table, instant: str) -> list[bool]:
        if not self.also:
            return [False] * outside.num_rows
        fids, ats = (outside.column(name).to_pylist() for name in ("instance_fid", instant))
        return [(fid, at.replace(tzinfo=UTC)) in self.also for fid, at in zip(fids, ats, strict=True)]

    def _warn_of_the_old(self, left: pa.ChunkedArray, novelties: Novelties) -> None:
        if self.begins_at is None:
            return
        if pc.any(pc.less(left, pa.scalar(naive_utc(self.begins_at), left.type))).as_py():
            novelties.warn(
                f"the histories tell of times before {iso(self.begins_at)}, which are not read: "
                "no list names anything as old; `run --since T` reads from T on"
            )


def _watch_the_clock(told: pa.Table, instant: str, novelties: Novelties) -> None:
    """Warns of what the server tells of a time that its own clock has not reached."""
    ahead = pc.subtract(told.column(instant), told.column("read_at"))
    if pc.any(pc.greater(ahead, pa.scalar(_CLOCKS_DIFFER, pa.duration("us")))).as_py():
        novelties.warn("the histories tell of times after the server's own clock: they count once it gets there")
