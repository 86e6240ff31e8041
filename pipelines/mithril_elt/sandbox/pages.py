"""Pages and their cursors: a cursor says after which row to go on, and for which question it was given.

Stands under the sandbox's lists and histories. A page goes on after a row, not at a number, so rows
that come or go between two pages shift no other row.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import nlargest, nsmallest
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import msgspec

from mithril_elt.sandbox.lots import one_in
from mithril_elt.sandbox.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["Cursors", "Expiry", "Mark", "Page", "Place", "Turn", "ordered_page"]

T = TypeVar("T")
S = TypeVar("S")

Place = tuple[int | str, str]  # where a row stands in the order: what is sorted by, then the fid


class Mark(NamedTuple):
    """The row to go on after: its place, and the number of the event where a row is told in parts."""

    by: int | str
    fid: str
    number: int = 0

    @property
    def place(self) -> Place:
        """Where the row stands."""
        return self.by, self.fid


class Turn(NamedTuple):
    """Which page is asked for: what comes after that row (None: from the start on), or an empty one before it."""

    after: Mark | None
    is_empty: bool


_Cursor = tuple[str, Mark | None, bool]  # the question, then the turn


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and the row that the next page goes on after (None: these were the last)."""

    rows: list[T]
    last: Mark | None

    def map(self, write: Callable[[T], S]) -> Page[S]:
        """The same page with each row written so."""
        return Page([write(row) for row in self.rows], self.last)


@dataclass
class Expiry:
    """Refuses about a third of all cursors once: the first time that each is used."""

    _used: set[str] = field(default_factory=set)

    def check(self, cursor: str) -> None:
        """Raises RefusedError (400) if it is one of these, and is used for the first time."""
        if cursor not in self._used and one_in(3, "expired", cursor):
            self._used.add(cursor)
            raise RefusedError(400, "Cursor expired")


class Cursors:
    """Makes and reads the cursors of one question: an endpoint with its filters and its order."""

    def __init__(self, *question: object) -> None:
        self._question = blake2b(msgspec.json.encode(question), digest_size=8).hexdigest()

    def make(self, turn: Turn) -> str:
        """An opaque cursor that asks for that page."""
        return urlsafe_b64encode(msgspec.json.encode((self._question, *turn))).decode().rstrip("=")

    def read(self, cursor: str) -> Turn:
        """The page that the cursor asks for. Raises RefusedError (400) if it is no cursor of this question."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            question, after, is_empty = msgspec.json.decode(urlsafe_b64decode(padded), type=_Cursor)
        except (ValueError, Base64Error, msgspec.DecodeError):
            raise RefusedError(400, "Invalid cursor") from None
        if question != self._question:
            raise RefusedError(400, "The cursor was given for other filters")
        return Turn(after, is_empty)


def ordered_page(
    rows: Collection[T],
    place_of: Callable[[T], Place],
    *,
    descending: bool,
    limit: int,
    after: Mark | None,
    repeats_last: bool = False,
) -> Page[T]:
    """The first `limit` rows after that one, in the order of their places; and before them that one again."""
    repeated: list[T] = []
    if after is not None:
        place = after.place
        repeated = [row for row in rows if repeats_last and place_of(row) == place]
        rows = [row for row in rows if (place_of(row) < place if descending else place_of(row) > place)]
    first = (nlargest if descending else nsmallest)(limit + 1, rows, key=place_of)
    page = first[:limit]
    return Page(repeated + page, Mark(*place_of(page[-1])) if len(first) > limit else None)
