"""Pages and their cursors: a cursor says after which row to go on, and for which question it was given.

Stands under the sandbox's lists and histories. A page goes on after a row, not at a number, so rows
that come or go between two pages shift no other row.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nlargest, nsmallest
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from mithril_elt.sandbox.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Cursors", "Page", "Place", "cut_page", "ordered_page"]

T = TypeVar("T")

Place = tuple[int | str, str]  # where a row stands in the order: what is sorted by, then the fid

_Cursor = tuple[str, int | str, str]  # the question, then the place of the last row given


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and the cursor for the next ones (None: these were the last)."""

    rows: list[T]
    next_cursor: str | None


class Cursors:
    """Makes and reads the cursors of one question: an endpoint with its filters and its order."""

    def __init__(self, *question: object) -> None:
        self._question = blake2b(msgspec.json.encode(question), digest_size=8).hexdigest()

    def make(self, place: Place) -> str:
        """An opaque cursor that goes on after `place`."""
        return urlsafe_b64encode(msgspec.json.encode((self._question, *place))).decode().rstrip("=")

    def read(self, cursor: str | None) -> Place | None:
        """The place to go on after; None at the start. Raises RefusedError (400) for any other cursor."""
        if cursor is None:
            return None
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            question, *place = msgspec.json.decode(urlsafe_b64decode(padded), type=_Cursor)
        except (ValueError, Base64Error, msgspec.DecodeError):
            raise RefusedError(400, "Invalid cursor") from None
        if question != self._question:
            raise RefusedError(400, "The cursor was given for other filters")
        return place[0], str(place[1])


def ordered_page(
    rows: Iterable[T],
    place_of: Callable[[T], Place],
    *,
    descending: bool,
    limit: int,
    cursor: str | None,
    cursors: Cursors,
) -> Page[T]:
    """The first `limit` rows after the cursor, in the order of their places. Raises RefusedError for a bad cursor."""
    after = cursors.read(cursor)
    if after is not None:
        rows = [row for row in rows if (place_of(row) < after if descending else place_of(row) > after)]
    first = (nlargest if descending else nsmallest)(limit + 1, rows, key=place_of)
    return cut_page(first, place_of, limit, cursors)


def cut_page(rows: Sequence[T], place_of: Callable[[T], Place], limit: int, cursors: Cursors) -> Page[T]:
    """The first `limit` rows; the cursor goes on after them, and is null if there are no more."""
    page = list(rows[:limit])
    return Page(page, cursors.make(place_of(page[-1])) if len(rows) > limit else None)
