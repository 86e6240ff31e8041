"""What all tests share: nothing of the machine's own configuration gets in."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands import Cli, Ended
from mithril_elt import dbt_project
from mithril_elt.cli import main
from mithril_elt.place import Place, file_of

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no profile, no configuration of whoever runs the tests; the working folder is the test's own."""
    for variable in list(os.environ):
        if variable.startswith(("MITHRIL_", "SOURCES__")):
            monkeypatch.delenv(variable)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command in this process, with nobody at the keyboard."""

    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["mithril-elt", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture(autouse=True, scope="session")
def _parsed_once() -> Iterator[None]:
    """dbt parses the project once in a process for each name of a database: it is half of what a build here takes.

    So tests that build call their databases a.duckdb wherever the name is not the point.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mithril_elt.transform.parse", _parsed)
        yield


def _parsed(db: Place, target: Path, *, full: bool = False, dataset: str | None = None) -> Any:
    if full:
        return dbt_project.parse(db, target, full=True, dataset=dataset)
    file = file_of(db)
    key = (file.name if file else str(db), dataset)
    if key not in _MANIFESTS:
        _MANIFESTS[key] = dbt_project.parse(db, target, dataset=dataset)
    return _MANIFESTS[key]


_MANIFESTS: dict[tuple[str, str | None], Any] = {}
_LONGEST_FIRST = (
    "test_random_worlds.py",
    "test_kills_in_models.py",
    "test_canary.py",
    "test_accept.py",
    "test_kills.py",
    "test_soak.py",
    "test_load.py",
    "test_upgrade.py",
    "test_whole.py",
    "test_recovery.py",
    "test_cli.py",
    "test_sql.py",
    "test_readme.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long begin first, so that no core waits for the last of them."""
    rank = {name: place for place, name in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))
