"""Budgets of a month held against what was spent and what is to come.

Stands on `reports`, whose measures it adds up: a file of the user's → `plan` → `outlook` → `check`.
"""

from mithril_elt.budgets.check import BudgetState, check_budgets
from mithril_elt.budgets.plan import Budget, read_budgets

__all__ = ["Budget", "BudgetState", "check_budgets", "read_budgets"]
