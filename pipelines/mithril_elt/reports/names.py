"""The names of what has an id: read from the marts, and put beside the ids for whoever reads a file.

Stands between marts and `compose`, on `groupings`; `render` and the exports add the names at the end of each row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mithril_elt.reports.groupings import Grouping
from mithril_elt.reports.marts import Marts

if TYPE_CHECKING:
    from mithril_elt.reports.compose import Report

__all__ = ["names_of", "with_names"]


def names_of(marts: Marts, grouping: Grouping) -> dict[str, str]:
    """The name of each id of a grouping that has one; of a grouping without names nothing."""
    return {
        str(identity): name
        for mart, column, name_column in grouping.names
        for identity, name in marts.rows(" ".join(("select", column, ",", name_column, "from {marts}." + mart)))
        if identity and name
    }


def with_names(report: Report) -> Report:
    """The same report with a column more for each of its ids that has names: `project_name` of `project_id`.

    The columns are the last ones, also where no name is known: there they are null.
    """
    places = {column: place for place, column in enumerate(report.group_columns) if column in report.names}
    columns = tuple(f"{column.removesuffix('_id')}_name" for column in places)
    named = tuple(
        (*row, *(report.names[column].get(str(row[place])) for column, place in places.items())) for row in report.rows
    )
    return replace(report, columns=(*report.columns, *columns), rows=named)
