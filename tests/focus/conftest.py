"""What the tests of published checks share: the tools' environment, and the files of one account."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from focus_account import focus_account
from mithril_elt.focus import FocusPlan, export_focus
from sql_project import Compiled, compiled


@pytest.fixture(scope="session")
def tools() -> Path:
    """The environment that `make test-focus` makes."""
    named = os.environ.get("FOCUS_TOOLS")
    if not named:
        pytest.fail("the published checks are in an environment of their own: make test-focus")
    return Path(named)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The project, compiled once."""
    return compiled(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="session")
def sound(project: Compiled) -> duckdb.DuckDBPyConnection:
    """Marts of the account with one of each kind of charge."""
    connection = duckdb.connect()
    focus_account(project, connection)
    return connection


@pytest.fixture(scope="session")
def files(sound: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Exported files of it, by the version."""
    folder = tmp_path_factory.mktemp("focus")
    for version in ("1.2", "1.4"):
        for ending in ("csv", "parquet"):
            export_focus(sound, folder / f"{version}.{ending}", FocusPlan(version))
    return {version: folder / f"{version}.parquet" for version in ("1.2", "1.4")}
