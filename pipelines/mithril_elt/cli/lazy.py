"""Groups of commands whose modules are imported when one is called, so that `--help` costs nothing.

Stands inside `cli`, under `__init__` and the groups inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from mithril_elt.cli.logs import common_options

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """Lists commands without importing any.

    `listed` has by name the module, and what one line of help says; in the module it is `<prefix><name>_command`.
    """

    def __init__(
        self, *arguments: Any, listed: Mapping[str, tuple[str, str]] | None = None, prefix: str = "", **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._listed = listed or {}
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names, in the order of the list."""
        return list(self._listed)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        """The command of that name, with the options that all have."""
        if cmd_name not in self._listed:
            return None
        module = import_module(f"mithril_elt.cli.{self._listed[cmd_name][0]}")
        command: click.Command = getattr(module, f"{self._prefix}{cmd_name}_command")
        common_options(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as above
        """A line for each."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._listed.items()])
