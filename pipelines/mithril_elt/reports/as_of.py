"""A report of an earlier instant: the marts as they are, or built anew in a scratch database up to then.

Stands beside `compose`, on `transform`, which is loaded only where something has to be built.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from mithril_elt.errors import UsageError
from mithril_elt.instants import iso
from mithril_elt.place import Place
from mithril_elt.reports.compose import days_of, known_up_to

__all__ = ["marts_as_of"]


@contextmanager
def marts_as_of(db: Place, pinned: datetime | None, *, dataset: str | None = None) -> Iterator[Place]:
    """The place whose marts are as of that instant: this one, or a scratch copy of it, which is removed at the end.

    Raises:
        UsageError: the marts do not reach so far, or there are none.
        DataTestError, LockedError, WarehouseError: as `build_scratch` and `known_up_to` do.
    """
    if pinned is None:
        yield db
        return
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb: not for --help

    schema = schema_name("marts", dataset)
    instants = known_up_to(db, marts_schema=schema)
    if not instants or pinned > max(instants):
        until = iso(max(instants)) if instants else "nothing yet"
        raise UsageError(
            f"--as-of {iso(pinned)} is past what the marts are built up to ({until}): `mithril-elt run` goes on"
            " from there"
        )
    if pinned == min(instants) == max(instants):
        yield db
        return
    from mithril_elt.transform import build_scratch  # noqa: PLC0415  # loads dbt, which takes seconds

    with build_scratch(db, as_of=pinned, dataset=dataset, timezone=days_of(db, marts_schema=schema)) as scratch:
        yield scratch
