"""The assets of Dagster: each raw table and each model in one lineage; a day of the account is loaded and built."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import pytest
from examples import SCHEDULES

from commands import in_process
from loading import query
from mithril_elt.sandbox.server import Sandbox
from mithril_elt.tables import RAW_TABLES

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.timeout(900)]  # of Dagster's own


@pytest.fixture(scope="module")
def mithril(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The module, as Dagster loads it, with the folder that stands for /srv/mithril."""
    folder, programs = tmp_path_factory.mktemp("srv"), Path(sys.executable).parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MITHRIL_FOLDER", str(folder))
        patch.setenv("MITHRIL_ELT", str(programs / "mithril-elt"))
        patch.setenv("PATH", f"{programs}:/usr/bin:/bin")
        patch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
        patch.setenv("MITHRIL_DUCKDB_PATH", "put back at the end")
        spec = importlib.util.spec_from_file_location("dagster_mithril", SCHEDULES / "dagster_mithril.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


def last_day(sandbox: Sandbox) -> str:
    """The last day of the account that is over."""
    return str(datetime.fromtimestamp(sandbox.account.now_us / 1e6, UTC).date() - timedelta(days=1))


def test_every_table_and_model_is_an_asset_with_its_lineage(mithril: Any) -> None:
    """Each raw table that a model stands on is upstream of it; each test is a check; a range of days is one run."""
    graph = mithril.defs.resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert {f"raw/{table.name}" for table in RAW_TABLES} < keys
    models = json.loads(Path(mithril.manifest).read_text())["nodes"].values()
    names = {each["name"] for each in models if each["resource_type"] == "model"}
    assert names <= {key.rpartition("/")[2] for key in keys}
    staged = graph.get(dg.AssetKey(["staging", "stg_mithril__instances"]))
    assert staged.parent_keys == {dg.AssetKey(["raw", "instances"])}
    assert len(graph.asset_check_keys) > 90
    assert mithril.raw.partitions_def == mithril.days
    assert mithril.raw.backfill_policy == dg.BackfillPolicy.single_run()


def test_a_day_is_loaded_built_and_checked(
    mithril: Any, sandbox: Sandbox, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures are those of `mithril-elt run` of that day."""
    assert place
    day = last_day(sandbox)
    monkeypatch.setenv("MITHRIL_DUCKDB_PATH", str(mithril.DB))  # as the module did, before this test's surroundings
    monkeypatch.setenv("MITHRIL_MAX_AGE", "9999w")  # the account's time is long ago
    ended = mithril.defs.resolve_job_def("mithril_daily").execute_in_process(partition_key=day)
    assert ended.success
    made = {event.asset_key.to_user_string() for event in ended.get_asset_materialization_events()}
    assert {f"raw/{table.name}" for table in RAW_TABLES} < made
    checks = ended.get_asset_check_evaluations()
    assert len(checks) > 90
    assert [check.check_name for check in checks if not check.passed] == []
    assert "fresh" in {check.check_name for check in checks}
    end = str(datetime.fromisoformat(day) + timedelta(days=1))
    assert query(mithril.DB, "select distinct cast(as_of as varchar) from marts.dim_projects") == [(end,)]
    other = place / "other.duckdb"
    assert in_process("run", "--db", other, "--since", day, "--until", end[:10]).status == 0
    figures = "select count(*), sum(net_cost_cent_us), sum(gpu_us), sum(pause_credit_cent_us) from marts.fct_cost_daily"
    assert query(mithril.DB, figures) == query(other, figures)


@pytest.mark.parametrize(("status", "raised"), [(5, dg.RetryRequested), (3, dg.Failure), (7, dg.Failure), (8, None)])
def test_exit_statuses(
    mithril: Any, monkeypatch: pytest.MonkeyPatch, status: int, raised: type[Exception] | None
) -> None:
    """Only the network is tried again; that another run goes on leaves the day for the next one."""
    monkeypatch.setattr(mithril, "command", lambda *_: (status, {"error": "why"}))
    context = dg.build_asset_context(partition_key="2026-03-01")
    if raised is None:
        assert list(mithril.raw(context)) == []
        return
    with pytest.raises(raised) as caught:
        list(mithril.raw(context))
    assert raised is dg.RetryRequested or (caught.value.allow_retries, caught.value.description) == (False, "why")
