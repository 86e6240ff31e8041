"""The commands `export …`: what the marts say, in files that other programs read.

Stands inside `cli`: each kind of export is a module of its own, imported when it is called.
"""

from __future__ import annotations

import click

from mithril_elt.cli.lazy import LazyGroup

__all__ = ["export_command"]

# name: (module, what one line of help says)
_EXPORTS = {
    "report": ("export_report", "A report, as CSV or Parquet."),
    "focus": ("export_focus", "Charges in the words of FOCUS 1.2 or 1.4, as CSV or Parquet."),
}


@click.group("export", cls=LazyGroup, listed=_EXPORTS, prefix="export_")
def export_command() -> None:
    """Write what the marts say into files that other programs read.

    \b
    Examples:
      mithril-elt export report cost --by day --out cost.parquet
      mithril-elt export focus --version 1.4 --out focus.parquet
    """
