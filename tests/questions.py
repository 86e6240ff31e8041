"""The answers in docs/questions.md, as the marts give them.

Run as `python tests/questions.py demo/mithril.duckdb`; `make questions` makes that database first.
"""

from __future__ import annotations

import re
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from pages import ROOT

__all__ = ["PAGE", "Question", "answered", "questions", "renewed"]

PAGE = ROOT / "docs" / "questions.md"
_QUESTION = re.compile(
    r"^### (\d+\. [^\n]*)$([^#]*?)^```sql\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE
)

Question = tuple[str, str, str]  # what is asked, its SQL, and the answer as it stands on the page


def questions() -> list[Question]:
    """Those of the page, in their order."""
    return [(asked, sql, answer) for asked, _, sql, answer in _QUESTION.findall(PAGE.read_text())]


def answered(sql: str, db: Path) -> str:
    """What a database answers: a line with the columns, one for each row, numbers to the right, unknown as a dash."""
    with duckdb.connect(str(db), read_only=True) as connection:
        found = connection.execute(sql)
        names = [column[0] for column in found.description or ()]
        rows = found.fetchall()
    is_number = [any(isinstance(row[at], int | float | Decimal) for row in rows) for at in range(len(names))]
    lines = [names, *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(names))]
    return "".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_number, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def renewed(text: str, db: Path) -> str:
    """The page with each answer as the database gives it."""
    return _QUESTION.sub(
        lambda found: f"### {found[1]}{found[2]}```sql\n{found[3]}```\n\n```text\n{answered(found[3], db)}```\n", text
    )


def _shown(cell: Any) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, Decimal | float | int) and not isinstance(cell, bool):
        return f"{cell:,}"
    return cell.isoformat(" ", "seconds") if isinstance(cell, datetime) else str(cell)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(), Path(sys.argv[1])))
