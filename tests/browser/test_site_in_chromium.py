"""The documentation as people read it: from a folder, without a network, in chromium, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from test_dashboard_in_chromium import PHONE, colour, is_too_wide

Open = Callable[..., Page]


def opened(open_page: Open, site: Path, page: str, **options: object) -> Page:
    """A page of it. What is asked for stays on this disk, or `open_page` fails."""
    found = open_page((site / page).as_uri(), within=site.as_uri(), **options)
    found.wait_for_load_state("networkidle")
    return found


def test_a_column_is_found_by_its_name(open_page: Open, site: Path, pictures: Path) -> None:
    """Typed letter by letter; the table that has it is among the answers, and is a click away."""
    page = opened(open_page, site, "index.html")
    page.locator(".md-search__button").first.click()
    page.keyboard.type("short_pause_loss_usd", delay=10)
    answer = page.get_by_role("link").filter(has_text="fct_pause_credits").filter(has_text="pause is a spell")
    expect(answer).to_be_visible()
    page.screenshot(path=pictures / "site-search.png")
    answer.click()
    page.wait_for_url("**/tables/fct_pause_credits.html*")
    expect(page.get_by_role("cell", name="short_pause_loss_usd").first).to_be_visible()


def test_what_joins_the_tables_is_drawn(open_page: Open, site: Path) -> None:
    """Boxes with names that lead to their tables, lines between them, in light and in dark to be told from the page."""
    page = opened(open_page, site, "erd.html", color_scheme="dark")
    drawing = page.locator("svg.tables").first
    box = drawing.bounding_box()
    assert box is not None
    assert box["width"] > 300
    assert box["height"] > 100
    assert drawing.locator("path").count() > 2
    drawing.get_by_text("dim_reservations", exact=True).click()
    page.wait_for_url("**/tables/dim_reservations.html*")


def test_light_and_dark(open_page: Open, site: Path) -> None:
    """As the system has it, until one says otherwise; on the next page still."""
    page = opened(open_page, site, "index.html", color_scheme="light")
    light = colour(page)
    page.locator("label[title=Dark]").click()
    dark = colour(page)
    assert dark != light
    page.goto((site / "money.html").as_uri())
    assert colour(page) == dark
    assert colour(opened(open_page, site, "money.html", color_scheme="dark")) == dark


@pytest.mark.parametrize("name", ["index", "questions", "commands", "tables/fct_cost_daily", "erd"])
def test_it_can_be_read_on_a_phone(open_page: Open, site: Path, name: str) -> None:
    """Nothing of a page has to be scrolled sideways but what is wide in itself, which scrolls alone."""
    assert not is_too_wide(opened(open_page, site, f"{name}.html", width=PHONE))
