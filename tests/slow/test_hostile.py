"""Text and numbers that were made to do harm: what is shown commands no terminal, what is refused is said in a line."""

from __future__ import annotations

import copy
import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from commands import Ended, in_process
from hostile import HARMFUL, obeyed
from loading import query
from mithril_elt.cli.saying import plain
from mithril_elt.errors import ApiError
from mithril_elt.reports import render, report
from mithril_elt.visible import shortened, visible
from scripted import Answer, scripted
from small_account import small_marts
from told_account import FID, TOLD, telling

KEY = "fkey_canary_0123456789abcdef"
STATUS = "/v2/instances/status/history"
PRICING = "/v2/instances/pricing/history"
MEGABYTE = "x" * 2**20


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account that `small_account` describes."""
    yield from small_marts()


def ended_with(monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], *arguments: str | Path) -> Ended:
    """How a command ends against an account of which that much is told otherwise."""
    monkeypatch.setenv("MITHRIL_API_KEY", KEY)
    with scripted(telling(changed)) as served:
        monkeypatch.setenv("MITHRIL_API_URL", served.url)
        return in_process(*arguments)


def told(path: str, name: str, value: Any) -> dict[str, Any]:
    """One answer, its first row or event with another value."""
    body = copy.deepcopy(TOLD[path])
    row = body["data"][0] if "data" in body else body["instances"][0]["events"][0]
    row[name] = value
    return {path: body}


def raw(path: str, old: bytes, new: bytes) -> dict[str, Any]:
    """One answer with other bytes in it."""
    whole = json.dumps(TOLD[path]).encode()
    assert old in whole
    return {path: Answer(body=whole.replace(old, new))}


@pytest.mark.parametrize("text", HARMFUL)
def test_what_is_shown_is_one_line_that_can_be_seen(text: str) -> None:
    """No control, no direction, no line's end is left; what is letters already stays as it is."""
    shown = visible(text)
    assert obeyed(shown) == set()
    assert "\n" not in shown
    assert visible(shown) == shown
    assert obeyed(str(ApiError("it failed", detail=text))) == set()


def test_letters_and_emoji_of_any_language_stay() -> None:
    """Only what commands or hides is an escape."""
    for text in ("Müller–Straße …", "漢字かな", "שלום", "e\u0301", "👩\u200d💻", "|*`=+"):
        assert visible(text) == text
    assert visible("\x1b[1m\u202e\ud800\n") == r"\x1b[1m\u202e\ud800\n"
    assert shortened("abcd", 3) == "ab…"


def test_a_key_in_the_wrong_place_is_not_repeated() -> None:
    """Whatever looks like a key is cut, wherever it came from: also one that nobody has used."""
    assert plain(f"project 'fkey_{'q1' * 12}' is not there") == "project 'fkey_…' is not there"


@pytest.mark.parametrize("text", [text for text in HARMFUL if text.strip()])
def test_the_apis_own_words_do_not_speak_to_the_terminal(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Neither in an error, nor in a line of its own that looks like one."""
    refusal = Answer(422, {"detail": [{"loc": ["query", text], "msg": text, "type": text}]})
    ended = ended_with(monkeypatch, {f"/v2/instances/{FID}/status": refusal}, "instances", "status", FID)
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert obeyed(ended.err) == set()


@pytest.mark.parametrize("form", ["text", "json"])
def test_warnings_do_not_speak_to_the_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str) -> None:
    """What is new to this release is told in the log, a line each, also as JSON."""
    body = copy.deepcopy(TOLD["/v2/instances"])
    body["data"][0] |= dict.fromkeys(HARMFUL, 1) | {"status": "STATUS_" + "".join(HARMFUL)}
    arguments = ("extract", "--log-format", form, "--debug", "--db", tmp_path / "m.duckdb")
    warned = ended_with(monkeypatch, {"/v2/instances": body}, *arguments)
    assert warned.status == 0, warned.err
    lines = warned.err.splitlines()
    if form == "json":
        told_of = [json.loads(line) for line in lines]
        lines = [line["message"] for line in told_of if line["event"] == "warning"]
    assert len([line for line in lines if " is new: " in line]) == len(HARMFUL) + 1
    assert obeyed(warned.out + warned.err) == set()


@pytest.mark.parametrize("text", HARMFUL)
def test_each_instance_is_one_line_of_the_list_and_exact_as_json(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A name with a line's end in it makes no second instance."""
    named = told("/v2/instances", "name", text)
    listed = ended_with(monkeypatch, named, "instances", "list")
    assert (listed.status, len(listed.out.splitlines())) == (0, 1)
    assert obeyed(listed.out) == set()
    facts = ended_with(monkeypatch, named, "instances", "list", "--json")
    assert facts.out.isascii()
    assert json.loads(facts.out)["instances"][0]["name"] == text


def test_a_megabyte_of_a_name_is_cut_where_people_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for people ends somewhere; JSON has all of it."""
    named = told("/v2/instances", "name", MEGABYTE)
    assert len(ended_with(monkeypatch, named, "instances", "list").out) < 5000
    facts = ended_with(monkeypatch, named, "instances", "list", "--json")
    assert json.loads(facts.out)["instances"][0]["name"] == MEGABYTE
    refused = {f"/v2/instances/{FID}/status": Answer(404, {"detail": MEGABYTE})}
    assert len(ended_with(monkeypatch, refused, "instances", "status", FID).err) < 5000
    assert len(ended_with(monkeypatch, {}, "instances", "status", "x" * 70_000).err) < 5000


_NAME = (b'"name": "n"',)
BREACHES: dict[str, dict[str, Any]] = {
    "100,000 levels": {"/v2/instances": Answer(body=b"[" * 100_000 + b"]" * 100_000)},
    "100,000 levels in a field": raw("/v2/instances", *_NAME, b'"name": "n", "new": ' + b"[" * 10**5 + b"]" * 10**5),
    "nearly too many levels": raw("/v2/instances", *_NAME, b'"name": "n", "new": ' + b"[" * 985 + b"]" * 985),
    "half of a surrogate pair": raw("/v2/instances", *_NAME, b'"name": "\\ud800"'),
    "a surrogate pair the wrong way round": raw("/v2/instances", *_NAME, b'"name": "\\udc00\\ud800"'),
    "no UTF-8": raw("/v2/instances", *_NAME, b'"name": "\xff"'),
    "a bare control character": raw("/v2/instances", *_NAME, b'"name": "\x1b[2J"'),
    "NaN": raw(PRICING, b"100", b"NaN"),
    "Infinity": raw(PRICING, b"100", b"Infinity"),
    "a number past all numbers": raw(PRICING, b"100", b"1e400"),
    "5,000 digits": raw(PRICING, b"100", b"9" * 5000),
    "a price with a fraction": raw(PRICING, b"100", b"100.5"),
    "a price of 2**63": told(PRICING, "price_cents", 2**63),
    "a price of 2**64": told(PRICING, "price_cents", 2**64),
    "fewer GPUs than none": {"/v2/instance-types": [{"fid": "it_a", "name": "h", "num_gpus": -1}]},
    "as many GPUs as fit": {"/v2/instance-types": [{"fid": "it_a", "name": "h", "num_gpus": 2**63 - 1}]},
    "an amount of 40 digits": told("/v2/spot/bids", "limit_price", "$" + "9" * 40),
    "the year 0": told(STATUS, "timestamp", "0000-01-01T00:00:00Z"),
    "no date at all": told(STATUS, "timestamp", "0000-00-00"),
    "the year 10000": told(STATUS, "timestamp", "10000-01-01T00:00:00Z"),
    "the year 262143": told(STATUS, "timestamp", "+262143-01-01T00:00:00Z"),
    "before the year 1 in UTC": told(STATUS, "timestamp", "0001-01-01T00:00:00+05:00"),
    "after the year 9999 in UTC": told(PRICING, "start_time", "9999-12-31T23:59:59-05:00"),
    "an empty id": told("/v2/instances", "fid", ""),
    "an id of a megabyte": told("/v2/instances", "fid", MEGABYTE),
    "a project's id of a megabyte": {"/v2/projects": [{"fid": MEGABYTE}]},
}


@pytest.mark.shows(29)
@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_is_one_sentence_and_status_6(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: str) -> None:
    """What can be no figure is refused as a whole: no traceback, no row of that answer in the database."""
    db = tmp_path / "m.duckdb"
    ended = ended_with(monkeypatch, BREACHES[case], "extract", "--db", db)
    assert ended.status == 6, ended.err
    assert ended.out == ""
    assert ended.err.splitlines()[-1].startswith("Error: ")
    assert len(ended.err) < 5000
    assert "Traceback" not in ended.err
    assert obeyed(ended.err) == set()
    if db.exists():
        loaded = {table for (table,) in query(db, "select table_name from duckdb_tables() where schema_name = 'raw'")}
        assert not loaded or query(db, "select outcome, windows_done from raw.runs") == [("failed", 0)]


@pytest.mark.shows(11)
def test_what_fits_is_loaded_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The greatest price, a null byte, deep and great values of unknown fields; of one key twice the last holds."""
    changed = raw(PRICING, b'"price_cents": 100', b'"price_cents": 100, "price_cents": 9223372036854775807')
    new = b'"name": "n\\u0000n", "deep": ' + b"[" * 300 + b"]" * 300 + b', "great": 1.7e308, "long": ' + b"9" * 400
    db = tmp_path / "m.duckdb"
    ended = ended_with(monkeypatch, changed | raw("/v2/instances", *_NAME, new), "extract", "--db", db)
    assert ended.status == 0, ended.err
    assert query(db, "select price_cents from raw.instance_price_periods") == [(2**63 - 1,)]
    [(name, others)] = query(db, "select name, other_fields from raw.instances")
    assert name == "n\x00n"
    assert json.loads(others)["long"] == int("9" * 400)


@pytest.mark.parametrize("year", ["0001", "1970"])
def test_an_event_before_all_windows_is_warned_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, year: str) -> None:
    """It is in no window and never will be: a row is not lost without a word."""
    for path, name in ((STATUS, "timestamp"), (PRICING, "start_time")):
        ended = ended_with(
            monkeypatch, told(path, name, f"{year}-01-01T00:00:00Z"), "extract", "--db", tmp_path / f"{name}.duckdb"
        )
        assert ended.status == 0
        assert "Warning: the histories tell of times before" in ended.err
        assert "--since" in ended.err


def test_an_event_of_the_year_9999_is_warned_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It counts when its time has come."""
    changed = told(STATUS, "timestamp", "9999-12-31T23:59:59.999999Z")
    ended = ended_with(monkeypatch, changed, "extract", "--db", tmp_path / "m.duckdb")
    assert ended.status == 0
    assert "after the server's own clock" in ended.err


@pytest.mark.parametrize("year", ["0001", "1970"])
def test_a_birthday_that_stands_for_none_makes_no_thousand_windows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, year: str
) -> None:
    """It is warned of, and where to start is told by the others."""
    changed = told("/v2/instances", "created_at", f"{year}-01-01T00:00:00Z")
    ended = ended_with(monkeypatch, changed, "extract", "--db", tmp_path / "m.duckdb", "--json")
    assert json.loads(ended.out)["windows_done"] == 2  # a day, and what is left
    assert "does not count" in ended.err
    assert query(tmp_path / "m.duckdb", "select count(*) from raw.instance_status_events") == [(1,)]


def test_since_before_there_was_anything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Refused as wrong usage, not tried for a hundred thousand windows."""
    ended = ended_with(monkeypatch, {}, "run", "--since", "0001-01-01", "--db", tmp_path / "m.duckdb")
    assert ended.status == 2
    assert "--since" in ended.err


@pytest.mark.parametrize("text", HARMFUL)
def test_reports_of_any_name_stay_tables(marts: duckdb.DuckDBPyConnection, text: str) -> None:
    """As a table, Markdown, JSON and CSV: as many rows and cells as ever, and the figures of the same rows."""
    marts.execute("update marts.dim_instances set instance_name = ?, region = ?", [text, text])
    calm = report(marts, "cost", by=["instance", "region"])
    table = render(calm, "table", width=400)
    assert obeyed(table) == set()
    assert len([line for line in table.splitlines() if "inst_" in line]) == 3
    page = render(calm, "markdown")
    assert obeyed(page) == set()
    cells = {line.replace(r"\\", "").replace(r"\|", "").count("|") for line in page.splitlines() if line[:1] == "|"}
    assert len(cells) == 1
    answer = render(calm, "json")
    assert obeyed(answer) == set()
    regions = [row["region"] for row in json.loads(answer)["rows"]]
    assert text in regions
    read = list(csv.reader(io.StringIO(render(calm, "csv"))))
    assert {len(row) for row in read} == {len(read[0])}
    assert tuple(read[0][: len(calm.columns)]) == tuple(calm.columns)
    column, name = read[0].index("region"), read[0].index("instance_name")
    assert [row[column].removeprefix("'") for row in read[1:]] == [
        (region or "").removeprefix("'") for region in regions
    ]
    assert text.removeprefix("'") in {row[name].removeprefix("'") for row in read[1:]}
    formulas = ("=", "+", "-", "@", "\t", "\r")
    assert not [row for row in read[1:] if row[column].startswith(formulas) or row[name].startswith(formulas)]


def test_numbers_of_csv_stay_numbers(marts: duckdb.DuckDBPyConnection) -> None:
    """A figure that begins with a minus is no formula."""
    marts.execute("update marts.fct_instance_hours set spot_cost_cent_us = -spot_cost_cent_us")
    answer = report(marts, "cost", by=["day"])
    [row, *_] = csv.DictReader(io.StringIO(render(answer, "csv")))
    assert Decimal(row["spot_cost_usd"]) < 0
