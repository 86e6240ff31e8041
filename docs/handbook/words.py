"""Tables and cells of Markdown.

Stands under the other modules of the site.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["cell", "table"]

_CODE = re.compile(r"(`[^`]*`)")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(each.replace('|', chr(92) + '|') for each in row)} |"


def cell(text: str) -> str:
    """A text that is no Markdown but for code in backticks: in one line, its signs shown as they are."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(
        part if at % 2 else re.sub(r"([*_\[\]])", r"\\\1", html.escape(part, quote=False))
        for at, part in enumerate(parts)
    )
