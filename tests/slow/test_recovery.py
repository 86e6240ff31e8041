"""Files that were cut short, as by a power failure: a clear sentence, one command, and not a row lost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copy, copytree, rmtree

import dlt
import duckdb
import pytest
from killed import Stage, run_and_die

from loading import load_sandbox, query, raw
from mithril_elt.errors import WarehouseError
from mithril_elt.lock import work_folder
from mithril_elt.pipeline import forget_working_folder
from mithril_elt.recovery import recover
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve

Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small account, served; its clock stands still."""
    with serve(make_account(7, 14, 9)) as served:
        yield served


@pytest.fixture(scope="module")
def begun(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which all but the last four days were loaded."""
    db = tmp_path_factory.mktemp("begun") / "a.duckdb"
    load_sandbox(sandbox, db, until=utc(sandbox.account.now_us) - timedelta(days=4))
    assert query(db, "select count(*) > 50 from raw.instance_status_events") == [(True,)]
    return db


@pytest.fixture
def db(begun: Path, tmp_path: Path) -> Path:
    """The same, a copy of one's own."""
    copy(begun, tmp_path)
    copytree(work_folder(begun), work_folder(tmp_path / begun.name))
    return tmp_path / begun.name


@pytest.fixture(scope="module")
def plain(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What one undisturbed load brings."""
    db = tmp_path_factory.mktemp("plain") / "plain.duckdb"
    load_sandbox(sandbox, db)
    return raw(db)


def leave_a_package(sandbox: Sandbox, db: Path) -> list[Path]:
    """Stops a run between extract and load, as a kill would; the files of rows that it left."""

    def killed(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dlt.Pipeline, "load", killed)
        with pytest.raises(WarehouseError, match="No space left"):
            load_sandbox(sandbox, db)
    files = [file for file in work_folder(db).rglob("*.parquet") if "instance_status_events" in file.name]
    assert files
    return files


def leave_a_torn_log(db: Path, folder: Path) -> None:
    """Breaks DuckDB's log off, with rows in it that are nowhere else."""
    wal, whole, before = db.with_name(f"{db.name}.wal"), folder / "log", folder / "before.duckdb"
    copy(db, before)
    with duckdb.connect(str(db)) as connection:
        connection.execute("set checkpoint_threshold = '1 TB'")
        connection.execute(
            "insert into raw.instance_status_events by name select 'STATUS_WRONG' as status, * exclude (status)"
            " from raw.instance_status_events"
        )
        copy(wal, whole)
    copy(before, db)
    written = bytearray(whole.read_bytes())
    written[len(written) // 2 : len(written) // 2 + 64] = b"\xff" * 64
    wal.write_bytes(bytes(written))


def leave_doubles(db: Path) -> None:
    """Doubles rows of two lists, as an earlier release left them where it was killed."""
    with duckdb.connect(str(db)) as connection:
        for table in ("instances", "projects"):
            connection.execute(f"insert into raw.{table} select * from raw.{table} limit 2")


@pytest.mark.shows(32)
def test_a_package_that_was_cut_short_is_told_and_read_again(sandbox: Sandbox, db: Path, plain: Rows) -> None:
    """`run` says which command mends it; after that the run loads all that the package had."""
    for file in leave_a_package(sandbox, db):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(WarehouseError, match=f"mithril-elt recover --db {db}") as refused:
        load_sandbox(sandbox, db)
    assert refused.value.exit_status == 9
    [done] = recover(db)
    assert "read again by the next run" in done
    assert recover(db) == []
    load_sandbox(sandbox, db)
    assert raw(db) == plain


@pytest.mark.shows(32)
def test_a_package_that_is_whole_is_loaded(sandbox: Sandbox, db: Path, plain: Rows) -> None:
    """As the next run would do it."""
    leave_a_package(sandbox, db)
    assert recover(db) == ["What a crash left is loaded, or dropped and read again by the next run."]
    assert recover(db) == []
    sandbox.requests.clear()
    load_sandbox(sandbox, db)
    assert raw(db) == plain


@pytest.mark.shows(32)
def test_a_package_that_is_being_dropped_is_not_left_by_half(sandbox: Sandbox, db: Path, plain: Rows) -> None:
    """Killed while it removes what a crash left, a run leaves nothing that the next one stumbles over."""
    leave_a_package(sandbox, db)
    remove, jobs = os.rmdir, list((work_folder(db) / "mithril" / "load" / "normalized").glob("*/new_jobs"))
    assert jobs

    def killed(folder: str, **where: int) -> None:
        remove(folder, **where)
        if not all(each.exists() for each in jobs):
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.rmdir", killed)
        with pytest.raises(KeyboardInterrupt):
            forget_working_folder(db)
    assert not (work_folder(db) / "mithril").exists()  # what is there of a package would be loaded as if it were all
    load_sandbox(sandbox, db)
    assert raw(db) == plain
    forget_working_folder(db)
    assert [path.name for path in work_folder(db).iterdir()] == ["lock"]


@pytest.mark.parametrize("name", ["load/normalized", "load/.version", "normalize/.version"])
@pytest.mark.shows(32)
def test_a_folder_that_is_made_by_half_is_made_anew(name: str, sandbox: Sandbox, db: Path, plain: Rows) -> None:
    """Killed while dlt makes its folders, a run leaves some of them out: the next one needs no command for it."""
    left_out = work_folder(db) / "mithril" / name
    rmtree(left_out) if left_out.is_dir() else left_out.unlink()
    load_sandbox(sandbox, db)
    assert raw(db) == plain


@pytest.mark.parametrize("name", ["state.json", "schemas/mithril.schema.json"])
@pytest.mark.shows(32)
def test_a_memory_that_was_cut_short_is_restored(name: str, sandbox: Sandbox, db: Path, plain: Rows) -> None:
    """What dlt keeps beside the database is in the database too."""
    file = work_folder(db) / "mithril" / name
    file.write_bytes(file.read_bytes()[:99])
    with pytest.raises(WarehouseError, match="mithril-elt recover"):
        load_sandbox(sandbox, db)
    assert len(recover(db)) == 1
    load_sandbox(sandbox, db)
    assert raw(db) == plain


@pytest.mark.shows(18)
def test_a_database_that_lost_its_last_windows_is_read_again(
    sandbox: Sandbox, db: Path, plain: Rows, tmp_path: Path
) -> None:
    """A copy from before is put in place of the database: what the folder remembers is not believed."""
    copy(db, tmp_path / "before.duckdb")
    load_sandbox(sandbox, db)
    copy(tmp_path / "before.duckdb", db)
    load_sandbox(sandbox, db)
    assert raw(db) == plain


def test_a_log_that_cannot_be_read_is_set_aside(sandbox: Sandbox, db: Path, plain: Rows, tmp_path: Path) -> None:
    """The database is as at its last checkpoint, which the log does not reach; the next run reads on from there."""
    leave_a_torn_log(db, tmp_path)
    with pytest.raises(WarehouseError, match=f"mithril-elt recover --db {db}"):
        load_sandbox(sandbox, db)
    [done] = recover(db)
    assert "set aside as" in done
    assert not db.with_name(f"{db.name}.wal").exists()
    load_sandbox(sandbox, db)
    assert raw(db) == plain
    assert query(db, "select count(*) from raw.instance_status_events where status = 'STATUS_WRONG'") == [(0,)]


def test_rows_of_lists_that_are_there_twice_are_so_no_more(sandbox: Sandbox, db: Path) -> None:
    """As an earlier release left them where it was killed while lists were loaded; versions stay."""
    load_sandbox(sandbox, db)
    before = raw(db)
    leave_doubles(db)
    [done] = recover(db)
    assert done.startswith("4 rows of lists")
    assert raw(db) == before
    assert recover(db) == []


RECOVERIES = [
    Stage("pathlib.Path.rename", "before"),
    Stage("pathlib.Path.rename", "after"),
    Stage("mithril_elt.recovery.reopen_pipeline", "after"),
    Stage("mithril_elt.recovery.load_left_over", "before"),
    Stage("mithril_elt.recovery.load_left_over", "after"),
    Stage("mithril_elt.recovery._without_doubles", "before"),
    Stage("mithril_elt.recovery._without_doubles", "after", 3),
]


@pytest.mark.shows(26, 32)
@pytest.mark.parametrize("stage", RECOVERIES, ids=str)
def test_recover_may_be_killed_itself(stage: Stage, sandbox: Sandbox, db: Path, plain: Rows, tmp_path: Path) -> None:
    """Of all that it mends nothing is lost between two steps: the next one mends the rest."""
    leave_doubles(db)
    for file in leave_a_package(sandbox, db):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    leave_a_torn_log(db, tmp_path)
    assert run_and_die(db, sandbox.key, sandbox.url, stage, "recover"), f"never came to {stage}"
    recover(db)
    assert recover(db) == []
    load_sandbox(sandbox, db)
    assert raw(db) == plain


def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """Nothing is moved or removed where no log explains that it cannot be opened."""
    db = tmp_path / "a.duckdb"
    db.write_text(json.dumps("not a database, and long enough to be looked at" * 99))
    with pytest.raises(WarehouseError, match="not a DuckDB database"):
        recover(db)
    assert "not a database" in db.read_text()
