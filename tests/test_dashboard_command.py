"""The command `dashboard`: one file that needs nothing, a server that is only this machine's unless it has a token."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from commands import Cli, assert_one_sentence
from dashboard_pages import read, small_db

WORDS = [sys.executable, "-m", "mithril_elt", "dashboard", "--port", "0"]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The small account."""
    return small_db(tmp_path / "a.duckdb")


def test_a_file_is_all_that_it_needs(cli: Cli, db: Path, tmp_path: Path) -> None:
    """Nothing is asked of any network: no address but those inside it, no script, a policy that forbids both."""
    file = tmp_path / "march.html"
    done = cli("dashboard", "--out", file, "--month", "2026-03", "--only", "project=proj_a", "--db", db)
    assert (done.status, done.err) == (0, "")
    assert "it asks nothing of any network" in done.out
    text = file.read_text()
    page = read(text)
    policies = [attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policies[0].startswith("default-src 'none'; style-src 'sha256-")  # type: ignore[union-attr]  # it is told
    assert not re.findall(r"(?i)\b(?:src|href|action|url|import)\b\s*[=(]\s*[\"']?(?!#|url\(#)[a-z./?]", text)
    assert "//" not in re.sub(r"<!doctype html>", "", text)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "form", "iframe", "base"}
    ids = {attrs["id"] for _, attrs in page.tags if attrs.get("id")}
    assert page.links()
    assert {link.removeprefix("#") for link in page.links()} <= ids
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert [each.name for each in tmp_path.iterdir() if "march" in each.name] == ["march.html"]


def test_a_file_has_the_figures_of_the_report(cli: Cli, db: Path, tmp_path: Path) -> None:
    """And the rows behind them."""
    file = tmp_path / "march.html"
    cli("dashboard", "--out", file, "--month", "2026-03", "--db", db)
    table = cli(
        "report", "cost", "--by", "order", "--from", "2026-03-01", "--to", "2026-04-01", "--format", "csv", "--db", db
    )
    assert len(table.out.splitlines()) == 4
    page = read(file.read_text())
    assert page.figures["figure net_cost_usd"] == "112.50"
    for order in ("bid_1", "bid_2", "res_1"):
        assert order in page.text


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--month", "soon"], 2, "'soon' is no month"),
        (["--only", "user=nobody"], 2, "no such user"),
        (["--only", "colour=red"], 2, "'colour' is nothing"),
        (["--stale-after", "long"], 2, "--stale-after"),
        (["--db", "none.duckdb"], 2, "there is no database none.duckdb"),
        (["--out", "missing/x.html"], 2, "cannot be written"),
    ],
)
def test_what_has_no_meaning_writes_no_file(cli: Cli, db: Path, arguments: list[str], status: int, words: str) -> None:
    """One sentence, and nothing is left behind; of an option that is told twice the last holds."""
    assert_one_sentence(cli("dashboard", "--out", "x.html", "--db", db, *arguments), status, words)
    assert not [each.name for each in Path.cwd().iterdir() if "x.html" in each.name]


def get(address: str, **options: Any) -> httpx.Response:
    """Opens an address, on however busy a machine."""
    return httpx.get(address, timeout=60, **options)


@contextmanager
def serving(db: Path, *options: str, **environ: str) -> Iterator[tuple[str, Path]]:
    """The command in a process of its own: the address that it printed, and what it said on stderr so far."""
    said = db.with_suffix(".said")
    with (
        said.open("w") as stderr,
        subprocess.Popen(
            [*WORDS, "--db", str(db), *options],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **environ},
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), said
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.read_text().endswith("The dashboard has ended.\n")


def test_it_serves_this_machine_until_it_is_stopped(db: Path) -> None:
    """The address is printed with what was chosen; Ctrl-C ends it with 0, and nothing of who read is logged."""
    with serving(db, "--month", "2026-03", "--only", "user=user_u") as (url, said):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?month=2026-03&user=user_u", url)
        answer = get(url)
        assert answer.status_code == 200
        assert "server" not in answer.headers
        assert get(url, headers={"Host": "evil.example"}).status_code == 421
    assert said.read_text() == "Ctrl-C ends it.\nThe dashboard has ended.\n"


def test_beyond_this_machine_it_asks_for_a_token(db: Path) -> None:
    """A new one is printed on stderr, once; the process list has none."""
    with serving(db, "--host", "0.0.0.0") as (url, said):  # noqa: S104  # the point
        port = url.rpartition(":")[2]
        here = f"http://127.0.0.1:{port}"
        assert get(here).status_code == 401
        [token] = re.findall(r"Token, asked for once by each browser: (\S{32})\n", said.read_text())
        first = get(f"{here}?token={token}")
        assert (first.status_code, first.headers["location"]) == (303, "./?")
        assert get(here, cookies=first.cookies).status_code == 200
        assert get(f"{here}rows.json", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_token_of_ones_own_is_never_printed(db: Path) -> None:
    """It comes from the environment, and is asked for on this machine as well."""
    with serving(db, MITHRIL_DASHBOARD_TOKEN="a-token-of-my-own-0123") as (url, said):  # noqa: S106  # made up
        assert get(url).status_code == 401
        assert get(url, headers={"Authorization": "Bearer a-token-of-my-own-0123"}).status_code == 200
        assert "a-token" not in said.read_text() + url


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--host", "no.such.name.invalid"), "is no address of this machine"),
        (("--host", "192.0.2.1"), "cannot serve on 192.0.2.1"),
    ],
)
def test_where_it_cannot_serve(cli: Cli, db: Path, options: tuple[str, ...], words: str) -> None:
    """One sentence."""
    assert_one_sentence(cli("dashboard", *options, "--db", db), 2, words)


def test_a_token_that_is_guessed_soon_is_refused(cli: Cli, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is served."""
    monkeypatch.setenv("MITHRIL_DASHBOARD_TOKEN", "short")
    assert_one_sentence(cli("dashboard", "--db", db), 2, "shorter than 16")
