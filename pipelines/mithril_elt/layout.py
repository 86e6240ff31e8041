"""Which layout of the raw tables a database has: looked at by all who open it.

Stands under `warehouse`; `migration` notes it. A release goes on with what an older one left; what a newer one wrote
it leaves alone, since it would neither keep nor count what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mithril_elt.errors import LayoutError
from mithril_elt.place import Place

__all__ = ["LAYOUT", "LAYOUTS", "check_layout", "check_releases"]

# To be raised with each release that changes a raw table or what dlt's state remembers. 1 is that of 0.1.0, which
# notes none; 2 has withdrawn rows, readings of lists and of the vendor's summaries, and ends of price periods.
LAYOUT = 2

LAYOUTS = "layouts"  # a table of the raw schema: layout, version, since; columns may be added, never renamed


def check_layout(connection: Any, db: Place) -> None:
    """Passes what this release or an older one wrote.

    Raises:
        LayoutError: a newer release wrote it.
    """
    # No bound parameter: for one DuckDB imports pandas, which takes longer than a report.
    listed = "select table_schema, table_name from information_schema.tables where table_catalog = current_database()"
    tables = connection.execute(listed).fetchall()
    for schema in (schema for schema, table in tables if table == LAYOUTS and f"_{schema}".endswith("_raw")):
        newest = f'select layout, version from "{schema}".{LAYOUTS} order by layout desc, since desc limit 1'  # noqa: S608  # own names
        check_releases(connection.execute(newest).fetchall(), db)


def check_releases(releases: Iterable[tuple[int, str]], db: Place) -> None:
    """Passes if none of those layouts and releases is newer than this one.

    Raises:
        LayoutError: one is.
    """
    for layout, release in releases:
        if layout > LAYOUT:
            raise LayoutError(
                f"{db} was written by mithril-elt {release} (layout {layout}), this is mithril-elt"
                f" {version('mithril-elt')} (layout {LAYOUT}): install {release} or newer, or choose another"
                f" {'file with --db' if isinstance(db, Path) else 'place'}"
            )
