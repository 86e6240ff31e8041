"""The main job and its two halves: `run`, `extract`, `build`.

Stands inside `cli`, on `load` and `transform`.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.options import api_options, as_json_option, connect, db_options, load_plan, span_options
from mithril_elt.cli.progress import shown_progress
from mithril_elt.cli.saying import say, say_facts, say_text
from mithril_elt.instants import iso, parse_instant

if TYPE_CHECKING:
    from mithril_elt.load import LoadResult
    from mithril_elt.transform import BuildResult

__all__ = ["build_command", "built", "extract_command", "loaded", "run_command"]

log = logging.getLogger("mithril_elt")

_as_of_option = click.option("--as-of", metavar="T", help="Figures end here: nothing that happened later counts.")


@click.command("run")
@api_options
@span_options
@db_options
@_as_of_option
@as_json_option
def run_command(as_of: str | None, *, as_json: bool, **values: Any) -> None:
    """The main job: extract, load, build the models, test them, print a summary.

    Fetches what is new since the last run, and the look-back before it. Safe to repeat, to stop, to
    schedule.

    \b
    Example:
      export MITHRIL_API_KEY=fkey_…
      mithril-elt run --db mithril.duckdb
    """
    from mithril_elt.lock import locked  # noqa: PLC0415  # after the options are known to be right

    pinned = parse_instant(as_of, option="--as-of") if as_of else None
    api, projects = connect(values)
    plan = load_plan(values, projects)
    with api, locked(values["db"]):
        extracted = loaded(api, values["db"], plan)
        models = built(values["db"], dataset=values["dataset"], as_of=pinned)
    _print_facts({**_facts(extracted), "build": asdict(models)}, as_json=as_json)
    if not as_json:
        _summary(values["db"], values["dataset"])


@click.command("extract")
@api_options
@span_options
@db_options
@as_json_option
def extract_command(*, as_json: bool, **values: Any) -> None:
    """Load what is new since the last run into the raw tables.

    \b
    Example:
      mithril-elt extract --project proj_0123456789abcdef --since 2026-01-01
    """
    api, projects = connect(values)
    plan = load_plan(values, projects)
    with api:
        extracted = loaded(api, values["db"], plan)
    _print_facts(_facts(extracted), as_json=as_json)


@click.command("build")
@db_options
@_as_of_option
@click.option("--full", is_flag=True, help="Build everything anew, from the parsing of the models on.")
@as_json_option
def build_command(as_of: str | None, *, full: bool, as_json: bool, db: Path, dataset: str | None) -> None:
    """Build and test the models from the raw tables.

    \b
    Example:
      mithril-elt build --as-of 2026-04-01
    """
    pinned = parse_instant(as_of, option="--as-of") if as_of else None
    models = built(db, dataset=dataset, as_of=pinned, full=full)
    _print_facts({"build": asdict(models)}, as_json=as_json)


def loaded(api: Any, db: Path, plan: Any) -> LoadResult:
    """Runs the load with its progress shown."""
    from mithril_elt.load import load  # noqa: PLC0415  # imports the client

    with shown_progress() as tell:
        return load(api, db, plan, on_progress=tell)


def built(db: Path, *, dataset: str | None, as_of: datetime | None, full: bool = False) -> BuildResult:
    """Runs the build, and tells of warnings."""
    from mithril_elt.transform import build  # noqa: PLC0415  # imports duckdb

    models = build(db, full=full, as_of=as_of, dataset=dataset)
    for warning in models.warnings:
        log.warning(warning)
    return models


def _facts(done: LoadResult) -> dict[str, Any]:
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in asdict(done).items()}


def _print_facts(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_facts(facts)
        return
    if "rows" in facts:
        say(
            f"Loaded {facts['windows_done']} of {facts['windows_planned']} windows up to {facts['as_of']}: "
            f"{facts['rows']:,} rows in {facts['requests']:,} requests ({facts['retries']} sent again)."
        )
        if facts["late_rows"]:
            say(f"{facts['late_rows']:,} rows came late, by {facts['late_seconds'] / 3600:.1f} hours at most.")
    if "build" in facts:
        say(f"Built {facts['build']['models']} models; {facts['build']['tests']} data tests passed.")


def _summary(db: Path, dataset: str | None) -> None:
    from mithril_elt.reports import render, report  # noqa: PLC0415  # only at the end
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb

    say("")
    say_text(render(report(db, "summary", marts_schema=schema_name("marts", dataset)), "table"))
