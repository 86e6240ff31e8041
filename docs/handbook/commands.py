"""The page of all commands, from the parser of the command line itself.

Stands at the end of the flow, beside `written` and `tables`, on `cli`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from handbook.words import cell, table
from mithril_elt.cli import group

__all__ = ["commands_page"]

_PROGRAM = "mithril-elt"


def commands_page() -> str:
    """Every command with its arguments, options and examples, as Markdown."""
    intro = "Made from the parser: the same as `mithril-elt COMMAND --help`."
    return "\n".join(["# Commands", "", intro, "", *_of_group(group, _PROGRAM)])


def _of_group(commands: click.Group, path: str, parent: click.Context | None = None) -> Iterator[str]:
    context = click.Context(commands, info_name=path.rsplit(maxsplit=1)[-1], parent=parent)
    for name in commands.list_commands(context):
        command = commands.get_command(context, name)
        if isinstance(command, click.Group):
            yield from (f"## {path} {name}", "", *_said(command))
            yield from _of_group(command, f"{path} {name}", context)
        elif command:
            yield from _of_command(command, f"{path} {name}", context)


def _of_command(command: click.Command, path: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=path.rsplit(maxsplit=1)[-1], parent=parent)
    yield from (f"## {path}", "", *_said(command))
    yield from ("```text", f"{path} {' '.join(command.collect_usage_pieces(context))}", "```", "")
    rows = [record for option in command.get_params(context) if (record := option.get_help_record(context))]
    yield from table(("option", "meaning"), [(f"`{names}`", cell(meaning)) for names, meaning in rows])
    yield ""


def _said(command: click.Command) -> Iterator[str]:
    """What its help says; what is not to be wrapped there is a block here."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        kept = paragraph.removeprefix("\b\n")
        yield from ((f"```text\n{kept}\n```", "") if kept != paragraph else (cell(kept), ""))
