"""Logs on stderr, as text or as JSON lines, and the options that every command has.

Stands inside `cli`; imports nothing of the flow.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

import click

from mithril_elt.cli.saying import plain

__all__ = ["common_options", "is_debug", "logs_are_json"]

_state = {"debug": False, "json": False}
_LOGGER = "mithril_elt"


class _JsonLine(logging.Formatter):
    """One JSON object a line: when, how grave, what."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "message": plain(record.getMessage())}
        return json.dumps(line | getattr(record, "facts", {}), default=str)


class _TextLine(logging.Formatter):
    """What a person reads: the sentence, and how grave it is if it is."""

    def format(self, record: logging.LogRecord) -> str:
        grave = f"{record.levelname.capitalize()}: " if record.levelno >= logging.WARNING else ""
        return grave + plain(record.getMessage())


def is_debug() -> bool:
    """Whether `--debug` was given."""
    return _state["debug"]


def logs_are_json() -> bool:
    """Whether `--log-format json` was given."""
    return _state["json"]


def common_options(command: click.Command) -> None:
    """Gives a command, and those inside it, `--log-format` and `--debug`."""
    if isinstance(command, click.Group):
        for inside in command.commands.values():
            common_options(inside)
        return
    if any(parameter.name == "log_format" for parameter in command.params):
        return
    command.params += [
        click.Option(
            ["--log-format"],
            type=click.Choice(["text", "json"]),
            default="text",
            expose_value=False,
            is_eager=True,
            callback=_set_format,
            help="How progress and logs are written on stderr.",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_set_debug,
            help="Show where an error came from.",
        ),
    ]


def _set_format(_context: click.Context, _option: click.Parameter, value: str) -> None:
    _state["json"] = value == "json"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLine() if _state["json"] else _TextLine())
    logger = logging.getLogger(_LOGGER)
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)


def _set_debug(_context: click.Context, _option: click.Parameter, value: bool) -> None:
    _state["debug"] = value
    if value:
        logging.getLogger(_LOGGER).setLevel(logging.DEBUG)
