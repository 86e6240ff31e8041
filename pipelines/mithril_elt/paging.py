"""The guard against lists that never end: how far one walk through a list has come.

Stands beside `decode` under `client`; pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mithril_elt.decode import Page
from mithril_elt.endpoints import Endpoint
from mithril_elt.errors import ContractError

__all__ = ["Progress"]

_EMPTY_PAGES = 1_000  # so many in a row are no list any more


@dataclass
class Progress:
    """How far one walk through a list has come: the guard against lists that never end."""

    endpoint: Endpoint
    pages: int = 0
    empty_in_a_row: int = 0
    seen: set[str] = field(default_factory=set)

    def note(self, page: Page) -> None:
        """Raises ContractError for a cursor that was given before, or ever new ones on empty pages."""
        self.pages += 1
        self.empty_in_a_row = 0 if page.rows else self.empty_in_a_row + 1
        if page.next_cursor is None:
            return
        if page.next_cursor in self.seen:
            raise ContractError(f"{self.endpoint.path} gave the same next_cursor twice: its list would never end")
        if self.empty_in_a_row > _EMPTY_PAGES:
            raise ContractError(f"{self.endpoint.path} gave {_EMPTY_PAGES} empty pages in a row: is its list endless?")
        self.seen.add(page.next_cursor)
