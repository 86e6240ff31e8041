"""dbt's own documentation of the models, as docs/python.md says to make it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from loading import load_sandbox
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import serve
from pages import ROOT, blocks
from sql_project import compiled


@pytest.mark.long
def test_one_page_has_models_columns_and_types_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with the database of an account; the project's own folder stays as it was."""
    key = "fkey_NobodyMayReadThis"
    with serve(make_account(7, 12, 9)) as sandbox:
        load_sandbox(sandbox, tmp_path / "mithril.duckdb")
    with duckdb.connect(str(tmp_path / "mithril.duckdb")) as connection:
        connection.execute("set timezone = 'UTC'")
        compiled(tmp_path).build(connection)  # the models without their tests, which others run
    [commands] = [block for block in blocks(ROOT / "docs/python.md", "sh") if "dbt docs" in block]
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("MITHRIL_API_KEY", key)
    monkeypatch.chdir(tmp_path)
    before = sorted((ROOT / "sql").rglob("*"))
    subprocess.run(["bash", "-euc", commands], check=True, timeout=200)  # noqa: S607  # the bash of whoever tests
    page = (tmp_path / "lineage" / "static_index.html").read_text()
    assert "model.mithril.fct_cost_daily" in page
    assert "Key: instance (or reservation, for unused time) and day" in page
    assert "DECIMAL(38,12)" in page
    assert key not in page
    assert sorted((ROOT / "sql").rglob("*")) == before
