"""Logs on stderr, as text or as JSON lines, and the options that every command has.

Stands inside `cli`; knows nothing of the flow. With `--log-format json` each line on stderr is one object. A line has
those of these fields that apply; their names stay:

    at            when, UTC
    level         debug, info, warning, error
    event         request: one request, good (only with --debug) or failed
                  retry: it failed and is sent again; walk_anew: a list is read again from its start
                  window: one more window is in the database; stage: a part of the work is over
                  run: the summary, as `--json` prints it
                  warning, error; note: anything else
    message       the sentence that the text format shows
    run_id        of `raw.runs`
    project       what is asked for, or was loaded
    window_from   its span: the window, or what of one is asked again
    window_to
    method        of a request
    endpoint      its path
    attempt       which try it was, from 1 on
    http_status   of the answer, if one came
    duration_ms   of the request until its last byte, of the window with those that were read beside it, of the stage
    bytes         of the answer, unpacked
    request_id    what the API calls the request, if it says so
    wait_ms       until it is sent again
    error         what went wrong, in one sentence
    exit_status   of an error that ends the command; traceback: with --debug
    stage         which part: read, load (of a package of windows), extract (all of them), build
    windows_done  of a window: how many are in, of how many (`windows`), with how many `rows` and `requests` so far
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import click

from mithril_elt.cli.saying import plain
from mithril_elt.log_facts import known_facts

__all__ = ["common_options", "is_debug", "logs_are_json"]

_state = {"debug": False, "json": False}
_LOGGER = "mithril_elt"


class _JsonLine(logging.Formatter):
    """One JSON object a line: when, how grave, what, and where in the flow."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event = "warning" if record.levelno >= logging.WARNING else "note"
        line = {"at": at, "level": record.levelname.lower(), "event": event, "message": plain(record.getMessage())}
        return plain(json.dumps({**line, **known_facts(), **_facts_of(record)}, default=str))


class _TextLine(logging.Formatter):
    """What a person reads: the sentence, and how grave it is if it is."""

    def format(self, record: logging.LogRecord) -> str:
        grave = f"{record.levelname.capitalize()}: " if record.levelno >= logging.WARNING else ""
        return grave + plain(record.getMessage())


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at the moment: a progress bar puts its own in the place of it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _facts_of(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = getattr(record, "facts", {})
    return facts


def _is_for_people(record: logging.LogRecord) -> bool:
    """Whether a person wants the line: what became of a single request shows in a retry or in the error."""
    return is_debug() or _facts_of(record).get("event") not in ("request", "run", "stage")


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
            help="Show where an error came from, and each request.",
        ),
    ]


def _set_format(_context: click.Context, _option: click.Parameter, value: str) -> None:
    _state["json"] = value == "json"
    _configure()


def _set_debug(_context: click.Context, _option: click.Parameter, value: bool) -> None:
    _state["debug"] = value
    _configure()


def _configure() -> None:
    """Whichever of the two options comes last, both count."""
    handler = _Stderr()
    handler.setFormatter(_JsonLine() if _state["json"] else _TextLine())
    if not _state["json"]:
        handler.addFilter(_is_for_people)
    logger = logging.getLogger(_LOGGER)
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.DEBUG if _state["debug"] else logging.INFO)
