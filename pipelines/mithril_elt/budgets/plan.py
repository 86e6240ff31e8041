"""The user's budgets: a CSV file with a row for each scope and month.

Stands at the beginning of `budgets`. Nothing is guessed: a row that cannot be read is refused by its number.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from mithril_elt.errors import UsageError
from mithril_elt.instants import midnight

__all__ = ["EVERYTHING", "SCOPES", "Budget", "read_budgets"]

EVERYTHING = "all"
SCOPES = ("project", "user", "instance-type", "region", "reservation", "bid")
_COLUMNS = ("scope_kind", "scope_id", "month", "amount_usd")
_CENT_US = 360_000_000_000  # of a dollar
_PLACES = 9


@dataclass(frozen=True)
class Budget:
    """What may be spent in the month that begins on a day, by all (`scope_id` is empty) or by one project, user,
    type and so on.
    """

    scope_kind: str
    scope_id: str
    month: date
    amount_usd: Decimal

    @property
    def amount_cent_us(self) -> int:
        """The amount in the integers of the marts."""
        return int(self.amount_usd * _CENT_US)

    def begins_at(self, zone: str) -> datetime:
        """The first instant of the month, where days are cut in that zone."""
        return midnight(self.month, zone)

    def ends_at(self, zone: str) -> datetime:
        """The first instant after it."""
        year, month = self.month.year + self.month.month // 12, self.month.month % 12 + 1
        return midnight(self.month.replace(year=year, month=month), zone)

    @property
    def scope(self) -> str:
        """Whose it is, in words."""
        return f"{self.scope_kind} {self.scope_id}".strip()


def read_budgets(path: Path) -> list[Budget]:
    """The budgets of a file, in its order.

    Raises:
        UsageError: there is no such file, it lacks a column or has no row, or a row is no budget or is there twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
            found = tuple(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"the budgets in {path} cannot be read ({error}): it is a CSV file with {_named()}") from error
    missing = [name for name in _COLUMNS if name not in found]
    if missing or not rows:
        lacking = f"lacks {', '.join(missing)}" if missing else "has no budget"
        raise UsageError(f"{path} {lacking}: it is a CSV file with {_named()}, and a row for each scope and month")
    budgets = [_budget(row, f"{path}, line {line}") for line, row in rows]
    keys = [(each.scope_kind, each.scope_id, each.month) for each in budgets]
    for (line, _), key in zip(rows, keys, strict=True):
        if keys.count(key) > 1:
            raise UsageError(f"{path}, line {line}: there is another budget for the same scope and month")
    return budgets


def _named() -> str:
    return "the columns " + ", ".join(_COLUMNS)


def _budget(row: dict[str, str | None], where: str) -> Budget:
    kind, identity, month, amount = ((row[name] or "").strip() for name in _COLUMNS)
    if kind not in (EVERYTHING, *SCOPES):
        raise UsageError(f"{where}: {kind!r} is no scope: there are {', '.join((EVERYTHING, *SCOPES))}")
    if (kind == EVERYTHING) is bool(identity):
        raise UsageError(f"{where}: {kind} takes {'no' if identity else 'a'} scope_id")
    if not re.fullmatch(r"(19[789]|20[0-9]|21[0-9])[0-9]-(0[1-9]|1[0-2])", month):
        raise UsageError(f"{where}: {month!r} is no month such as 2026-03")
    return Budget(kind, identity, date.fromisoformat(f"{month}-01"), _amount(amount, where))


def _amount(text: str, where: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    exponent = amount.as_tuple().exponent
    if not amount.is_finite() or amount <= 0 or not isinstance(exponent, int) or exponent < -_PLACES:
        raise UsageError(f"{where}: {text!r} is no amount of dollars such as 25000 or 99.50")
    return amount
