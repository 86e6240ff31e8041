"""How far a load is: a bar where stderr is a terminal, lines where it is not.

Stands inside `cli`. A package is loaded when all of it was read, which takes minutes of a first load; so what was read
is told as well, with the share of the time that was due and an estimate of the rest.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from mithril_elt.cli.logs import logs_are_json
from mithril_elt.log_facts import told

if TYPE_CHECKING:
    from mithril_elt.load import Progress
    from mithril_elt.read_so_far import ReadSoFar

__all__ = ["Tellers", "shown_progress"]

log = logging.getLogger("mithril_elt")

_TELLING = 0.05  # the share from which on it tells how long the rest takes
_EVERY_S = 10  # where it is no terminal, what was read is told at most as often


class Tellers(NamedTuple):
    """What a load tells of its progress: windows that were loaded, and windows of a history that were read."""

    loaded: Callable[[Progress], None]
    read: Callable[[ReadSoFar], None]


@contextmanager
def shown_progress(requests: Callable[[], int]) -> Iterator[Tellers]:
    """Functions to be told of progress; they draw or log it on stderr. `requests`: how many there were so far."""
    if logs_are_json() or not sys.stderr.isatty():
        yield Tellers(_logged, _Lines(requests).read)
        return
    from rich import progress as bars  # noqa: PLC0415  # as above
    from rich.console import Console  # noqa: PLC0415  # only where there is a terminal
    from rich.text import Text  # noqa: PLC0415  # as above

    class Asked(bars.ProgressColumn):
        """The requests so far, which go on while a window is read."""

        max_refresh = 0.5

        def render(self, task: bars.Task) -> Text:  # noqa: ARG002  # rich's way
            return Text(f"{requests():,} requests")

    columns = (
        bars.BarColumn(bar_width=12),
        bars.TaskProgressColumn(),
        bars.TimeElapsedColumn(),
        Asked(),
        bars.TextColumn("{task.description}"),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as bar:
        task, began_at_s = bar.add_task("lists and the first days", total=1.0), time.monotonic()

        def draw_read(now: ReadSoFar) -> None:
            bar.update(task, completed=now.share, description=_words(now, time.monotonic() - began_at_s))

        def draw_loaded(now: Progress) -> None:
            words = f"{now.rows:,} rows, loaded {now.windows_done} of {now.windows_planned} windows"
            bar.update(task, description=words)

        yield Tellers(draw_loaded, draw_read)


class _Lines:
    """What was read, as a line now and then."""

    def __init__(self, requests: Callable[[], int]) -> None:
        self._requests = requests
        self._began_at_s = self._told_at_s = time.monotonic()

    def read(self, now: ReadSoFar) -> None:
        at_s = time.monotonic()
        if at_s - self._told_at_s < _EVERY_S:
            return
        self._told_at_s = at_s
        facts = {"rows": now.rows, "requests": self._requests(), "share": round(now.share, 3)}
        sentence = f"read {now.share:.0%}, {facts['requests']:,} requests, {_words(now, at_s - self._began_at_s)}"
        log.info(sentence, extra=told("progress", **facts))


def _words(now: ReadSoFar, seconds: float) -> str:  # exact-ok: how long a wait is, about
    """`12,044 rows, status history up to 2026-03-04, some 3 min to go`."""
    up_to = f", {now.history} history up to {now.up_to:%Y-%m-%d}" if now.up_to else ""
    left_s = seconds * (1 - now.share) / now.share if now.share >= _TELLING else 0
    return f"{now.rows:,} rows{up_to}{_left(left_s)}"


def _left(seconds: float) -> str:  # exact-ok: as above
    """Nothing where it is seconds, which nobody plans by."""
    if seconds < _EVERY_S:
        return ""
    return f", some {seconds / 60:.0f} min to go" if seconds >= 90 else f", some {seconds:.0f} s to go"


def _logged(now: Progress) -> None:
    facts = {"windows_done": now.windows_done, "windows": now.windows_planned, "rows": now.rows}
    log.info(
        "window %s of %s loaded, %s rows, %s requests",
        now.windows_done,
        now.windows_planned,
        f"{now.rows:,}",
        f"{now.requests:,}",
        extra=told("window", **facts, requests=now.requests),
    )
