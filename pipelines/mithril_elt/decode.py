"""From the bytes of an answer to typed rows: strict where money hangs on it, open where the API may grow.

Stands between `endpoints` and `client`; pure. A missing envelope, a wrong type or a missing required
field raises `ContractError`; an unknown field or word, a missing optional field, or a time without a zone, is
let through with one warning each.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import cache
from typing import Any, Protocol, get_args, get_origin

import msgspec

from mithril_elt.endpoints import KNOWN_STATUSES, Duration, Endpoint, Row
from mithril_elt.errors import ContractError, MithrilError
from mithril_elt.instants import parse_iso_duration
from mithril_elt.visible import shortened, visible
from mithril_elt.wire import GarbledError

__all__ = ["Decode", "Novelties", "Page", "decode_json", "decode_page", "money_cents", "money_usd", "typed_rows", "utc"]

log = logging.getLogger("mithril_elt")

_AMOUNT = re.compile(r"(-?)\$?(-?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?", re.ASCII)
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])  # whatever the program around has set
_LONGEST_WARNING = 400
_NINE_PLACES = Decimal("1e-9")


@dataclass
class Page:
    """One decoded answer: its rows, the unknown fields beside each, and where the next page is.

    `refusal`: the error in place of rows, for a question that was asked knowing that it might be refused.
    """

    rows: list[Any]
    others: list[dict[str, Any]]
    next_cursor: str | None
    server_at: datetime
    size_bytes: int
    refusal: MithrilError | None = None


@dataclass
class Novelties:
    """What this release did not expect and has warned of already; one for a run."""

    seen: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    def warn(self, sentence: str) -> None:
        """Warns once of each sentence, which quotes what the API said."""
        sentence = visible(shortened(sentence, _LONGEST_WARNING))
        if sentence not in self.seen:
            self.seen.add(sentence)
            self.warnings.append(sentence)
            log.warning(sentence)

    def word(self, endpoint: str, field_name: str, word: str) -> None:
        """Warns of a word that nobody has documented for that field."""
        self.warn(f"{field_name} {shortened(word)!r} of {endpoint} is new: loaded as it is")

    def status(self, status: str) -> None:
        """Warns of a status of an instance that nobody has documented."""
        self.warn(f"status {shortened(status)!r} is new: loaded, and counted in a phase of its own (unknown)")

    def fields(self, endpoint: str, names: Iterable[str]) -> None:
        """Warns of fields that nobody has documented."""
        for name in sorted(names):
            self.warn(f"field {shortened(name)} of {endpoint} is new: kept in other_fields where the table has it")

    def missing(self, endpoint: str, names: Iterable[str]) -> None:
        """Warns of fields that are documented and did not come."""
        for name in sorted(names):
            self.warn(f"field {name} of {endpoint} is missing: loaded as if it were null")


class Decode(Protocol):
    """What makes a page of the bytes of an answer."""

    def __call__(self, endpoint: Endpoint, body: bytes, *, server_at: datetime, novelties: Novelties) -> Page:
        """The page; it raises what `decode_page` raises."""


def decode_page(endpoint: Endpoint, body: bytes, *, server_at: datetime, novelties: Novelties) -> Page:
    """The rows of one answer.

    Raises:
        GarbledError: not JSON.
        ContractError: another envelope, a field missing or of another type.
    """
    answer = decode_json(body, what=endpoint.path)
    items, cursor = _unwrap(endpoint, answer, novelties)
    rows = typed_rows(endpoint, items)
    others = [_look_for_news(endpoint.name, endpoint.row, item, novelties) for item in items]
    return Page(rows, others, cursor, server_at, len(body))


def typed_rows(endpoint: Endpoint, items: list[Any]) -> list[Any]:
    """The rows that those items of an answer stand for.

    Raises:
        ContractError: a field is missing or of another type.
    """
    try:
        return msgspec.convert(items, list[endpoint.row], dec_hook=_other_type)  # type: ignore[name-defined]  # a type known at run time
    except msgspec.ValidationError as error:
        raise ContractError(
            f"an answer of {endpoint.path} has another shape than documented ({error}): "
            "nothing of it was loaded; a newer release may know it"
        ) from error


def decode_json(body: bytes, *, what: str) -> Any:
    """What the JSON says.

    Raises:
        GarbledError: it is none, or was cut.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        start = body[:40].decode("utf-8", "replace")
        raise GarbledError(f"{what} answered something that is not JSON ({start!r} …)") from None


def _other_type(kind: type, value: Any) -> Any:
    """What the rows have and JSON's libraries do not know: durations."""
    if kind is not Duration or not isinstance(value, str):
        raise TypeError(f"Expected `{kind.__name__}`, got `{type(value).__name__}`")
    return Duration(microseconds=parse_iso_duration(value) // timedelta(microseconds=1))


def _unwrap(endpoint: Endpoint, answer: Any, novelties: Novelties) -> tuple[list[Any], str | None]:
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
    _look_beside(endpoint, answer, novelties)
    cursor = answer.get("next_cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise ContractError(f"{endpoint.path} answered a next_cursor that is {_shape(cursor)}, not text")
    return answer[endpoint.envelope], cursor or None


def _look_beside(endpoint: Endpoint, answer: dict[str, Any], novelties: Novelties) -> None:
    """What the envelope has besides rows and cursor; a cursor by another name would end the list too soon."""
    for name in sorted(answer.keys() - {endpoint.envelope, "next_cursor"}):
        leads_on = any(word in name.lower() for word in ("cursor", "next")) and "prev" not in name.lower()
        if leads_on and answer[name] and "next_cursor" not in answer:
            raise ContractError(f"{endpoint.path} answered {name} where next_cursor is documented")
        novelties.warn(f"{endpoint.path} answers {name} beside its rows: new, and not used")


def _shape(answer: Any) -> str:
    if isinstance(answer, dict):
        return "an object of " + (", ".join(sorted(map(str, answer))[:8]) or "nothing")
    return {list: "a list", str: "text", type(None): "null"}.get(type(answer), f"a {type(answer).__name__}")


@dataclass(frozen=True)
class _Fields:
    """What is known of a kind of row: all its fields, those that it always has, and those that hold rows."""

    known: frozenset[str]
    expected: frozenset[str]
    nested: tuple[tuple[str, type[Row]], ...]


@cache
def _fields_of(row: type[Row]) -> _Fields:
    fields = msgspec.structs.fields(row)
    inner = {f.name: get_args(f.type)[0] if get_origin(f.type) is list else f.type for f in fields}
    return _Fields(
        known=frozenset(inner),
        expected=frozenset(inner) - row.may_lack,
        nested=tuple((name, t) for name, t in inner.items() if isinstance(t, type) and issubclass(t, Row)),
    )


def _look_for_news(where: str, row: type[Row], item: dict[str, Any], novelties: Novelties) -> dict[str, Any]:
    """Warns of what is new or missing in a row and in the rows inside it; its unknown fields."""
    fields = _fields_of(row)
    novel: dict[str, Any] = {}
    if item.keys() != fields.known:
        novel = {name: item[name] for name in sorted(item.keys() - fields.known)}
        novelties.fields(where, novel)
        novelties.missing(where, fields.expected - item.keys())
    for name, words in row.words.items():
        if (word := item.get(name)) is not None and word not in words:
            novelties.status(word) if words is KNOWN_STATUSES else novelties.word(where, name, word)
    for name, inner in fields.nested:
        below = item.get(name) or []
        for each in below if isinstance(below, list) else [below]:
            _look_for_news(f"{where}.{name}", inner, each, novelties)
    return novel


def utc(at: datetime, novelties: Novelties | None = None) -> datetime:
    """That instant in UTC; a time without a zone is taken for UTC, with a warning.

    Raises:
        ContractError: its offset leads out of the years 1 to 9999.
    """
    if at.tzinfo is None:
        if novelties:
            novelties.warn("the API gives times without a zone: taken for UTC")
        return at.replace(tzinfo=UTC)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ContractError(f"the API answered the time {at.isoformat()}, which is none in UTC") from None


def money_usd(value: str | int | None) -> Decimal | None:
    """Exact dollars of any of the API's spellings: "$1,047.76" is dollars, a bare integer is cents.

    Raises:
        ContractError: the text is no amount, or has more than nine places.
    """
    if value is None:
        return None
    try:
        if isinstance(value, int):
            return _EXACT.quantize(_EXACT.scaleb(Decimal(value), -2), _NINE_PLACES)
        return _EXACT.quantize(_dollars(value), _NINE_PLACES)
    except (InvalidOperation, Inexact):
        raise _no_money(value) from None


def _dollars(text: str) -> Decimal:
    """The amount that a text names; a comma only where it parts thousands, so that 1,99 is no 199."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or (found[1] and found[2]):
        raise InvalidOperation
    return Decimal(f"{found[1] or found[2]}{found[3].replace(',', '')}{found[4] or ''}")


def money_cents(value: str | int | None) -> int | None:
    """Whole cents of any of the API's spellings.

    Raises:
        ContractError: the text is no amount, or not of whole cents.
    """
    usd = money_usd(value)
    if usd is None or value is None:
        return None
    cents = _EXACT.scaleb(usd, 2)
    if _EXACT.to_integral_value(cents) != cents:
        raise _no_money(value)
    return int(cents)


def _no_money(value: str | int) -> ContractError:
    return ContractError(f"the API answered the amount {value!r}, which is not one that can be kept exactly")
