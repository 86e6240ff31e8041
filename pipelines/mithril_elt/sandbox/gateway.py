"""What stands before every endpoint of the sandbox: time, delays, the rate limit, faults, and a log of requests.

Stands between `server` and `app` in the sandbox, as ASGI middleware.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mithril_elt.sandbox.rendering import http_date

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mithril_elt.sandbox.clock import Clock

__all__ = ["Asked", "Faults", "Gateway", "RateLimit"]

_SECOND_NS = 1_000_000_000

_DROPPED = 0
_DETAILS = {
    429: "Too many requests",
    500: "Internal server error",
    502: "Bad gateway",
    503: "Service unavailable",
}


class Asked(NamedTuple):
    """A request and how it was answered; `status` 0: the connection was dropped in the middle of the answer."""

    method: str
    path: str
    query: str
    status: int


@dataclass
class RateLimit:
    """So many requests a second on average, and up to one second's worth at once; in real time."""

    per_second: float  # exact-ok: a pace, neither money nor a stored time
    _full_at_ns: int = 0

    def wait_ns(self, now_ns: int) -> int:
        """0: the request may pass, and counts; else how long to wait until one may."""
        interval_ns = int(_SECOND_NS / self.per_second)
        burst_ns = max(interval_ns, _SECOND_NS)
        full_at_ns = max(self._full_at_ns, now_ns) + interval_ns
        if full_at_ns - now_ns > burst_ns:
            return full_at_ns - now_ns - burst_ns
        self._full_at_ns = full_at_ns
        return 0


@dataclass
class Faults:
    """Fails that share of requests; which ones, and how, follows from the seed and the order of requests."""

    share: float  # exact-ok: a share of requests
    seed: int
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        """Begins the series of the seed."""
        self._random = Random(f"faults/{self.seed}")

    def next(self) -> int | None:
        """How the next request fails: an HTTP status, 0 for a dropped connection, None for not at all."""
        chance, kind = self._random.random(), self._random.choice((_DROPPED, *_DETAILS))
        return kind if chance < self.share else None


@dataclass
class Gateway:
    """Passes requests on to `app` one by one, each with the time at which it came: `state["now_us"]`.

    An answer shows what happened up to that time, and its `Date` is that time, never later.
    """

    app: ASGIApp
    clock: Clock
    latency_ms: int
    rate_limit: RateLimit | None
    faults: Faults
    record: Callable[[Asked], object]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.latency_ms:
            await asyncio.sleep(self.latency_ms / 1000)
        now_us = self.clock.now_us()
        scope.setdefault("state", {})["now_us"] = now_us
        # Both spellings of a list filter are one: status_in[]=… and status_in=…
        scope["query_string"] = _without_brackets(scope["query_string"])
        answer = self._dated(scope, send, now_us)
        wait_ns = self.rate_limit.wait_ns(time.monotonic_ns()) if self.rate_limit else 0
        if wait_ns:
            await _refuse(answer, 429, retry_after_s=-(-wait_ns // _SECOND_NS))
            return
        fault = self.faults.next()
        if fault is None:
            await self.app(scope, receive, answer)
        elif fault == _DROPPED:
            self._note(scope, _DROPPED)
            await _break_off(send)
        else:
            await _refuse(answer, fault, retry_after_s=1 if fault in {429, 503} else None)

    def _dated(self, scope: Scope, send: Send, now_us: int) -> Send:
        """`send` that adds the server's `Date`, and notes the request before its client sees the answer."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, message["status"])
                message["headers"] = [*message.get("headers", []), (b"date", http_date(now_us).encode())]
            await send(message)

        return dated

    def _note(self, scope: Scope, status: int) -> None:
        self.record(Asked(scope["method"], scope["path"], scope["query_string"].decode(), status))


def _without_brackets(query: bytes) -> bytes:
    return query.replace(b"%5B%5D=", b"=").replace(b"%5b%5d=", b"=").replace(b"[]=", b"=")


async def _refuse(send: Send, status: int, *, retry_after_s: int | None) -> None:
    body = msgspec.json.encode({"detail": _DETAILS[status]})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if retry_after_s is not None:
        headers.append((b"retry-after", str(retry_after_s).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _break_off(send: Send) -> None:
    """Begins an answer and leaves it unfinished, upon which the server closes the connection."""
    headers: list[tuple[bytes, Any]] = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"data": [', "more_body": True})
