"""The dashboard as a server: who may read it, what a browser may do with it, and what it says when it cannot answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pytest

from dashboard_pages import NOW, Browser, read, small_db
from marts_by_hand import fill
from mithril_elt.dashboard import is_loopback
from mithril_elt.dashboard.app import Reader
from mithril_elt.lock import holder_of, locked
from small_account import small_account

TOKEN = "a-token-of-somebody-0123"  # noqa: S105  # made up
OWN = ("localhost", "127.0.0.1", "::1")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small account; it is only read."""
    return small_db(tmp_path_factory.mktemp("served") / "a.duckdb")


@contextmanager
def held(db: Path) -> Iterator[None]:
    """Another process has the lock of a run, and the file open for writing."""
    hold = (
        "import sys, duckdb; from pathlib import Path; from mithril_elt.lock import locked\n"
        "with locked(Path(sys.argv[1])), duckdb.connect(sys.argv[1]) as made:\n"
        "    made.execute('create table other as select 1'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(db)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield
        other.communicate()


def test_a_browser_may_do_nothing_but_show(db: Path) -> None:
    """No script, no frame, no other origin, no referrer, nothing kept; on good answers and bad ones."""
    browser = Browser(db, hosts=OWN)
    for address, status in (("/", 200), ("/?month=1", 400), ("/nothing", 404), ("/rows.csv?report=cost&by=day", 200)):
        answer = browser.get(address)
        assert answer.status_code == status
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "<script" not in answer.text
    page = read(browser.get("/").text)
    for tag, attrs in page.tags:
        assert tag not in ("script", "link", "iframe", "img", "object", "base")
        assert not attrs.get("src")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"])
def test_nothing_can_be_changed(db: Path, method: str) -> None:
    """Only GET and HEAD are answered."""
    answer = Browser(db).ask(method, "/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_head_has_no_body(db: Path) -> None:
    """And the same headers."""
    answer = Browser(db).ask("HEAD", "/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("path", ["/../a.duckdb", "/%2e%2e/a.duckdb", "/templates/style.css", "/rows.exe", "/rows/x"])
def test_no_file_is_served(db: Path, path: str) -> None:
    """There is no folder behind the addresses."""
    answer = Browser(db).get(path)
    assert answer.status_code == 404
    assert read(answer.text).texts[-1] == "To the overview"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8643", 200),
        ("localhost", 200),
        ("[::1]:8643", 200),
        ("LOCALHOST:1", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8643", 421),
        ("localhost.evil.example", 421),
        ("", 421),
    ],
)
def test_a_name_that_was_made_to_lead_here_is_refused(db: Path, host: str, status: int) -> None:
    """A page on the internet cannot read it by having its own name resolved to this machine."""
    assert Browser(db, hosts=OWN).get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("host", "is_own"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True)]
    + [(host, False) for host in ("0.0.0.0", "::", "192.168.1.2", "example.org", "localhost.example.org", "")],  # noqa: S104  # the point
)
def test_what_is_loopback(host: str, *, is_own: bool) -> None:
    """Everything else asks for a token."""
    assert is_loopback(host) is is_own


def test_a_token_is_asked_for_once(db: Path) -> None:
    """Without it nothing is shown; with it in the address the browser keeps a cookie, and the address loses it."""
    browser = Browser(db, token=TOKEN)
    for address in ("/", "/rows", "/nothing", "/?token=wrong", f"/?token={TOKEN[:-1]}", "/?token="):
        answer = browser.get(address)
        assert answer.status_code == 401, address
        assert "Net cost" not in read(answer.text).text
        assert TOKEN not in answer.text
    assert 'type="password"' in answer.text
    first = browser.get(f"/rows?report=cost&token={TOKEN}&by=day&user=user_u%22%0D%0A")
    assert first.status_code == 303
    assert first.headers["location"] == "./rows?report=cost&by=day&user=user_u%22%0D%0A"
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "max-age" not in cookie.lower()
    assert TOKEN not in cookie
    assert browser.get("/").status_code == 200
    again = browser.get(f"/?month=2026-03&token={TOKEN}")
    assert (again.status_code, again.headers["location"]) == (303, "./?month=2026-03")


def test_a_program_shows_the_token_in_a_header(db: Path) -> None:
    """As `Authorization: Bearer …`; nothing like it is enough."""
    browser = Browser(db, token=TOKEN)
    assert browser.get("/rows.json", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    for wrong in (f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ", TOKEN, "Bearer \xe9"):
        assert browser.get("/rows.json", headers={"Authorization": wrong.encode("latin-1")}).status_code == 401
    other = Browser(db, token=TOKEN.upper())
    browser.get(f"/?token={TOKEN}")
    other.cookies = browser.cookies
    assert other.get("/").status_code == 401


def test_a_redirect_stays_here(db: Path) -> None:
    """Whatever path is asked for with the token, it leads to no other server."""
    browser = Browser(db, token=TOKEN)
    for path in ("//evil.example/", "/%5c%5cevil.example", "/javascript:alert(1)", "/a/b/c", "/%0d%0aX-A: b"):
        answer = browser.get(f"{path}?token={TOKEN}")
        assert answer.status_code == 303
        parts = urlsplit(answer.headers["location"])
        assert (parts.scheme, parts.netloc) == ("", "")
        assert answer.headers["location"].startswith("./")
        assert "x-a" not in answer.headers


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/?user=nobody", "the marts have no such user"),
        ("/?instance=inst_1", "the report summary has no meaning for one instance"),
        ("/?usr=x", "'usr' is nothing that this page can be asked for"),
        ("/?month=2027-01", "the figures are complete up to 2026-04-01T00:30:00Z"),
        ("/?from=2026-03-05&to=2026-03-01", "is not before"),
        ("/?from=2026-03-01T10:30:00Z", "is not a whole UTC hour"),
        ("/rows?report=costs", "report 'costs' has no rows"),
        ("/rows?report=reservations&by=instance", "the report reservations has no meaning by instance"),
        ("/rows?report=cost&figure=nothing", "figure 'nothing' is none of cost"),
        ("/rows.csv?report=usage&by=colour", "by 'colour' is none"),
        ("/?user=%3Cscript%3Ealert(1)%3C/script%3E", "<script>alert(1)</script>"),
    ],
)
def test_an_address_without_meaning_gets_a_sentence(db: Path, address: str, words: str) -> None:
    """Which says what is wrong, and leads back."""
    answer = Browser(db).get(address)
    page = read(answer.text)
    assert answer.status_code == 400
    assert words in page.text
    assert page.links()[-1] == "./"
    assert "<script>" not in answer.text


def test_what_is_no_database_gets_a_sentence(tmp_path: Path) -> None:
    """No file, no database, one without marts, one of a build that was cut short, one of an older release: 503."""
    other, empty, cut, old = (tmp_path / f"{name}.duckdb" for name in ("other", "empty", "cut", "old"))
    other.write_text("not a database " * 100)
    duckdb.connect(str(empty)).close()
    small_db(cut)
    with duckdb.connect(str(cut)) as made:
        made.execute("create schema staging; create table staging.builds (number bigint, finished_at timestamp)")
        made.execute("insert into staging.builds values (1, null)")
    with duckdb.connect(str(old)) as made:
        fill(made, small_account())
        made.execute("alter table marts.fct_instance_hours drop column unclaimed_us")
    for path, words in [
        (tmp_path / "none.duckdb", "mithril-elt run"),
        (other, "is not a DuckDB database"),
        (empty, "there are no marts"),
        (cut, "did not come to its end"),
        (old, "`mithril-elt build --full` builds them anew"),
    ]:
        answer = Browser(path).get("/")
        assert answer.status_code == 503, path
        assert words in read(answer.text).text, path
        assert "Traceback" not in answer.text
        assert answer.headers["retry-after"] == "10"
        assert '<meta http-equiv="refresh" content="10">' in answer.text


def test_a_run_is_left_alone(tmp_path: Path) -> None:
    """While it has the lock, the file is not opened: what is known is shown with a word about it, else the sentence."""
    browser = Browser(db := small_db(tmp_path / "a.duckdb"))
    before = browser.get("/")
    assert "status" not in [attrs.get("role") for _, attrs in read(before.text).tags]
    with held(db):
        assert holder_of(db)
        same = browser.get("/?theme=dark")
        assert same.status_code == 200
        assert "These are the figures of before: a run is writing" in read(same.text).text
        other = browser.get("/?month=2026-03")
        assert other.status_code == 503
        assert "a run is writing" in read(other.text).text
    assert not holder_of(db)
    assert browser.get("/?month=2026-03").status_code == 200
    assert "figures of before" not in browser.get("/").text


def test_a_page_is_in_no_run_s_way(tmp_path: Path) -> None:
    """Between pages the file is closed, and the lock is free."""
    browser = Browser(db := small_db(tmp_path / "a.duckdb"))
    assert browser.get("/").status_code == 200
    with locked(db), duckdb.connect(str(db)) as made:
        made.execute("update marts.dim_projects set project_name = 'Other'")


def test_a_database_that_was_replaced_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same file is asked once; another one in its place, at once; none, and the last is shown with a word."""
    asked: list[int] = []
    ask = Reader.overview
    monkeypatch.setattr(Reader, "overview", lambda reader: asked.append(1) or ask(reader))
    monkeypatch.setattr(Reader.overview, "__name__", "overview")
    browser = Browser(db := small_db(tmp_path / "a.duckdb"))
    for _ in range(3):
        assert "machine 1" not in browser.get("/").text
    assert len(asked) == 1
    account = small_account()
    account["dim_projects"][0]["project_name"] = "Renamed since"
    small_db(tmp_path / "b.duckdb", account).replace(db)
    assert "Renamed since" in browser.get("/").text
    assert len(asked) == 2
    db.unlink()
    text = read(browser.get("/").text).text
    assert "These are the figures of before: there is no database" in text
    assert "Renamed since" in text


def test_a_bug_is_no_traceback(db: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """In a browser there is a sentence; the log says what kind, and where only if it was asked for."""

    def broken(_: Reader) -> None:
        raise ZeroDivisionError("/secret/path")

    monkeypatch.setattr(Reader, "rows", broken)
    answer = Browser(db).get("/rows")
    assert answer.status_code == 500
    assert "a bug in mithril-elt" in read(answer.text).text
    assert "secret" not in answer.text + caplog.text
    assert "ZeroDivisionError" in caplog.text


def noted(db: Path, *, outcome: str, error: str | None, passed: bool) -> Path:
    """The same with a log of runs and of builds."""
    with duckdb.connect(str(db)) as made:
        made.execute("create schema raw; create schema staging")
        made.execute("create table raw.runs (started_at timestamp, outcome varchar, error varchar)")
        made.execute("insert into raw.runs values ('2026-04-01 00:30', ?, ?)", [outcome, error])
        made.execute(
            "create table staging.builds (number bigint, finished_at timestamp, fingerprint varchar, failed varchar)"
        )
        told = ["f", None] if passed else [None, "data tests failed: assert_<b> (3 rows): not to be trusted"]
        made.execute("insert into staging.builds values (1, '2026-04-01 00:40', ?, ?)", told)
    return db


def test_data_that_is_sound_says_so(tmp_path: Path) -> None:
    """Nothing to look at first."""
    db = noted(small_db(tmp_path / "a.duckdb"), outcome="done", error=None, passed=True)
    text = read(Browser(db).get("/").text).text
    assert "Look first" not in text
    assert "Last run OK of 2026-04-01 00:30 UTC came to its end" in text
    assert "Data tests OK all passed in the build of 2026-04-01 00:40 UTC" in text


def test_data_that_is_not_sound_is_said_first(tmp_path: Path) -> None:
    """A failed run, data tests that failed, figures that are old: over the figures, in words."""
    db = noted(small_db(tmp_path / "a.duckdb"), outcome="failed", error="<b>no</b> network", passed=False)
    browser = Browser(db, clock=lambda: NOW + timedelta(days=3))
    text = read(browser.get("/").text).text
    first = text[text.index("Look first") : text.index("More on the data")]
    assert "more than 36 hours ago" in first
    assert "failed: <b>no</b> network" in first
    assert "in the build of 2026-04-01 00:40 UTC data tests failed: assert_<b> (3 rows): not to be trusted" in first


def test_what_cannot_be_known_is_not_called_good(tmp_path: Path) -> None:
    """A reader who may see marts alone: the log of runs and of builds are not known, which is neither good nor bad."""
    text = read(Browser(small_db(tmp_path / "a.duckdb")).get("/").text).text
    assert "Last run Not known the log of runs cannot be read here" in text
    assert "Data tests Not known" in text
