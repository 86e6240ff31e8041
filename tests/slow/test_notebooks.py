"""The notebooks run headless on a sandbox database, show the figures of `report`, and become pages of one file."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest

import mithril_elt
from commands import Cli, assert_one_sentence
from loading import load_sandbox
from mithril_elt.exploring import Chosen, Controls, as_table
from mithril_elt.exploring.files import Shown, notebook_file, shown
from mithril_elt.exploring.page import page
from mithril_elt.opened import OpenMarts
from mithril_elt.reports import render, report
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import serve
from sql_project import compiled

NAMES = ("cost", "explore", "pause_credits", "uptime", "usage")
WITH_REPORT = {"cost": "costs", "pause_credits": "credits_of", "uptime": "uptime", "usage": "usage"}
DEVICE_WIDTH = '<meta name="viewport" content="width=device-width, initial-scale=1">'


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox's account of nine days, loaded and built."""
    folder = tmp_path_factory.mktemp("notebooks")
    path = folder / "a.duckdb"
    with serve(make_account(7, 12, 9)) as sandbox:
        load_sandbox(sandbox, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        compiled(folder).build(connection)  # the models without their tests, which others run
    return path


@pytest.fixture(scope="module")
def ran(db: Path) -> Callable[[str], Shown]:
    """A notebook run on it, once for all tests."""
    kept: dict[str, Shown] = {}
    opened = mithril_elt.open(db)

    def run(name: str) -> Shown:
        if name not in kept:
            kept[name] = shown(notebook_file(name), opened)
        return kept[name]

    return run


def told(db: Path, name: str, *by: str) -> list[dict[str, Any]]:
    """The rows of `report --format json`, but for names, which a DataFrame has in its `attrs`."""
    rows = json.loads(render(report(db, name.replace("_", "-"), by=by), "json"))["rows"]
    return [{column: value for column, value in row.items() if not column.endswith("_name")} for row in rows]


def as_json(found: Any) -> list[dict[str, Any]]:
    """The rows of a DataFrame as `report --format json` writes them."""
    return [{column: _as_json(value) for column, value in row.items()} for row in found.to_dict("records")]


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if value is None or value != value:  # noqa: PLR0124  # neither a number nor a time
        return None
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("name", WITH_REPORT)
def test_the_figures_are_those_of_the_report(db: Path, ran: Callable[[str], Shown], name: str) -> None:
    """The figures of all, and those by the grouping that is shown at first, to the last digit."""
    values = ran(name).values
    assert as_json(values["whole"]) == told(db, name)
    assert as_json(values[WITH_REPORT[name]]) == told(db, name, values["grouping"].value)


def test_explore_shows_the_summary_and_every_mart(db: Path, ran: Callable[[str], Shown]) -> None:
    """What the first steps of a guided start show is what there is."""
    values = ran("explore").values
    numbers = {row["metric"]: row["value"] for row in as_json(values["summary"]) if row["value"] is not None}
    wanted = {row["metric"]: row["value"] for row in told(db, "summary") if row["unit"] not in ("instant", "count")}
    assert wanted.items() == {name: numbers.get(name) for name in wanted}.items()
    with duckdb.connect(str(db), read_only=True) as connection:
        marts = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts' order by 1")
        assert list(values["marts"]["mart"]) == [name for (name,) in marts.fetchall()]
    assert set(values["marts"]["description"].map(bool)) == {True}
    assert len(values["answer"]) > 5


def total(rows: list[dict[str, Any]], column: str) -> float:
    """The figure of an ungrouped report, as charts have it."""
    return float(rows[0][column])


def test_charts_hold_what_the_figures_say(db: Path, ran: Callable[[str], Shown]) -> None:
    """What is drawn adds up to the figures above it: nothing is left out on the way into a picture."""
    cost, usage, pauses, uptime = (ran(name).values for name in ("cost", "usage", "pause_credits", "uptime"))
    [whole] = told(db, "cost")
    kinds = cost["by_kind"].groupby("kind")["usd"].sum()
    assert kinds["spot"] == pytest.approx(float(whole["spot_cost_usd"]))
    assert kinds["reserved, used"] + kinds["reserved, unused"] == pytest.approx(float(whole["allocated_cost_usd"]))
    assert kinds["pause credit"] == pytest.approx(-float(whole["pause_credit_usd"]))
    assert cost["net"]["net_cost_usd"].sum() == pytest.approx(float(whole["net_cost_usd"]))
    assert usage["by_phase"]["hours"].sum() == pytest.approx(total(told(db, "usage"), "total_hours"))
    assert usage["largest"]["gpu"].sum() == pytest.approx(total(told(db, "usage"), "gpu_hours"), abs=0.1)
    earning = pauses["pauses"][pauses["pauses"]["outcome"].isin(["earns credit", "earns, at a rate not known"])]
    assert float(earning["paused_hours"].sum()) == pytest.approx(total(told(db, "pause-credits"), "credited_hours"))
    earned = pauses["by_day"].groupby("what")["usd"].sum()
    assert earned["earned"] == pytest.approx(total(told(db, "pause-credits"), "pause_credit_usd"))
    assert uptime["calendar_days"]["down_hours"].sum() == pytest.approx(total(told(db, "uptime"), "down_hours"))
    assert uptime["spells"]["instance_id"].nunique() == min(20, len(told(db, "usage", "instance")))


def test_prices_stand_against_the_limit_where_a_mart_has_it(db: Path, tmp_path: Path) -> None:
    """The hours of a bid and what was paid for them; the limit is a line where it is known, and said to be missing."""
    copied = Path(shutil.copy(db, tmp_path / "a.duckdb"))
    with duckdb.connect(str(copied)) as connection:
        connection.execute(
            "create or replace table marts.fct_spot_hours as"
            " select *, cast(47.11 as decimal(38, 12)) as limit_price_usd from marts.fct_instance_hours"
        )
    values = shown(notebook_file("cost"), mithril_elt.open(copied)).values
    prices = values["prices"]
    assert set(prices["limit_usd"]) == {47.11}
    assert (prices["lowest"] <= prices["paid"] + 1e-9).all()
    assert (prices["paid"] <= prices["highest"] + 1e-9).all()
    [row] = [row for row in told(db, "cost", "bid") if row["bid_id"] == values["bid"].value]
    assert prices["hours"].sum() == pytest.approx(float(row["billed_hours"]) - float(row["unpriced_hours"]))
    assert (prices["hours"] * prices["paid"]).sum() == pytest.approx(float(row["spot_cost_usd"]))
    assert "limit of the bid" in json.dumps(values["against_limit"].to_dict())


class _Reader(HTMLParser):
    """Every tag that is opened is closed, and where links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.led_to: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.led_to += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data", "action")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", NAMES)
def test_a_page_needs_nothing_from_outside(ran: Callable[[str], Shown], name: str) -> None:
    """No script, no link, no style, picture or font of elsewhere; and the page forbids the browser to fetch any."""
    text = page(*ran(name)[:2], "the end")
    reader = _Reader()
    reader.feed(text.removeprefix("<!DOCTYPE html>"))
    assert reader.open == []
    assert reader.led_to == []
    assert reader.tags & {"script", "link", "iframe", "img", "object", "embed", "base", "form", "input"} == set()
    assert not any("-" in tag for tag in reader.tags)  # marimo's controls are drawn by scripts
    assert re.findall(r"url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)", text) == []
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text
    assert DEVICE_WIDTH in text
    assert "prefers-color-scheme: dark" in text
    assert text.count('<div class="wide">') == text.count('<div class="narrow">') > 0
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))  # two charts on one page do not take each other's clips and patterns
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)


def test_no_colour_stands_alone(ran: Callable[[str], Shown]) -> None:
    """On a page each colour but one has a pattern, and each mark says what it is."""
    text = page(*ran("cost")[:2], "")
    patterns = set(re.findall(r'fill="url\(#(?:c\d+w)-(\w{6})\)"', text))
    assert patterns >= {"009E73", "E69F00", "CC79A7"}
    assert "<title>" in text.split("<main>")[1]
    assert re.search(r"<title>[^<]*kind: spot[^<]*</title>", text)


@pytest.mark.parametrize("name", NAMES)
def test_axes_say_their_unit_or_their_zone(ran: Callable[[str], Shown], name: str) -> None:
    """Every axis of time says UTC, every axis of amounts its unit."""
    charts = [output.to_dict() for output in ran(name).outputs if type(output).__name__ in ("Chart", "LayerChart")]
    assert charts or name == "explore"
    for chart in charts if name != "explore" else []:
        for channel, axis in _axes(chart):
            if axis.get("type") in ("temporal", "quantitative") and axis.get("title"):
                unit = "UTC" if axis["type"] == "temporal" else r"USD|hours|%"
                assert re.search(unit, axis["title"]), (channel, axis)


def _axes(chart: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for layer in [chart, *chart.get("layer", [])]:
        for channel, axis in layer.get("encoding", {}).items():
            if channel in ("x", "y"):
                yield channel, axis


def test_what_others_wrote_is_no_markup(db: Path, tmp_path: Path) -> None:
    """A name that is a script is a name, in tables, in charts and among the controls."""
    copied = Path(shutil.copy(db, tmp_path / "a.duckdb"))
    bad = "<script>alert(1)</script>"
    with duckdb.connect(str(copied)) as connection:
        for table, column in (("dim_instances", "instance_name"), ("dim_reservations", "reservation_name")):
            connection.execute(f"update marts.{table} set {column} = ?", [bad])
        connection.execute("update marts.dim_projects set project_name = ?", [bad])
    for name in ("uptime", "pause_credits"):
        ran_so = shown(notebook_file(name), mithril_elt.open(copied))
        text = page(*ran_so[:2], bad)
        assert "<script" not in text
        assert "&lt;script" in text


def test_an_output_that_needs_a_script_makes_no_page() -> None:
    """Rather no page than one that is blank without a network."""
    import marimo as mo  # noqa: PLC0415  # only here

    with pytest.raises(ValueError, match="outside"):
        page("x", [mo.Html('<img src="https://example.org/a.png">')], "")


def test_tables_round_as_reports_do_and_say_what_is_left_out(db: Path) -> None:
    """Half-even cents, `–` for what is not known, names beside ids, and how many rows there are."""
    opened = mithril_elt.open(db)
    found = opened.cost("instance")
    text = as_table(found, most=3).text
    assert f"3 of {len(found):,} rows." in text
    assert "net cost, USD" in text
    assert "<small>inst_" in text
    assert "No rows." in as_table(found.head(0)).text


def test_choices_say_the_same_to_reports_and_to_sql(db: Path) -> None:
    """At first all; one project and some days cut both alike, and a quote in an id ends no text."""
    opened = mithril_elt.open(db)
    controls = Controls(opened)
    everything = controls.chosen(controls.days(), controls.project())
    assert everything == Chosen(None, None, None)
    assert everything.where() == "true"
    at = opened.as_of
    assert at is not None
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    [project] = opened.sql("select project_id from dim_projects order by 1 limit 1")["project_id"]
    some = Chosen(day - timedelta(days=3), day - timedelta(days=1), project)
    by_sql = opened.sql(
        f"select cast(sum(spot_cost_cent_us) as hugeint) as cents from fct_instance_hours where {some.where()}"
    )
    by_report = opened.cost(**some.options)
    assert Decimal(int(by_sql["cents"][0])) / 360_000_000_000 == pytest.approx(by_report["spot_cost_usd"][0])
    assert "'o''brien'" in Chosen(None, None, "o'brien").where()
    assert controls.day == "day (UTC)"


def test_one_command_writes_a_page(cli: Cli, db: Path, tmp_path: Path) -> None:
    """It has the figures, is its owner's alone, and says how large it is."""
    out = tmp_path / "pauses.html"
    ended = cli("notebook", "pause-credits", "--db", db, "--html", out)
    assert ended.status == 0, ended.err
    assert "needs no network" in ended.out
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert render(report(db, "pause-credits"), "markdown").splitlines()[4].split("|")[1].strip() in out.read_text()


def test_a_cell_that_fails_leaves_no_half(cli: Cli, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit status is not 0, the sentence says what failed, and the old page stays."""
    broken = tmp_path / "broken.py"
    broken.write_text(notebook_file("explore").read_text().replace('mithril.cost("month")', 'mithril.cost("colour")'))
    monkeypatch.setattr("mithril_elt.exploring.files.notebook_file", lambda _: broken)
    out = tmp_path / "page.html"
    out.write_text("old")
    assert_one_sentence(cli("notebook", "explore", "--db", db, "--html", out), 2, "colour")
    broken.write_text(notebook_file("explore").read_text().replace('mithril.cost("month")', "1 / 0"))
    assert_one_sentence(cli("notebook", "explore", "--db", db, "--html", out), 1, "broken.py", "ZeroDivisionError")
    assert out.read_text() == "old"
    assert list(tmp_path.glob(".page*")) == []


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("costs",), 2, "usage"),
        (("cost", "--db", "none.duckdb"), 2, "no database"),
        (("cost", "--db", "bare.duckdb", "--html", "a.html"), 2, "mithril-elt build"),
        (("cost", "--html", "a.html", "--ipynb", "a.ipynb"), 2, "choose one"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_sentence(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    """Before any browser, with nothing written."""
    with duckdb.connect(str(tmp_path / "bare.duckdb")) as connection:
        connection.execute("create schema raw")
    assert_one_sentence(cli("notebook", *arguments), status, words)
    assert list(tmp_path.glob("a.*")) == []


def test_without_marimo_it_says_what_to_install(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the command."""
    monkeypatch.setattr("mithril_elt.cli.notebook.find_spec", lambda name: None if name == "marimo" else name)
    assert_one_sentence(cli("notebook", "cost"), 2, "pip install 'mithril-elt[notebooks]'")


def test_one_command_opens_it(cli: Cli, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By marimo, on that database; to edit there is a copy in this folder, which is kept."""
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command[1:])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("mithril_elt.cli.notebook.subprocess.run", run)
    assert cli("notebook", "cost", "--db", db, "--port", "7777", "--headless").status == 0
    assert asked[0][:4] == ["-m", "marimo", "run", str(notebook_file("cost"))]
    assert asked[0][4:] == [
        "--port",
        "7777",
        "--headless",
        "--",
        "--db",
        str(db),
        "--destination",
        "duckdb",
    ]
    assert cli("notebook", "cost", "--db", db, "--edit").status == 0
    own = tmp_path / "mithril_cost.py"
    assert asked[1][:5] == ["-m", "marimo", "edit", own.name, "--skip-update-check"]
    assert own.read_bytes() == notebook_file("cost").read_bytes()
    own.write_text("mine")
    assert cli("notebook", "cost", "--db", db, "--edit").status == 0
    assert own.read_text() == "mine"


def test_a_notebook_opened_by_itself_finds_the_database_or_says_what_is_wrong(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By MITHRIL_DB; a file without marts ends it with one sentence, and no cell below says anything."""
    assert opened_alone("usage", db, monkeypatch)[1]["whole"]["total_hours"][0] > 0
    with duckdb.connect(str(tmp_path / "bare.duckdb")) as connection:
        connection.execute("create schema raw")
    outputs, values = opened_alone("usage", tmp_path / "bare.duckdb", monkeypatch)
    said = [output.text for output in outputs[1:] if output is not None]
    assert "mithril-elt build" in said[0]
    assert "Traceback" not in said[0]
    assert "whole" not in values


def opened_alone(name: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], dict[str, Any]]:
    """What a notebook shows when it looks for its database by itself."""
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415  # only here

    monkeypatch.setenv("MITHRIL_DB", str(path))
    spec = spec_from_file_location(f"alone_{name}", notebook_file(name))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    outputs, values = module.app.run()
    return list(outputs), dict(values)


def test_a_notebook_reads_marts_only(ran: Callable[[str], Shown]) -> None:
    """No query of a notebook names raw or staging."""
    for name in NAMES:
        text = notebook_file(name).read_text()
        assert re.search(r"\b(?:raw|staging)\.\w", text) is None
        assert isinstance(ran(name).values["mithril"], OpenMarts)
