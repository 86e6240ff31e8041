"""Each budget held against what was spent and what is to come: which are passed, and which will be, and when.

The end of `budgets`: the command prints what this returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from mithril_elt.budgets.outlook import TRAILING_DAYS, Outlooks
from mithril_elt.budgets.plan import Budget
from mithril_elt.errors import UsageError
from mithril_elt.place import Place
from mithril_elt.reports.apportion import as_decimal, divide
from mithril_elt.reports.marts import read_marts
from mithril_elt.reports.notices import notices
from mithril_elt.reports.span import Span

if TYPE_CHECKING:
    import duckdb

__all__ = ["BudgetState", "check_budgets"]

_USD = 360_000_000_000


@dataclass(frozen=True)
class BudgetState:
    """A budget and how it stands: dollars of 12 places; None where nothing is known to foresee it by.

    `state`: `passed`, `will be passed` (on the mean), `may be passed` (if all days are as dear as the dearest of late),
    `within`; of a month that is over `was passed` or `was kept`; `unknown` without a day to foresee spot by;
    `unknown scope` where the marts have no such thing.
    """

    budget: Budget
    state: str
    spent_usd: Decimal | None = None
    forecast_usd: Decimal | None = None
    forecast_low_usd: Decimal | None = None
    forecast_high_usd: Decimal | None = None
    passes_at: datetime | None = None

    @property
    def is_alarm(self) -> bool:
        """Whether somebody should be woken."""
        return self.state in {"passed", "will be passed"}


def check_budgets(
    db: Place | duckdb.DuckDBPyConnection, budgets: Sequence[Budget], *, marts_schema: str = "marts"
) -> tuple[datetime, list[BudgetState], list[str]]:
    """The whole hour up to which was counted, each budget's state in the order given, and what is not known beside it.

    Raises UsageError where nothing is complete yet, WarehouseError as `report` does.
    """
    with read_marts(db, marts_schema) as marts:
        projects = marts.projects()
        complete = [project.as_of for project in projects if project.as_of is not None]
        if not complete:
            raise UsageError("nothing is loaded to its end yet: `mithril-elt run` loads it")
        at = min(complete).replace(minute=0, second=0, microsecond=0)
        outlooks = Outlooks(marts, at)
        known = {kind: outlooks.known_scopes(kind) for kind in {budget.scope_kind for budget in budgets}}
        states = [
            _state(budget, outlooks)
            if budget.scope_id in known[budget.scope_kind]
            else BudgetState(budget, "unknown scope")
            for budget in budgets
        ]
        first = min((budget.begins_at(marts.timezone) for budget in budgets), default=at)
        warnings = notices(marts, "cost", projects, Span(min(first, at)))
    return at, states, [*warnings, *_on_no_days(states)]


def _state(budget: Budget, outlooks: Outlooks) -> BudgetState:
    outlook = outlooks.of(budget)
    spent, amount = outlook.spent_cent_us, budget.amount_cent_us
    if outlook.at >= outlook.ends_at:
        return BudgetState(budget, "was passed" if spent > amount else "was kept", _usd(spent))
    if not outlook.spot_days:
        # What is committed passes a budget by itself, but nothing tells that one is kept.
        committed = outlook.forecast_cent_us(0)
        state = "passed" if spent > amount else "will be passed" if committed > amount else "unknown"
        return BudgetState(budget, state, _usd(spent))
    low, high = (outlook.forecast_cent_us(day) for day in (min(outlook.spot_days), max(outlook.spot_days)))
    mean = outlook.mean_cent_us
    verdicts = (("passed", spent), ("will be passed", mean), ("may be passed", high))
    state = next((verdict for verdict, cost in verdicts if cost > amount), "within")
    passes_at = outlook.passes_at(amount) if state == "will be passed" else None
    return BudgetState(budget, state, _usd(spent), _usd(mean), _usd(low), _usd(high), passes_at)


def _on_no_days(states: Sequence[BudgetState]) -> list[str]:
    if not any(state.state == "unknown" for state in states):
        return []
    return [f"There is no whole day of history, of {TRAILING_DAYS} at most, to foresee spot cost by: no forecast."]


def _usd(cent_us: int) -> Decimal:
    return as_decimal(divide(cent_us, _USD))
