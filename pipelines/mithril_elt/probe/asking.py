"""Asking within a budget, and what was heard: each answer decoded, and as it was sent.

Stands at the bottom of `probe`, on `api`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from mithril_elt.api import Mithril
from mithril_elt.client import Answer, Limits
from mithril_elt.decode import Novelties, Page, decode_page
from mithril_elt.endpoints import ENDPOINTS, Endpoint
from mithril_elt.errors import NotFoundError

__all__ = ["MOST_REQUESTS", "Asker", "Heard", "Session"]

MOST_REQUESTS = 12
_ATTEMPTS = 2
_EMPTY_PAGES = 2  # so many are followed to the rows behind them


@dataclass(frozen=True)
class Heard:
    """One question and its answer.

    `rows`: decoded; `raw`: the same rows as they were sent. `cursor`: of the next page; `envelope`: what
    was sent beside the rows. A refusal (400, 404, 422) has no rows and the API's own words.
    """

    endpoint: str
    params: Mapping[str, Any]
    status: int
    rows: Sequence[Any] = ()
    raw: Sequence[dict[str, Any]] = ()
    cursor: str | None = None
    envelope: Mapping[str, Any] = field(default_factory=dict)
    words: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether it was answered with rows, be it none."""
        return self.status < 300

    @property
    def request(self) -> str:
        """The question as it went over the wire, without the cursor, which is no one else's to use."""
        shown = {name: "…" if name == "next_cursor" else value for name, value in self.params.items()}
        query = urlencode(shown, quote_via=quote, safe=":,").replace(quote("…"), "…")
        return f"GET {ENDPOINTS[self.endpoint].path}?{query}"

    def evidence(self, *rows: Mapping[str, Any], beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The question and what of its answer decides: these rows, and what was sent `beside` them."""
        if not self.accepted:
            return {"request": self.request, "status": self.status, "detail": self.words}
        return {"request": self.request, "status": self.status, **(beside or {}), "rows": list(rows)}


class _Untold(Novelties):
    """News of fields and words are told by what loads them."""

    def warn(self, sentence: str) -> None:
        """Says nothing."""


def _decoded(endpoint: Endpoint, answer: Answer) -> Page:
    at = answer.server_at or datetime.now(UTC)
    return decode_page(endpoint, msgspec.json.encode(answer.body), server_at=at, novelties=_Untold())


class Session(Mithril):
    """A session with the API in which each request that is sent is counted."""

    def __init__(self, key: str, url: str, *, requests_per_second: float | None = None) -> None:  # exact-ok: a pace
        limits = Limits(
            concurrency=1, requests_per_second=requests_per_second, attempts=_ATTEMPTS, budget_s=60, timeout_s=30
        )
        super().__init__(key, url, limits=limits)


class Asker:
    """Asks one question after the other as long as the budget lasts; `log` has all that was heard.

    `is_spent`: a question was not asked for want of it.
    """

    def __init__(self, api: Mithril) -> None:
        self._api = api
        self.log: list[Heard] = []
        self.is_spent = False

    def ask(self, endpoint: str, params: Mapping[str, Any]) -> Heard | None:
        """What the endpoint says; None where the question, sent again, might exceed the budget.

        Raises:
            ContractError: it answered in another shape than documented.
        """
        if self._api.traffic.requests + _ATTEMPTS > MOST_REQUESTS:
            self.is_spent = True
            return None
        heard = self._heard(endpoint, {name: value for name, value in params.items() if value is not None})
        self.log.append(heard)
        return heard

    def ask_on(self, page: Heard) -> Heard | None:
        """The page behind that one. A cursor that is refused is tried once more: it may be an accident."""
        params = {**page.params, "next_cursor": page.cursor}
        heard = self.ask(page.endpoint, params)
        return self.ask(page.endpoint, params) if heard and not heard.accepted else heard

    def ask_for_rows(self, endpoint: str, params: Mapping[str, Any]) -> Heard | None:
        """The first page that has rows, if a cursor leads from an empty one to it; else the last one heard."""
        return self.past_empty(self.ask(endpoint, params))

    def past_empty(self, page: Heard | None) -> Heard | None:
        """That page, or where it is empty the next one that is not."""
        for _ in range(_EMPTY_PAGES):
            if page is None or page.rows or page.cursor is None:
                break
            page = self.ask_on(page) or page
        return page

    def _heard(self, endpoint: str, params: dict[str, Any]) -> Heard:
        known = ENDPOINTS[endpoint]
        try:
            answer = self._api.ask(known.path, params)
        except NotFoundError as error:
            if endpoint == "instances":  # a project that is not there; of a history only an order may be unknown
                raise
            return Heard(endpoint, params, 404, words=error.detail)
        if answer.status >= 300:
            return Heard(endpoint, params, answer.status, words=answer.body["detail"])
        page = _decoded(known, answer)
        raw = answer.body[known.envelope]
        envelope = {name: value for name, value in answer.body.items() if name != known.envelope}
        return Heard(endpoint, params, answer.status, page.rows, raw, page.next_cursor, envelope)
