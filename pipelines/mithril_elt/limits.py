"""How hard the API may be worked: how many requests at a time and a second, and how long a call may take.

Stands under `client`.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

import anyio

from mithril_elt.errors import UsageError

__all__ = ["Limits", "Pace", "backoff_s"]

_LONGEST_BACKOFF_S = 20


@dataclass(frozen=True)
class Limits:
    """How hard the API may be worked, and how long a call may take.

    `attempts` and `budget_s` bound one call with all its retries; time spent in the queue for a free slot
    or for the pace does not count. `timeout_s`: the longest silence. `backoff_s`: the first wait before a
    retry, about; it doubles each time.
    """

    concurrency: int = 16
    requests_per_second: float | None = None  # exact-ok: a pace, neither money nor a stored time
    attempts: int = 7
    budget_s: float = 300  # exact-ok: a wait
    timeout_s: float = 60  # exact-ok: a wait
    backoff_s: float = 0.2  # exact-ok: a wait

    def __post_init__(self) -> None:
        """Refuses limits under which nothing could ever be asked."""
        if not 1 <= self.concurrency <= 1000:
            raise UsageError(f"--concurrency {self.concurrency} has no meaning: 1 to 1000 requests at a time")
        if self.requests_per_second is not None and not 0 < self.requests_per_second <= 100_000:
            raise UsageError(
                f"--requests-per-second {self.requests_per_second:g} has no meaning: more than 0, at most 100,000"
            )
        for name in ("attempts", "budget_s", "timeout_s"):
            if not 0 < getattr(self, name) <= 1_000_000:
                raise UsageError(f"{name} {getattr(self, name)} has no meaning: more than 0, at most 1,000,000")
        if not 0 <= self.backoff_s <= _LONGEST_BACKOFF_S:
            raise UsageError(f"backoff_s {self.backoff_s} has no meaning: 0 to {_LONGEST_BACKOFF_S}")


@dataclass
class Pace:
    """Lets requests leave one by one, each no sooner than its share of a second after the one before.

    Measured from when that one did leave: time in which the program was busy is not made up for in a burst.
    """

    per_second: float | None  # exact-ok: a pace
    _next_at_s: float = 0.0  # exact-ok: of a steady clock
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    async def wait(self) -> None:
        """Waits for the next moment at which a request may leave."""
        if self.per_second is None:
            return
        async with self._turn:
            await anyio.sleep(max(0, self._next_at_s - time.monotonic()))
            self._next_at_s = time.monotonic() + 1 / self.per_second


def backoff_s(attempt: int, first_s: float) -> float:  # exact-ok: a wait
    """Seconds to wait after that many attempts: at random below a ceiling that doubles each time."""
    ceiling_s = min(_LONGEST_BACKOFF_S, first_s * 2 ** min(attempt - 1, 30))
    return random.uniform(0, ceiling_s)  # noqa: S311  # jitter is no secret
