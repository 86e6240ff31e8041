"""A load, a build or a recovery in a process of its own that is killed: at a moment, or at a call of a function.

Stands under `test_kills`, `test_kills_in_models` and `test_recovery`. Processes are forked from a server that has
imported everything, so that one costs milliseconds, and is a process like any other to the operating system.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, Literal

WAY = {"window": timedelta(days=3), "lookback": timedelta(0)}  # so that what is asked again is the kill's doing

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *("dlt", "duckdb", "mithril_elt.source", "mithril_elt.load", "mithril_elt.held", "mithril_elt.recovery"),
        *("dbt.cli.main", "dbt.adapters.duckdb.connections", "mithril_elt.transform"),
    ]
)

Job = Literal["load", "build", "recover"]


@dataclass(frozen=True)
class Stage:
    """A function by its dotted name, and whether the process dies before or after the `nth` call of it."""

    name: str
    when: Literal["before", "after"]
    nth: int = 1

    def __str__(self) -> str:
        place = "" if self.nth == 1 else f" {self.nth}"
        return f"{self.when} {self.name.rpartition('.')[2]}{place}"


def run_and_die(
    db: Path,
    key: str,
    url: str,
    death: Stage | float,  # exact-ok: a wait
    job: Job = "load",
) -> bool:
    """A job that is killed there, or after so many seconds; whether it was, and not over before."""
    stage = death if isinstance(death, Stage) else None
    process = _FORKS.Process(target=_work, args=(job, str(db), key, url, stage))
    process.start()
    process.join(None if stage else death)  # type: ignore[arg-type]  # seconds, if it is no stage
    if process.is_alive():
        process.kill()
        process.join()
    assert process.exitcode in {0, -signal.SIGKILL}, f"{job} failed by itself"
    return process.exitcode == -signal.SIGKILL


def _work(job: Job, db: str, key: str, url: str, stage: Stage | None) -> None:
    from mithril_elt.api import Mithril  # noqa: PLC0415  # in the forked process
    from mithril_elt.load import LoadPlan, load  # noqa: PLC0415  # as above
    from mithril_elt.recovery import recover  # noqa: PLC0415  # as above
    from mithril_elt.transform import build  # noqa: PLC0415  # as above

    if stage:
        _arm(stage)
    if job == "load":
        with Mithril(key, url) as api:
            load(api, Path(db), LoadPlan(**WAY))
    elif job == "build":
        build(Path(db))
    else:
        recover(Path(db))


def _arm(stage: Stage) -> None:
    """Makes this process kill itself at that call; calls of several threads are counted one by one."""
    owner, _, name = stage.name.rpartition(".")
    holder: Any = _found(owner)
    whole, calls = getattr(holder, name), count(1)

    @wraps(whole)
    def deadly(*args: Any, **kwargs: Any) -> Any:
        here = next(calls) == stage.nth
        if here and stage.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = whole(*args, **kwargs)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(holder, name, deadly)


def _found(dotted: str) -> Any:
    """The module, or the class inside one, of that name."""
    try:
        return import_module(dotted)
    except ModuleNotFoundError:
        owner, _, name = dotted.rpartition(".")
        return getattr(_found(owner), name)
