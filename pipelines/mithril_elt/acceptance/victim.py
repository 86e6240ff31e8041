"""A run in a process of its own that may kill itself: what a crash leaves is then a crash's own work.

Stands in `acceptance` on `load`; started by `trial`, told by its standard
input what to load, so that the key is in no list of processes. It ends with the exit status of the run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from mithril_elt.api import Mithril
from mithril_elt.client import Limits
from mithril_elt.errors import MithrilError
from mithril_elt.load import LoadPlan, Progress, load

__all__ = ["Order", "main", "run_apart"]


@dataclass(frozen=True)
class Order:
    """What to load, and where to die: after that many windows, or with what was read not loaded yet; or not at all."""

    key: str
    url: str
    db: str
    note: str
    projects: tuple[str, ...]
    since: str
    until: str
    window_s: int
    concurrency: int
    requests_per_second: float | None = None  # exact-ok: a pace
    death: Literal["after a window", "before loading"] | None = None


def run_apart(order: Order) -> tuple[int, int]:
    """How the process ended (negative: by which signal), and how many requests it had sent."""
    note = Path(order.note)
    note.unlink(missing_ok=True)
    command = [sys.executable, "-c", f"from {__name__} import main; main()"]
    done = subprocess.run(command, input=json.dumps(asdict(order)), text=True, capture_output=True, check=False)  # noqa: S603  # this very module
    return done.returncode, int(note.read_text()) if note.is_file() else 0


def _run(order: Order) -> int:
    limits = Limits(concurrency=order.concurrency, requests_per_second=order.requests_per_second)
    with Mithril(order.key, order.url, limits=limits) as api:

        def note() -> None:
            Path(order.note).write_text(str(api.traffic.requests))

        def die(*_: Any, **__: Any) -> None:
            note()
            os.kill(os.getpid(), signal.SIGKILL)

        if order.death == "before loading":
            _before_loading(die)
        since, until = map(datetime.fromisoformat, (order.since, order.until))
        window = timedelta(seconds=order.window_s)
        plan = LoadPlan(order.projects, since, until, lookback=timedelta(0), window=window)
        try:
            load(api, Path(order.db), plan, on_progress=die if order.death == "after a window" else _go_on)
        except MithrilError as error:
            note()
            return error.exit_status
        note()
        return 0


def _go_on(_: Progress) -> None:
    """Nothing is to be told of progress."""


def _before_loading(die: Any) -> None:
    """Makes dlt's step from what was read to the database the last one of this process."""
    import dlt  # noqa: PLC0415  # two seconds

    dlt.Pipeline.load = die  # type: ignore[method-assign]  # only in this process


def main() -> None:
    """Does what standard input orders, and ends the process."""
    read = json.load(sys.stdin)
    sys.exit(_run(Order(**{**read, "projects": tuple(read["projects"])})))
