"""One writer at a time: who is refused, who may go on, and what a dead holder leaves behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mithril_elt.errors import LockedError, WarehouseError
from mithril_elt.lock import locked, work_folder


@contextmanager
def held_by_another(db: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until it is told to end, or dies."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from mithril_elt.lock import locked\n"
        "with locked(Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(db)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        try:
            yield other
        finally:
            other.kill()


@pytest.mark.shows(31)
def test_a_second_process_is_refused_with_who_and_since_when(tmp_path: Path) -> None:
    """The process and its start are named, exit status 8; when the other one ends, the lock is free."""
    db = tmp_path / "a.duckdb"
    before = datetime.now(UTC).replace(microsecond=0)
    with held_by_another(db) as other:
        with pytest.raises(LockedError) as refused, locked(db):
            pass
        assert refused.value.exit_status == 8
        assert f"process {other.pid} on {socket.gethostname()} " in str(refused.value)
        assert str(db) in str(refused.value)
        since = re.search(r"since ([^)]+)\)", str(refused.value))
        assert since is not None
        assert before <= datetime.fromisoformat(since[1]) <= datetime.now(UTC)
        other.communicate("end\n")
        with locked(db):
            pass


@pytest.mark.shows(31)
def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """The operating system lets go of it; nobody has to clear anything."""
    db = tmp_path / "a.duckdb"
    with held_by_another(db) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        with locked(db):
            pass


def test_two_databases_have_two_locks(tmp_path: Path) -> None:
    """Also in one folder."""
    with held_by_another(tmp_path / "a.duckdb"), locked(tmp_path / "b.duckdb"):
        pass


def test_one_database_has_one_lock_whatever_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a link, by a path from here, or by a path through elsewhere: it is the same file."""
    db, link = tmp_path / "a.duckdb", tmp_path / "link.duckdb"
    link.symlink_to(db)
    monkeypatch.chdir(tmp_path)
    names = [db, link, Path("a.duckdb"), tmp_path / "home" / ".." / "a.duckdb"]
    assert {work_folder(name) for name in names} == {tmp_path.resolve() / ".a.duckdb.dlt"}


def test_the_same_process_may_take_it_again_inside(tmp_path: Path) -> None:
    """A run loads and builds under one lock; who looks sees when the outermost began."""
    db = tmp_path / "a.duckdb"
    note = work_folder(db) / "holder.json"
    with locked(db):
        written = note.stat().st_mtime_ns, note.read_text()
        with locked(db):
            assert (note.stat().st_mtime_ns, note.read_text()) == written
        code = "import sys, pathlib; from mithril_elt.lock import locked; locked(pathlib.Path(sys.argv[1])).__enter__()"
        other = subprocess.run([sys.executable, "-c", code, str(db)], capture_output=True, text=True, check=False)
        assert f"LockedError: another run holds {db} (process {os.getpid()}" in other.stderr
    with held_by_another(db):
        pass


@pytest.mark.shows(31)
def test_another_thread_of_the_same_process_is_refused(tmp_path: Path) -> None:
    """Two loads at once in one program are two writers."""
    db, refused = tmp_path / "a.duckdb", threading.Event()

    def work() -> None:
        try:
            with locked(db):
                pass
        except LockedError:
            refused.set()

    with locked(db):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert refused.is_set()


def test_an_error_inside_lets_go_of_it(tmp_path: Path) -> None:
    """And comes out as it is."""
    db = tmp_path / "a.duckdb"
    with pytest.raises(ZeroDivisionError), locked(db):
        raise ZeroDivisionError
    with held_by_another(db):
        pass


@pytest.mark.parametrize("note", ["", "{", "[]", "5", '{"pid": 1}'])
def test_a_holder_that_cannot_be_read_is_unknown(note: str, tmp_path: Path) -> None:
    """The refusal is what counts."""
    db = tmp_path / "a.duckdb"
    with held_by_another(db):
        (work_folder(db) / "holder.json").write_text(note)
        with pytest.raises(LockedError, match="process unknown"), locked(db):
            pass


def test_the_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    """`--db data/2026/a.duckdb` needs no mkdir."""
    with locked(tmp_path / "data" / "2026" / "a.duckdb"):
        assert (tmp_path / "data" / "2026" / ".a.duckdb.dlt").is_dir()


@pytest.mark.parametrize("obstacle", ["a file for a folder", "a file for the work folder", "a folder for the lock"])
def test_a_folder_that_cannot_be_written_is_a_failure_of_the_warehouse(obstacle: str, tmp_path: Path) -> None:
    """One sentence with the path, exit status 9."""
    db = tmp_path / "data" / "a.duckdb"
    if obstacle == "a file for a folder":
        (tmp_path / "data").write_text("")
    elif obstacle == "a file for the work folder":
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / ".a.duckdb.dlt").write_text("")
    else:
        (work_folder(db) / "lock").mkdir(parents=True)
    with pytest.raises(WarehouseError, match=re.escape(str(db))) as failed, locked(db):
        pass
    assert failed.value.exit_status == 9
    assert "None" not in str(failed.value)


def test_a_note_that_cannot_be_written_is_a_failure_of_the_warehouse(tmp_path: Path) -> None:
    """A full disk, say; and the lock is not kept."""
    db = tmp_path / "a.duckdb"
    (work_folder(db) / "holder.json").mkdir(parents=True)
    with pytest.raises(WarehouseError), locked(db):
        pass
    (work_folder(db) / "holder.json").rmdir()
    with held_by_another(db):
        pass
