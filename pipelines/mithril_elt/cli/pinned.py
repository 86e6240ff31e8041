"""Marts as they were at an earlier instant, for the commands that take `--as-of`.

Stands inside `cli`, on `transform`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from mithril_elt.errors import UsageError
from mithril_elt.instants import iso
from mithril_elt.place import Place

__all__ = ["as_of_then"]


@contextmanager
def as_of_then(db: Place, schema: str, dataset: str | None, pinned: datetime | None) -> Iterator[Place]:
    """The database whose marts are as of that instant: this one, or a scratch copy of it built so.

    Raises UsageError if the instant is past what the marts are built up to.
    """
    if pinned is None:
        yield db
        return
    from mithril_elt.reports import known_up_to  # noqa: PLC0415  # its reports take a while to load

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

    with build_scratch(db, as_of=pinned, dataset=dataset) as scratch:
        yield scratch
