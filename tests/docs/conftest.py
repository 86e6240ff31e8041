"""The site that `make docs` has made: `SITE` says where."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from site_pages import Page, read_page


@pytest.fixture(scope="session")
def site() -> Path:
    """Where the site is."""
    return Path(os.environ["SITE"])


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Page]:
    """Every page of it, read."""
    return {file: read_page(file) for file in sorted(site.rglob("*.html"))}
