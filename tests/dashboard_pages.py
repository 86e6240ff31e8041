"""The dashboard in tests: served from a small database, and what a reader of its HTML finds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import anyio
import duckdb
import httpx

from marts_by_hand import fill
from mithril_elt.dashboard import Source, create_app
from mithril_elt.place import Place
from small_account import small_account

__all__ = ["NOW", "Browser", "Read", "read", "small_db"]

NOW = datetime(2026, 4, 1, 2, tzinfo=UTC)


def small_db(path: Path, account: dict[str, list[dict[str, Any]]] | None = None) -> Path:
    """A file with the marts of the small account: two hours of March, half an hour of April."""
    with duckdb.connect(str(path)) as made:
        fill(made, account or small_account())
    return path


class Browser:
    """A browser without a screen at the dashboard of a database; it keeps cookies and follows no redirect."""

    def __init__(self, db: Place, base_url: str = "http://127.0.0.1:8643", **options: Any) -> None:
        self._app: Any = create_app(Source(db), **{"clock": lambda: NOW, **options})
        self._base_url = base_url
        self.cookies = httpx.Cookies()

    def get(self, address: str, **options: Any) -> httpx.Response:
        """Opens an address."""
        return self.ask("GET", address, **options)

    def ask(self, method: str, address: str, **options: Any) -> httpx.Response:
        """Sends any request."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=self._base_url, cookies=self.cookies) as client:
                answer = await client.request(method, address, **options)
                self.cookies.update(client.cookies)
                return answer

        return anyio.run(asked)


class Read(HTMLParser):
    """What a page has: tags with their attributes, the text between them, and the texts of marked figures."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.figures: dict[str, str] = {}
        self._marked: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps a tag."""
        self.tags.append((tag, dict(attrs)))
        marks = {key: value for key, value in attrs if key in ("data-figure", "data-headline", "data-total")}
        if marks:
            [(kind, name)] = marks.items()
            self._marked = f"{kind.removeprefix('data-')} {name}"

    def handle_data(self, data: str) -> None:
        """Keeps a text."""
        if data.strip():
            self.texts.append(data.strip())
            if self._marked:
                self.figures.setdefault(self._marked, data.strip())
                self._marked = None

    @property
    def text(self) -> str:
        """All that is to be read, on one line."""
        return re.sub(r"\s+", " ", " ".join(self.texts))

    def links(self) -> list[str]:
        """Where the page leads."""
        return [str(attrs["href"]) for tag, attrs in self.tags if tag == "a" and attrs.get("href")]


def read(html: str) -> Read:
    """A page as its reader finds it."""
    found = Read()
    found.feed(html)
    return found
