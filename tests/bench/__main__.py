"""`make bench`: all parts of the benchmark, or those named, with the machine they were measured on.

Stands on the parts. Figures go to stdout as Markdown, progress to stderr.
"""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from bench.beside import beside_part
from bench.compared import other_commit
from bench.disk import disk_part
from bench.extract import extract_part
from bench.increments import increments_part
from bench.measured import HERE, Code
from bench.models import models_part
from bench.starts import starts_part
from bench.tables import machine

Texts = Iterator[str]


@dataclass(frozen=True)
class Size:
    """How much is measured: rows that are loaded, rows of histories that grow, how often, and days that are added."""

    loads: tuple[int, ...]
    histories: tuple[int, ...]
    times: int = 3
    increments: int = 100


SIZES = {
    "tiny": Size((20_000,), (20_000,), 1, 3),
    "small": Size((100_000,), (1_000_000,)),
    "medium": Size((100_000, 1_000_000), (1_000_000, 10_000_000)),
    "full": Size((100_000, 1_000_000, 10_000_000), (1_000_000, 10_000_000, 100_000_000), 5),
}


def _extract(size: Size, codes: Sequence[Code]) -> Texts:
    for rows in size.loads:
        yield from extract_part(rows, size.times, codes)


def _beside(size: Size, codes: Sequence[Code]) -> Texts:
    if len(codes) > 1:
        return  # peers do not change with our commits
    for rows in size.loads:
        if rows <= 1_000_000:  # they hold rows as dicts: more takes hours
            yield from beside_part(rows, size.times)


def _increments(size: Size, codes: Sequence[Code]) -> Texts:
    for rows in size.histories:
        yield from increments_part(rows, size.times, codes)


def _starts(size: Size, codes: Sequence[Code]) -> Texts:
    yield from starts_part(size.times, codes)


def _models(size: Size, codes: Sequence[Code]) -> Texts:
    for rows in size.histories:
        yield from models_part(rows // 5 * 2, codes)


def _disk(size: Size, codes: Sequence[Code]) -> Texts:
    yield from disk_part(min(size.histories), size.increments, codes)


PARTS: dict[str, Callable[[Size, Sequence[Code]], Texts]] = {
    "starts": _starts,
    "extract": _extract,
    "beside": _beside,
    "increments": _increments,
    "models": _models,
    "disk": _disk,
}


def main(arguments: Sequence[str]) -> None:
    """Measures what is asked for, and prints each table as soon as it is known."""
    parser = ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--parts", default=",".join(PARTS), help="comma-joined")
    parser.add_argument("--compare", metavar="COMMIT", help="measure this one beside this checkout, in turn")
    parser.add_argument("--times", type=int, help="how often each is measured; it is done once more to warm up")
    wanted = parser.parse_args(arguments)
    strange = set(wanted.parts.split(",")) - PARTS.keys()
    if strange:
        parser.error(f"no such part: {', '.join(sorted(strange))}; there are {', '.join(PARTS)}")
    size = SIZES[wanted.size]
    size = Size(size.loads, size.histories, wanted.times or size.times, size.increments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that temporary files are removed then, too
    print(machine(HERE.root), end="\n\n", flush=True)
    with other_commit(wanted.compare) if wanted.compare else nullcontext() as other:
        codes = (HERE, other) if other else (HERE,)
        for name in wanted.parts.split(","):
            for text in PARTS[name](size, codes):
                print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
