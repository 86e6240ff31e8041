"""The dashboard on PostgreSQL: the same page, to the letter, as of the same marts in a DuckDB file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboard_pages import Browser, read, small_db
from marts_by_hand import MARTS
from mithril_elt.place import choice
from mithril_elt.postgres import Postgres
from small_account import small_account


def filled(place: Postgres) -> Postgres:
    """The small account's marts on a server."""
    with place.opened() as session:
        session.execute("create schema marts")
        for mart, columns in MARTS.items():
            session.execute(f"create table marts.{mart} ({columns.replace('hugeint', 'numeric(38, 0)')})")
            for row in small_account().get(mart, ()):
                marks = ", ".join("?" for _ in row)
                session.execute(f"insert into marts.{mart} ({', '.join(row)}) values ({marks})", list(row.values()))
    return place


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/?month=2026-03&user=user_u",
        "/rows?month=2026-03&report=cost&by=instance",
        "/rows.json?report=usage&by=order&region=us-east1-a",
        "/?user=nobody%27%7Bmarts%7D",
    ],
)
def test_the_page_is_the_same(place: Postgres, tmp_path: Path, address: str) -> None:
    """Figures, rows, files and refusals; only the command for the same figures names the other place."""
    db = small_db(tmp_path / "a.duckdb")
    there, here = Browser(filled(place)).get(address), Browser(db).get(address)
    assert there.status_code == here.status_code
    assert there.text == here.text.replace(choice(db), choice(place))
    assert str(tmp_path) not in there.text


def test_a_server_without_marts_gets_a_sentence(place: Postgres) -> None:
    """503, and no traceback; nor is the password in it."""
    answer = Browser(place).get("/")
    assert answer.status_code == 503
    assert "there are no marts" in read(answer.text).text
    assert not re.search("Traceback|psycopg", answer.text)
