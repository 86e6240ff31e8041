"""The database that a notebook asks: by its arguments, by the environment, or the usual one.

Stands under the notebooks, on `opened`.
"""

from __future__ import annotations

import os
from html import escape

import marimo as mo

from mithril_elt.errors import MithrilError
from mithril_elt.opened import OpenMarts, open_marts

__all__ = ["connected"]

_DEFAULTS = {"db": "mithril.duckdb", "destination": "duckdb", "dataset": None}


def connected() -> OpenMarts:
    """The marts that `-- --db FILE` names, or `MITHRIL_DB`, or `mithril.duckdb`; likewise `destination`, `dataset`.

    Where they cannot be read, or have no figures yet, the notebook stops here and says in one sentence what to do.
    """
    told = {name: _told(name, default) for name, default in _DEFAULTS.items()}
    try:
        found = open_marts(told["db"] or "", destination=told["destination"] or "", dataset=told["dataset"])
        as_of = found.as_of
    except MithrilError as error:
        mo.stop(True, _callout(str(error)))  # noqa: FBT003  # marimo's way to end a cell
    mo.stop(as_of is None, _callout("Nothing is complete yet: `mithril-elt run` loads it and builds the marts."))
    return found


def _told(name: str, default: str | None) -> str | None:
    said = mo.cli_args().get(name) or os.environ.get(f"MITHRIL_{name.upper()}") or default
    return None if said is None else str(said)


def _callout(sentence: str) -> mo.Html:
    return mo.callout(mo.Html(f"<p>{escape(sentence)}</p>"), kind="danger")
