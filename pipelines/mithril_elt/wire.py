"""What an HTTP answer means, apart from who carries it: an error, a wait, or rows to decode.

Stands beside `decode` under `client`; pure. Statuses and messages are those of the API's public
description: `{"detail": "text"}`, or FastAPI's list of `{"loc", "msg"}` for 422.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from mithril_elt.errors import ApiError, ContractError, KeyRefusedError, MithrilError, NotFoundError

__all__ = ["GarbledError", "Refused", "RetryableError", "judge", "request_id", "retry_after_s", "server_clock"]

_SECONDS = re.compile(r"(\d+)(\.\d*)?", re.ASCII)
_REQUEST_IDS = ("x-request-id", "x-correlation-id", "request-id", "cf-ray")  # none is documented: what is usual
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
_KEY = "the key was refused ({status}) by {what}: is MITHRIL_API_KEY set to one that is valid and not expired?"
_FINAL: dict[int, tuple[type[MithrilError], str]] = {
    401: (KeyRefusedError, _KEY),
    403: (KeyRefusedError, _KEY),
    404: (NotFoundError, "{what} does not exist or is not this key's to see ({status})"),
}


class RetryableError(ApiError):
    """A failure that may pass: worth another try after `wait_s`, if the API named a wait."""

    def __init__(self, sentence: str, *, detail: str | None = None, http_status: int | None = None, wait_s: int = 0):
        super().__init__(sentence, detail=detail, http_status=http_status)
        self.wait_s = wait_s

    def final(self, added: str) -> MithrilError:
        """The error once there is no other try, with those words added to its sentence."""
        return ApiError(self.sentence + added, detail=self.detail, http_status=self.http_status)


class GarbledError(ContractError, RetryableError):
    """A good status with what is no JSON: damaged on its way, or from something that is not the API."""

    def final(self, added: str) -> ContractError:
        """A breach of the contract: whoever answers there does not speak as the API does."""
        return ContractError(f"{self.sentence}{added}: is the address that of the API?")


class Refused(ApiError):  # noqa: N818  # named for what the API did, like its siblings' HTTP words
    """The API understood and said no (400, 405, 409, 410, 422, 501)."""

    exit_status = 2


def judge(status: int, headers: Mapping[str, str], body: bytes, *, what: str) -> MithrilError | None:
    """The error that an answer stands for, or None where it is good to decode."""
    if 200 <= status < 300:
        return _misfit(headers, body, what=what)
    if 300 <= status < 400:
        return ContractError(f"{what} answered a redirect ({status}), which is not followed with a key")
    detail = _detail(body)
    if status in _RETRYABLE:
        words = "asked to slow down" if status == 429 else "failed"
        wait_s = retry_after_s(headers)
        return RetryableError(f"{what} {words} ({status})", detail=detail, http_status=status, wait_s=wait_s)
    if status in _FINAL:
        kind, sentence = _FINAL[status]
        return kind(sentence.format(what=what, status=status), detail=detail)
    if status in (400, 405, 409, 410, 422, 501):
        return Refused(f"{what} was refused ({status})", detail=detail, http_status=status)
    return ApiError(f"{what} answered {status}", detail=detail, http_status=status)


def _misfit(headers: Mapping[str, str], body: bytes, *, what: str) -> GarbledError | None:
    kind = headers.get("content-type", "application/json")
    if "json" not in kind.lower():
        return GarbledError(f"{what} answered {kind or 'no content type'}, not JSON")
    return None if body else GarbledError(f"{what} answered with nothing in it")


def _detail(body: bytes) -> str | None:
    """The API's own words, in one line of at most 300 characters."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    detail = answer.get("detail") if isinstance(answer, dict) else None
    said = "; ".join(map(_complaint, detail)) if isinstance(detail, list) else str(detail or "")
    return " ".join(said.split())[:300] or None


def _complaint(item: Any) -> str:
    """One item of FastAPI's list: where, and what is wrong there."""
    if not isinstance(item, dict):
        return str(item)
    place = item.get("loc")
    return f"{'.'.join(map(str, place)) if isinstance(place, list) else place or ''}: {item.get('msg', '')}"


def retry_after_s(headers: Mapping[str, str]) -> int:
    """Seconds to wait by `Retry-After`, in seconds or as an HTTP date by the server's clock; 0 if none."""
    value = headers.get("retry-after", "").strip()
    if seconds := _SECONDS.fullmatch(value):
        return int(seconds[1][:9]) + bool(seconds[2])  # nine digits are beyond any budget
    until = _http_date(value)
    if until is None:
        return 0
    return max(0, -((server_clock(headers) - until) // timedelta(seconds=1)))


def request_id(headers: Mapping[str, str]) -> str | None:
    """What the server calls the request in its own log, by the usual headers; None if it says nothing."""
    return next((headers[name][:100] for name in _REQUEST_IDS if headers.get(name)), None)


def server_clock(headers: Mapping[str, str]) -> datetime:
    """The server's clock by its `Date` header, this machine's where it has none; UTC, whole seconds."""
    return _http_date(headers.get("date", "")) or datetime.now(UTC).replace(microsecond=0)


def _http_date(text: str) -> datetime | None:
    """An HTTP date in UTC, also where it names no zone; None if it is none."""
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
