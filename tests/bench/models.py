"""The models: all of them, then one new day, then nothing new; and the same SQL straight in DuckDB.

Stands on `measured`; a part of `python -m bench`, or `python -m bench.models [EVENTS]`. The raw tables are made by SQL,
as a run of the load a day would leave them. A build is a whole command, with its data tests and dbt's start; what is
straight in DuckDB is the models alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb

from bench.extract import fresh_folder
from bench.measured import HERE, Code, Run, measured
from bench.tables import ratios, table

__all__ = ["models_part"]

EVENTS_A_DAY = 20  # of one instance
DAYS = 200
FIRST_DAY = "timestamp '2026-01-01'"
_VERSION = f"'v' as version_hash, '1' as _dlt_load_id, {FIRST_DAY}::timestamptz as _dlt_valid_from"

# A day of an instance: one status after the other, each at its own minute of a slot of 72 minutes.
_CYCLE = (
    "RUNNING",
    "PREEMPTING",
    "RUNNING",
    "STOPPING",
    "PAUSED",
    "STARTING",
    "RUNNING",
    "PREEMPTED",
    "NEW",
    "STARTING",
)


def told_days(connection: duckdb.DuckDBPyConnection, instances: range, first: int, last: int, load_id: str) -> None:
    """Puts the days `first` up to `last`, which is left out, of these instances into the raw tables."""
    cycle = "[" + ", ".join(f"'STATUS_{status}'" for status in _CYCLE) + "]"
    at = f"{FIRST_DAY} + to_days(d::int) + to_microseconds(n * 4320000000 + (hash(i, d, n) % 4000000000)::bigint)"
    slots = (
        f"select i, d, n, {at} as told_at, i % 5 < 4 as is_spot from range({first}, {last}) days(d),"
        f" {instances} instances(i), range({EVENTS_A_DAY}) slots(n)"
    )
    owner = (
        "'proj_a' as project, 'inst_' || lpad(i::varchar, 16, '0') as instance_fid,"
        " case when is_spot then 'bid_' || i // 10 end as bid_fid,"
        " case when not is_spot then 'res_' || i // 100 end as reservation_fid"
    )
    read = f"{FIRST_DAY} + to_days({last}) as read_at, null as withdrawn_at, '{load_id}' as _dlt_load_id"
    connection.execute(
        f"insert into raw.instance_status_events by name select {owner}, told_at as timestamp,"
        f" {cycle}[1 + (d * {EVENTS_A_DAY} + n) % {len(_CYCLE)}] as status, {read} from ({slots})"
        " order by d, i, told_at"
    )
    is_open = f"d = {last - 1} and n = {EVENTS_A_DAY - 1}"
    ends = f"case when not ({is_open}) then lead(told_at) over (partition by i order by told_at) end"
    connection.execute(
        f"insert into raw.instance_price_periods by name select {owner}, told_at as start_time, {ends} as end_time,"
        f" 100 + (hash(told_at) % 900)::bigint as price_cents, {read} from ({slots}) where is_spot"
        " order by d, i, told_at"
    )


def noted_days(connection: duckdb.DuckDBPyConnection, first: int, last: int, load_id: str) -> None:
    """Puts that these days were read into the raw tables, and what the vendor says of all reservations."""
    end = f"{FIRST_DAY} + to_days({last})"
    for history in ("status", "pricing"):
        connection.execute(
            f"insert into raw.windows by name select 'proj_a' as project, '{history}' as history,"
            f" {FIRST_DAY} + to_days({first}) as from_at, {end} as to_at, {end} as run_ends_at, '{load_id}' as run_id,"
            f" 1 as rows, 1 as requests, {end} as read_at, '{load_id}' as _dlt_load_id"
        )
    connection.execute(
        f"insert into raw.reservation_usage by name select 'proj_a' as project, fid as reservation_fid, {end} as as_of,"
        f" 1000 as committed_cost_cents, {end} as read_at, '{load_id}' as _dlt_load_id from raw.reservations"
    )


def listed_instances(connection: duckdb.DuckDBPyConnection, instances: range) -> None:
    """Puts these into the list of instances."""
    connection.execute(
        f"insert into raw.instances by name select 'inst_' || lpad(i::varchar, 16, '0') as fid, {FIRST_DAY} as"
        " created_at, 'it_a' as instance_type, 'STATUS_RUNNING' as status, 'us' as region,"
        " case when i % 5 < 4 then 'bid_' || i // 10 end as bid,"
        f" case when i % 5 = 4 then 'res_' || i // 100 end as reservation, 'proj_a' as project, {_VERSION}"
        f" from {instances} as t(i)"
    )


def listed(connection: duckdb.DuckDBPyConnection, instances: int) -> None:
    """Puts the lists, and the terms of the reservations, into the raw tables."""
    mine = f"'proj_a' as project, {_VERSION}"
    connection.execute(f"insert into raw.projects by name select 'proj_a' as fid, 'a' as name, {_VERSION}")
    connection.execute(
        f"insert into raw.instance_types by name select 'it_a' as fid, 'h100' as name, 8 as num_gpus, {_VERSION}"
    )
    listed_instances(connection, range(instances))
    connection.execute(
        f"insert into raw.reservations by name select distinct 'res_' || i // 100 as fid, 20 as instance_quantity,"
        f" 'it_a' as instance_type, {FIRST_DAY} as start_time, {FIRST_DAY} + to_days(1000) as end_time,"
        f" {FIRST_DAY} as created_at, {mine} from range({instances}) as t(i) where i % 5 = 4"
    )
    owner = f"'proj_a' as project, fid as reservation_fid, {FIRST_DAY} as read_at, '1' as _dlt_load_id"
    connection.execute(
        f"insert into raw.reservation_grants by name select {owner}, {FIRST_DAY} as starts_at, 0 as position,"
        f" {FIRST_DAY} + to_days(1000) as ends_at, 20 as quantity, 250 as unit_price_cents from raw.reservations"
    )
    connection.execute(
        f"insert into raw.reservation_events by name select {owner}, {FIRST_DAY} as timestamp, 'Terms Set' as"
        " event_type, 250 as unit_price_cents, 100 as pause_credit_cents, 50 as return_credit_cents, 0 as position"
        " from raw.reservations"
    )
    connection.execute(
        f"insert into raw.runs by name select 'a' as run_id, {FIRST_DAY} as started_at, {FIRST_DAY} as finished_at,"
        " 'done' as outcome, 1 as windows_planned, 1 as windows_done, 1 as requests, 0 as retries, 1 as rows,"
        " 1 as bytes, 0 as late_rows, 0 as late_seconds, '0' as version, '1' as _dlt_load_id"
    )


def _empty_raw(connection: duckdb.DuckDBPyConnection) -> None:
    from sql_project import empty_raw  # noqa: PLC0415  # imports pytest: only in a process of its own

    empty_raw(connection)


def made(db: Path, events: int, days: int = DAYS) -> None:
    """Makes a database of so many status events."""
    instances = events // (EVENTS_A_DAY * days)
    with duckdb.connect(str(db)) as connection:
        _empty_raw(connection)
        listed(connection, instances)
        for first in range(0, days, 7):
            last = min(first + 7, days)
            told_days(connection, range(instances), first, last, str(1000 + first))
            noted_days(connection, first, last, str(1000 + first))


def a_day_later(db: Path, events: int, days: int = DAYS) -> None:
    """As a run of the next day leaves it: three days of look-back read again, a late event, new instances."""
    instances = events // (EVENTS_A_DAY * days)
    with duckdb.connect(str(db)) as connection:
        connection.execute("set timezone = 'UTC'")
        back = f"{FIRST_DAY} + to_days({days - 3})"
        connection.execute(f"delete from raw.instance_status_events where timestamp >= {back}")
        connection.execute(f"delete from raw.instance_price_periods where start_time >= {back}")
        told_days(connection, range(instances), days - 3, days + 1, "2000")
        new = range(instances, instances + max(instances // 100, 1), 5)
        listed_instances(connection, new)
        told_days(connection, new, days, days + 1, "2000")
        noted_days(connection, days - 3, days + 1, "2000")
        connection.execute(
            "insert into raw.instance_status_events by name select * replace (timestamp + interval 1 second as"
            " timestamp, 'STATUS_ERROR' as status) from raw.instance_status_events"
            f" where timestamp >= {FIRST_DAY} + to_days({days - 2}) and timestamp < {FIRST_DAY} + to_days({days - 1})"
            " and hash(instance_fid) % 100 = 0 and status = 'STATUS_PREEMPTED'"
        )


def models_part(events: int, codes: Sequence[Code] = (HERE,)) -> Iterator[str]:
    """The table of an account of so many status events, and four fifths as many price periods."""
    lines: list[tuple[str, ...]] = []
    for code in codes:
        with fresh_folder() as folder:
            db = folder / "a.duckdb"
            measured(("bench.models", "made", str(db), str(events)), code=code)
            lines += _line("full build", code, _built(db, code))
            measured(("bench.models", "a_day_later", str(db), str(events)), code=code)
            lines += _line("one new day", code, _built(db, code))
            lines += _line("nothing new", code, _built(db, code))
            straight = measured(("bench.models", "straight", str(db), str(events)), code=code)
            lines += _line("straight in DuckDB", code, straight, straight.told["seconds"])
    title = f"Models, {events:,} status events and {events * 4 // 5:,} price periods in {DAYS} days"
    yield table(title, ("what is built", "code", "seconds", "CPU s", "peak MB", "of a full build"), _shares(lines))
    if len(codes) > 1:
        lines.sort(key=lambda line: [code.name for code in codes].index(line[1]))
        yield ratios(lines, [code.name for code in codes], "what is built", {"seconds": 2, "CPU": 3, "peak": 4})


def _built(db: Path, code: Code) -> Run:
    return measured(("mithril_elt", "build", "--db", db), code=code, cwd=db.parent)


def _line(what: str, code: Code, run: Run, seconds: float | None = None) -> list[tuple[str, ...]]:
    took_s = run.seconds if seconds is None else seconds
    print(f"{code.name}, {what}: {took_s:.1f} s", file=sys.stderr, flush=True)
    return [(what, code.name, f"{took_s:,.1f}", f"{run.cpu_s:,.1f}", f"{run.peak_mb:,}")]


def _shares(lines: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Each line with its time by that of the full build before it."""
    whole_s = 1.0
    for line in lines:
        took_s = float(line[2].replace(",", ""))
        whole_s = took_s if line[0] == "full build" else whole_s
        yield (*line, f"{100 * took_s / whole_s:.1f} %")


def straight(db: Path, _: int) -> None:
    """Runs the compiled models by DuckDB alone; says how many seconds that took, without their compilation."""
    from sql_project import compiled  # noqa: PLC0415  # imports dbt: only in a process of its own

    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(db)) as connection:
        project = compiled(Path(folder))
        connection.execute("drop schema staging cascade; drop schema marts cascade")
        connection.execute("set timezone = 'UTC'; set preserve_insertion_order = false")
        began_s = time.perf_counter()
        project.build(connection)
        print(json.dumps({"seconds": time.perf_counter() - began_s}))


_STEPS: dict[str, Callable[[Path, int], object]] = {"made": made, "a_day_later": a_day_later, "straight": straight}


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in _STEPS:
        step, name, number = sys.argv[1:]
        _STEPS[step](Path(name), int(number))
    else:
        for text in models_part(int(sys.argv[1]) if sys.argv[1:] else 2_000_000):
            print(text)
