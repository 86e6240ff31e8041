"""Each of many faults in a FOCUS file is found by a check, and the documentation says by which."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from focus_account import focus_account
from focus_faults import FAULTS, by_data_tests, by_linter, told
from mithril_elt.focus import FocusPlan, export_focus
from sql_project import Compiled, compiled

pytestmark = pytest.mark.xdist_group("sql")

DOCS = Path(__file__).parent.parent.parent / "docs" / "focus.md"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The project, compiled once."""
    return compiled(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="module")
def sound(project: Compiled) -> Iterator[duckdb.DuckDBPyConnection]:
    """Marts in which nothing is wrong."""
    with duckdb.connect() as connection:
        focus_account(project, connection)
        yield connection


def found(project: Compiled, connection: duckdb.DuckDBPyConnection, file: Path) -> tuple[str, str]:
    """`yes` or `–` for our data tests, and for the linter on the file that is exported."""
    export_focus(connection, file, FocusPlan("1.4"))
    with file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    return ("yes" if by_data_tests(project, connection) else "–", "yes" if by_linter(rows) else "–")


def test_nothing_is_found_where_nothing_is_wrong(
    project: Compiled, sound: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Or what finds a fault would mean nothing."""
    assert found(project, sound, tmp_path / "sound.csv") == ("–", "–")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_by_what_the_documentation_says(
    project: Compiled, sound: duckdb.DuckDBPyConnection, tmp_path: Path, fault: str
) -> None:
    """By a data test, by the linter, by the published use cases (`make test-focus`), or by several."""
    [(_, ours, linter, use_cases)] = [row for row in told(DOCS) if row[0] == fault]
    sound.begin()
    try:
        sound.execute(FAULTS[fault])
        seen = found(project, sound, tmp_path / "faulty.csv")
    finally:
        sound.rollback()
    assert seen == (ours, linter)
    assert "yes" in (ours, linter, use_cases)


def test_the_documentation_has_every_fault() -> None:
    """Each once, and there are enough of them."""
    assert [row[0] for row in told(DOCS)] == list(FAULTS)
    assert len(FAULTS) >= 25
