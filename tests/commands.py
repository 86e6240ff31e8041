"""The command line in tests: in this process or in one of its own that is watched, and what bad input gets."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from mithril_elt.cli import main

__all__ = ["Cli", "Ended", "assert_one_sentence", "in_process", "in_process_of_its_own"]


@dataclass(frozen=True)
class Ended:
    """How a command ended. `seen`: the command lines of its process and of those it started."""

    status: int
    out: str
    err: str
    seen: frozenset[bytes] = field(default=frozenset())


Cli = Callable[..., Ended]


def assert_one_sentence(ended: Ended, status: int, *words: str) -> None:
    """That exit status, one line on stderr that has these words, no traceback, no data."""
    assert ended.status == status, ended
    errors = [line for line in ended.err.splitlines() if line.startswith("Error: ")]
    assert errors == ended.err.splitlines()[-1:], ended.err
    assert all(word in errors[0] for word in words), errors[0]
    assert ended.out == ""
    assert "Traceback" not in ended.err


def in_process(*arguments: str | Path) -> Ended:
    """Runs a command here, with nobody at the keyboard."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["mithril-elt", *map(str, arguments)]),
        patch.object(sys, "stdin", io.StringIO()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            return Ended(int(ended.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("a command ends its process")


def in_process_of_its_own(
    *arguments: str | Path, environ: Mapping[str, str], cwd: Path, code: str | None = None
) -> Ended:
    """Runs a command in a new process. `code`: Python in the place of the command, which gets the arguments."""
    start = ["-c", code] if code else ["-m", "mithril_elt"]
    with subprocess.Popen(
        [sys.executable, *start, *map(str, arguments)],
        env={**os.environ, **environ},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        seen: set[bytes] = set()
        over = threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, seen, over))
        watch.start()
        out, err = process.communicate(timeout=120)
        over.set()
        watch.join()
    return Ended(process.returncode, out, err, frozenset(seen))


def _watch(pid: int, seen: set[bytes], over: threading.Event) -> None:
    """Collects what the process list shows of a process and its offspring, until it is over."""
    while not over.wait(0.02):
        for each in (pid, *_offspring(pid)):
            with contextlib.suppress(OSError):
                seen.add(Path(f"/proc/{each}/cmdline").read_bytes())


def _offspring(pid: int) -> Iterator[int]:
    parents: dict[int, list[int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(file.read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(file.parent.name))
    waiting = [pid]
    while waiting:
        found = parents.get(waiting.pop(), [])
        yield from found
        waiting += found
