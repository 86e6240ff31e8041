"""Makes the site, without a network: `python -m handbook build/site`, with `docs` on Python's path.

Stands at the end of the flow, on `written`, `commands` and `tables`; Zensical makes HTML of their pages.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from handbook.commands import commands_page
from handbook.tables import table_pages
from handbook.written import copy_written

_HERE = Path(__file__).parent
_STAGE = ".pages"  # beside the site, with the pages and Zensical's configuration

# Where each page stands: a heading, and under it pages by what they are called.
_NAVIGATION: dict[str, Mapping[str, str]] = {
    "Start": {
        "In a minute": "index.md",
        "Twenty questions": "questions.md",
        "Reports": "reports.md",
        "Commands": "commands.md",
        "Settings": "settings.md",
        "Changelog": "changelog.md",
    },
    "For people": {
        "Dashboard": "dashboard.md",
        "Notebooks": "notebooks.md",
        "Budgets": "budgets.md",
        "Chargeback": "chargeback.md",
        "Rates and preemptions": "rates.md",
        "Pausing what is idle": "acting.md",
        "Python": "python.md",
        "FOCUS": "focus.md",
    },
    "Tables": {
        "Marts": "tables.md",
        "What joins them": "erd.md",
        "Columns of reports": "report-columns.md",
        "The models": "models.md",
        "Intermediate": "intermediate.md",
        "Staging": "staging.md",
        "Seeds": "seeds.md",
        "Raw": "raw.md",
    },
    "Decisions": {
        "Money and time": "money.md",
        "What the API leaves open": "api-readings.md",
        "Other ways": "comparison.md",
    },
    "Operating it": {
        "Day by day": "operating.md",
        "Schedules": "schedules.md",
        "Alarms": "alarms.md",
        "Security": "security.md",
        "PostgreSQL": "postgresql.md",
        "Files and buckets": "raw-files.md",
        "Other warehouses": "warehouses.md",
        "How fast it is": "speed.md",
        "Large accounts": "scale.md",
    },
    "Extending it": {"Reports, marts, warehouses": "extending.md"},
}


def main(site: Path) -> None:
    """Makes the site anew in a folder that has nothing else."""
    stage = site.parent / _STAGE
    for folder in (stage, site):
        shutil.rmtree(folder, ignore_errors=True)
    pages = stage / "docs"
    (pages / "tables").mkdir(parents=True)
    copy_written(pages)
    made = {"commands.md": commands_page(), **table_pages()}
    for name, text in made.items():
        (pages / name).write_text(text)
    shutil.copytree(_HERE / "assets", pages, dirs_exist_ok=True)
    shutil.copytree(_HERE / "overrides", stage / "overrides")
    marts = sorted(name for name in made if name.startswith("tables/"))
    config = (_HERE / "zensical.toml").read_text().replace("{navigation}", "\n".join(_navigation(pages, marts)))
    (stage / "zensical.toml").write_text(config)
    zensical = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", "zensical.toml"]
    subprocess.run(zensical, cwd=stage, check=True)  # noqa: S603  # our own arguments
    (stage / "site").rename(site)


def _navigation(pages: Path, marts: list[str]) -> Iterator[str]:
    """TOML of the pages in their order; those that are in no list follow by themselves, so that none is lost."""
    listed = {page for part in _NAVIGATION.values() for page in part.values()}
    for part, of_part in _NAVIGATION.items():
        entries = [_entry(name, page) for name, page in of_part.items()]
        if part == "Tables":
            entries.insert(1, f"{{ {json.dumps('Each mart')} = [{', '.join(map(json.dumps, marts))}] }}")
        yield f"  {{ {json.dumps(part)} = [{', '.join(entries)}] }},"
    others = sorted(page.name for page in pages.glob("*.md") if page.name not in listed)
    if others:
        yield f"  {{ {json.dumps('More')} = [{', '.join(map(json.dumps, others))}] }},"


def _entry(name: str, page: str) -> str:
    return f"{{ {json.dumps(name)} = {json.dumps(page)} }}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
