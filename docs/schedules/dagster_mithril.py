"""Dagster: an asset for each raw table and each dbt model, with lineage, days as partitions, and dbt's tests as checks.

    pip install mithril-elt dagster dagster-dbt dagster-webserver
    export MITHRIL_API_KEY=fkey_… MITHRIL_FOLDER=/srv/mithril
    dagster dev -f dagster_mithril.py

A backfill of many days is one run. Others that could write the file at the same time are kept off by its lock.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from mithril_elt.tables import RAW_TABLES
from mithril_elt.transform import sql_folder

FOLDER = Path(os.environ.get("MITHRIL_FOLDER", ".")).resolve()
DB = FOLDER / "mithril.duckdb"
COMMAND = os.environ.get("MITHRIL_ELT", "mithril-elt")
NETWORK_FAILED, LOCK_IS_HELD = 5, 8

os.environ["MITHRIL_DUCKDB_PATH"] = str(DB)  # where dbt's profile looks
dbt_resource = DbtCliResource(project_dir=str(sql_folder()), profiles_dir=str(sql_folder()))
TARGET = FOLDER / ".dagster-dbt"  # one for all, so that what is parsed once is not parsed again
manifest = dbt_resource.cli(["parse"], target_path=TARGET).wait().target_path / "manifest.json"
days = dg.DailyPartitionsDefinition(os.environ.get("MITHRIL_SINCE", "2026-01-01"), timezone="UTC")


def command(*arguments: str) -> tuple[int, dict]:
    """The exit status of a command and its facts; its log is this step's stderr."""
    ended = subprocess.run(  # noqa: S603  # our own command
        [COMMAND, *arguments, "--db", str(DB), "--json"], cwd=FOLDER, stdout=subprocess.PIPE, check=False
    )
    return ended.returncode, json.loads(ended.stdout or "{}")


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["raw", table.name],
            description=table.description,
            group_name="raw",
            kinds={"duckdb"},
            freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26)),
            skippable=True,
        )
        for table in RAW_TABLES
    ],
    partitions_def=days,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def raw(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """The days asked for, and of the lists what holds now; the look-back before them comes by itself."""
    window = context.partition_time_window
    status, facts = command("extract", "--since", window.start.isoformat(), "--until", window.end.isoformat())
    if status == LOCK_IS_HELD:
        context.log.warning("another run goes on: nothing was loaded, and the next one reads this time too")
        return
    if status == NETWORK_FAILED:
        raise dg.RetryRequested(max_retries=4, seconds_to_wait=600)
    if status:
        raise dg.Failure(facts.get("error") or f"mithril-elt ended with {status}", allow_retries=False)
    told = {name: facts[name] for name in ("run_id", "as_of", "rows", "requests", "late_rows")}
    for table in RAW_TABLES:
        yield dg.MaterializeResult(["raw", table.name], metadata=told)


@dg.asset_check(asset=["raw", "runs"], description="The last run was sound, and figures are no older than 26 hours.")
def fresh() -> dg.AssetCheckResult:
    """What `status --check` says."""
    status, facts = command("status", "--check", "--max-age", os.environ.get("MITHRIL_MAX_AGE", "26h"))
    return dg.AssetCheckResult(passed=status == 0, metadata={"sentence": facts.get("sentence", "")})


@dbt_assets(manifest=manifest)
def models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator:
    """Each model, and each test as a check; all that was loaded, whichever day a run is for."""
    yield from dbt.cli(["build", "--exclude-resource-type", "unit_test"], context=context, target_path=TARGET).stream()


daily = dg.define_asset_job("mithril_daily", partitions_def=days, executor_def=dg.in_process_executor)
defs = dg.Definitions(
    assets=[raw, models],
    asset_checks=[fresh],
    jobs=[daily],
    schedules=[dg.build_schedule_from_partitioned_job(daily, hour_of_day=0, minute_of_hour=20)],
    resources={"dbt": dbt_resource},
)
