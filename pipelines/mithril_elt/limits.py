"""How hard the API may be worked: how many requests at a time and a second, and how long a call may take.

Stands under `client`.
"""

from __future__ import annotations

import random
import time
from collections import deque
from dataclasses import dataclass, field

import anyio

from mithril_elt.errors import UsageError

__all__ = ["Limits", "Pace", "backoff_s"]

_LONGEST_BACKOFF_S = 20
_LONGEST_GAP_S = 10.0  # exact-ok: a wait
_SHORTEST_GAP_S = 0.001  # exact-ok: a wait
_FASTER = 0.99  # exact-ok: 70 good answers make the pace twice as fast
_TWICE_AS_FAST_IN_S = 10  # or those of so many seconds, where 70 would take longer
_NEAR, _PAST = 1.1, 0.95  # exact-ok: shares of a wait; between them is the pace that was refused
_FASTER_WHERE_REFUSED = 0.9998  # exact-ok: 730 good answers lead from one to the other


@dataclass(frozen=True)
class Limits:
    """How hard the API may be worked, and how long a call may take.

    `attempts` and `budget_s` bound one call with all its retries; time spent in the queue for a free slot
    or for the pace does not count. `timeout_s`: the longest silence. `backoff_s`: the first wait before a
    retry, about; it doubles each time. `answer_bytes`: the largest answer, unpacked; a week of prices that change
    every two minutes is 60 MB for 100 instances.
    """

    concurrency: int = 16
    requests_per_second: float | None = None  # exact-ok: a pace, neither money nor a stored time
    attempts: int = 7
    budget_s: float = 300  # exact-ok: a wait
    timeout_s: float = 60  # exact-ok: a wait
    backoff_s: float = 0.2  # exact-ok: a wait
    answer_bytes: int = 256 * 2**20

    def __post_init__(self) -> None:
        """Refuses limits under which nothing could ever be asked."""
        if not 1 <= self.concurrency <= 1000:
            raise UsageError(f"--concurrency {self.concurrency} has no meaning: 1 to 1000 requests at a time")
        if self.requests_per_second is not None and not 0 < self.requests_per_second <= 100_000:
            raise UsageError(
                f"--requests-per-second {self.requests_per_second:g} has no meaning: more than 0, at most 100,000"
            )
        for name, most in (("attempts", 10**6), ("budget_s", 10**6), ("timeout_s", 10**6), ("answer_bytes", 2**40)):
            if not 0 < getattr(self, name) <= most:
                raise UsageError(f"{name} {getattr(self, name)} has no meaning: more than 0, at most {most:,}")
        if not 0 <= self.backoff_s <= _LONGEST_BACKOFF_S:
            raise UsageError(f"backoff_s {self.backoff_s} has no meaning: 0 to {_LONGEST_BACKOFF_S}")


@dataclass
class Pace:
    """Lets requests leave one by one, each no sooner than its share of a second after the one before.

    Measured from when that one did leave: time in which the program was busy is not made up for in a burst.
    A server that asks to slow down halves the pace, once for all requests that left before it was heard. Good answers
    bring it back: soon to a little below the pace that was refused, slowly past that, and soon again up to
    `per_second`, or to no limit where that is None. So a steady limit refuses less than one answer in a hundred.
    """

    per_second: float | None  # exact-ok: a pace
    _gap_s: float = 0.0  # exact-ok: a wait
    _refused_gap_s: float = 0.0  # exact-ok: as above; of the last pace that began well and was refused
    _began_well: bool = True
    _next_at_s: float = 0.0  # exact-ok: of a steady clock
    _slowed_at_s: float = 0.0  # exact-ok: as above
    _left_at_s: deque[float] = field(default_factory=lambda: deque(maxlen=20))  # exact-ok: as above
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    def __post_init__(self) -> None:
        """Begins at the pace that was asked for."""
        self._gap_s = self._least_gap_s

    @property
    def _least_gap_s(self) -> float:  # exact-ok: a wait
        """Between two requests at the pace that was asked for."""
        return 1 / self.per_second if self.per_second else 0

    async def wait(self) -> float:  # exact-ok: of a steady clock
        """Waits for the next moment at which a request may leave; that moment."""
        async with self._turn:
            while (wait_s := self._next_at_s - time.monotonic()) > 0:  # noqa: ASYNC110  # it may be put off meanwhile
                await anyio.sleep(wait_s)
            now_s = time.monotonic()
            self._left_at_s.append(now_s)
            self._next_at_s = now_s + self._gap_s
            return now_s

    def slow_down(self, wait_s: float, left_at_s: float) -> None:  # exact-ok: a wait; of a steady clock
        """Takes in what a request that left then was told: nothing leaves for so long, and less often after."""
        now_s = time.monotonic()
        self._next_at_s = max(self._next_at_s, now_s + wait_s)
        if left_at_s > self._slowed_at_s:  # it left at the present pace
            refused_gap_s = max(self._gap_s, self._seen_gap_s(now_s))
            if self._began_well:  # else the server refuses whatever comes, and the pace may not be why
                self._refused_gap_s = refused_gap_s
            self._began_well = False
            self._slowed_at_s = now_s
            self._gap_s = min(_LONGEST_GAP_S, 2 * refused_gap_s)
            self._next_at_s = max([self._next_at_s, *(at_s + self._gap_s for at_s in self._left_at_s)])

    def speed_up(self, left_at_s: float) -> None:  # exact-ok: of a steady clock
        """Takes in the good answer to a request that left then; one that left at an earlier pace tells nothing."""
        if left_at_s <= self._slowed_at_s:
            return
        self._began_well = True
        faster_s = self._faster_s()
        self._gap_s = self._least_gap_s if faster_s < _SHORTEST_GAP_S else max(self._least_gap_s, faster_s)

    def _faster_s(self) -> float:  # exact-ok: a wait
        """The gap after one more good answer."""
        near_s = _NEAR * self._refused_gap_s
        if self._gap_s > near_s:
            faster: float = 0.5 ** (self._gap_s / _TWICE_AS_FAST_IN_S)  # exact-ok: a share
            return max(near_s, self._gap_s * min(_FASTER, faster))
        return self._gap_s * (_FASTER if self._gap_s < _PAST * self._refused_gap_s else _FASTER_WHERE_REFUSED)

    def _seen_gap_s(self, now_s: float) -> float:  # exact-ok: of a steady clock; a wait
        """Between the requests of the last busy second, on the average: idle time before it is no pace."""
        last_s = self._left_at_s[-1] if self._left_at_s else 0
        recent = [left_at_s for left_at_s in self._left_at_s if left_at_s > last_s - 1]
        if len(recent) == self._left_at_s.maxlen:
            return (last_s - recent[0]) / (len(recent) - 1)
        return max(_SHORTEST_GAP_S, min(1, now_s - recent[0]) / len(recent)) if recent else _SHORTEST_GAP_S


def backoff_s(attempt: int, first_s: float) -> float:  # exact-ok: a wait
    """Seconds to wait after that many attempts: at random below a ceiling that doubles each time."""
    ceiling_s = min(_LONGEST_BACKOFF_S, first_s * 2 ** min(attempt - 1, 30))
    return random.uniform(0, ceiling_s)  # noqa: S311  # jitter is no secret
