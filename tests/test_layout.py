"""A database of a newer release: refused in one sentence by whatever would read or write it, and left as it is."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from shutil import copy

import duckdb
import pytest

from loading import query
from mithril_elt.errors import LayoutError, WarehouseError
from mithril_elt.layout import LAYOUT
from mithril_elt.lock import work_folder
from mithril_elt.migration import add_new_columns, migrate
from mithril_elt.recovery import recover
from mithril_elt.tables import RAW_TABLES
from mithril_elt.warehouse import open_read_only, try_write

# By layout, what the raw tables of it look like. A change of them wants a new number: see below.
SHAPES = {2: "a5945790d3d6"}


def note(db: Path, layout: int, release: str, schema: str = "raw") -> Path:
    """Notes in a database that a release of that layout wrote it."""
    with duckdb.connect(str(db)) as connection:
        migrate(connection, schema)
        connection.execute(f"insert into {schema}.layouts values ({layout}, '{release}', timestamp '2027-01-01')")
    return db


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A database that a release to come wrote, with a table that this one does not know."""
    return note(tmp_path / "a.duckdb", LAYOUT + 1, "9.8.7")


@pytest.mark.shows(8)
def test_a_newer_one_is_neither_read_nor_written(newer: Path) -> None:
    """The sentence names both releases and what to do; exit status 9."""
    before = newer.read_bytes()
    for way in (open_read_only, try_write):
        with pytest.raises(LayoutError) as refused:
            way(newer)
        assert str(refused.value) == (
            f"{newer} was written by mithril-elt 9.8.7 (layout {LAYOUT + 1}), this is mithril-elt"
            f" {version('mithril-elt')} (layout {LAYOUT}): install 9.8.7 or newer, or choose another file with --db"
        )
        assert refused.value.exit_status == 9
    assert newer.read_bytes() == before


def test_its_log_is_left_where_it_is_by_recover(newer: Path, tmp_path: Path) -> None:
    """`recover` sets aside a log that cannot be read, not that of a database which it must not touch."""
    with duckdb.connect(str(newer)) as connection:
        connection.execute("set checkpoint_threshold = '1 TB'")
        connection.execute("insert into raw.layouts select * from raw.layouts")
        copy(f"{newer}.wal", tmp_path / "log")
        copy(newer, tmp_path / "before.duckdb")
    copy(tmp_path / "before.duckdb", newer)
    copy(tmp_path / "log", f"{newer}.wal")
    with pytest.raises(LayoutError):
        recover(newer)
    assert not list(work_folder(newer).glob("*.wal-*"))
    with duckdb.connect(str(newer), read_only=True) as connection:
        assert connection.execute("select count(*) from raw.layouts").fetchone() == (4,)


def test_one_of_this_release_or_an_older_one_is_opened(tmp_path: Path) -> None:
    """Noted again it is noted once; one that notes nothing is of the first release."""
    db = note(tmp_path / "a.duckdb", LAYOUT - 1, "0.0.1")
    note(db, LAYOUT, "0.0.2")
    try_write(db)
    open_read_only(db).close()
    with duckdb.connect(str(db)) as connection:
        migrate(connection, "raw")
        migrate(connection, "raw")
    assert query(db, f"select count(*) from raw.layouts where version = '{version('mithril-elt')}'") == [(1,)]
    with duckdb.connect(str(tmp_path / "b.duckdb")) as connection:
        connection.execute("create schema raw; create table raw.runs (run_id varchar)")
    open_read_only(tmp_path / "b.duckdb").close()


def test_only_raw_schemas_are_looked_at(tmp_path: Path) -> None:
    """A table of that name elsewhere is somebody's own; that of a dataset counts."""
    db = tmp_path / "a.duckdb"
    with duckdb.connect(str(db)) as connection:
        connection.execute("create schema floors; create table floors.layouts as select 99 as layout, 'x' as version")
        connection.execute("create table layouts as select 'open plan' as layout")
    try_write(db)
    with pytest.raises(LayoutError, match=r"9\.8\.7"):
        try_write(note(db, LAYOUT + 1, "9.8.7", "gpus_raw"))


def test_a_note_that_is_not_as_expected_is_a_sentence(tmp_path: Path) -> None:
    """A release to come may add columns; if it were to take some away, the database is refused all the same."""
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("create schema raw; create table raw.layouts (number bigint)")
    for way in (open_read_only, try_write):
        with pytest.raises(WarehouseError, match="cannot be used"):
            way(tmp_path / "a.duckdb")


def test_columns_that_have_come_since_are_null_but_in_keys(tmp_path: Path) -> None:
    """Rows of an older release do not say them; what is of the key is as that release had it."""
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw.reservation_events as select 'res_1' as reservation_fid")
        connection.execute("create table raw.windows as select 'proj_1' as project")
        add_new_columns(connection, "raw")
        connection.execute(
            "insert into raw.reservation_events by name select 'res_2' as reservation_fid, 5 as position"
        )
        add_new_columns(connection, "raw")
        kept = "select reservation_fid, position, event_type from raw.reservation_events order by 1"
        assert connection.execute(kept).fetchall() == [("res_1", 0, None), ("res_2", 5, None)]
        assert connection.execute("select asked_by from raw.windows").fetchall() == [(None,)]


@pytest.mark.shows(8)
def test_a_change_of_the_raw_tables_is_a_new_layout() -> None:
    """Raise `LAYOUT` with the first change after a release, and put here what is found; see `migration` for keys."""
    shape = [[t.name, t.key, t.history, t.versioned_within, [[c.name, c.kind] for c in t.columns]] for t in RAW_TABLES]
    assert hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:12] == SHAPES[LAYOUT]
