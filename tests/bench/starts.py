"""How long a command takes to start, and whose code an empty run is in.

Stands on `measured`; a part of `python -m bench`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from bench.extract import fresh_folder
from bench.measured import HERE, Code, alternated, measured
from bench.served import served
from bench.tables import middle, ratios, spread, table

__all__ = ["starts_part"]

_ROWS = 20_000
_PACKAGES = ("mithril_elt", "dlt", "dbt", "duckdb", "sqlglot", "pyarrow", "aiohttp", "httpx", "anyio", "jinja2")


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
    lines = [(name, f"{seconds:.2f}", f"{100 * seconds / whole:.0f} %") for name, seconds in told.items()]
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
    spent: Counter[str] = Counter()
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = profile.stats  # type: ignore[attr-defined]  # typeshed lacks it
    for (file, _, function), (_, _, own_s, _, _) in stats.items():
        spent[_package(file, function)] += own_s  # type: ignore[assignment]  # seconds, summed
    return dict(spent.most_common())


def _main() -> None:
    from mithril_elt.cli import main  # noqa: PLC0415  # part of what is profiled

    main()


def _package(file: str, function: str) -> str:
    """Whose code a function is."""
    parts = Path(file).parts
    if file.startswith("<frozen importlib") or function in _IMPORTING:
        return "importing modules"
    if file == "~":
        waits = any(word in function for word in ("acquire", "poll", "sleep", "select", "wait"))
        return "waiting" if waits else "DuckDB" if "duckdb" in function.lower() else "builtins"
    return next(
        (name for name in _PACKAGES if name in parts), "other packages" if "site-packages" in parts else "Python"
    )


_IMPORTING = (
    "<built-in method marshal.loads>",
    "<built-in method builtins.exec>",
    "<built-in method _imp.create_dynamic>",
)


if __name__ == "__main__":
    print(json.dumps(profiled(sys.argv[1:])))
