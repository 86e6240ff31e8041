"""Tables and cells of Markdown.

Stands under the other modules of the site.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["cell", "plain_bars", "table"]

_CODE = re.compile(r"(`[^`]*`)")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(_barred(each) for each in row)} |"


def plain_bars(text: str) -> str:
    """A page whose tables have `\\|` in code, as GitHub wants it: the site's Markdown would show the stroke."""
    lines = (
        _CODE.sub(lambda code: code[0].replace("\\|", "|"), line) if line.startswith("|") else line
        for line in text.split("\n")
    )
    return "\n".join(lines)


def _barred(text: str) -> str:
    """A cell whose bars divide no cells: in code they do not anyhow."""
    return "".join(part if at % 2 else part.replace("|", "\\|") for at, part in enumerate(_CODE.split(text)))


def cell(text: str) -> str:
    """A text that is no Markdown but for code in backticks: in one line, its signs shown as they are."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(
        part if at % 2 else re.sub(r"([*_\[\]])", r"\\\1", html.escape(part, quote=False))
        for at, part in enumerate(parts)
    )
