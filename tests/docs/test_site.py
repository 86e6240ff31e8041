"""The site of the documentation: its links lead somewhere, it needs no network, and it has every command and column."""

from __future__ import annotations

import importlib.util
import re
import sys
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType

import click
import yaml
from site_pages import Page

from mithril_elt.cli import group
from mithril_elt.dbt_project import sql_folder
from mithril_elt.mart_docs import described_marts
from mithril_elt.tables import RAW_TABLES
from pages import PAGES, ROOT

ELSEWHERE = ("http://", "https://", "//")


def test_every_link_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    """To a file of the site, and to a place in it that is there."""
    lost = []
    for file, page in pages.items():
        for link in (*page.links, *page.fetched):
            target, _, name = link.partition("#")
            if link.startswith((*ELSEWHERE, "mailto:", "data:", "javascript:")) or file.name == "404.html":
                continue
            found = (file.parent / target).resolve() if target else file
            if not found.exists() or (name and found in pages and name not in pages[found].names | {"__top"}):
                lost.append(f"{file.relative_to(site)}: {link}")
    assert len(pages) > 50
    assert lost == []


def test_nothing_is_fetched_from_a_network(site: Path, pages: dict[Path, Page]) -> None:
    """No page or style of the site names a file elsewhere, and a policy forbids what a script might ask for."""
    assert {url for page in pages.values() for url in page.fetched if url.startswith(ELSEWHERE)} == set()
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']*", style.read_text()) == [], style.name
    for file, page in pages.items():
        assert page.policy, file
        assert not re.search(r"https?:", page.policy)
        assert not page.classes & {"mermaid", "glightbox", "pyodide"}, (
            file
        )  # what the theme's script would go and fetch


def test_no_stroke_is_shown_that_only_a_table_of_markdown_wants(site: Path, pages: dict[Path, Page]) -> None:
    """`[text|json]` is written with a stroke before its bar, for GitHub, and read without."""
    assert "[text|json]" in pages[site / "commands.html"].text
    assert "list|status|pause|start" in pages[site / "index.html"].text
    assert [file.name for file, page in pages.items() if "\\|" in page.text] == []


def test_every_column_of_every_mart_is_told(site: Path, pages: dict[Path, Page]) -> None:
    """On the mart's own page, with its meaning."""
    marts = described_marts()
    assert len(marts) > 25
    for mart in marts.values():
        told = pages[site / "tables" / f"{mart.name}.html"].text
        for name, (_, meaning) in mart.columns.items():
            assert name in told, f"{mart.name}.{name}"
            assert _words(meaning) in _words(told), f"{mart.name}.{name}: {meaning}"


def test_every_model_and_raw_column_is_told(site: Path, pages: dict[Path, Page]) -> None:
    """Each model and seed of the project by its name, each column of raw as well."""
    for layer in ("staging", "intermediate"):
        models = sorted((sql_folder() / "models" / layer).rglob("*.sql"))
        assert models
        assert [model.stem for model in models if model.stem not in pages[site / f"{layer}.html"].names] == []
    seeds = [yaml.safe_load(file.read_text())["seeds"][0]["name"] for file in (sql_folder() / "seeds").glob("*.yml")]
    assert set(seeds) <= pages[site / "seeds.html"].names
    raw = pages[site / "raw.html"]
    assert {table.name for table in RAW_TABLES} <= raw.names
    assert [column.name for table in RAW_TABLES for column in table.columns if column.name not in raw.text] == []


def test_every_command_and_option_is_told(site: Path, pages: dict[Path, Page]) -> None:
    """Those of groups inside the group too."""
    page = pages[site / "commands.html"]
    waiting: list[tuple[str, click.Command]] = [("mithril-elt", group)]
    seen = 0
    while waiting:
        path, command = waiting.pop()
        if isinstance(command, click.Group):
            context = click.Context(command)
            inner = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
            waiting += [(f"{path} {name}", each) for name, each in inner if each]
        else:
            seen += 1
            assert path.replace(" ", "-") in page.names, path
            options = [option for option in command.params if isinstance(option, click.Option)]
            assert [name for option in options for name in option.opts if name not in page.text] == []
    assert seen > 20


def test_every_written_page_is_there(site: Path, pages: dict[Path, Page]) -> None:
    """Those of docs/, and README with its changelog."""
    names = {"index.html", "changelog.html", "models.html", "notebooks.html"}
    assert names | {page.with_suffix(".html").name for page in PAGES[1:]} <= {file.name for file in pages}
    assert "0.1.0" in pages[site / "changelog.html"].text


def test_what_makes_it_is_under_a_licence_that_is_allowed() -> None:
    """By the audit's own list: it looks only at what its own environment has."""
    audit = _audit()
    here = {each.metadata["Name"].lower().replace("_", "-"): audit.licence_of(each) for each in distributions()}
    assert "zensical" in here
    found = list(audit.strange_licences({name: told for name, told in here.items() if name not in audit.VENVS_OWN}))
    assert [fault for fault in found if "not installed" not in fault] == []


def _audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def _words(text: str) -> str:
    """A text in one line, without the signs of Markdown."""
    return " ".join(text.replace("`", "").split())
