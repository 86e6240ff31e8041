"""The whole of it on PostgreSQL: loads, builds and reports, held against DuckDB and the account's true figures."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest
from places import administering, command, rows_of, unlike
from postgres import Postgres as Server

from loading import load_sandbox
from mithril_elt.errors import LockedError, UsageError, WarehouseError
from mithril_elt.lock import locked
from mithril_elt.postgres import Postgres
from mithril_elt.postgres_loads import destination_of
from mithril_elt.reports import report
from mithril_elt.reports.catalog import DEFINITIONS
from mithril_elt.reports.marts import read_marts
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.transform import build, build_scratch
from mithril_elt.warehouse import opened

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore::ResourceWarning")]

KILLS = int(os.environ.get("KILLS", "12"))
READINGS = Readings(late_hours=24, withdrawn_hours=24, corrected_hours=24, leaves_list_hours=24)
LOOKBACK = timedelta(hours=30)
WAY = {"lookback": LOOKBACK, "window": timedelta(days=3)}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An account whose story goes on for three days after ten."""
    with serve(make_account(7, 16, 10, tail_days=3), readings=READINGS) as running:
        running.clock.advance(-timedelta(hours=3))
        yield running


def test_runs_load_and_count_what_duckdb_does(place: Postgres, sandbox: Sandbox, tmp_path: Path) -> None:
    """Run after run: the same rows in raw, the same marts, the true figures; nothing twice."""
    db = tmp_path / "a.duckdb"
    for number in range(3):
        for each in (place, db):
            load_sandbox(sandbox, each, **WAY)
            assert build(each).only_changed == (number > 0)
        assert unlike(place, db) == []
        assert differences(place, sandbox.account) == differences(db, sandbox.account)
        sandbox.clock.advance(timedelta(hours=35))
    load_sandbox(sandbox, place, lookback=timedelta(days=30))
    load_sandbox(sandbox, db, lookback=timedelta(days=30))
    build(place)
    assert differences(place, sandbox.account) == []


def test_reports_are_the_same_to_the_last_digit(place: Postgres, sandbox: Sandbox, tmp_path: Path) -> None:
    """Every report in every grouping, warnings and names included; and as of an earlier instant."""
    db = tmp_path / "a.duckdb"
    for each in (place, db):
        load_sandbox(sandbox, each)
        build(each)
    asked = [(name, ()) for name in (*DEFINITIONS, "summary")]
    asked += [(name, (by,)) for name, definition in DEFINITIONS.items() for by in definition.groupings]
    for name, by in asked:
        assert report(place, name, by=by) == report(db, name, by=by), (name, by)
    as_of = utc(sandbox.clock.now_us()) - timedelta(days=4, minutes=17)
    with build_scratch(place, as_of=as_of) as mine, build_scratch(db, as_of=as_of) as theirs:
        assert report(mine, "summary") == report(theirs, "summary")


def test_commands_take_the_place_of_dlts_configuration(place: Postgres, sandbox: Sandbox, tmp_path: Path) -> None:
    """Each command that touches data, as a user types it; no file is made where they are run but dlt's folder."""
    commands = ("plan", "check", "run", "status", "plan", "build")
    facts = [command(sandbox, name, "--json", "--destination", "postgres") for name in commands]
    assert [each.returncode for each in facts] == [0] * len(facts), [each.stderr for each in facts]
    assert json.loads(facts[2].stdout)["outcome"] == "done"
    assert json.loads(facts[2].stdout)["figures"]["unpriced_hours_before"] is None
    fresh = command(sandbox, "status", "--check", "--max-age", "9999w", "--json", "--destination", "postgres")
    assert (fresh.returncode, json.loads(fresh.stdout)["ok"]) == (0, True)
    figures = command(sandbox, "report", "cost", "--json", "--destination", "postgres")
    assert json.loads(figures.stdout)["rows"]
    assert {path.name for path in tmp_path.iterdir()} == {"home", place.work_folder.name}
    assert not any("pw_7h1s" in each.stdout + each.stderr for each in (*facts, figures))
    kept = [path for path in place.work_folder.rglob("*") if path.is_file()]
    assert not any(b"pw_7h1s" in path.read_bytes() for path in kept)


@pytest.mark.timeout(1800)
def test_a_run_that_is_killed_costs_nothing(place: Postgres, sandbox: Sandbox, tmp_path: Path) -> None:
    """Killed at any moment, again and again; then a run comes to its end, and all is as if none had been.

    The account's clock stands still: what lists said meanwhile is kept, too.
    """
    db = tmp_path / "a.duckdb"
    moments = random.Random(7)
    killed = ended = 0
    while killed < KILLS:
        if _is_killed(sandbox, moments.uniform(0.3, 3.0)):
            killed += 1
        else:
            ended += 1
            assert ended <= 4 * KILLS
    load_sandbox(sandbox, place, **WAY)
    load_sandbox(sandbox, db, **WAY)
    build(place)
    build(db)
    assert unlike(place, db) == []
    print(f"\n{killed} loads killed, {ended} had ended before")  # noqa: T201  # the figure of the proof


def _is_killed(sandbox: Sandbox, seconds: float) -> bool:
    environ = {**os.environ, "MITHRIL_API_KEY": sandbox.key, "MITHRIL_API_URL": sandbox.url}
    words = [sys.executable, "-m", "mithril_elt", "extract", "--destination", "postgres", "--lookback", "30h"]
    with subprocess.Popen(words, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return True
    assert process.returncode == 0, said
    return False


def test_one_run_at_a_time(place: Postgres, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also from another machine, which has another working folder; who dies lets go."""
    with locked(place):
        monkeypatch.chdir(tmp_path.parent)
        with pytest.raises(LockedError, match=r"session .* from this machine since"), locked(place):
            pass
        refused = command(sandbox, "run", "--destination", "postgres")
        assert refused.returncode == 8
    with locked(place):
        pass


def test_a_role_that_owns_its_schemas_needs_no_more(place: Postgres, postgres: Server, sandbox: Sandbox) -> None:
    """It may make no schema, and has no rights elsewhere."""
    with administering(postgres) as cursor, suppress(psycopg2.errors.DuplicateObject):
        cursor.execute("create role lesser login")
    with opened(place) as session:
        session.execute(f"revoke all on database {place.database} from public")
        session.execute(f"grant connect, temporary on database {place.database} to lesser")
        session.execute("revoke all on schema public from public")
        for schema in ("raw", "raw_staging", "staging", "marts"):
            session.execute(f"create schema {schema} authorization lesser")
    mine = replace(place, user="lesser")
    load_sandbox(sandbox, mine)
    build(mine)
    load_sandbox(sandbox, mine)
    assert build(mine).only_changed
    assert differences(mine, sandbox.account) == differences(place, sandbox.account)


def test_what_goes_wrong_is_one_sentence(place: Postgres, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server, no database, no rights, no credentials: exit statuses 9 and 2, without the password."""
    for wrong in (replace(place, host="/nowhere"), replace(place, database="nothing"), replace(place, user="nobody")):
        with pytest.raises(WarehouseError, match=r"PostgreSQL database .* cannot be used") as told:
            load_sandbox(sandbox, wrong)
        assert "pw_7h1s" not in str(told.value)
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://u:pw_7h1s@localhost:port/x")
    ended = command(sandbox, "run", "--destination", "postgres")
    assert (ended.returncode, ended.stderr.count("Error:")) == (2, 1)
    assert "pw_7h1s" not in ended.stderr
    monkeypatch.delenv("DESTINATION__POSTGRES__CREDENTIALS")
    with pytest.raises(UsageError, match="no credentials of PostgreSQL"):
        Postgres.configured()


def test_a_connection_that_drops_is_told_and_mended(
    place: Postgres, postgres: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The server ends every session in the middle of a load; the next run goes on."""
    db = tmp_path / "a.duckdb"

    def drop(_: object) -> None:
        with administering(postgres) as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [place.database]
            )

    from mithril_elt.api import Mithril  # noqa: PLC0415  # only here
    from mithril_elt.load import LoadPlan, load  # noqa: PLC0415  # as above

    with suppress(WarehouseError), Mithril(sandbox.key, sandbox.url) as api:
        load(api, place, LoadPlan(**WAY), on_progress=drop)
    for each in (place, db):
        load_sandbox(sandbox, each, **WAY)
        build(each)
    assert unlike(place, db) == []


def test_settings_of_the_connection_are_passed_on(place: Postgres) -> None:
    """TLS and all else that stands in the address, to dlt, to dbt and to our own connections."""
    assert dict(place.options)["sslmode"] == "prefer"
    assert place.environment["PGSSLMODE"] == "prefer"
    assert "sslmode=prefer" in str(destination_of(place).config_params["credentials"].to_url())
    refusing = replace(place, host="localhost", port=1, options=(("sslmode", "strange"),))
    with pytest.raises(WarehouseError, match="sslmode"), refusing.opened():
        pass


def test_who_has_lost_the_lock_writes_no_more(
    place: Postgres, postgres: Server, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The session that holds it is ended, and another run, of another folder, has begun: the first one ends there."""
    load_sandbox(sandbox, place, **WAY)
    with locked(place):
        with administering(postgres) as cursor:
            cursor.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
        with pytest.raises(WarehouseError, match=r"the lock of .* was lost"):
            load_sandbox(sandbox, place, **WAY)
        with pytest.raises(WarehouseError, match=r"the lock of .* was lost"):
            build(place)
    monkeypatch.chdir(tmp_path.parent)
    load_sandbox(sandbox, place, **WAY)


def test_a_package_that_others_have_overtaken_is_not_loaded(
    place: Postgres, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Killed between reading and loading; then another machine loads for a day; then the first one runs again."""
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    load_sandbox(sandbox, place, **WAY)
    with monkeypatch.context() as patch:
        patch.setattr("mithril_elt.pipeline.still_held", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_sandbox(sandbox, place, **WAY)
    left = {package.name for package in (place.work_folder / "mithril" / "load" / "normalized").iterdir()}
    sandbox.clock.advance(timedelta(hours=30))
    monkeypatch.chdir(there)
    load_sandbox(sandbox, place, **WAY)
    monkeypatch.chdir(here)
    load_sandbox(sandbox, place, **WAY)
    loaded = {load_id for (load_id,) in rows_of(place, "raw._dlt_loads", ["load_id"])}
    assert left
    assert len(loaded) >= 3
    assert left & loaded == set()


def test_a_first_load_that_was_killed_before_it_made_a_table(
    place: Postgres, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its package is there and dlt's table of loads is not: the next run takes it, and nothing is lost."""
    db = tmp_path / "a.duckdb"
    with monkeypatch.context() as patch:
        patch.setattr("mithril_elt.pipeline.still_held", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_sandbox(sandbox, place, **WAY)
    assert list((place.work_folder / "mithril" / "load" / "normalized").iterdir())
    for each in (place, db):
        load_sandbox(sandbox, each, **WAY)
    assert unlike(place, db, with_marts=False) == []


def _interrupted(_: object) -> None:
    raise KeyboardInterrupt


def test_a_report_during_a_build_is_refused(place: Postgres, sandbox: Sandbox) -> None:
    """Its figures would be of two instants: some of before, some of after."""
    load_sandbox(sandbox, place)
    build(place)
    with pytest.raises(WarehouseError, match="meanwhile"):
        _built_while_read(place)


def _built_while_read(place: Postgres) -> None:
    with read_marts(place, "marts") as marts:
        assert marts.projects()
        build(place)


def test_who_only_reads_needs_few_rights(place: Postgres, postgres: Server, sandbox: Sandbox) -> None:
    """The marts, and the table that says whether they are whole."""
    with administering(postgres) as cursor, suppress(psycopg2.errors.DuplicateObject):
        cursor.execute("create role reading login")
    load_sandbox(sandbox, place)
    build(place)
    with opened(place) as session:
        session.execute("grant usage on schema marts, staging to reading")
        session.execute(
            "grant select on all tables in schema marts to reading; grant select on staging.builds to reading"
        )
    assert report(replace(place, user="reading"), "summary") == report(place, "summary")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:pw_7h1s@h/d?password=pw_7h1s", "cannot be passed on: password"),
        ("postgresql://u:pw_7h1s@h/d?options=-crole=x", "cannot be passed on: options"),
        ("postgresql://h/d", "name no user"),
    ],
)
def test_an_address_that_cannot_be_kept_to_is_refused(url: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than left out for dbt, or met with a traceback."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", url)
    with pytest.raises(UsageError, match=words) as told:
        Postgres.configured()
    assert "pw_7h1s" not in str(told.value)


def test_a_dataset_is_a_name_that_all_take_alike(place: Postgres, sandbox: Sandbox) -> None:
    """A prefix works; one with capitals or signs would part the tables over two schemas, and is refused."""
    load_sandbox(sandbox, place, dataset="acme_eu")
    build(place, dataset="acme_eu")
    assert report(place, "summary", marts_schema="acme_eu_marts").rows
    for strange in ("Acme", "acme-eu", "1st"):
        with pytest.raises(UsageError, match="small letters"):
            load_sandbox(sandbox, place, dataset=strange)
    refused = command(sandbox, "run", "--destination", "postgres", "--dataset", "Acme")
    assert refused.returncode == 2
