"""The pages that users read, and the fenced blocks in them."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["PAGES", "README", "ROOT", "blocks", "named_blocks"]

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def named_blocks(language: str) -> dict[str, str]:
    """Those of all pages, each named by its page and its place there: `alarms.md 1`."""
    return {
        f"{page.name} {number}": block for page in PAGES for number, block in enumerate(blocks(page, language), start=1)
    }
