"""README and docs are true: commands run, SQL and Python give rows, links lead somewhere, tables name what there is."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

from loading import tables_in
from mithril_elt.cli import main
from mithril_elt.cli.run import built
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve
from pages import PAGES, README, ROOT, blocks, named_blocks
from questions import answered, questions


def _only_tells(line: str) -> bool:
    return "--apply" not in line or "--dry-run" in line


# Run by other tests, or by the fixture; what names PostgreSQL is run in warehouses/test_copies, notebooks and dbt's
# documentation in slow, and what pauses instances in test_acting.
NOT_HERE = ("make ", "export ", "mithril-elt run", "mithril-elt check", "dbt docs")
OF_OTHERS = ("duckdb ", "dlt ")
COMMANDS = {
    f"{page.name}: {line.split('#')[0].strip()}": line.split("#")[0].strip()
    for page in PAGES
    for block in blocks(page, "sh")
    for line in block.splitlines()
    if line and not line.startswith((*NOT_HERE, *OF_OTHERS)) and "postgres" not in line and _only_tells(line)
}
SHOWN = {  # by how the command ends
    'limit 5"': "net_cost_usd",
    "'fct_cost_daily'\"": "Key: instance",
    "> days.csv": "day,usd\n2026-03-",
    "info": "instance_price_periods",
    "trace": "COMPLETED",
    "schema": "instance_status_events",
    "failed-jobs": "Found pipeline mithril",  # and no package, where none was kept
}
FOREIGN = {
    line: next(word for end, word in SHOWN.items() if line.endswith(end))
    for block in blocks(ROOT / "docs/python.md", "sh")
    for line in block.splitlines()
    if line.startswith(OF_OTHERS)
}
# Statements of other engines are compiled elsewhere; of the questions the very answers are compared, below.
QUERIES = {name: sql for name, sql in named_blocks("sql").items() if not name.startswith(("questions", "warehouses"))}
PROGRAMS = named_blocks("python")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The account of the demo, served."""
    with serve(make_account()) as served:
        yield served


@pytest.fixture(scope="module")
def folder(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of the demo's account, and the files of a user that pages name."""
    from loading import load_sandbox  # noqa: PLC0415  # beside the fixture that needs it

    path = tmp_path_factory.mktemp("readme")
    load_sandbox(sandbox, path / "mithril.duckdb")
    built(path / "mithril.duckdb", dataset=None, as_of=None)
    (path / "teams.csv").write_text("pattern,label\n*,everybody\n")
    use = "select now() as timestamp, 'inst_a' as instance, 1 as gpu_utilisation"
    duckdb.connect().sql(use).write_parquet(str(path / "gpus.parquet"))
    return path


@pytest.fixture
def _as_reader(sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MITHRIL_API_KEY", sandbox.key)
    monkeypatch.setenv("MITHRIL_API_URL", sandbox.url)
    monkeypatch.setenv("SOURCES__MITHRIL__API_KEY", sandbox.key)
    monkeypatch.setenv("SOURCES__MITHRIL__API_URL", sandbox.url)


@pytest.mark.usefixtures("_as_reader")
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.shows(1)
def test_each_command_runs(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of a page prints something and ends with 0; a monitor's with 7: the demo's account is old."""
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code or 0) == (7 if "--check" in command else 0), said.err
    assert said.out or "figures are complete up to" in said.err


@pytest.mark.usefixtures("_as_reader")
@pytest.mark.parametrize(("command", "word"), FOREIGN.items(), ids=FOREIGN)
def test_each_command_of_another_tool_runs(
    command: str, word: str, folder: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each shows something of this database or of its loads, and never the key."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602  # our own pages
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout or (folder / command.rpartition("> ")[2]).read_text()
    assert word in said
    assert sandbox.key not in said + ended.stderr


@pytest.mark.usefixtures("_as_reader")
@pytest.mark.parametrize("sql", QUERIES.values(), ids=QUERIES)
def test_each_query_gives_rows(sql: str) -> None:
    """Each SQL of a page gives rows on the demo's account."""
    with duckdb.connect("mithril.duckdb", read_only=True) as connection:
        assert connection.execute(sql).fetchall()


@pytest.mark.usefixtures("_as_reader")
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.shows(1)
def test_each_python_block_runs(name: str) -> None:
    """Each Python of a page runs as it stands."""
    exec(compile(PROGRAMS[name], name, "exec"), {"__name__": "page"})  # noqa: S102  # our own pages


@pytest.mark.parametrize(("sql", "answer"), [each[1:] for each in questions()], ids=[each[0] for each in questions()])
def test_each_question_has_its_answer(folder: Path, sql: str, answer: str) -> None:
    """The demo's account gives each answer as it stands on the page: `make questions` renews them."""
    assert answered(sql, folder / "mithril.duckdb") == answer


def test_there_are_twenty_questions() -> None:
    """None is left out by how it is written; each has an answer with a row."""
    asked = questions()
    assert [each[0].split(".")[0] for each in asked] == [str(number) for number in range(1, 21)]
    assert all(len(each[2].splitlines()) >= 2 for each in asked)


def test_the_picture_is_what_the_demo_prints(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report shown at the top is the one that the demo prints, to the letter."""
    from mithril_elt.reports import render, report  # noqa: PLC0415  # only here

    capsys.readouterr()
    shown = next(block for block in blocks(README, "text") if block.startswith("Pause credits"))
    printed = render(report(folder / "mithril.duckdb", "pause-credits", by=("reservation",)), "table")
    assert printed.startswith(shown)


def test_every_mart_is_in_the_table(folder: Path) -> None:
    """No mart is missing from the README, and it names none that is not there."""
    table = README.read_text().split("## The marts")[1].split("```")[0]
    named = set(re.findall(r"`((?:dim|fct|focus)_\w+)`", table))
    assert named == set(tables_in(folder / "mithril.duckdb", "marts"))


def test_marts_are_read_wherever_their_file_goes(folder: Path, tmp_path: Path) -> None:
    """Renamed, or attached to another database: marts that are views find their tables there too."""
    moved = tmp_path / "moved.duckdb"
    moved.write_bytes((folder / "mithril.duckdb").read_bytes())
    with duckdb.connect(str(moved), read_only=True) as renamed, duckdb.connect() as other:
        other.execute(f"attach '{moved}' as elsewhere (read_only)")
        for mart in tables_in(folder / "mithril.duckdb", "marts"):
            renamed.execute(f"from marts.{mart} limit 1").fetchall()
            other.execute(f"from elsewhere.marts.{mart} limit 1").fetchall()


def test_every_command_and_status_is_in_the_tables() -> None:
    """The README lists each command of the command line, and each exit status with its error's number."""
    from mithril_elt import errors  # noqa: PLC0415  # only here
    from mithril_elt.cli import group  # noqa: PLC0415  # as above

    text = README.read_text()
    for name in group.list_commands(None):  # type: ignore[arg-type]  # the list needs no context
        assert f"`mithril-elt {name}" in text, name
    for status in {getattr(errors, name).exit_status for name in errors.__all__}:
        assert f"\n| {status} | " in text


def test_the_readme_is_a_first_page() -> None:
    """It is short enough to be read, and leads to each page."""
    text = README.read_text()
    assert len(text.splitlines()) <= 350
    assert [page.name for page in PAGES[1:] if f"(docs/{page.name})" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Each link of a page to a file of this project finds it, and the heading in it."""
    for target, _, heading in re.findall(r"\]\((?!https?:)([^)#\s]*)(#([^)\s]+))?\)", page.read_text()):
        file = page.parent / target if target else page
        assert file.exists(), target
        assert not heading or heading in {slug(line) for line in headings(file)}, f"{target}#{heading}"


def headings(page: Path) -> list[str]:
    """The headings of a page, of every depth."""
    return re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)


def slug(heading: str) -> str:
    """A heading as links name it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_variable_is_on_the_page_of_settings() -> None:
    """Each variable of the environment that the package or the dbt project reads, and each variable of the models."""
    text = (ROOT / "docs" / "settings.md").read_text()
    files = [*(ROOT / "pipelines").rglob("*.py"), ROOT / "sql" / "profiles.yml"]
    read = {name for file in files for name in re.findall(r"\bMITHRIL_[A-Z][A-Z_]*[A-Z]\b", file.read_text())}
    models = set(yaml.safe_load((ROOT / "sql" / "dbt_project.yml").read_text())["vars"])
    assert "MITHRIL_API_KEY" in read
    assert "report_timezone" in models
    assert {name for name in read | models if f"`{name}`" not in text} == set()
