"""One request, or every page of a list: the key, retries, the rate and the guards.

Stands between `endpoints` and `source`. Asynchronous, one connection pool; `api.Mithril` is the same
for those who do not want to await. Nothing is retried without bound: each call has a budget of
attempts and of seconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import anyio
import httpx
import msgspec

from mithril_elt.decode import Novelties, Page, decode_page
from mithril_elt.endpoints import ENDPOINTS, PAGE_LIMIT, Endpoint
from mithril_elt.errors import ApiError, ContractError, KeyRefusedError, MithrilError, NotFoundError, UsageError
from mithril_elt.limits import Limits, Pace, backoff_s
from mithril_elt.paging import Progress
from mithril_elt.secret import spellings, without_key
from mithril_elt.settings import DEFAULT_API_URL
from mithril_elt.transport import Received, is_address, is_private, open_http, receive
from mithril_elt.visible import shortened
from mithril_elt.wire import Refused, RetryableError, judge, server_clock

__all__ = ["Answer", "Client", "Limits", "Traffic"]

log = logging.getLogger("mithril_elt")


@dataclass
class Traffic:
    """What was asked so far. `first_server_at`: the server's clock at the first answer."""

    requests: int = 0
    retries: int = 0
    size_bytes: int = 0
    first_server_at: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """An answer as it came: JSON that nothing has decoded into rows; a refusal has the API's words alone."""

    status: int
    body: Any
    server_at: datetime | None = None


@dataclass
class Client:
    """A session with the API: an asynchronous context manager.

    Raises:
        KeyRefusedError: no key was given, or one that cannot be a key.
        UsageError: the address is no http(s) address, or the key would travel to it unencrypted.
    """

    key: str = field(repr=False)
    url: str = DEFAULT_API_URL
    limits: Limits = field(default_factory=Limits)
    traffic: Traffic = field(default_factory=Traffic)
    novelties: Novelties = field(default_factory=Novelties)

    def __post_init__(self) -> None:
        """Checks what can be checked before anything is sent."""
        if not self.key.isascii() or not self.key.isprintable() or self.key.split() != [self.key]:
            raise KeyRefusedError("no usable API key: set MITHRIL_API_KEY (it begins with fkey_)")
        if not is_address(self.url):
            shown = "" if "@" in self.url else f" {self.url!r}"  # what is before an @ may be a password
            raise UsageError(
                f"the API's address{shown} is not one like {DEFAULT_API_URL}: look at --api-url and MITHRIL_API_URL"
            )
        if not is_private(self.url):
            raise UsageError(f"{self.url} would carry the key unencrypted: use https, or an address of this machine")

    async def __aenter__(self) -> Client:
        """Opens the connection pool."""
        self._slots = anyio.CapacityLimiter(self.limits.concurrency)
        self._pace = Pace(self.limits.requests_per_second)
        self._http = open_http(self.url, self.key, self.limits)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes it."""
        await self._http.aclose()

    async def rows(self, name: str, params: Mapping[str, Any] | None = None, **path: str) -> Page:
        """The one answer of an endpoint that has no pages; `path` fills the braces of its path.

        Raises:
            ContractError: it has pages, or another shape.
        """
        page = await self._page(ENDPOINTS[name], params or {}, path)
        if page.next_cursor is not None:
            raise ContractError(f"{ENDPOINTS[name].path} has more pages, which is not documented")
        return page

    async def pages(self, name: str, params: Mapping[str, Any]) -> AsyncIterator[Page]:
        """Every page of a list, in order. Filters with several values are joined by commas.

        A cursor that is refused has expired: the list is walked anew from its start, so that a page may come
        twice, as long as each walk gets further than the one before.

        Raises:
            ContractError: a cursor that was given before or ever new ones on empty pages (the list would never
                end), or another shape.
        """
        endpoint = ENDPOINTS[name]
        first = {"limit": PAGE_LIMIT, **{k: _joined(v) for k, v in params.items() if v is not None}}
        walk, furthest = Progress(endpoint), 0
        asked = first
        while True:
            try:
                page = await self._page(endpoint, asked, {})
            except (Refused, NotFoundError) as error:
                if walk.pages <= furthest:
                    raise
                log.info("a cursor of %s was refused, its list is walked anew: %s", endpoint.path, error)
                furthest, walk, asked = walk.pages, Progress(endpoint), first
                continue
            walk.note(page)
            yield page
            if page.next_cursor is None:
                return
            asked = {**first, "next_cursor": page.next_cursor}

    async def ask(self, path: str, params: Mapping[str, Any]) -> Answer:
        """The answer to one GET as it was sent, without the key; 400 and 422 are answers, not errors.

        Raises:
            ContractError: it is not JSON.
        """
        try:
            received = await self._get(path, params)
        except Refused as refused:
            if refused.http_status not in (400, 422):
                raise
            return Answer(refused.http_status, {"detail": refused.detail})
        try:
            body = msgspec.json.decode(received.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ContractError(
                f"{path} answered something that is not JSON: is the address that of the API?"
            ) from None
        return Answer(received.status, body, server_clock(received.headers))

    async def set_status(self, fids: list[str], status: str) -> dict[str, str]:
        """Asks each reserved instance for `STATUS_RUNNING` or `STATUS_PAUSED`; what each answered.

        Sent once and never again: the server may have taken it up though its answer was lost.
        """
        body = msgspec.json.encode({"instances": fids, "status": status})
        headers = {"Content-Type": "application/json"}
        async with self._slots:
            await self._pace.wait()
            try:
                received = await self._send(
                    "PATCH", "/v2/instances", self.limits.budget_s, content=body, headers=headers
                )
            except RetryableError as error:
                advice = "it was not sent again: look at their status before you do"
                raise _final(error, f"{error.sentence}; {advice}") from None
        try:
            return msgspec.json.decode(received.body, type=_Switched).instances
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ContractError("PATCH /v2/instances answered another shape than documented") from None

    async def _page(self, endpoint: Endpoint, params: Mapping[str, Any], path: Mapping[str, str]) -> Page:
        places = {name: quote(value, safe="") for name, value in path.items()}
        received = await self._get(endpoint.path.format(**places), params)
        server_at = server_clock(received.headers)
        with self._without_key():
            return decode_page(endpoint, received.body, server_at=server_at, novelties=self.novelties)

    async def _get(self, path: str, params: Mapping[str, Any]) -> Received:
        """The answer, after as many tries as the limits allow."""
        left_s, attempt = self.limits.budget_s, 0
        while True:
            attempt += 1
            async with self._slots:
                began_at_s = await self._pace.wait()
                try:
                    received = await self._send("GET", path, left_s, params=params)
                except RetryableError as error:
                    failure = error
                else:
                    self._pace.speed_up()
                    return received
            if failure.http_status == 429:
                self._pace.slow_down(min(failure.wait_s, self.limits.budget_s), began_at_s)
            wait_s = failure.wait_s + backoff_s(attempt, self.limits.backoff_s)
            left_s -= time.monotonic() - began_at_s + wait_s
            if attempt == self.limits.attempts or left_s <= 0:
                raise self._given_up(failure, attempt) from None
            self.traffic.retries += 1
            log.info("trying again in %.1f s (%s): %s", wait_s, attempt, failure)
            await anyio.sleep(wait_s)

    def _given_up(self, failure: RetryableError, attempts: int) -> ApiError:
        times = f", {attempts} times" if attempts > 1 else ""
        if failure.wait_s > self.limits.budget_s:
            times += f", and asks for a wait longer than the {self.limits.budget_s:g} s that a call may take"
        return _final(failure, failure.sentence + times)

    async def _send(
        self,
        method: str,
        path: str,
        within_s: float,  # exact-ok: a wait
        **content: Any,
    ) -> Received:
        """The answer to one request, if it is a good one; no error repeats the key."""
        what = f"{method} {path}"
        self.traffic.requests += 1
        with self._without_key():
            try:
                with anyio.fail_after(within_s):
                    received = await receive(self._http, method, path, most_bytes=self.limits.answer_bytes, **content)
            except httpx.InvalidURL as error:
                raise UsageError(f"{shortened(what)} cannot be asked: {error}") from None
            except (httpx.HTTPError, aiohttp.ClientError, TimeoutError) as error:
                raise RetryableError(f"{what} got no whole answer from {self._host}: {_reason(error)}") from None
            self.traffic.size_bytes += len(received.body)
            if self.traffic.first_server_at is None:
                self.traffic.first_server_at = server_clock(received.headers)
            received = replace(received, body=without_key(received.body, self.key))
            wrong = judge(received.status, received.headers, received.body, what=what)
            if wrong:
                raise wrong
        return received

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc

    @contextmanager
    def _without_key(self) -> Iterator[None]:
        """Takes the key out of what an error says: an answer may repeat it."""
        try:
            yield
        except MithrilError as error:
            for form in spellings(self.key):
                error.sentence = error.sentence.replace(form, "…")
                error.detail = error.detail and error.detail.replace(form, "…")
            error.args = (error.sentence,)
            raise


class _Switched(msgspec.Struct):
    """The answer to a change of status: by fid, the status that each instance has now."""

    instances: dict[str, str]


def _joined(value: Any) -> Any:
    return ",".join(value) if isinstance(value, (list, tuple, set, frozenset)) else value


def _final(failure: RetryableError, sentence: str) -> ApiError:
    return ApiError(sentence, detail=failure.detail, http_status=failure.http_status)


def _reason(error: BaseException) -> str:
    """In one line, what the HTTP library says went wrong: its own error is the cause of httpx's."""
    cause = error.__cause__ or error
    said = " ".join(str(cause).split())[:200]
    return said or ("no answer in time" if isinstance(cause, TimeoutError) else type(cause).__name__)
