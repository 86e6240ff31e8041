"""The database that a notebook asks: by its arguments, by the environment, or the usual one.

Stands under the notebooks, on `opened`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import marimo as mo

from mithril_elt.errors import MithrilError, UsageError
from mithril_elt.opened import OpenMarts, open_marts

__all__ = ["connected", "plainly"]

_DEFAULTS = {"db": "mithril.duckdb", "destination": "duckdb", "dataset": None}


def connected() -> OpenMarts:
    """The marts that `-- --db FILE` names, or `MITHRIL_DB`, or `mithril.duckdb`; likewise `destination`, `dataset`.

    Where they cannot be read, or have no figures yet, the notebook stops here and says in one sentence what to do.

    Raises:
        MithrilError: the same where marimo does not run the notebook, but Jupyter or another.
    """
    told = {name: _told(name, default) for name, default in _DEFAULTS.items()}
    with plainly():
        found = open_marts(told["db"] or "", destination=told["destination"] or "", dataset=told["dataset"])
        if found.as_of is None:
            raise UsageError("nothing is complete yet: `mithril-elt run` loads it and builds the marts")
    return found


@contextmanager
def plainly() -> Iterator[None]:
    """What is refused inside of it ends the cell with the sentence that says why: a served notebook hides errors.

    Raises:
        MithrilError: where marimo does not run the notebook, but Jupyter or another.
    """
    try:
        yield
    except MithrilError as error:
        if not _is_marimo():
            raise
        mo.stop(True, _callout(str(error)))  # noqa: FBT003  # marimo's way to end a cell


def _is_marimo() -> bool:
    """Whether marimo runs the notebook: for Jupyter there are no arguments, and nothing that stops a cell."""
    return mo.app_meta().mode in ("edit", "run", "script")


def _told(name: str, default: str | None) -> str | None:
    said = (mo.cli_args().get(name) if _is_marimo() else None) or os.environ.get(f"MITHRIL_{name.upper()}") or default
    return None if said is None else str(said)


def _callout(sentence: str) -> mo.Html:
    return mo.callout(mo.Html(f"<p>{escape(sentence)}</p>"), kind="danger")
