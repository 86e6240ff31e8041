"""What tells two builds apart: the models that make them, and nothing that dbt leaves beside them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mithril_elt.dbt_project import fingerprint, sql_folder


def test_what_dbt_by_hand_leaves_is_no_part_of_the_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes copies of models, and folders that are named as files are, into `target`; a changed model counts."""
    project = tmp_path / "sql"
    shutil.copytree(sql_folder(), project, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr("mithril_elt.dbt_project.sql_folder", lambda: project)
    before = fingerprint(tmp_path / "a.duckdb")
    left = project / "target" / "compiled" / "mithril" / "models" / "dim_projects.yml"
    left.mkdir(parents=True)
    (left / "not_null_dim_projects.sql").write_text("select 1")
    assert fingerprint(tmp_path / "a.duckdb") == before
    (project / "models" / "marts" / "dim_projects.sql").write_text("select 1")
    assert fingerprint(tmp_path / "a.duckdb") != before


def test_views_of_a_file_that_is_renamed_are_made_anew(tmp_path: Path) -> None:
    """DuckDB's views name their database, which is called as its file is; where it lies is all one."""
    made = fingerprint(tmp_path / "a.duckdb")
    assert fingerprint(tmp_path / "b.duckdb") != made
    assert fingerprint(tmp_path / "elsewhere" / "a.duckdb") == made
