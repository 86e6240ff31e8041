"""A made-up account of two months, the dashboard that serves it as a user starts it, and a chromium at it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from mithril_elt.api import Mithril
from mithril_elt.load import load
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import serve
from mithril_elt.transform import build

# As root, in a container, without a screen; and nothing asked of anybody but by the page.
_SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
_SWITCHES += ("--disable-component-update", "--disable-sync")

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dozen machines and 45 days up to the end of March: a month that is whole, and one before it."""
    file = tmp_path_factory.mktemp("account") / "mithril.duckdb"
    with serve(make_account(7, 24, 45)) as sandbox, Mithril(sandbox.key, sandbox.url) as api:
        load(api, file)
    build(file)
    return file


@pytest.fixture(scope="session")
def address(db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `mithril-elt dashboard` says that it serves; it is stopped as a user stops it."""
    said = tmp_path_factory.mktemp("said") / "stderr"
    words = [sys.executable, "-m", "mithril_elt", "dashboard", "--port", "0", "--db", str(db)]
    with (
        said.open("w") as stderr,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), said.read_text()
        yield url
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert "Traceback" not in said.read_text()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's chromium."""
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=list(_SWITCHES), timeout=120_000)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Open]:
    """Opens an address in a window of its own; at the end nothing was asked of anybody else, and nothing was broken."""
    contexts, asked, broken = [], [], []

    def opened(address: str, width: int = 1280, height: int = 900, within: str | None = None, **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(address)
        own = within or address.split("?", maxsplit=1)[0]
        assert all(url.startswith((own, own.rpartition("/")[0] + "/")) for url in asked), asked
        return page

    yield opened
    places = {url.split("/")[2] for url in asked}
    for context in contexts:
        context.close()
    assert len(places) == 1, places
    assert broken == []


@pytest.fixture(scope="session")
def site() -> Path:
    """The documentation, as `make site` has made it."""
    return Path(os.environ["SITE"])


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures are put: into the documents only if that is asked for."""
    wanted = os.environ.get("PICTURES")
    folder = Path(__file__).parents[2] / wanted if wanted else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
