"""How the figures are printed: the machine, medians with their spread, tables in Markdown.

Stands beside the parts of the benchmark; pure but for looking at the machine.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

__all__ = ["machine", "middle", "ratios", "spread", "table"]

_VERSIONS = ("duckdb", "dlt", "dbt-core", "pyarrow", "aiohttp", "httpx", "msgspec")


def machine(root: Path) -> str:
    """What the figures were taken on."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = _said("git", "-C", str(root), "describe", "--always", "--dirty")
    facts = {
        "machine": f"{os.cpu_count()} cores ({_processor()}), {memory_gb:.0f} GB, {platform.system()}",
        "load before": f"{os.getloadavg()[0]:.1f} (of one minute: above 0.5 the figures are not to be trusted)",
        "Python": platform.python_version(),
        "versions": ", ".join(f"{name} {version(name)}" for name in _VERSIONS),
        "commit": commit,
    }
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def middle(values: Iterable[float], digits: int = 2) -> str:
    """The median."""
    return f"{median(values):,.{digits}f}"


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, the least and the most."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown: the first column to the left, the others to the right."""
    cells = [list(map(str, head)), *(list(map(str, row)) for row in rows)]
    widths = [max(3, *(len(row[n]) for row in cells)) for n in range(len(head))]
    lines = [
        " | ".join(c.ljust(w) if n == 0 else c.rjust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]
    rule = " | ".join("-" * w if n == 0 else "-" * (w - 1) + ":" for n, w in enumerate(widths))
    return "\n".join([f"### {title}", "", *(f"| {line} |" for line in (lines[0], rule, *lines[1:])), ""])


def ratios(lines: Sequence[Sequence[str]], codes: Sequence[str], first: str, measures: Mapping[str, int]) -> str:
    """The medians of this checkout by those of the other, of lines whose second cell names the code."""
    here, other = ([line for line in lines if line[1] == code] for code in codes)
    rows = [
        (ours[0], *(_ratio(ours[place], theirs[place]) for place in measures.values()))
        for ours, theirs in zip(here, other, strict=True)
    ]
    return table(f"{codes[0]} / {codes[1]}: below 1 is less", (first, *measures), rows)


def _ratio(ours: str, theirs: str) -> str:
    a, b = (float(text.split(maxsplit=1)[0].replace(",", "")) for text in (ours, theirs))
    return f"{a / b:.2f}" if b else "–"
