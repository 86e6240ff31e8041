"""One request with all its retries: the pace, the budget of attempts and seconds, what is counted and what is logged.

Stands between `transport` and `client`; knows nothing of endpoints. Nothing is retried without bound.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import anyio

from mithril_elt.errors import ApiError, MithrilError, UsageError
from mithril_elt.limits import Limits, Pace, backoff_s
from mithril_elt.log_facts import told
from mithril_elt.secret import hidden, spellings, without_key
from mithril_elt.transport import Received, connected, mistrust
from mithril_elt.visible import shortened
from mithril_elt.wire import GarbledError, RetryableError, judge, request_id, server_clock

__all__ = ["Sender", "Traffic"]

T = TypeVar("T")

log = logging.getLogger("mithril_elt")

_GARBLED_TRIES = 3  # what is no API answers the same for ever; what was damaged on its way does not


@dataclass
class Traffic:
    """What was asked so far. `first_server_at`: the server's clock at the first answer."""

    requests: int = 0
    retries: int = 0
    size_bytes: int = 0
    first_server_at: datetime | None = None


class Sender:
    """The connections of one session, with its pace and its slots; made inside a running event loop."""

    def __init__(self, key: str, url: str, limits: Limits, traffic: Traffic) -> None:
        self._key, self._host, self._limits, self._traffic = key, urlsplit(url).netloc, limits, traffic
        self._slots = anyio.CapacityLimiter(limits.concurrency)
        self._pace = Pace(limits.requests_per_second)
        self._connections = connected(url, key, limits)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._connections.session.close()

    async def get(self, path: str, params: Mapping[str, Any], read: Callable[[Received], T]) -> T:
        """What `read` makes of the answer, after as many tries as the limits allow; no error repeats the key."""
        left_s, attempt, garbled = self._limits.budget_s, 0, 0
        while True:
            attempt += 1
            async with self._slots:
                began_at_s = await self._pace.wait()
                # Half of what is left, so that an answer that drips for ever leaves time for another try.
                within_s = max(left_s / 2, min(left_s, self._limits.timeout_s))
                try:
                    answer = await self._tried("GET", path, read, attempt=attempt, within_s=within_s, params=params)
                except RetryableError as error:
                    failure = error
                else:
                    self._pace.speed_up(began_at_s)
                    return answer
            if failure.http_status == 429:
                self._pace.slow_down(min(failure.wait_s, self._limits.budget_s), began_at_s)
            wait_s = failure.wait_s + backoff_s(attempt, self._limits.backoff_s)
            left_s -= time.monotonic() - began_at_s + wait_s
            garbled += isinstance(failure, GarbledError)
            if attempt == self._limits.attempts or garbled == _GARBLED_TRIES or left_s <= 0:
                raise self._given_up(failure, attempt) from None
            self._traffic.retries += 1
            facts = {"endpoint": path, "attempt": attempt, "wait_ms": int(wait_s * 1000), "error": str(failure)}
            log.info("trying again in %.1f s (%s): %s", wait_s, attempt, failure, extra=told("retry", **facts))
            await anyio.sleep(wait_s)

    async def once(self, method: str, path: str, read: Callable[[Received], T], **content: Any) -> T:
        """What `read` makes of the answer to a request that is sent once and never again.

        Raises:
            MithrilError: it failed; whether the server has taken it up is not known if it is a RetryableError.
        """
        async with self._slots:
            await self._pace.wait()
            return await self._tried(method, path, read, attempt=1, within_s=self._limits.budget_s, **content)

    def _given_up(self, failure: RetryableError, attempts: int) -> MithrilError:
        times = f", {attempts} times" if attempts > 1 else ""
        if failure.wait_s > self._limits.budget_s:
            times += f", and asks for a wait longer than the {self._limits.budget_s:g} s that a call may take"
        return failure.final(times)

    async def _tried(
        self,
        method: str,
        path: str,
        read: Callable[[Received], T],
        *,
        attempt: int,
        within_s: float,  # exact-ok: a wait
        **content: Any,
    ) -> T:
        """What `read` makes of one good answer. Each is counted, and logged however it ended."""
        self._traffic.requests += 1
        began_at_s = time.monotonic()
        facts: dict[str, Any] = {"method": method, "endpoint": path, "attempt": attempt}
        received: Received | None = None
        ended = "broken off"
        try:
            with self._without_key():
                received = await self._received(method, path, within_s, content)
                wrong = judge(received.status, received.headers, received.body, what=f"{method} {path}")
                if wrong:
                    raise wrong
                answer = read(received)
            ended = ""
        except MithrilError as error:
            ended = str(error)
            raise
        finally:
            if log.isEnabledFor(logging.INFO if ended else logging.DEBUG):
                facts["duration_ms"] = int((time.monotonic() - began_at_s) * 1000)
                self._log(facts, received, ended)
        return answer

    async def _received(
        self,
        method: str,
        path: str,
        within_s: float,  # exact-ok: a wait
        content: Mapping[str, Any],
    ) -> Received:
        """The whole answer to one request, whatever it means."""
        try:
            with anyio.fail_after(within_s):
                received = await self._connections.receive(
                    method, path, most_bytes=self._limits.answer_bytes, **content
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            if said := mistrust(error):
                raise ApiError(f"{method} {path} was not sent: {self._host} {said}") from None
            raise RetryableError(f"{method} {path} got no whole answer from {self._host}: {_reason(error)}") from None
        except ValueError as error:
            raise UsageError(f"{shortened(f'{method} {path}')} cannot be asked: {error}") from None
        self._traffic.size_bytes += len(received.body)
        if self._traffic.first_server_at is None:
            self._traffic.first_server_at = server_clock(received.headers)
        return replace(received, body=without_key(received.body, self._key))

    def _log(self, facts: dict[str, Any], received: Received | None, failure: str) -> None:
        """One line for each request: at debug where all is well, at info where it failed."""
        if received is not None:
            named = request_id(received.headers)
            facts |= {"http_status": received.status, "bytes": len(received.body)}
            facts |= {"request_id": self._cleaned(named)} if named else {}
        what = f"{facts['method']} {facts['endpoint']}"
        if failure:
            log.info("%s: %s", what, failure, extra=told("request", **facts, error=failure))
        else:
            log.debug("%s in %s ms", what, facts["duration_ms"], extra=told("request", **facts))

    @contextmanager
    def _without_key(self) -> Iterator[None]:
        """Takes the key out of what an error says: an answer may repeat it."""
        try:
            yield
        except MithrilError as error:
            error.sentence = self._cleaned(error.sentence)
            error.detail = error.detail and self._cleaned(error.detail)
            error.args = (error.sentence,)
            raise

    def _cleaned(self, text: str) -> str:
        return hidden(text, spellings(self._key))


def _reason(error: BaseException) -> str:
    """In one line, what the HTTP library says went wrong."""
    if isinstance(error, aiohttp.ClientPayloadError):
        return "it broke off before its end"
    said = " ".join(str(error).split())[:200]
    return said or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
