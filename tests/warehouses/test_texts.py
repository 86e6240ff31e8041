"""Loads of what others wrote into PostgreSQL: each text arrives as it is, but for one sign that cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from places import unlike

import hostile
from loading import load_sandbox
from mithril_elt.postgres import Postgres
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import serve
from mithril_elt.warehouse import opened

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore::ResourceWarning")]

HARMFUL = [text for text in hostile.HARMFUL if "\x00" not in text]


def test_texts_arrive_as_they_are(place: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes, ends of lines, what CSV takes for null; an empty text is no null."""
    monkeypatch.setattr(hostile, "HARMFUL", HARMFUL)
    db = tmp_path / "a.duckdb"
    account = hostile.hostile_account(make_account(7, 40, 7))
    for number, text in enumerate(("", r"\N", "\\.", '"', ",", "null", " ")):
        account.instances[number] = replace(account.instances[number], name=text)
    with serve(account) as sandbox:
        for each in (place, db):
            load_sandbox(sandbox, each)
    with opened(db) as connection:
        assert connection.execute("select count(*) from raw.instances where name = ''").fetchone() == (1,)
    assert unlike(place, db, with_marts=False) == []


def test_a_zero_sign_holds_nothing_up(
    place: Postgres, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL has no text with one in it: another sign stands for it, and that is said."""
    monkeypatch.setattr(hostile, "HARMFUL", ("null\x00byte",))
    with serve(hostile.hostile_account(make_account(7, 12, 7))) as sandbox:
        load_sandbox(sandbox, place)
    with opened(place) as session:
        names = session.execute("select name from raw.instances").fetchall()
    assert names
    assert all(name.endswith("null\ufffdbyte") for (name,) in names)
    assert "U+FFFD" in caplog.text
