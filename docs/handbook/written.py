"""The pages that people wrote, as they stand in the repository, with links as the site has them.

Stands at the end of the flow, beside `commands` and `tables`, under `__main__`.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from handbook.words import plain_bars

__all__ = ["ROOT", "copy_written"]

ROOT = Path(__file__).resolve().parents[2]
_PLACES = {"README.md": "index.md", "sql/README.md": "models.md", "notebooks/README.md": "notebooks.md"}
_LINK = re.compile(r"(\]\()(?!https?:)([^)#\s]+)")
_CHANGELOG = "\n## Changelog\n"


def copy_written(pages: Path) -> None:
    """Puts README (its changelog apart), docs/, and the READMEs of models and notebooks into a folder."""
    docs = ROOT / "docs"
    for name in ("pictures", "schedules"):
        shutil.copytree(docs / name, pages / name)
    for file in docs.glob("*.md"):
        (pages / file.name).write_text(_linked(file))
    for name, place in _PLACES.items():
        (pages / place).write_text(_linked(ROOT / name))
    first, _, changes = (pages / "index.md").read_text().partition(_CHANGELOG)
    (pages / "index.md").write_text(first)
    (pages / "changelog.md").write_text(f"# Changelog\n{changes.replace('### ', '## ')}")


def _linked(file: Path) -> str:
    """The text of a page; its links to other files lead to where those are on the site."""
    return _LINK.sub(lambda found: found[1] + _place_of(file.parent / found[2]), plain_bars(file.read_text()))


def _place_of(target: Path) -> str:
    """Where a file of the repository is on the site, for pages at its root."""
    inside = target.resolve().relative_to(ROOT).as_posix()
    return _PLACES.get(inside, inside.removeprefix("docs/"))
