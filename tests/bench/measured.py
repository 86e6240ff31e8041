"""One work in a fresh process: how long it took from its start to its end, its processor time, its peak of memory.

Stands under every part of the benchmark. What measures imports little: a child's peak is never told as less than what
its parent had.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

__all__ = ["HERE", "LONGEST_S", "Code", "Run", "alternated", "measured"]

LONGEST_S = 3600  # no work takes longer; then it is ended, and the benchmark with it
_BENCH = Path(__file__).parent.parent


@dataclass(frozen=True)
class Code:
    """Whose package is run: that of this checkout, or of another."""

    name: str
    root: Path

    def environ(self) -> dict[str, str]:
        """The same environment for each, but for where the package is; nothing of the user's own settings."""
        left_out = ("MITHRIL_", "SOURCES__", "PYTHONDONTWRITEBYTECODE")  # the last: nobody compiles 1,500 modules anew
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join((str(self.root / "pipelines"), str(_BENCH))),
            "MITHRIL_API_KEY": "fkey_0000000000000000",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "BENCH_ROOT": str(self.root),
        }


HERE = Code("here", _BENCH.parent)


@dataclass(frozen=True)
class Run:
    """What one work cost. `said`: what it printed; `told`: the same, if that is JSON."""

    seconds: float
    cpu_s: float
    peak_mb: int
    told: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""


def measured(arguments: Sequence[str | Path], *, code: Code = HERE, cwd: Path | None = None) -> Run:
    """Runs `python -m …` once.

    Raises:
        RuntimeError: it failed, or took too long.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began_s = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *("-W", "ignore", "-m"), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=cwd,
            env=code.environ(),
        )
        timer = Timer(LONGEST_S, process.kill)
        timer.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
        seconds = time.perf_counter() - began_s
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            err.seek(0)
            raise RuntimeError(f"{arguments} ended with {process.returncode}:\n{err.read().decode()[-2000:]}")
        out.seek(0)
        said = out.read().decode()
    told = json.loads(said) if said.startswith("{") else {}
    per_mb = 2**20 if sys.platform == "darwin" else 2**10
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss // per_mb, told, said)


def alternated(works: Mapping[str, Callable[[], Run]], times: int, *, warm_up: bool = True) -> dict[str, list[Run]]:
    """Each work so many times, in turn, so that what else the machine does meets all alike; the first is left out."""
    runs: dict[str, list[Run]] = {name: [] for name in works}
    for n in range(times + warm_up):
        for name, work in list(works.items())[:: 1 if n % 2 == 0 else -1]:
            run = work()
            counts = n >= warm_up
            print(f"{name}: {run.seconds:.2f} s{'' if counts else ', to warm up'}", file=sys.stderr, flush=True)
            if counts:
                runs[name].append(run)
    return runs
