"""How long a command takes to start, and whose code an empty run is in.

Stands on `measured`; a part of `python -m bench`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.extract import fresh_folder
from bench.measured import HERE, Code, alternated, measured
from bench.served import served
from bench.tables import middle, ratios, spread, table

__all__ = ["starts_part"]

_ROWS = 20_000


def starts_part(times: int, codes: Sequence[Code] = (HERE,)) -> Iterator[str]:
    """`--help`, and the profile of a run that finds nothing new."""
    works = {code.name: partial(measured, ("mithril_elt", "--help"), code=code) for code in codes}
    runs = alternated(works, 3 * times)
    lines = [
        ("--help", name, spread([run.seconds for run in each], 3), middle((run.peak_mb for run in each), 0))
        for name, each in runs.items()
    ]
    yield table(f"`mithril-elt --help` (median of {3 * times})", ("command", "code", "seconds", "peak MB"), lines)
    if len(codes) > 1:
        yield ratios(lines, [code.name for code in codes], "command", {"seconds": 2, "peak": 3})
    for code in codes:
        yield _profile(code)


def _profile(code: Code) -> str:
    """Seconds of an empty run by package, in its main thread, as cProfile tells them: shares, not times."""
    with fresh_folder() as folder, served(_ROWS) as server:
        command = ("run", "--json", "--db", folder / "a.duckdb", "--api-url", server.url)
        measured(("mithril_elt", *command), code=code, cwd=folder)
        told = measured(("bench.starts", *command), code=code, cwd=folder).told
    whole = sum(told.values())
    shown = {name: seconds for name, seconds in told.items() if seconds > whole / 100 or name == "mithril_elt"}
    shown["the rest"] = whole - sum(shown.values())
    lines = [(name, f"{seconds:.2f}", f"{100 * seconds / whole:.1f} %") for name, seconds in shown.items()]
    head = ("spent in", "seconds, profiled", "share")
    return table(f"A run on {_ROWS:,} rows that finds nothing new, by package ({code.name})", head, lines)


def profiled(arguments: Sequence[str]) -> dict[str, float]:
    """Runs a command under the profiler, its output thrown away; seconds by package, most first."""
    import contextlib  # noqa: PLC0415  # as above
    import cProfile  # noqa: PLC0415  # only in a process of its own
    import io  # noqa: PLC0415  # as above

    profile = cProfile.Profile()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        sys.argv = ["mithril-elt", *arguments]
        profile.runcall(_main)
    profile.create_stats()
    spent: dict[str, float] = {}
    stats: Any = vars(profile)["stats"]
    for (file, _, function), (_, _, own_s, _, _) in stats.items():
        package = _package(file, function)
        spent[package] = spent.get(package, 0) + own_s
    return dict(sorted(spent.items(), key=lambda each: -each[1]))


def _main() -> None:
    from mithril_elt.cli import main  # noqa: PLC0415  # part of what is profiled

    main()


def _package(file: str, function: str) -> str:
    """Whose code a function is: the name of the package, or what Python itself did."""
    parts = Path(file).parts
    if file.startswith("<frozen importlib") or function in _IMPORTING:
        return "importing modules"
    if file == "~":
        waits = any(word in function for word in ("acquire", "poll", "sleep", "select", "wait"))
        return "waiting" if waits else "DuckDB" if "duckdb" in function.lower() else "functions in C"
    if "mithril_elt" in parts:
        return "mithril_elt"
    return parts[parts.index("site-packages") + 1] if "site-packages" in parts else "Python's library"


_IMPORTING = {f"<built-in method {name}>" for name in ("marshal.loads", "builtins.exec", "_imp.create_dynamic")}


if __name__ == "__main__":
    print(json.dumps(profiled(sys.argv[1:])))
