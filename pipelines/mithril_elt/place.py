"""The places that tables may be at: a DuckDB file, a PostgreSQL database, or files in a folder or a bucket.

Stands on `postgres` and `objects`, under everything that opens one.
"""

from __future__ import annotations

from pathlib import Path

from mithril_elt.objects import Objects
from mithril_elt.postgres import Postgres

__all__ = ["Place", "choice", "file_of"]

Place = Path | Postgres | Objects


def choice(place: Place) -> str:
    """The options of the command line that choose a place."""
    if isinstance(place, Path):
        return f"--db {place}"
    return "--destination postgres" if isinstance(place, Postgres) else f"--destination filesystem --db {place.file}"


def file_of(place: Place) -> Path | None:
    """The DuckDB file in which the models are built; None where a server builds them."""
    if isinstance(place, Objects):
        return place.file
    return place if isinstance(place, Path) else None
