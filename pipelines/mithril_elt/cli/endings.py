"""How a command ends: the exit status of each kind of error, and its one sentence.

Stands inside `cli`.
"""

from __future__ import annotations

import io
import logging
import sys
import traceback

import click

from mithril_elt.cli.logs import is_debug, logs_are_json
from mithril_elt.cli.saying import say, say_text, say_where
from mithril_elt.errors import MithrilError
from mithril_elt.log_facts import told

__all__ = ["exit_status", "sentence", "tell"]

log = logging.getLogger("mithril_elt")

_STOPPED = (KeyboardInterrupt, click.Abort)


def exit_status(error: BaseException) -> int:
    """The documented exit status for it."""
    if isinstance(error, MithrilError):
        return error.exit_status
    if isinstance(error, click.ClickException):
        return 2
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, _STOPPED):
        return 130
    return 141 if isinstance(error, BrokenPipeError) else 1


def sentence(error: BaseException) -> str:
    """What happened, in one sentence."""
    if isinstance(error, MithrilError):
        return str(error)
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, _STOPPED):
        return "Stopped."
    return f"a bug in mithril-elt ({type(error).__name__}): --debug shows where"


def tell(error: BaseException) -> None:
    """Says on stderr what happened; where it came from only with `--debug`."""
    if isinstance(error, BrokenPipeError):  # the reader of a pipe went away, as `head` does
        sys.stderr.close()
    elif logs_are_json():
        facts = {"exit_status": exit_status(error), "error": sentence(error)}
        if is_debug():
            facts["traceback"] = "".join(traceback.format_exception(error))
        log.error("%s", sentence(error), extra=told("error", **facts))
    else:
        _show(error)


def _show(error: BaseException) -> None:
    if is_debug():
        say_where(error)
    if isinstance(error, click.ClickException):
        shown = io.StringIO()
        error.show(shown)
        say_text(shown.getvalue(), err=True)
    else:
        say(sentence(error) if isinstance(error, _STOPPED) else f"Error: {sentence(error)}", err=True)
