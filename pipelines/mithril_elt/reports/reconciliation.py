"""The vendor's own summaries beside our figures, asked of the mart that compares them.

Stands between marts and `compose`: the mart has the figures, whether they agree and what would explain them.
"""

from __future__ import annotations

from collections.abc import Sequence

from mithril_elt.reports.figures import Cell
from mithril_elt.reports.marts import Marts

__all__ = ["reconciled_rows"]


def reconciled_rows(marts: Marts, columns: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
    """Those columns of the reconciliation: what differs first, then what cannot be compared, then what agrees."""
    place = "case when agrees then 2 when agrees is null then 1 else 0 end"
    select = f"select {', '.join(columns)} from {{marts}}.fct_reconciliation"  # noqa: S608  # the catalog's own names
    return tuple(marts.rows(f"{select} order by {place}, reservation_id, field_order"))
