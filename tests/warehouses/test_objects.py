"""The whole of it on files, in a folder and on S3: loads, builds and reports, held against DuckDB and the truth."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import s3fs
from s3 import SECRET, Bucket

from loading import DATA_TABLES, RUN_COLUMNS, load_sandbox
from mithril_elt.compaction import compact
from mithril_elt.errors import LayoutError, LockedError, UsageError, WarehouseError
from mithril_elt.lock import locked
from mithril_elt.objects import Objects
from mithril_elt.reports import report
from mithril_elt.reports.catalog import DEFINITIONS
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.transform import build, build_scratch
from mithril_elt.warehouse import listed, opened, read_files

pytestmark = [pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore::ResourceWarning")]

KILLS = int(os.environ.get("KILLS", "6"))
WRITES = {True: 18, False: 6}  # of a first load into a folder, about, and into a bucket
READINGS = Readings(late_hours=24, withdrawn_hours=24, corrected_hours=24, leaves_list_hours=24)
WAY = {"lookback": timedelta(hours=30), "window": timedelta(days=3)}
URL = "DESTINATION__FILESYSTEM__BUCKET_URL"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An account whose story goes on for three days after ten."""
    with serve(make_account(7, 16, 10, tail_days=3), readings=READINGS) as running:
        running.clock.advance(-timedelta(hours=3))
        yield running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """A folder, named by dlt's variable, as a user would."""
    monkeypatch.setenv(URL, str(tmp_path / "it's history"))
    return Objects.configured(tmp_path / "a.duckdb")


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket of its own, named by dlt's variables."""
    made = Bucket(s3, f"fleet-{time.monotonic_ns()}")
    made.files.mkdir(made.name)
    for name, value in made.settings.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """A folder, then a bucket."""
    if request.param == "folder":
        made: Objects = request.getfixturevalue("folder")
        return made
    request.getfixturevalue("bucket")
    return Objects.configured(tmp_path / "a.duckdb")


def _rows(connection: Any, table: str, columns: list[str]) -> list[tuple[str, ...]]:
    named = ", ".join(f'"{name}"' for name in columns)
    return sorted(tuple(map(str, row)) for row in connection.execute(f"select {named} from {table}").fetchall())


def _unlike_raw(place: Objects, db: Path) -> list[str]:
    """The raw tables that do not have the rows of a DuckDB file."""
    with read_files(listed(place, "raw"), "raw") as mine, opened(db) as theirs:
        tables = {f"raw.{table}": columns for table, columns in _columns_of(theirs, "raw").items()}
        return [
            table for table, columns in tables.items() if _rows(mine, table, columns) != _rows(theirs, table, columns)
        ]


def _unlike_marts(place: Objects, db: Path) -> list[str]:
    """The marts that do not have the rows of a DuckDB file."""
    with opened(place) as mine, opened(db) as theirs:
        tables = {f"marts.{table}": columns for table, columns in _columns_of(theirs, "marts").items()}
        assert len(tables) > 15
        return [
            table for table, columns in tables.items() if _rows(mine, table, columns) != _rows(theirs, table, columns)
        ]


def _columns_of(connection: Any, schema: str) -> dict[str, list[str]]:
    told = "select table_name, column_name from information_schema.columns where table_schema = ? order by 1, 2"
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(told, [schema]).fetchall():
        if column not in RUN_COLUMNS and (schema == "marts" or table in DATA_TABLES):
            found.setdefault(table, []).append(column)
    return found


@pytest.mark.parametrize("place", [pytest.param("folder", marks=pytest.mark.long), "s3"], indirect=True)
def test_runs_load_and_count_what_duckdb_does(place: Objects, sandbox: Sandbox, tmp_path: Path) -> None:
    """Run after run, with rows that come late, are withdrawn and corrected: the same raw rows, marts and truth."""
    db = tmp_path / "b.duckdb"
    rounds = 3 if place.is_local else 2  # a request of S3 costs what hundreds of a folder do
    for number in range(rounds):
        results = [load_sandbox(sandbox, each, **WAY) for each in (place, db)]
        assert (results[0].late_rows, results[0].withdrawn_rows) == (results[1].late_rows, results[1].withdrawn_rows)
        assert _unlike_raw(place, db) == []
        assert [build(each).only_changed for each in (place, db)] == [number > 0] * 2
        assert _unlike_marts(place, db) == []
        sandbox.clock.advance(timedelta(hours=105) / rounds)
    load_sandbox(sandbox, place, lookback=timedelta(days=30))
    build(place)
    assert differences(place, sandbox.account) == []
    with read_files(listed(place, "raw"), "raw") as reader:
        assert reader.execute("select count(*) from raw.instances where _dlt_valid_to is not null").fetchone() > (0,)
    again = listed(place, "raw")
    load_sandbox(sandbox, place, lookback=timedelta(days=30))  # all of it again, of which nothing is new
    for table in ("instance_status_events", "instance_price_periods", "market_prices", "instances"):
        assert listed(place, "raw").fresh(table) == again.fresh(table)


@pytest.mark.long  # of what test_runs_load_and_count shows of the same marts
def test_reports_are_the_same_to_the_last_digit(folder: Objects, sandbox: Sandbox, tmp_path: Path) -> None:
    """Every report in every grouping; and as of an earlier instant, where the files are read and not copied."""
    db = tmp_path / "b.duckdb"
    for each in (folder, db):
        load_sandbox(sandbox, each)
        build(each)
    asked = [(name, ()) for name in (*DEFINITIONS, "summary")]
    asked += [(name, (by,)) for name, definition in DEFINITIONS.items() for by in definition.groupings]
    for name, by in asked:
        assert report(folder, name, by=by) == report(db, name, by=by), (name, by)
    as_of = utc(sandbox.clock.now_us()) - timedelta(days=4, minutes=17)
    with build_scratch(folder, as_of=as_of) as mine, build_scratch(db, as_of=as_of) as theirs:
        assert report(mine, "summary") == report(theirs, "summary")
    elsewhere = replace(folder, file=tmp_path / "elsewhere.duckdb")
    build(elsewhere)  # on a machine that has only the files
    assert report(elsewhere, "summary") == report(folder, "summary")


def test_commands_take_the_place_of_dlts_configuration(bucket: Bucket, sandbox: Sandbox, tmp_path: Path) -> None:
    """Each command that touches data, as a user types it; the secret is in no output and in no file."""
    commands = ("plan", "check", "run", "status", "plan", "build", "compact", "recover")
    told = [_command(sandbox, command, "--json", "--destination", "filesystem") for command in commands]
    assert [each.returncode for each in told] == [0] * len(told), [each.stderr for each in told]
    assert json.loads(told[2].stdout)["outcome"] == "done"
    fresh = _command(sandbox, "status", "--check", "--max-age", "9999w", "--json", "--destination", "filesystem")
    assert (fresh.returncode, json.loads(fresh.stdout)["ok"]) == (0, True)
    assert json.loads(told[3].stdout)["covered"]
    assert json.loads(told[6].stdout)["merged"] > 10
    figures = _command(sandbox, "report", "cost", "--json", "--destination", "filesystem")
    of_then = _command(sandbox, "report", "cost", "--json", "--destination", "filesystem", "--as-of", "2026-03-28")
    of_file = _command(sandbox, "report", "cost", "--json")  # the marts are in the file: nothing else is needed
    assert json.loads(figures.stdout)["rows"]
    assert json.loads(of_then.stdout)["rows"] != json.loads(figures.stdout)["rows"]
    assert of_file.stdout == figures.stdout
    said = "".join(each.stdout + each.stderr for each in (*told, figures, of_then, of_file))
    assert SECRET not in said
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    kept += bucket.files.cat(bucket.files.find(bucket.name)).values()
    assert len(kept) > 40
    assert not any(SECRET.encode() in each for each in kept)


def _command(sandbox: Sandbox, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "MITHRIL_API_KEY": sandbox.key, "MITHRIL_API_URL": sandbox.url, **variables}
    command = [sys.executable, "-m", "mithril_elt", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.timeout(3600)
def test_a_run_that_is_killed_costs_nothing(place: Objects, sandbox: Sandbox, tmp_path: Path) -> None:
    """Killed at the first file that is written, at later ones, at the last; every other time its folder is lost."""
    db = tmp_path / "b.duckdb"
    program = Path(__file__).with_name("killed_write.py")
    environ = {**os.environ, "MITHRIL_API_KEY": sandbox.key, "MITHRIL_API_URL": sandbox.url}
    killed = 0
    for number in range(KILLS):
        command = [
            sys.executable,
            str(program),
            str(number * WRITES[place.is_local] // KILLS),
            "extract",
            "--destination",
            "filesystem",
        ]
        options = ["--db", str(place.file), "--lookback", "30h"]
        ended = subprocess.run([*command, *options], env=environ, capture_output=True, text=True, check=False)
        assert ended.returncode in {0, -signal.SIGKILL}, ended.stderr
        killed += ended.returncode != 0
        if number % 2:
            shutil.rmtree(place.work_folder)
    load_sandbox(sandbox, place, **WAY)
    load_sandbox(sandbox, db, **WAY)
    assert _unlike_raw(place, db) == []
    assert killed > min(KILLS // 2, 20)  # of many the later ones find little left to write
    print(f"\n{killed} of {KILLS} loads were killed")  # noqa: T201  # the figure of the proof


def test_state_that_was_written_before_its_load_was_noted_is_not_believed(
    folder: Objects, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Killed between the two, and the machine is lost: what dlt calls read is read again."""
    db = tmp_path / "b.duckdb"
    load_sandbox(sandbox, folder, **WAY)
    found = listed(folder, "raw")
    for name in found.names("_dlt_loads"):
        folder.files.rm_file(f"{found.folder}/_dlt_loads/{name}")
    shutil.rmtree(folder.work_folder)
    load_sandbox(sandbox, folder, **WAY)
    load_sandbox(sandbox, db, **WAY)
    assert _unlike_raw(folder, db) == []


def test_a_folder_that_was_copied_is_a_place_of_its_own(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both named by paths relative to where the user is."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    monkeypatch.setenv(URL, "history")
    monkeypatch.chdir(here)
    load_sandbox(sandbox, Objects.configured(Path("a.duckdb")), **WAY)
    shutil.copytree(here, there)
    had = sorted(path.name for path in here.rglob("*") if path.is_file())
    monkeypatch.chdir(there)
    load_sandbox(sandbox, Objects.configured(Path("a.duckdb")), **WAY)
    assert sorted(path.name for path in here.rglob("*") if path.is_file()) == had
    assert len(list((there / "history").rglob("*.parquet"))) > len(list((here / "history").rglob("*.parquet"))) > 0


def test_one_writer_at_a_time(place: Objects, sandbox: Sandbox, tmp_path: Path) -> None:
    """Also one that models the same files in another place, in this process or in another; who dies lets go."""
    other = replace(place, file=tmp_path / "other" / "b.duckdb")
    with locked(place):
        with pytest.raises(LockedError, match=rf"process {os.getpid()} on"), locked(other):
            pass
        for options in (("--db", str(other.file)), ("--db", str(place.file))):
            refused = _command(sandbox, "run", "--destination", "filesystem", *options)
            assert (refused.returncode, refused.stderr.count("Error:")) == (8, 1)
    with locked(other):
        pass


def test_two_machines_that_write_at_once_lose_and_double_nothing(
    folder: Objects, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No lock of one machine keeps another one out: both read the same, and both add it."""
    db, there = tmp_path / "b.duckdb", replace(folder, file=tmp_path / "there" / "a.duckdb")
    there.file.parent.mkdir()
    for each in (folder, db):
        load_sandbox(sandbox, each, **WAY)
    sandbox.clock.advance(timedelta(hours=35))
    number = iter(range(10**6))
    monkeypatch.setattr(Objects, "lock_file", property(lambda _: tmp_path / f"lock{next(number)}"))

    def meanwhile(_: object) -> None:
        monkeypatch.setattr("mithril_elt.pipeline.still_held", lambda _: None)
        load_sandbox(sandbox, there, **WAY)

    monkeypatch.setattr("mithril_elt.pipeline.still_held", meanwhile)
    load_sandbox(sandbox, folder, **WAY)
    with read_files(listed(folder, "raw"), "raw") as reader:
        runs = reader.execute("select distinct run_id, as_of from raw.runs").fetchall()
    assert len(runs) == len({as_of for _, as_of in runs}) + 1  # both did load
    load_sandbox(sandbox, db, **WAY)
    assert _unlike_raw(folder, db) == []
    sandbox.clock.advance(timedelta(hours=35))
    for each in (there, folder, db):
        load_sandbox(sandbox, each, **WAY)
    assert _unlike_raw(folder, db) == []


def test_a_package_that_others_have_overtaken_is_not_loaded(
    folder: Objects, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Killed between reading and loading; another machine loads; then the first one runs again."""
    there = replace(folder, file=tmp_path / "b.duckdb")
    load_sandbox(sandbox, folder, **WAY)
    with monkeypatch.context() as patch:
        patch.setattr("mithril_elt.pipeline.still_held", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_sandbox(sandbox, folder, **WAY)
    left = {package.name for package in (folder.work_folder / "mithril" / "load" / "normalized").iterdir()}
    sandbox.clock.advance(timedelta(hours=30))
    load_sandbox(sandbox, there, **WAY)
    load_sandbox(sandbox, folder, **WAY)
    assert left
    assert left & listed(folder, "raw").noted == set()


def _interrupted(_: object) -> None:
    raise KeyboardInterrupt


def test_compaction_changes_no_row(place: Objects, sandbox: Sandbox, tmp_path: Path) -> None:
    """Files become few, what was replaced stays as long as is asked, and what comes later counts as before."""
    db = tmp_path / "b.duckdb"
    for keep in (timedelta(days=7), timedelta(0), timedelta(0)):
        for each in (place, db):
            load_sandbox(sandbox, each, **WAY)
        before = listed(place, "raw")
        with read_files(before, "raw") as reader:
            done = compact(place, keep=keep)
            reader.execute("select count(*) from raw.runs").fetchall() if keep else None
        after = listed(place, "raw")
        assert _unlike_raw(place, db) == []
        assert after.fresh("windows") == []
        assert len(after.settled("windows")) == 1
        assert (done.merged > 5, done.removed > 0) == (True, not keep), done
        assert set(before.sizes) <= set(after.sizes) or not keep
        sandbox.clock.advance(timedelta(hours=35))
    assert compact(place, keep=timedelta(0)).merged == 0
    load_sandbox(sandbox, place, lookback=timedelta(days=30))
    build(place)
    assert differences(place, sandbox.account) == []


def test_a_compaction_that_is_broken_off_changes_nothing(
    folder: Objects, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before its manifest is there nobody knows of its files; the next one removes them in time."""
    db = tmp_path / "b.duckdb"
    for each in (folder, db):
        load_sandbox(sandbox, each, **WAY)
    with monkeypatch.context() as patch:
        patch.setattr(Objects, "write_whole", lambda *_: _interrupted(None))
        with pytest.raises(KeyboardInterrupt):
            compact(folder)
    assert _unlike_raw(folder, db) == []
    left = set(listed(folder, "raw").compactions_of("windows"))
    compact(folder)
    assert left <= set(listed(folder, "raw").names("windows"))
    compact(folder, keep=timedelta(0))
    assert left & set(listed(folder, "raw").names("windows")) == set()
    assert _unlike_raw(folder, db) == []


def test_what_cannot_be_used_is_told_in_one_sentence(
    bucket: Bucket, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No such bucket, nobody there, no credentials, no place: with what to do, and without the secret."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
        cases = [
            ({URL: "s3://no-such-bucket/x"}, 9, "there is no bucket"),
            ({"DESTINATION__FILESYSTEM__CREDENTIALS__ENDPOINT_URL": nobody}, 9, "cannot be used"),
            ({URL: "gs://elsewhere/x"}, 2, "no storage that is known"),
            ({URL: f"s3://AKIATEST:{SECRET}@fleet/x"}, 2, "has no credentials in it"),
            ({URL: ""}, 2, "set DESTINATION__FILESYSTEM__BUCKET_URL"),
        ]
        ended = [_command(sandbox, "run", "--destination", "filesystem", **variables) for variables, *_ in cases]
    for name in bucket.settings:
        if name != URL:
            monkeypatch.delenv(name)
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true"}
    ended.append(_command(sandbox, "run", "--destination", "filesystem", **nowhere))
    cases.append(({}, 9, "AWS_ACCESS_KEY_ID"))
    for (variables, status, words), each in zip(cases, ended, strict=True):
        assert (each.returncode, each.stderr.count("Error:")) == (status, 1), (variables, each.stderr)
        assert words in each.stderr
        assert "Traceback" not in each.stderr
        assert SECRET not in each.stdout + each.stderr


def test_a_bucket_that_fails_in_the_middle_is_told_and_mended(
    bucket: Bucket, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The next run goes on; and one that finds the bucket empty, which it knows full, fills it from the beginning."""
    db, place = tmp_path / "b.duckdb", Objects.configured(tmp_path / "a.duckdb")
    s3fs.S3FileSystem.clear_instance_cache()  # each has its own methods
    with monkeypatch.context() as patch:
        patch.setattr(s3fs.S3FileSystem, "_put_file", _unreachable)
        with pytest.raises(WarehouseError, match=r"s3://.* cannot be used: .*no route") as told:
            load_sandbox(sandbox, place, **WAY)
    assert SECRET not in str(told.value)
    s3fs.S3FileSystem.clear_instance_cache()
    place = Objects.configured(tmp_path / "a.duckdb")
    for each in (place, db):
        load_sandbox(sandbox, each, **WAY)
    assert _unlike_raw(place, db) == []
    bucket.files.rm(f"{bucket.name}/history", recursive=True)
    load_sandbox(sandbox, place, **WAY)
    assert _unlike_raw(place, db) == []


async def _unreachable(*_: object, **__: object) -> None:
    raise OSError(f"no route to host, with {SECRET}")


def test_what_a_newer_release_wrote_is_left_alone(folder: Objects, sandbox: Sandbox) -> None:
    """Noted beside the files, since the file of models may be made anew anywhere."""
    load_sandbox(sandbox, folder, **WAY)
    assert listed(folder, "raw").releases
    Path(listed(folder, "raw").folder, "_mithril", "layout-99-9.0.0.json").write_text("{}")
    for refused in (lambda: load_sandbox(sandbox, folder, **WAY), lambda: build(folder), lambda: compact(folder)):
        with pytest.raises(LayoutError, match=r"9\.0\.0"):
            refused()


def test_nothing_that_was_loaded_is_told_as_such(folder: Objects) -> None:
    """Rather than as an empty report."""
    with pytest.raises(UsageError, match="nothing loaded"):
        build(folder)
