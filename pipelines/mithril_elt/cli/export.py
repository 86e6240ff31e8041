"""The commands `export …`: what the marts say, as files.

Stands inside `cli`; each of them is in a module of its own.
"""

from __future__ import annotations

import click

from mithril_elt.cli.export_focus import focus_command

__all__ = ["export_command"]


@click.group("export")
def export_command() -> None:
    """Write what the marts say to a file that other tools read.

    \b
    Example:
      mithril-elt export focus --version 1.4 --out focus.parquet
    """


export_command.add_command(focus_command)
