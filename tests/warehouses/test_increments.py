"""What a new day costs on PostgreSQL: what is read and written of long histories and of marts is that day's part."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from places import administering, command
from postgres import Postgres

from bench.models import a_day_later, made
from loading import late_and_corrected
from mithril_elt.migration import migrate
from mithril_elt.postgres import Postgres as Place
from mithril_elt.warehouse import opened

pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.timeout(600)]

MODELS = ("build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
EVENTS, DAYS = 60_000, 100
LONG = ("fct_instance_hours", "fct_status_spells")
# How often over a build of what changed may read all rows of these: for the loads and the statuses that there are, and
# for what the vendor says of whole reservations.
ALL_READ = {"raw.instance_status_events": 2, "raw.instance_price_periods": 1, "staging.int_status_changes": 2}


def test_a_new_day_reads_and_writes_its_part_of_the_marts(place: Place, postgres: Postgres, tmp_path: Path) -> None:
    """Of a history of a hundred days a build of the next one writes no more than a tenth anew, and reads as little.

    An instance that is new that day changes nothing in that.
    """
    server, db = replace(postgres, database=place.database), tmp_path / "a.duckdb"
    made(db, EVENTS, DAYS)
    server.copy_raw(db)
    with opened(place) as connection:
        migrate(connection, "raw")
    server.dbt(tmp_path / "target", *MODELS, "--full-refresh")
    a_day_later(db, EVENTS, DAYS)
    server.copy_raw(db)
    tables = [*(f"marts.{table}" for table in LONG), *ALL_READ]
    kept = {table: int(server.rows(f"select count(*) from {table}")[0][0]) for table in tables}
    with counting(postgres, place.database) as cursor:
        server.dbt(tmp_path / "target", *MODELS, only_changed=True)
        for table in tables:
            read, added, gone = _used(cursor, table)
            most = ALL_READ[table] + 1 / 2 if table in ALL_READ else 1 / 4
            assert (table, read < most * kept[table]) == (table, True), (read, kept[table])
            if table not in ALL_READ:
                assert (table, 0 < gone < added < kept[table] / 10) == (table, True), (gone, added)


def test_a_load_finds_what_it_replaces_without_reading_the_history(place: Place, postgres: Postgres) -> None:
    """By blocks: of a million older rows next to none are read by a load of a day, nor by what looks for late ones."""
    with late_and_corrected() as sandbox:
        sandbox.clock.advance(-timedelta(hours=3))
        for _ in range(2):  # the second begins with what the first one made
            assert command(sandbox, "extract", "--destination", "postgres").returncode == 0
        with administering(postgres, place.database) as cursor:
            cursor.execute(
                "insert into raw.instance_status_events"
                " (project, instance_fid, timestamp, status, read_at, _dlt_load_id)"
                " select 'proj_long', 'inst_long', timestamp '2020-01-01' + n * interval '1 minute', 'STATUS_RUNNING',"
                " timestamp '2021-01-01', '1' from generate_series(1, 1000000) as n"
            )
        sandbox.clock.advance(timedelta(hours=23))
        with counting(postgres, place.database) as cursor:
            assert command(sandbox, "extract", "--destination", "postgres").returncode == 0
            read, added, _ = _used(cursor, "raw.instance_status_events")
    assert added > 0
    assert read < 100_000


@contextmanager
def counting(postgres: Postgres, database: str) -> Iterator[Any]:
    """A cursor beside which the server counts from nothing, with what it knows of its tables brought up to date."""
    with administering(postgres, database) as cursor:
        cursor.execute("vacuum analyze")
    time.sleep(1)  # a session's counts come after its end
    with administering(postgres, database) as cursor:
        cursor.execute("select pg_stat_reset()")
        yield cursor


def _used(cursor: Any, table: str) -> tuple[int, int, int]:
    """Rows of a table that were read, added and taken away, once the server has counted them."""
    read = "sum(seq_tup_read + coalesce(idx_tup_fetch, 0))"
    query = f"select {read}, sum(n_tup_ins), sum(n_tup_del) from pg_stat_user_tables where relid = %s::regclass"
    found: tuple[int, ...] = ()
    for _ in range(100):
        before = found
        cursor.execute("select pg_stat_clear_snapshot()")
        cursor.execute(query, [table])
        found = tuple(int(each or 0) for each in cursor.fetchone())
        if found == before and any(found):
            break
        time.sleep(0.2)
    read_rows, added, gone = found
    return read_rows, added, gone
