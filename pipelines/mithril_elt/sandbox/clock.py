"""The sandbox's clock: it stands still or runs, and can be set and moved.

Stands beside `account` in the sandbox: `server` shows what has happened up to this clock.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clock", "microseconds", "utc"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """That instant as microseconds since 1970 (UTC). Raises ValueError if it names no zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} names no time zone")
    return (at - _EPOCH) // _MICROSECOND


def utc(at_us: int) -> datetime:
    """Microseconds since 1970 as an instant in UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


class Clock:
    """Server time: frozen (`speed` 0), or `speed` seconds for each real second. Safe between threads."""

    def __init__(
        self,
        at: datetime,
        speed: float = 0.0,  # exact-ok: kept as a ratio of integers
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if speed < 0:
            raise ValueError(f"a clock cannot run backwards: speed {speed}")
        self._lock = threading.Lock()
        self._monotonic_ns = monotonic_ns
        # A ratio of integers, so that the time told is exact however long the clock runs.
        self._speed, self._per = speed.as_integer_ratio()
        self._at_us = microseconds(at)
        self._since_ns = monotonic_ns()

    def now_us(self) -> int:
        """The time it shows, in microseconds since 1970 (UTC)."""
        with self._lock:
            return self._shown_us()

    def set(self, at: datetime) -> None:
        """Shows `at` from now on, and runs on from there if it runs. Raises ValueError if `at` names no zone."""
        at_us = microseconds(at)
        with self._lock:
            self._at_us, self._since_ns = at_us, self._monotonic_ns()

    def advance(self, by: timedelta) -> None:
        """Moves it on by that much (back, if negative)."""
        with self._lock:
            self._at_us += by // _MICROSECOND

    def _shown_us(self) -> int:
        elapsed_ns = self._monotonic_ns() - self._since_ns
        return self._at_us + elapsed_ns * self._speed // (self._per * 1000)
