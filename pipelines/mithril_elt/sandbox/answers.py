"""How the sandbox's endpoints answer: as JSON, with or without what has no value, page by page.

Stands under `routes` and `history_routes` in the sandbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import Response

from mithril_elt.sandbox.pages import Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from mithril_elt.sandbox.pages import Mark, Page
    from mithril_elt.sandbox.questions import Asking

__all__ = ["answer", "paged"]

_encoder = msgspec.json.Encoder()


def answer(here: Asking, content: Any) -> Response:
    """That content, without the keys that have no value if the readings leave them out."""
    if here.wording.readings.optional_keys == "absent":
        content = _without_nulls(content)
    return Response(_encoder.encode(content), media_type="application/json")


def paged(here: Asking, name: str, page_after: Callable[[Mark | None], Page[Any]]) -> Response:
    """The page that is asked for, its rows under that name; `page_after` gives the rows after a given one.

    Raises RefusedError (400) for a cursor that is none of this question's, or has expired.
    """
    readings = here.wording.readings
    turn = here.turn()
    if turn.is_empty:
        rows: list[Any] = []
        following: Turn | None = Turn(turn.after, is_empty=False)
    else:
        page = page_after(turn.after)
        rows = page.rows
        following = None if page.last is None else Turn(page.last, is_empty=readings.empty_pages)
    body = {name: _without_nulls(rows) if readings.optional_keys == "absent" else rows}
    if following is not None or readings.last_cursor == "null":
        body["next_cursor"] = None if following is None else here.cursors.make(following)
    return Response(_encoder.encode(body), media_type="application/json")


def _without_nulls(content: Any) -> Any:
    """Plain rows without their keys of no value. What is no plain row has said so itself where it was written."""
    if isinstance(content, dict):
        return {key: _without_nulls(value) for key, value in content.items() if value is not None}
    return [_without_nulls(each) for each in content] if isinstance(content, list) else content
