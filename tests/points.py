"""Which tests show which of the forty points: prints tests/POINTS.md, from the marks on the tests.

`@pytest.mark.shows(17, 26)` above a test says that it shows these points, or a named part of them.
Run as `python tests/points.py > tests/POINTS.md`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mithril_elt.acceptance.points import POINTS

__all__ = ["PAGE", "Shown", "page", "shown"]

TESTS = Path(__file__).parent
PAGE = TESTS / "POINTS.md"


@dataclass(frozen=True)
class Shown:
    """A test, the file that it is in, and the points that it shows."""

    file: str
    name: str
    points: tuple[int, ...]

    @property
    def sentence(self) -> str:
        """Its name as a sentence."""
        words = self.name.removeprefix("test_").replace("_", " ")
        return words[:1].upper() + words[1:]


def shown(folder: Path = TESTS) -> list[Shown]:
    """The tests with a mark, by file and then in the order in which they stand."""
    files = sorted(folder.rglob("test_*.py"))
    return [each for file in files for each in _of_file(file.relative_to(folder).as_posix(), file.read_text("utf-8"))]


def _of_file(file: str, code: str) -> Iterator[Shown]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            points = tuple(point for mark in node.decorator_list for point in _points(mark))
            if points:
                yield Shown(file, node.name, points)


def _points(mark: ast.expr) -> Iterator[int]:
    """The numbers in a `@pytest.mark.shows(…)`; none in any other mark."""
    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.shows":
        yield from (ast.literal_eval(argument) for argument in mark.args)


def page(tests: list[Shown]) -> str:
    """The page: a table of the points with the tests that show each."""
    lines = [
        "# What holds, and the tests that show it",
        "",
        "Made by `make points`; a test fails if it is not current.",
    ]
    group = None
    for point in POINTS:
        if point.group != group:
            group = point.group
            lines += ["", f"## {group.capitalize()}", "", "| | what holds | shown by |", "|---:|---|---|"]
        by = "<br>".join(
            f"{each.sentence} ([{each.file}]({each.file}))" for each in tests if point.number in each.points
        )
        lines.append(f"| {point.number} | {point.holds} | {by} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(shown()))
