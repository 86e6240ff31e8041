"""One answer, or every page of a list, as rows: what is asked for, and the guards against lists that never end.

Stands between `endpoints` and `source`, on `sending`. Asynchronous; `api.Mithril` is the same for those who do not
want to await.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from mithril_elt.decode import Decode, Novelties, Page, decode_json, decode_page
from mithril_elt.endpoints import ENDPOINTS, PAGE_LIMIT, Endpoint
from mithril_elt.errors import ContractError, KeyRefusedError, NotFoundError, UsageError
from mithril_elt.limits import Limits
from mithril_elt.log_facts import told
from mithril_elt.paging import Progress
from mithril_elt.sending import Sender, Traffic
from mithril_elt.settings import DEFAULT_API_URL
from mithril_elt.transport import Received, is_address, is_private
from mithril_elt.wire import Refused, RetryableError, server_clock

__all__ = ["Answer", "Client", "Limits", "Traffic"]

log = logging.getLogger("mithril_elt")


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
        self._sender = Sender(self.key, self.url, self.limits, self.traffic)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes it."""
        await self._sender.aclose()

    async def rows(self, name: str, params: Mapping[str, Any] | None = None, **path: str) -> Page:
        """The one answer of an endpoint that has no pages; `path` fills the braces of its path.

        Raises:
            ContractError: it has pages, or another shape.
        """
        page = await self._page(ENDPOINTS[name], params or {}, path)
        if page.next_cursor is not None:
            raise ContractError(f"{ENDPOINTS[name].path} has more pages, which is not documented")
        return page

    async def pages(self, name: str, params: Mapping[str, Any], decode: Decode = decode_page) -> AsyncIterator[Page]:
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
                page = await self._page(endpoint, asked, {}, decode)
            except (Refused, NotFoundError) as error:
                if walk.pages == 0:
                    raise
                if walk.pages <= furthest:
                    raise ContractError(
                        f"{endpoint.path} refuses the cursor that it gave, also where its list is walked anew",
                        detail=error.detail,
                    ) from error
                said = told("walk_anew", endpoint=endpoint.path, error=str(error))
                log.info("a cursor of %s was refused, its list is walked anew: %s", endpoint.path, error, extra=said)
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

        def read(received: Received) -> Answer:
            return Answer(received.status, decode_json(received.body, what=path), server_clock(received.headers))

        try:
            return await self._sender.get(path, params, read)
        except Refused as refused:
            if refused.http_status not in (400, 422):
                raise
            return Answer(refused.http_status, {"detail": refused.detail})

    async def set_status(self, fids: list[str], status: str) -> dict[str, str]:
        """Asks each reserved instance for `STATUS_RUNNING` or `STATUS_PAUSED`; what each answered.

        Sent once and never again: the server may have taken it up though its answer was lost.
        """
        body = msgspec.json.encode({"instances": fids, "status": status})
        headers = {"Content-Type": "application/json"}
        try:
            return await self._sender.once("PATCH", "/v2/instances", _switched, data=body, headers=headers)
        except RetryableError as error:
            raise error.final("; it was not sent again: look at their status before you do") from None

    async def _page(
        self, endpoint: Endpoint, params: Mapping[str, Any], path: Mapping[str, str], decode: Decode = decode_page
    ) -> Page:
        places = {name: quote(value, safe="") for name, value in path.items()}

        def read(received: Received) -> Page:
            server_at = server_clock(received.headers)
            return decode(endpoint, received.body, server_at=server_at, novelties=self.novelties)

        return await self._sender.get(endpoint.path.format(**places), params, read)


class _Switched(msgspec.Struct):
    """The answer to a change of status: by fid, the status that each instance has now."""

    instances: dict[str, str]


def _joined(value: Any) -> Any:
    return ",".join(value) if isinstance(value, (list, tuple, set, frozenset)) else value


def _switched(received: Received) -> dict[str, str]:
    try:
        return msgspec.json.decode(received.body, type=_Switched).instances
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ContractError("PATCH /v2/instances answered another shape than documented") from None
