"""How the marts stand, in two figures: up to when they are complete, and what they lack a price for.

Stands between marts and whoever tells of a run: the figures that decide whether somebody is to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from mithril_elt.place import Place
from mithril_elt.reports.apportion import as_decimal, divide
from mithril_elt.reports.marts import read_marts

__all__ = ["State", "state_of"]

_HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class State:
    """The earliest as_of of all projects, None if none has one; and the hours billed on spot without a price."""

    as_of: datetime | None
    unpriced_hours: Decimal


def state_of(db: Place, *, marts_schema: str = "marts") -> State:
    """How the marts of a database stand; raises as `report` does."""
    with read_marts(db, marts_schema) as marts:
        [(unpriced_us,)] = marts.rows(
            "select cast(coalesce(sum(unpriced_us), 0) as hugeint) from {marts}.fct_cost_daily"
        )
        as_of = min((project.as_of for project in marts.projects() if project.as_of is not None), default=None)
    return State(as_of, as_decimal(divide(int(unpriced_us), _HOUR_US)))
