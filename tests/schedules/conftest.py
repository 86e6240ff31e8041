"""What the schedules of this folder's tests load: an account over HTTP, whose figures are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small account of a week."""
    with serve(make_account(instances=14, days=7)) as served:
        yield served


@pytest.fixture
def place(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands for /srv/mithril, whose environment names the account."""
    monkeypatch.setenv("MITHRIL_API_KEY", sandbox.key)
    monkeypatch.setenv("MITHRIL_API_URL", sandbox.url)
    folder = tmp_path / "srv"
    folder.mkdir()
    return folder
