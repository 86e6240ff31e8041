"""From the bytes of an answer to typed rows: strict where money hangs on it, open where the API may grow.

Stands between `endpoints` and `client`; pure. A missing envelope, a wrong type or a missing required
field raises `ContractError`; an unknown field or status, or a time without a zone, is let through
with one warning each.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from mithril_elt.endpoints import KNOWN_STATUSES, Endpoint, Row
from mithril_elt.errors import ContractError

__all__ = ["Novelties", "Page", "decode_page", "money_cents", "money_usd", "utc"]

log = logging.getLogger("mithril_elt")


@dataclass
class Page:
    """One decoded answer: its rows, the unknown fields beside each, and where the next page is."""

    rows: list[Any]
    others: list[dict[str, Any]]
    next_cursor: str | None
    server_at: datetime
    size_bytes: int


@dataclass
class Novelties:
    """What this release did not expect and has warned of already; one for a run."""

    seen: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    def warn(self, sentence: str) -> None:
        """Warns once of each sentence."""
        if sentence not in self.seen:
            self.seen.add(sentence)
            self.warnings.append(sentence)
            log.warning(sentence)

    def status(self, status: str) -> None:
        """Warns of a status that nobody has documented."""
        if status not in KNOWN_STATUSES:
            self.warn(f"status {status} is new: loaded, and counted in a phase of its own (unknown)")

    def fields(self, endpoint: str, names: Iterable[str]) -> None:
        """Warns of fields that nobody has documented."""
        for name in sorted(names):
            self.warn(f"field {name} of {endpoint} is new: kept in other_fields where the table has it")


def decode_page(endpoint: Endpoint, body: bytes, *, server_at: datetime, novelties: Novelties) -> Page:
    """The rows of one answer.

    Raises:
        ContractError: not JSON, another envelope, a field missing or of another type.
    """
    answer = _json(endpoint, body)
    items, cursor = _unwrap(endpoint, answer)
    try:
        rows = msgspec.convert(items, list[endpoint.row])  # type: ignore[name-defined]  # a type known at run time
    except msgspec.ValidationError as error:
        raise ContractError(
            f"an answer of {endpoint.path} has another shape than documented ({error}): "
            "nothing of it was loaded; a newer release may know it"
        ) from error
    others = [_novel_fields(endpoint.name, endpoint.row, item, novelties) for item in items]
    return Page(rows, others, cursor, server_at, len(body))


def _json(endpoint: Endpoint, body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        start = body[:40].decode("utf-8", "replace")
        raise ContractError(
            f"{endpoint.path} answered something that is not JSON ({start!r} …): is the address that of the API?"
        ) from error


def _unwrap(endpoint: Endpoint, answer: Any) -> tuple[list[Any], str | None]:
    if endpoint.envelope == "":
        return [answer], None
    if endpoint.envelope is None:
        if isinstance(answer, list):
            return answer, None
        raise ContractError(f"{endpoint.path} answered {_shape(answer)} where a list is documented")
    if not isinstance(answer, dict) or not isinstance(answer.get(endpoint.envelope), list):
        raise ContractError(
            f"{endpoint.path} answered {_shape(answer)} where a list `{endpoint.envelope}` is documented"
        )
    cursor = answer.get("next_cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise ContractError(f"{endpoint.path} answered a next_cursor that is {_shape(cursor)}, not text")
    return answer[endpoint.envelope], cursor or None


def _shape(answer: Any) -> str:
    if isinstance(answer, dict):
        return "an object of " + (", ".join(sorted(map(str, answer))[:8]) or "nothing")
    return {list: "a list", str: "text", type(None): "null"}.get(type(answer), f"a {type(answer).__name__}")


@cache
def _shape_of(row: type[Row]) -> tuple[frozenset[str], tuple[tuple[str, type[Row]], ...]]:
    """The known fields of a row, and those that hold rows themselves."""
    nested = []
    for name, hint in get_type_hints(row).items():
        inner = get_args(hint)[0] if get_origin(hint) is list else hint
        if isinstance(inner, type) and issubclass(inner, Row):
            nested.append((name, inner))
    return frozenset(row.__struct_fields__), tuple(nested)


def _novel_fields(where: str, row: type[Row], item: dict[str, Any], novelties: Novelties) -> dict[str, Any]:
    known, nested = _shape_of(row)
    novel: dict[str, Any] = {}
    if item.keys() - known:
        novel = {name: item[name] for name in sorted(item.keys() - known)}
        novelties.fields(where, novel)
    if row.__struct_fields__ and isinstance(item.get("status"), str) and item["status"].startswith("STATUS_"):
        novelties.status(item["status"])
    for name, inner in nested:
        below = item.get(name) or []
        for each in below if isinstance(below, list) else [below]:
            _novel_fields(f"{where}.{name}", inner, each, novelties)
    return novel


def utc(at: datetime, novelties: Novelties | None = None) -> datetime:
    """That instant in UTC; a time without a zone is taken for UTC, with a warning."""
    if at.tzinfo is None:
        if novelties:
            novelties.warn("the API gives times without a zone: taken for UTC")
        return at.replace(tzinfo=UTC)
    return at.astimezone(UTC)


def money_usd(value: str | int | None) -> Decimal | None:
    """Exact dollars of any of the API's spellings: "$1,047.76" is dollars, a bare integer is cents.

    Raises:
        ContractError: the text is no amount, or has more than nine places.
    """
    if value is None:
        return None
    if isinstance(value, int):
        return Decimal(value).scaleb(-2)
    try:
        amount = Decimal(value.replace("$", "").replace(",", "").strip())
        kept = amount.quantize(Decimal("1e-9"))
    except InvalidOperation:
        raise _no_money(value) from None
    if kept != amount:
        raise _no_money(value)
    return kept


def money_cents(value: str | int | None) -> int | None:
    """Whole cents of any of the API's spellings.

    Raises:
        ContractError: the text is no amount, or not of whole cents.
    """
    usd = money_usd(value)
    if usd is None:
        return None
    cents = usd.scaleb(2)
    if cents != cents.to_integral_value():
        raise _no_money(str(value))
    return int(cents)


def _no_money(value: str) -> ContractError:
    return ContractError(f"the API answered the amount {value!r}, which is not one that can be kept exactly")
