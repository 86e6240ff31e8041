"""The command `budget`: budgets of the user's own file beside what was spent and what is to come, for a scheduler.

Stands at the end of the flow, inside `cli`, on `budgets`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.options import as_json_option, db_options
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.errors import BudgetError, UsageError
from mithril_elt.instants import iso
from mithril_elt.place import Place

if TYPE_CHECKING:
    from mithril_elt.budgets import BudgetState

__all__ = ["budget_command"]


@click.group("budget")
def budget_command() -> None:
    """Hold budgets against what was spent and what is to come."""


@budget_command.command("check")
@click.option(
    "--budgets",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="MITHRIL_BUDGETS",
    default="budgets.csv",
    show_default=True,
    metavar="FILE",
    help="CSV with scope_kind, scope_id, month, amount_usd; or MITHRIL_BUDGETS.",
)
@db_options
@as_json_option
def check_command(*, file: Path, db: Place, dataset: str | None, as_json: bool) -> None:
    """Say of each budget what was spent, what is foreseen and whether it will do; ends with 7 if one will not.

    A budget is for one month, where the models cut it, and for all, or for one project, user, instance-type, region,
    reservation or bid.
    It is held against net cost, as `report cost` tells it. Foreseen are the reserved hours still to come, which are
    paid for whether used or not, and spot as on the mean of the last seven days; beside it stand the cheapest and
    the dearest of them. Credits still to be earned are not foreseen. A month that is over raises no alarm.

    \b
    Example:
      mithril-elt budget check --budgets budgets.csv
    """
    from mithril_elt.budgets import check_budgets, read_budgets  # noqa: PLC0415  # kept out of --help
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb: not for --help

    at, states, warnings = check_budgets(db, read_budgets(file), marts_schema=schema_name("marts", dataset))
    if as_json:
        told = {"as_of": iso(at), "warnings": warnings, "budgets": [_facts(state) for state in states]}
        say_facts({**told, "age_hours": f"{_age_hours(at):.1f}"})
    else:
        estimated = "Dollars are estimated from the API's histories; this is not an invoice."
        say(f"Counted up to {iso(at)}, {_age_hours(at):,.1f} hours ago. {estimated}")
        for state in states:
            say(_sentence(state, at))
        for warning in warnings:
            say(f"Warning: {warning}", err=True)
    _end(states)


def _end(states: list[BudgetState]) -> None:
    """Ends with the worst that there is: a budget that will not do, or one that nothing can be held against."""
    alarms = [state.budget for state in states if state.is_alarm]
    if alarms:
        named = ", ".join(f"{budget.scope} in {budget.month:%Y-%m}" for budget in alarms[:3])
        more = f" and {len(alarms) - 3} more" if len(alarms) > 3 else ""
        raise BudgetError(f"{len(alarms)} of {len(states)} budgets are or will be passed: {named}{more}")
    unknown = [state.budget.scope for state in states if state.state == "unknown scope"]
    if unknown:
        raise UsageError(f"nothing loaded is of {', '.join(dict.fromkeys(unknown))}: its budget was not checked")


def _facts(state: BudgetState) -> dict[str, Any]:
    return {
        "scope_kind": state.budget.scope_kind,
        "scope_id": state.budget.scope_id or None,
        "month": f"{state.budget.month:%Y-%m}",
        "amount_usd": f"{state.budget.amount_usd:f}",
        "state": state.state,
        "spent_usd": _exact(state.spent_usd),
        "forecast_usd": _exact(state.forecast_usd),
        "forecast_low_usd": _exact(state.forecast_low_usd),
        "forecast_high_usd": _exact(state.forecast_high_usd),
        "passes_at": iso(state.passes_at),
    }


def _age_hours(at: datetime) -> Decimal:
    """How long ago that was, by this machine's clock."""
    return Decimal(int((datetime.now(UTC) - at).total_seconds())) / 3600


def _exact(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _sentence(state: BudgetState, at: datetime) -> str:
    budget = state.budget
    parts = [f"{state.state}: {budget.scope}, {budget.month:%Y-%m}, {budget.amount_usd:,.2f} USD"]
    if state.spent_usd is not None:
        parts.append(f"spent {state.spent_usd:,.2f}")
    if state.forecast_usd is not None:
        parts.append(
            f"foreseen {state.forecast_usd:,.2f} ({state.forecast_low_usd:,.2f} to {state.forecast_high_usd:,.2f})"
        )
    if state.passes_at is not None:
        parts.append(f"passed by {iso(state.passes_at)}, in {(state.passes_at - at).total_seconds() / 86_400:.1f} days")
    return "; ".join(parts)
