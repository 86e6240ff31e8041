"""The dashboard's pages: the figures of the reports, drill by drill, and nothing of what others wrote as HTML."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from commands import Cli
from dashboard_pages import Browser, read, small_db
from hostile import HARMFUL, obeyed
from mithril_elt.dashboard.charts import Drawing, Series, columns, lines
from mithril_elt.dashboard.scales import Axis
from mithril_elt.reports.shown import number_text
from small_account import small_account

MARCH = ("--from", "2026-03-01", "--to", "2026-04-01")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small account; it is only read."""
    return small_db(tmp_path_factory.mktemp("pages") / "a.duckdb")


@pytest.fixture(scope="module")
def browser(db: Path) -> Browser:
    """A browser at it."""
    return Browser(db)


def told(cli: Cli, *arguments: str | Path) -> dict[str, Any]:
    """A report as JSON says it."""
    found: dict[str, Any] = json.loads(cli("report", *arguments, "--format", "json").out)
    return found


def shown(cell: str | int | None) -> str:
    """How a page writes a cell of JSON."""
    is_decimal = isinstance(cell, str) and re.fullmatch(r"-?\d+\.\d{12}", cell)
    return number_text(Decimal(str(cell)) if is_decimal else cell)


@pytest.mark.parametrize("part", [(), ("--only", "user=user_u"), ("--only", "order=res_1", "--only", "project=proj_a")])
def test_the_figures_are_those_of_the_summary(browser: Browser, db: Path, cli: Cli, part: tuple[str, ...]) -> None:
    """Each figure of the first page, of all and of a part, is what `report summary --format json` says, rounded."""
    query = "&".join(("month=2026-03", *(each for each in part if "=" in each)))
    page = read(browser.get(f"/?{query}").text)
    exact = {row["metric"]: row["value"] for row in told(cli, "summary", *MARCH, *part, "--db", db)["rows"]}
    figures = {name.partition(" ")[2]: text for name, text in page.figures.items()}
    assert len(figures) > 20
    assert figures == {name: shown(exact[name]) for name in figures}


def test_the_rows_are_those_of_the_report(browser: Browser, db: Path, cli: Cli) -> None:
    """Each report in each grouping that it takes: every cell, and the total; and the file of it is what is printed."""
    for name, by in [("cost", "instance"), ("usage", "user"), ("uptime", "order"), ("reservations", "day")]:
        page = browser.get(f"/rows?month=2026-03&report={name}&by={by}")
        printed = told(cli, name, "--by", by, *MARCH, "--db", db)["rows"]
        table = re.search(r'<table class="ranked rows">.*?</table>', page.text, re.DOTALL)
        assert table
        body = read(table[0]).texts
        for row in printed:
            cells = [
                shown(cell) for column, cell in row.items() if not column.endswith(("_id", "_name")) and column != by
            ]
            assert any(body[start : start + len(cells)] == cells for start in range(len(body))), (name, by, row)
        for form in ("csv", "json"):
            file = browser.get(f"/rows.{form}?month=2026-03&report={name}&by={by}")
            same = cli("report", name, "--by", by, *MARCH, "--format", form, "--db", db).out
            assert file.text == same
            assert file.headers["content-disposition"] == f'attachment; filename="mithril-{name}.{form}"'


@pytest.mark.parametrize(
    ("name", "by", "time"),
    [
        ("chargeback", "project", MARCH),
        ("rates", "day", MARCH),
        ("preemptions", "region", MARCH),
        ("opportunities", None, MARCH),
        ("return-now", None, ()),
    ],
)
def test_reports_of_lines_are_led_to_and_shown(
    browser: Browser, db: Path, cli: Cli, *, name: str, by: str | None, time: tuple[str, ...]
) -> None:
    """From the first page; with what else each line is of, every cell, and the command that prints the same."""
    links = read(browser.get("/?month=2026-03").text).links()
    assert any(f"report={name}" in link for link in links)
    asked = f"month=2026-03&report={name}" + (f"&by={by}" if by else "")
    page = browser.get(f"/rows?{asked}")
    assert page.status_code == 200
    options = (*(("--by", by) if by else ()), *time, "--db", db)
    assert browser.get(f"/rows.json?{asked}").text == cli("report", name, *options, "--format", "json").out
    [command] = re.findall(r"The same on a terminal: <code>mithril-elt ([^<]+)</code>", page.text)
    assert command.endswith(f"--db {db}")
    printed = json.loads(cli(*shlex.split(command), "--format", "json").out)["rows"]
    assert printed == told(cli, name, *options)["rows"]
    cells = read(page.text).texts
    for row in printed:
        assert {shown(value) for column, value in row.items() if column.endswith(("_usd", "_hours"))} <= set(cells)


@pytest.mark.long
def test_every_number_leads_to_its_rows(browser: Browser) -> None:
    """From the first page on, a link of each kind on every page that is led to answers, down to the last row."""
    waiting, seen, figures = ["/?month=2026-03"], set(), set()
    while waiting:
        address = waiting.pop()
        answer = browser.get(address)
        assert answer.status_code == 200, (address, read(answer.text).text)
        for link in read(answer.text).links() if "text/html" in answer.headers["content-type"] else []:
            parts = urlsplit(link)
            asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
            figures.add(asked.get("figure"))
            kind = (parts.path, asked.get("report"), asked.get("by"))
            assert not parts.netloc
            if not link.startswith("#") and kind not in seen:
                seen.add(kind)
                waiting.append(f"/{link.removeprefix('./')}")
    assert {"net_cost_usd", "uptime_pct", "utilisation_pct", "unclaimed_credit_usd"} <= figures
    assert {by for _, _, by in seen} >= {"day", "hour", "order", "instance", "reservation"}


def test_the_month_is_held_against_the_last(browser: Browser) -> None:
    """April so far has half an hour; the first half hour of March has nothing that is known, March as a whole has."""
    page = read(browser.get("/").text)
    assert "April 2026 so far, complete up to 2026-04-01 00:30 UTC , 90 min ago" in page.text
    assert "March 2026 whole month" in page.text
    assert "−91.00 (−80.9 %) against March 2026" in page.text
    march = read(browser.get("/?month=2026-03").text).text
    assert "Nothing is loaded of February 2026" in march
    assert "The first figures are of 2026-03-31 22:00 UTC: of what was before that in March 2026" in page.text
    unused = read(browser.get("/?user=user_u&order=res_1").text).text
    assert "Nothing is loaded" not in unused
    assert "−24.00 (−100.0 %)" in unused  # a zero that is known: in March that user had an hour of it
    assert "The data ends at" not in page.text


def test_a_comparison_is_of_exact_figures(browser: Browser) -> None:
    """21.50 (an unused hour of 24.00, less 2.50 of credit) less 112.505 is 91.005; all three are rounded half-even."""
    page = browser.get("/").text
    row = re.search(r'<tr class="sum">.*?</tr>', page, re.DOTALL)
    assert row
    note = "spot and allocated cost, less pause credit"
    assert read(row[0]).texts == ["Net cost", "USD", note, "21.50", "−91.00 (−80.9 %)", "112.50"]


def test_warnings_stand_where_the_figures_are(browser: Browser) -> None:
    """What is not known is said on the first page and under the rows, with the hours concerned."""
    for address in ("/?month=2026-03", "/rows?month=2026-03&report=cost&by=day"):
        text = read(browser.get(address).text).text
        assert "No price is known for 0.25 h billed on spot" in text
        assert "The number of GPUs is not known for 1 instance" in text


def hostile_db(folder: Path) -> Path:
    """The small account, whose names and ids were written to do harm."""
    account = small_account()
    ids: dict[str, str] = {}
    for rows in account.values():
        for row in rows:
            for column, value in row.items():
                if isinstance(value, str):
                    harm = f'{HARMFUL[len(ids) % len(HARMFUL)]}"><script>alert(1)</script><img src=x onerror=alert(1)>'
                    row[column] = ids.setdefault(value, value + harm)
    return small_db(folder / "hostile.duckdb", account)


def test_names_that_would_do_harm_are_text(tmp_path: Path) -> None:
    """No tag, attribute or address is made by a name, on any page; each leads to its rows all the same."""
    client = Browser(hostile_db(tmp_path))
    known = {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "a",
        "div",
        "header",
        "h1",
        "h2",
        "h3",
        "nav",
        "p",
        "b",
    }
    known |= {
        "time",
        "form",
        "label",
        "select",
        "option",
        "input",
        "button",
        "details",
        "summary",
        "main",
        "section",
    }
    known |= {"span", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "small", "figure", "figcaption", "svg"}
    known |= {
        "desc",
        "defs",
        "pattern",
        "rect",
        "path",
        "text",
        "circle",
        "g",
        "dl",
        "dt",
        "dd",
        "ul",
        "li",
        "footer",
        "code",
    }
    known |= {"fieldset", "legend"}
    addresses = [
        "/?month=2026-03",
        *(f"/rows?report=cost&by={by}" for by in ("instance", "order", "user", "region")),
    ]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        page = read(answer.text)
        assert {tag for tag, _ in page.tags} <= known
        assert not [key for _, attrs in page.tags for key in attrs if key.startswith("on") or key == "style"]
        assert not [link for link in page.links() if not re.match(r"(rows|\./|#|\?)", link)]
        assert obeyed("".join(page.texts).replace("\n", "")) == set()
        assert escape("<script>") in answer.text
    rows = [link for link in read(client.get("/rows?report=cost&by=user").text).links() if "user=" in link]
    assert rows
    for link in rows:
        assert client.get(f"/{link}").status_code == 200, link


def test_the_csv_of_hostile_names_runs_no_formula(tmp_path: Path) -> None:
    """As `report` writes it."""
    client = Browser(hostile_db(tmp_path))
    found = list(csv.reader(io.StringIO(client.get("/rows.csv?report=cost&by=region").text, newline="")))
    assert len(found) > 2
    assert not [cell for row in found for cell in row if cell.startswith(("=", "+", "@"))]


def test_charts_are_drawn_to_scale() -> None:
    """Heights are as the numbers are, unknown is marked, less than zero hangs below, and words say it all."""
    drawing = Drawing(
        "test",
        "A & <b>",
        "USD",
        ("one", "two", "three"),
        (
            Series("spot", (Decimal(100), Decimal(50), None), "s1"),
            Series("credit", (Decimal(-25), Decimal(0), Decimal(0)), "s2"),
        ),
        links=("rows?x", None, None),
    )
    picture = ElementTree.fromstring(str(columns(drawing, 700)))  # noqa: S314  # our own
    assert picture.get("role") == "img"
    assert picture.find("title") is not None
    assert picture.find("title").text == "A & <b>"  # type: ignore[union-attr]
    heights = [Decimal(str(each.get("height"))) for each in picture.iter("rect") if each.get("class") == "s1"]
    assert abs(heights[0] - 2 * heights[1]) <= Decimal("0.2")
    [below] = [each for each in picture.iter("rect") if each.get("class") == "s2"]
    [zero] = [each for each in picture.iter("path") if each.get("class") == "zero"]
    assert Decimal(str(below.get("y"))) == Decimal(str(zero.get("d")).split()[1].partition("H")[0])
    assert [each.text for each in picture.iter("text") if each.get("class") == "unknown"] == ["?"]
    assert "spot 100.00, credit -25.00 USD" in "".join(picture.itertext())
    both = str(lines(drawing, 340))
    assert both.count("<path class=") >= 2
    assert "no colour" not in both


def test_an_axis_has_round_marks_and_zero() -> None:
    """A bar that does not begin at zero lies."""
    axis = Axis.over([Decimal(3), Decimal("4321.5")], bottom=200, top=0)
    assert axis.marks[0] == 0
    assert [axis.text(mark) for mark in axis.marks] == ["0", "2,000", "4,000", "6,000"]
    assert axis.at(Decimal(0)) == 200
    assert [Axis.over([Decimal("0.3")], bottom=9, top=0).text(mark) for mark in (0, Decimal("0.1"))] == ["0.0", "0.1"]
    assert Axis.over([], bottom=9, top=0).marks[-1] == 1
