"""The dashboard as people see it: in chromium, on a desk and a phone, by day and night, with JavaScript and without."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from commands import Cli
from mithril_elt.reports.shown import number_text

Open = Callable[..., Page]

MARCH = ("--from", "2026-03-01", "--to", "2026-04-01")
PHONE = 360
pytestmark = pytest.mark.timeout(600)  # the first has to wait for a load and a build
LARGEST_PAGE = 150_000  # bytes, as they stand; a tenth of it on the way


def told(cli: Cli, *arguments: str | Path) -> dict[str, Any]:
    """A report as `--format json` says it."""
    found: dict[str, Any] = json.loads(cli("report", *arguments, "--format", "json").out)
    return found


def shown(cell: str | int | None) -> str:
    """How a page writes a cell of JSON."""
    is_decimal = isinstance(cell, str) and re.fullmatch(r"-?\d+\.\d{12}", cell)
    return number_text(Decimal(str(cell)) if is_decimal else cell)


def figures(page: Page) -> dict[str, str]:
    """The figures of this month on a page, by name."""
    return {
        str(each.get_attribute("data-figure")): each.inner_text().strip()
        for each in page.locator("[data-figure]").all()
        if each.is_visible()
    }


def of_summary(cli: Cli, db: Path, *options: str) -> dict[str, str]:
    """The same as `report summary` says it."""
    rows = told(cli, "summary", *MARCH, *options, "--db", db)["rows"]
    return {row["metric"]: shown(row["value"]) for row in rows}


def is_too_wide(page: Page) -> bool:
    """Whether one would have to scroll sideways."""
    return bool(page.evaluate("document.scrollingElement.scrollWidth > window.innerWidth"))


def colour(page: Page) -> str:
    """The colour behind everything."""
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_figures_filters_and_rows(open_page: Open, address: str, db: Path, cli: Cli) -> None:
    """One opens it, chooses a user, presses Show, follows the net cost to its rows and on to one machine's hours.

    At each step the figures are those of the report, and the address is a link that shows the same again.
    """
    page = open_page(address)
    first = figures(page)
    assert len(first) > 20
    exact = of_summary(cli, db)
    assert first == {name: exact[name] for name in first}

    user = max(
        told(cli, "cost", "--by", "user", *MARCH, "--db", db)["rows"], key=lambda row: Decimal(row["net_cost_usd"])
    )
    page.locator("select[name=user]").first.select_option(user["user_id"])
    page.get_by_role("button", name="Show").first.click()
    exact = of_summary(cli, db, "--only", f"user={user['user_id']}")
    narrowed = figures(page)
    assert narrowed == {name: exact[name] for name in narrowed}
    assert narrowed != first
    assert figures(open_page(page.url)) == narrowed

    page.locator("[data-figure=net_cost_usd] a").click()
    assert "/rows?" in page.url
    rows = told(cli, "cost", "--by", "order", "--only", f"user={user['user_id']}", *MARCH, "--db", db)["rows"]
    table = page.locator("table.rows tbody tr")
    assert table.count() == len(rows)
    place = list(rows[0]).index("net_cost_usd")
    assert [each.locator("td,th").nth(place).inner_text() for each in table.all()] == [
        shown(row["net_cost_usd"]) for row in rows
    ]
    assert page.locator("[data-total=net_cost_usd]").inner_text() == narrowed["net_cost_usd"]

    table.first.get_by_role("link").click()
    assert f"order={rows[0]['order_id']}" in page.url
    page.locator("table.rows tbody tr").first.get_by_role("link").click()
    assert "by=hour" in page.url
    [instance] = re.findall(r"instance=(\w+)", page.url)
    [whole] = told(cli, "cost", "--only", f"instance={instance}", *MARCH, "--db", db)["rows"]
    assert page.locator("[data-total=net_cost_usd]").inner_text() == shown(whole["net_cost_usd"])
    page.get_by_role("link", name="← Overview").click()
    assert "instance=" not in page.url
    assert f"user={user['user_id']}" in page.url


def test_days_are_chosen_and_held_against_as_many_before(open_page: Open, address: str, db: Path, cli: Cli) -> None:
    """A week, by its two days; the column beside it is the week before."""
    page = open_page(address)
    page.get_by_text("Other days").click()
    page.get_by_label("From (UTC)").fill("2026-03-16")
    page.get_by_label("Until, not included").fill("2026-03-23")
    page.get_by_role("button", name="Show").nth(1).click()
    row = page.locator("tr", has=page.locator("[data-figure=net_cost_usd]")).locator("td")
    weeks = [("2026-03-16", "2026-03-23"), ("2026-03-09", "2026-03-16")]
    net = [told(cli, "cost", "--from", a, "--to", b, "--db", db)["rows"][0]["net_cost_usd"] for a, b in weeks]
    assert [row.nth(0).inner_text(), row.nth(1).inner_text()] == [shown(each) for each in net]


@pytest.mark.parametrize("width", [PHONE, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(open_page: Open, address: str, pictures: Path, width: int, scheme: str) -> None:
    """On a phone, a tablet and a desk nothing is cut off or has to be scrolled sideways; light and dark differ."""
    page = open_page(f"{address}?month=2026-03", width=width, color_scheme=scheme)
    assert not is_too_wide(page)
    assert page.locator("svg.chart:visible").count() == 3
    for text in page.locator(".card .big, h1, h2, .mark").all():
        box = text.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    drawn = "[...document.querySelectorAll('svg.chart')].filter(each => each.clientWidth)"
    sizes = page.evaluate(f"{drawn}.map(each => each.clientWidth / each.viewBox.baseVal.width)")
    assert all(0.75 < each < 1.8 for each in sizes), sizes  # so letters of 11.5 stay letters
    place = {PHONE: "phone", 1280: "desk"}.get(width)
    if place:
        page.screenshot(path=pictures / f"dashboard-{place}-{scheme}.png", full_page=False)
    rows = open_page(f"{address}rows?month=2026-03&report=cost&by=day", width=width, color_scheme=scheme)
    assert not is_too_wide(rows)


def test_light_and_dark_can_be_switched(open_page: Open, address: str) -> None:
    """As the system has it, until one says otherwise; and on the next page still."""
    page = open_page(address, color_scheme="light")
    light = colour(page)
    page.get_by_role("link", name="Dark").click()
    dark = colour(page)
    assert dark != light
    page.locator("[data-figure=net_cost_usd] a").click()
    assert colour(page) == dark
    page.get_by_role("link", name="Auto").click()
    assert colour(page) == light
    assert colour(open_page(address, color_scheme="dark")) == dark


def test_without_javascript_it_is_the_same(open_page: Open, address: str, db: Path, cli: Cli) -> None:
    """There is none in it: filters, rows and numbers under charts work."""
    page = open_page(f"{address}?month=2026-03", java_script_enabled=False)
    exact = of_summary(cli, db)
    assert {name: exact[name] for name in figures(page)} == figures(page)
    page.locator("select[name=project]").first.select_option(index=1)
    page.get_by_role("button", name="Show").first.click()
    assert "project=proj_" in page.url
    page.get_by_text("The numbers").first.click()
    assert page.locator("figure table").first.is_visible()
    assert page.locator("script").count() == 0


def test_it_can_be_used_with_a_keyboard_and_a_reader(open_page: Open, address: str) -> None:
    """One h1, headings in order, each field has a name, each chart a title and a table of its numbers."""
    page = open_page(f"{address}?month=2026-03")
    levels = [int(each.evaluate("e => e.tagName[1]")) for each in page.locator("h1,h2,h3").all()]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for field in page.locator("select, input:not([type=hidden])").all():
        assert field.evaluate("e => e.labels.length") == 1
    for chart in page.locator("figure").all():
        pictured = chart.locator("svg.chart:visible")
        assert pictured.get_attribute("role") == "img"
        assert pictured.locator("> title").text_content()
        assert "at most" in str(pictured.locator("> desc").text_content())
        assert chart.locator("details table tbody tr").count() > 10
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the figures"


def test_it_is_light_and_quick(open_page: Open, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Weight and time are said; the weight is held, the time is the machine's."""
    page = open_page(f"{address}?month=2026-02")
    with page.expect_response(lambda _: True) as answered:
        begun = time.monotonic()
        page.goto(f"{address}?month=2026-03")
    seconds = time.monotonic() - begun
    sizes = answered.value.request.sizes()
    told = f"{len(answered.value.body()):,} bytes, {sizes['responseBodySize']:,} on the way, {seconds:.2f} s to load"
    with capsys.disabled():
        print(f"\n{told}")
    assert len(answered.value.body()) < LARGEST_PAGE
    assert sizes["responseBodySize"] < LARGEST_PAGE / 4


def test_the_file_needs_no_server(open_page: Open, db: Path, cli: Cli, tmp_path: Path) -> None:
    """Written once, opened from the disk: the same figures, its own rows, a switch for the dark, nothing asked for."""
    file = tmp_path / "march.html"
    assert cli("dashboard", "--month", "2026-03", "--out", file, "--db", db).status == 0
    page = open_page(file.as_uri(), width=PHONE, color_scheme="light")
    exact = of_summary(cli, db)
    assert {name: exact[name] for name in figures(page)} == figures(page)
    assert not is_too_wide(page)
    light = colour(page)
    page.get_by_label("Dark").check()
    assert colour(page) != light
    page.locator("[data-figure=net_cost_usd] a").click()
    assert page.url.endswith("#cost-order")
    assert page.locator("#cost-order").is_visible()
    assert page.locator("#cost-order tbody tr").count() > 5
