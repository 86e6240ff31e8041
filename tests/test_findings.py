"""What a probe has seen is kept beside the database, whole or not at all, and never stands in the way."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mithril_elt.errors import WarehouseError
from mithril_elt.findings import Finding, Saved, save_findings, saved_findings, saved_readings
from mithril_elt.lock import work_folder

AT = datetime(2026, 3, 31, 12, tzinfo=UTC)
URL = "https://api.example"
SEEN = Finding("project_alone", "422", "it was refused", {"request": "GET /v2/x", "status": 422, "rows": []})
UNSEEN = Finding("order", None, "there is no instance")


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was warned of, whatever a command that ran before has done to the logs."""
    said: list[str] = []
    logger = logging.getLogger("mithril_elt")
    monkeypatch.setattr(logger, "warning", lambda sentence, *parts: said.append(sentence % parts))
    return said


def kept(db: Path) -> Path:
    """The file that findings are in."""
    return work_folder(db) / "readings.json"


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    """All of it, and by name those that were seen; the database itself is not made."""
    db = tmp_path / "m.duckdb"
    assert save_findings(db, [SEEN, UNSEEN], at=AT, url=URL) == kept(db)
    assert saved_findings(db) == Saved("2026-03-31T12:00:00Z", URL, (SEEN, UNSEEN))
    assert saved_readings(db) == {"project_alone": "422"}
    assert not db.exists()


def test_a_later_probe_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    """Nothing of the first is left, no scrap of a file either."""
    db = tmp_path / "m.duckdb"
    save_findings(db, [SEEN], at=AT, url=URL)
    save_findings(db, [UNSEEN], at=AT, url=URL)
    assert saved_readings(db) == {}
    assert [file.name for file in work_folder(db).iterdir()] == ["readings.json"]


def test_nothing_kept_is_no_matter(tmp_path: Path, warnings: list[str]) -> None:
    """No file: no readings, no warning, no folder."""
    db = tmp_path / "none" / "m.duckdb"
    assert saved_findings(db) is None
    assert saved_readings(db) == {}
    assert warnings == []
    assert not db.parent.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"findings": [1], "at": "", "account": ""}',
        b'{"findings": [{"reading": "order"}], "at": "", "account": ""}',
        b'{"findings": null, "at": "", "account": ""}',
        b"[" * 100_000,
    ],
    ids=range(9),
)
def test_a_file_that_cannot_be_read_is_a_warning(tmp_path: Path, warnings: list[str], content: bytes) -> None:
    """Never an error: without its findings everything works, with more requests."""
    db = tmp_path / "m.duckdb"
    kept(db).parent.mkdir()
    kept(db).write_bytes(content)
    assert saved_readings(db) == {}
    [warning] = warnings
    assert "probe --save" in warning


def test_a_folder_in_its_place_is_a_warning(tmp_path: Path) -> None:
    """What the machine refuses to read counts as nothing kept."""
    kept(tmp_path / "m.duckdb").mkdir(parents=True)
    assert saved_findings(tmp_path / "m.duckdb") is None


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """One sentence with the database's name: exit status 9."""
    (tmp_path / "file").write_text("")
    with pytest.raises(WarehouseError, match="cannot be written"):
        save_findings(tmp_path / "file" / "m.duckdb", [SEEN], at=AT, url=URL)


def test_the_file_is_for_people_too(tmp_path: Path) -> None:
    """JSON with the names that `probe --json` has."""
    save_findings(tmp_path / "m.duckdb", [SEEN], at=AT, url=URL)
    content = json.loads(kept(tmp_path / "m.duckdb").read_text())
    assert content["findings"][0]["reading"] == "project_alone"
    assert set(content) == {"at", "account", "findings"}
