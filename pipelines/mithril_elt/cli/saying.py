"""The one door to the terminal: nothing goes through it that a terminal would obey, and no key.

Stands inside `cli`; imports nothing of the flow. What is data on stdout (JSON, CSV, a report) has a function of its
own, since it has lines.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any

import click

from mithril_elt.secret import hidden, spellings
from mithril_elt.visible import shortened, visible

__all__ = ["keep_secret", "plain", "say", "say_data", "say_facts", "say_text", "say_where"]

_KEY_LIKE = re.compile(r"fkey_\w{8,}", re.ASCII)  # also one that was put where no key belongs
_LONGEST_LINE = 4000
_STYLE = re.compile(r"(\x1b\[\d+m)")  # our own bold
_secrets: set[str] = set()


def keep_secret(key: str) -> None:
    """From now on that key is shown in nothing that this process says."""
    _secrets.update(spellings(key))


def plain(text: str) -> str:
    """The text as one line that can be shown to anybody."""
    return visible(_KEY_LIKE.sub("fkey_…", hidden(text, sorted(_secrets, key=len, reverse=True))))


def say(line: str, *, err: bool = False) -> None:
    """Prints one line; a line's end inside it is shown, not obeyed, and what nobody would read is cut."""
    _print(f"{shortened(plain(line), _LONGEST_LINE)}\n", err=err)


def say_text(text: str, *, styled: bool = False, err: bool = False) -> None:
    """Prints text of several lines. `styled`: with our own bold in it."""
    parts = _STYLE.split(text) if styled else [text]
    _print("".join(part if styled and _STYLE.fullmatch(part) else _plain_lines(part) for part in parts), err=err)


def say_data(text: str) -> None:
    """Prints what a program reads, CSV or JSON: byte for byte, but to a terminal, which must not obey it."""
    _print(_plain_lines(text) if sys.stdout.isatty() else text)


def say_facts(facts: Any, default: Callable[[Any], Any] | None = None) -> None:
    """Prints facts as one JSON object on one line, in ASCII."""
    _print(plain(json.dumps(facts, default=default).replace("\x7f", "\\u007f")) + "\n")


def say_where(error: BaseException) -> None:
    """Prints on stderr where an error came from."""
    _print(_plain_lines("".join(traceback.format_exception(error))), err=True)


def _plain_lines(text: str) -> str:
    return "\n".join(map(plain, text.split("\n")))


def _print(text: str, *, err: bool = False) -> None:
    """Prints it, also where the output's encoding lacks a sign: what has no like is shown as `?`."""
    encoding = (sys.stderr if err else sys.stdout).encoding or "utf-8"
    if not encoding.lower().startswith("utf"):
        text = text.replace("─", "-").replace("–", "-").replace("…", "...")
        text = text.encode(encoding, "replace").decode(encoding)
    click.echo(text, nl=False, err=err, color=True)  # else click takes out of data what looks like a style
