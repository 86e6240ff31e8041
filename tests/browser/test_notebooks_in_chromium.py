"""The notebooks as people see them: served by the command, in chromium; and as Jupyter runs the one written for it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import Page, expect
from test_dashboard_in_chromium import is_too_wide, shown, told

from commands import Cli

Open = Callable[..., Page]

SOON = 60_000  # milliseconds: the first notebook has to import what it needs
CHARTS = {"cost": 2, "usage": 2, "uptime": 2, "pause_credits": 2, "explore": 1}
pytestmark = pytest.mark.timeout(600)  # the first has to wait for a load and a build


@contextmanager
def served(name: str, db: Path, said: Path) -> Iterator[str]:
    """Where `mithril-elt notebook` says that it serves one; it is stopped as a terminal stops it."""
    words = [sys.executable, "-m", "mithril_elt", "notebook", name, "--headless", "--db", str(db)]
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # which what runs in the background else has been told to ignore
    with (
        said.open("w") as stderr,
        subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=stderr, text=True, encoding="utf-8", start_new_session=True
        ) as process,
    ):
        assert process.stdout is not None
        found = next(filter(None, (re.search(r"http://\S+", line) for line in process.stdout)), None)
        try:
            assert found, said.read_text()
            yield found[0].replace("localhost", "127.0.0.1").rstrip("/") + "/"
        finally:
            os.killpg(process.pid, signal.SIGINT)
            status = process.wait(30)
    assert status == 130
    assert "Traceback" not in said.read_text()


def first_row(page: Page) -> list[str]:
    """The figures of all, which stand first."""
    return page.locator("table").first.locator("tbody td").all_inner_texts()


@pytest.mark.parametrize(
    "name",
    [
        "cost",
        "explore",
        *(pytest.param(name, marks=pytest.mark.long) for name in CHARTS if name not in {"cost", "explore"}),
    ],
)
def test_a_notebook_is_live(open_page: Open, db: Path, cli: Cli, tmp_path: Path, *, pictures: Path, name: str) -> None:
    """No error, each chart drawn, the figures of the report; a control, or a query of one's own, is answered."""
    with served(name, db, tmp_path / "stderr") as address:
        page = open_page(address)
        charts = page.locator("canvas:visible, svg.marks:visible")
        expect(charts).to_have_count(CHARTS[name], timeout=SOON)
        assert all(each.bounding_box()["width"] > 500 for each in charts.all())  # type: ignore[index]
        assert page.locator("marimo-callout-output, .text-error, [data-testid=cell-error]").count() == 0
        assert "Traceback" not in page.locator("body").inner_text()
        assert not is_too_wide(page)
        page.screenshot(path=pictures / f"notebook-{name}.png")
        if name == "explore":
            _ask(page, told(cli, "usage", "--by", "instance", "--db", db)["rows"])
            return
        report = name.replace("_", "-")
        [whole] = told(cli, report, "--db", db)["rows"]
        assert [each.strip() for each in first_row(page)][:4] == [shown(each) for each in whole.values()][:4]
        project = told(cli, report, "--by", "project", "--db", db)["rows"][0]
        page.get_by_label("Project").select_option(
            next(
                each
                for each in page.get_by_label("Project").locator("option").all_inner_texts()
                if project["project_id"] in each
            )
        )
        figures = [shown(each) for column, each in project.items() if column != "project_id"]
        expect(page.locator("table").first.locator("tbody td").first).to_have_text(figures[0], timeout=SOON)
        assert [each.strip() for each in first_row(page)][:4] == figures[:4]


def _ask(page: Page, rows: list[dict[str, Any]]) -> None:
    """Another query in the cell for SQL is answered at once; one that cannot be, by what is wrong with it."""
    _write(page, "select nonsense from fct_usage_daily")
    expect(page.get_by_text('"nonsense" not found')).to_be_visible(timeout=SOON)
    _write(page, "select count(distinct instance_id) as those_that_were_there from fct_usage_daily")
    answer = page.locator("marimo-table table", has_text="those_that_were_there")
    expect(answer.locator("tbody td").first).to_have_text(str(len(rows)), timeout=SOON)


def _write(page: Page, query: str) -> None:
    page.locator(".cm-content").last.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(query)


@pytest.mark.long
def test_jupyter_runs_what_was_written_for_it(
    cli: Cli, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As written it has its outputs; run anew, from the first cell to the last, it has the figures of the report."""
    file = tmp_path / "cost.ipynb"
    ended = cli("notebook", "cost", "--db", db, "--ipynb", file)
    assert ended.status == 0, ended.err
    written = nbformat.read(file, 4)
    [whole] = told(cli, "cost", "--db", db)["rows"]
    net = shown(whole["net_cost_usd"])
    assert f">{net}<" in _shown(written)
    for cell in written.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    monkeypatch.setenv("MITHRIL_DB", str(db))
    ran = NotebookClient(written, timeout=120, kernel_name="python3").execute()
    assert f">{net}<" in _shown(ran)
    assert _shown(ran).count("vegaEmbed") >= 2


def _shown(notebook: Any) -> str:
    """All HTML of its outputs."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.get("data", {}).get("text/html", "") for output in outputs)
