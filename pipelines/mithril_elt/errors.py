"""What can go wrong, as one tree: each kind has an exit status and says in one sentence what to do.

Stands under everything but `visible`: what an error quotes, the API's own words above all, is harmless to look at.
"""

from __future__ import annotations

from mithril_elt.visible import shortened, visible

__all__ = [
    "ApiError",
    "BudgetError",
    "ContractError",
    "DataTestError",
    "KeyRefusedError",
    "LayoutError",
    "LockedError",
    "MithrilError",
    "NotFoundError",
    "StaleError",
    "UsageError",
    "WarehouseError",
]

_LONGEST = 4000  # signs of a sentence; what an API may put into one has no end


class MithrilError(Exception):
    """Base of all errors that a user can act on: one sentence, an exit status, the API's own words."""

    exit_status = 1

    def __init__(self, sentence: str, *, detail: str | None = None) -> None:
        self.sentence = visible(shortened(sentence, _LONGEST))
        self.detail = detail and visible(detail)
        super().__init__(self.sentence)

    def __str__(self) -> str:
        return f"{self.sentence} (the API says: {self.detail})" if self.detail else self.sentence


class UsageError(MithrilError):
    """An option, a setting or a combination of them that has no meaning."""

    exit_status = 2


class KeyRefusedError(MithrilError):
    """The key is missing, wrong, expired or has no right to what was asked (401, 403)."""

    exit_status = 3


class NotFoundError(MithrilError):
    """No such project, instance, bid or reservation (404)."""

    exit_status = 4


class ApiError(MithrilError):
    """The API or the way to it failed, after all retries."""

    exit_status = 5

    def __init__(self, sentence: str, *, detail: str | None = None, http_status: int | None = None) -> None:
        super().__init__(sentence, detail=detail)
        self.http_status = http_status


class ContractError(MithrilError):
    """The API answered, but not in the shape it promises: envelope, cursor, type."""

    exit_status = 6


class DataTestError(MithrilError):
    """A test of the models failed: the figures are not to be trusted until it is looked into."""

    exit_status = 7


class StaleError(MithrilError):
    """`status --check` finds the figures older than allowed, or the run or the build that they hang on not sound."""

    exit_status = 7


class BudgetError(MithrilError):
    """A budget is passed, or will be before its month is over."""

    exit_status = 7


class LockedError(MithrilError):
    """Another run holds the lock of this database."""

    exit_status = 8


class WarehouseError(MithrilError):
    """The database cannot be opened, read or written."""

    exit_status = 9


class LayoutError(WarehouseError):
    """A newer release wrote the database: this one would neither keep nor count all that is in it."""
