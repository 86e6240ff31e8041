"""The README is true: its commands run, its SQL and Python give rows, its tables name what there is."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loading import tables_in
from mithril_elt.cli import main
from mithril_elt.cli.run import built
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve

README = Path(__file__).parent.parent / "README.md"
NOT_HERE = ("make ", "export ", "mithril-elt run", "mithril-elt check")  # run by other tests, or by the fixture


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The account of the demo, served."""
    with serve(make_account()) as served:
        yield served


@pytest.fixture(scope="module")
def folder(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of the demo's account."""
    from loading import load_sandbox  # noqa: PLC0415  # beside the fixture that needs it

    path = tmp_path_factory.mktemp("readme")
    load_sandbox(sandbox, path / "mithril.duckdb")
    built(path / "mithril.duckdb", dataset=None, as_of=None)
    return path


@pytest.fixture
def _as_reader(sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MITHRIL_API_KEY", sandbox.key)
    monkeypatch.setenv("MITHRIL_API_URL", sandbox.url)
    monkeypatch.setenv("SOURCES__MITHRIL__API_KEY", sandbox.key)
    monkeypatch.setenv("SOURCES__MITHRIL__API_URL", sandbox.url)


COMMANDS = [
    line.split("#")[0].strip()
    for block in blocks("sh")
    for line in block.splitlines()
    if line and not line.startswith(NOT_HERE) and "postgres" not in line  # those are run in warehouses/test_copies
]


@pytest.mark.usefixtures("_as_reader")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.shows(1)
def test_each_command_runs(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of the README ends with 0 and prints something."""
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code in (0, None), said.err
    assert said.out


@pytest.mark.usefixtures("_as_reader")
@pytest.mark.parametrize("number", range(len(blocks("sql"))))
def test_each_query_gives_rows(number: int) -> None:
    """Each SQL of the README gives rows on the demo's account."""
    import duckdb  # noqa: PLC0415  # only here

    with duckdb.connect("mithril.duckdb", read_only=True) as connection:
        assert connection.execute(blocks("sql")[number]).fetchall()


@pytest.mark.usefixtures("_as_reader")
@pytest.mark.parametrize("number", range(len(blocks("python"))))
@pytest.mark.shows(1)
def test_each_python_block_runs(number: int) -> None:
    """Each Python of the README runs as it stands."""
    exec(compile(blocks("python")[number], "README.md", "exec"), {"__name__": "readme"})  # noqa: S102  # our own README


def test_the_picture_is_what_the_demo_prints(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report shown at the top is the one that the demo prints, to the letter."""
    from mithril_elt.reports import render, report  # noqa: PLC0415  # only here

    capsys.readouterr()
    shown = next(block for block in blocks("text") if block.startswith("Pause credits"))
    printed = render(report(folder / "mithril.duckdb", "pause-credits", by=("reservation",)), "table")
    assert printed.startswith(shown)


def test_every_mart_is_in_the_table(folder: Path) -> None:
    """No mart is missing from the README, and it names none that is not there."""
    table = README.read_text().split("## The marts")[1].split("```")[0]
    named = set(re.findall(r"`((?:dim|fct|focus)_\w+)`", table))
    assert named == set(tables_in(folder / "mithril.duckdb", "marts"))


def test_marts_are_read_wherever_their_file_goes(folder: Path, tmp_path: Path) -> None:
    """Renamed, or attached to another database: marts that are views find their tables there too."""
    import duckdb  # noqa: PLC0415  # only here

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
