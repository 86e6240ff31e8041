"""The commands `export …`: what the marts say, in files that other programs read.

Stands inside `cli`: each kind of export is a module of its own, imported when it is called.
"""

from __future__ import annotations

from importlib import import_module

import click

from mithril_elt.cli.logs import common_options

__all__ = ["export_command"]

# name: (module, what one line of help says)
_EXPORTS = {
    "report": ("export_report", "A report, as CSV or Parquet."),
    "focus": ("export_focus", "Charges in the words of FOCUS 1.2 or 1.4, as CSV or Parquet."),
}


class _LazyExports(click.Group):
    """Imports an export's module when it is called; lists them without importing any."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_EXPORTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        if cmd_name not in _EXPORTS:
            return None
        module = _EXPORTS[cmd_name][0]
        command: click.Command = getattr(import_module(f"mithril_elt.cli.{module}"), f"{module}_command")
        common_options(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as above
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _EXPORTS.items()])


@click.group("export", cls=_LazyExports)
def export_command() -> None:
    """Write what the marts say into files that other programs read.

    \b
    Examples:
      mithril-elt export report cost --by day --out cost.parquet
      mithril-elt export focus --version 1.4 --out focus.parquet
    """
