"""The command line in tests: how a command ended, and what each kind of bad input gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Cli", "Ended", "assert_one_sentence"]


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


Cli = Callable[..., Ended]


def assert_one_sentence(ended: Ended, status: int, *words: str) -> None:
    """That exit status, one line on stderr that has these words, no traceback, no data."""
    assert ended.status == status, ended
    errors = [line for line in ended.err.splitlines() if line.startswith("Error: ")]
    assert errors == ended.err.splitlines()[-1:], ended.err
    assert all(word in errors[0] for word in words), errors[0]
    assert ended.out == ""
    assert "Traceback" not in ended.err
