"""How far a load is: a bar where stderr is a terminal, a line a window where it is not.

Stands inside `cli`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mithril_elt.cli.logs import logs_are_json
from mithril_elt.log_facts import told

if TYPE_CHECKING:
    from mithril_elt.load import Progress

__all__ = ["shown_progress"]

log = logging.getLogger("mithril_elt")


@contextmanager
def shown_progress() -> Iterator[Callable[[Progress], None]]:
    """A function to be told of progress; it draws or logs it on stderr."""
    if logs_are_json() or not sys.stderr.isatty():
        yield _logged
        return
    from rich.console import Console  # noqa: PLC0415  # only where there is a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415  # as above
    from rich.progress import Progress as Bar  # noqa: PLC0415  # as above

    columns = (TextColumn("windows"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)

        def draw(now: Progress) -> None:
            words = f"{now.rows:,} rows, {now.requests:,} requests"
            bar.update(task, total=now.windows_planned, completed=now.windows_done, description=words)

        yield draw


def _logged(now: Progress) -> None:
    facts = {"windows_done": now.windows_done, "windows": now.windows_planned, "rows": now.rows}
    log.info(
        "window %s of %s, %s rows, %s requests",
        now.windows_done,
        now.windows_planned,
        f"{now.rows:,}",
        f"{now.requests:,}",
        extra=told("window", **facts, requests=now.requests),
    )
