"""A page of the site, read: what it leads to, and what a browser would fetch for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

__all__ = ["Page", "read_page"]

_FETCHING = ("src", "srcset", "data", "poster", "action")


@dataclass
class Page:
    """What a page leads to, what a browser would fetch for it, the places in it that have a name, and its words."""

    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    policy: str = ""
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.page.names |= {told[name] for name in ("id", "name") if told.get(name)}
        self.page.classes |= set(told.get("class", "").split())
        if told.get("http-equiv") == "Content-Security-Policy":
            self.page.policy = told["content"]
        if tag == "a" and "href" in told:
            self.page.links.append(unquote(told["href"]))
        elif "href" in told:
            self.page.fetched.append(told["href"])
        self.page.fetched += [told[name] for name in _FETCHING if told.get(name)]

    def handle_data(self, data: str) -> None:
        self.page.text += data


def read_page(file: Path) -> Page:
    """What there is in a file of HTML."""
    reader = _Reader()
    reader.feed(file.read_text())
    return reader.page
