"""One request, or every page of a list: the key, retries, the rate and the guards.

Stands between `endpoints` and `source`. Asynchronous, one connection pool; `api.Mithril` is the same
for those who do not want to await. Nothing is retried without bound: each call has a budget of
attempts and of seconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import msgspec
from httpx_aiohttp import AiohttpTransport
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from mithril_elt.decode import Novelties, Page, decode_page
from mithril_elt.endpoints import ENDPOINTS, PAGE_LIMIT, Endpoint
from mithril_elt.errors import ContractError, KeyRefusedError, UsageError
from mithril_elt.settings import DEFAULT_API_URL
from mithril_elt.wire import RetryableError, judge, server_clock

__all__ = ["Client", "Limits", "Traffic"]


_JSON = {"Content-Type": "application/json"}

log = logging.getLogger("mithril_elt")


@dataclass(frozen=True)
class Limits:
    """How hard the API may be worked, and how long a call may take."""

    concurrency: int = 16
    requests_per_second: float | None = None  # exact-ok: a pace, neither money nor a stored time
    attempts: int = 7
    budget_s: int = 300
    timeout_s: int = 60

    def __post_init__(self) -> None:
        """Refuses limits under which nothing could ever be asked."""
        if not 1 <= self.concurrency <= 1000:
            raise UsageError(f"--concurrency {self.concurrency} has no meaning: 1 to 1000 requests at a time")
        if self.requests_per_second is not None and not 0 < self.requests_per_second <= 100_000:
            raise UsageError(f"--requests-per-second {self.requests_per_second:g} has no meaning: give more than 0")


@dataclass
class Traffic:
    """What was asked so far. `first_server_at`: the server's clock at the first answer."""

    requests: int = 0
    retries: int = 0
    size_bytes: int = 0
    first_server_at: datetime | None = None


@dataclass
class _Pace:
    """Hands out the moments at which a request may leave, evenly spaced."""

    per_second: float | None  # exact-ok: a pace
    next_at: float = 0.0  # exact-ok: a moment of the monotonic clock

    async def wait(self) -> None:
        if self.per_second:
            now = time.monotonic()
            mine = max(now, self.next_at)
            self.next_at = mine + 1 / self.per_second
            await anyio.sleep(mine - now)


@dataclass
class Client:
    """A session with the API: an asynchronous context manager.

    Raises:
        KeyRefusedError: no key was given.
        UsageError: the address is no http(s) address.
    """

    key: str = field(repr=False)
    url: str = DEFAULT_API_URL
    limits: Limits = field(default_factory=Limits)
    traffic: Traffic = field(default_factory=Traffic)
    novelties: Novelties = field(default_factory=Novelties)

    def __post_init__(self) -> None:
        """Checks what can be checked before anything is sent, and prepares the pool."""
        if not self.key or not self.key.isascii() or not self.key.isprintable():
            raise KeyRefusedError("no usable API key: set MITHRIL_API_KEY (it begins with fkey_)")
        if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).hostname:
            raise UsageError(f"the API's address {self.url!r} is not one like {DEFAULT_API_URL}")
        self._slots = anyio.CapacityLimiter(self.limits.concurrency)
        self._pace = _Pace(self.limits.requests_per_second)
        self._http = httpx.AsyncClient(
            base_url=self.url.rstrip("/"),
            headers={"Authorization": f"Bearer {self.key}", "Accept": "application/json", "User-Agent": "mithril-elt"},
            timeout=httpx.Timeout(self.limits.timeout_s, connect=min(10, self.limits.timeout_s)),
            transport=AiohttpTransport(limits=httpx.Limits(max_connections=self.limits.concurrency)),
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def rows(self, name: str, params: Mapping[str, Any] | None = None, **path: str) -> Page:
        """The one answer of an endpoint that has no pages; `path` fills the braces of its path."""
        return await self._page(ENDPOINTS[name], params or {}, path)

    async def pages(self, name: str, params: Mapping[str, Any]) -> AsyncIterator[Page]:
        """Every page of a list, in order.

        Raises:
            ContractError: a cursor that was given before (the list would never end), or another shape.
        """
        endpoint = ENDPOINTS[name]
        asked = {"limit": PAGE_LIMIT, **{k: v for k, v in params.items() if v is not None}}
        seen: set[str] = set()
        while True:
            page = await self._page(endpoint, asked, {})
            yield page
            if page.next_cursor is None:
                return
            if page.next_cursor in seen:
                raise ContractError(f"{endpoint.path} gave the same next_cursor twice: its list would never end")
            seen.add(page.next_cursor)
            asked = {**asked, "next_cursor": page.next_cursor}

    async def set_status(self, fids: list[str], status: str) -> dict[str, str]:
        """Asks each reserved instance for `STATUS_RUNNING` or `STATUS_PAUSED`; what each answered.

        Sent once, never retried after the server may have taken it up.
        """
        body = msgspec.json.encode({"instances": fids, "status": status})
        async with self._slots:
            await self._pace.wait()
            response = await self._send("PATCH", "/v2/instances", content=body, headers=_JSON)
        try:
            return msgspec.json.decode(response.content, type=dict[str, dict[str, str]])["instances"]
        except (msgspec.ValidationError, msgspec.DecodeError, KeyError) as error:
            raise ContractError("PATCH /v2/instances answered another shape than documented") from error

    async def _page(self, endpoint: Endpoint, params: Mapping[str, Any], path: Mapping[str, str]) -> Page:
        response = await self._get(endpoint.path.format(**path), params)
        server_at = server_clock(response.headers)
        return decode_page(endpoint, response.content, server_at=server_at, novelties=self.novelties)

    async def _get(self, path: str, params: Mapping[str, Any]) -> httpx.Response:
        deadline = time.monotonic() + self.limits.budget_s
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(RetryableError),
            stop=lambda state: stop_after_attempt(self.limits.attempts)(state) or _spent(state, deadline),
            wait=_wait_s,
            before_sleep=self._count_retry,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                async with self._slots:
                    await self._pace.wait()
                    return await self._send("GET", path, params=params)
        raise AssertionError("the loop above returns or raises")

    async def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        what = f"{method} {path}"
        self.traffic.requests += 1
        try:
            response = await self._http.request(method, path, **content)
        except httpx.TimeoutException as error:
            raise RetryableError(f"{what} gave no answer in {self.limits.timeout_s} s") from error
        except httpx.HTTPError as error:
            host = urlsplit(self.url).hostname
            raise RetryableError(f"{what} could not be sent to {host}: {type(error).__name__} {error}") from error
        self.traffic.size_bytes += len(response.content)
        if self.traffic.first_server_at is None:
            self.traffic.first_server_at = server_clock(response.headers)
        wrong = judge(response.status_code, response.headers, response.content, what=what)
        if wrong:
            raise wrong
        return response

    def _count_retry(self, state: RetryCallState) -> None:
        self.traffic.retries += 1
        log.info("trying again (%s): %s", state.attempt_number, _failure(state))


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _wait_s(state: RetryCallState) -> float:  # exact-ok: how long to sleep
    """What the API asked for, else 0.2 s doubled each time, with jitter, at most 20 s."""
    failure = _failure(state)
    asked = failure.wait_s if isinstance(failure, RetryableError) else 0
    return asked + wait_random_exponential(multiplier=0.2, max=20)(state)


def _spent(state: RetryCallState, deadline: float) -> bool:  # exact-ok: the monotonic clock
    """Whether the wait that is due would end after the call's budget."""
    failure = _failure(state)
    asked = failure.wait_s if isinstance(failure, RetryableError) else 0
    return time.monotonic() + asked > deadline
