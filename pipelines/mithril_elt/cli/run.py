"""The main job and its two halves: `run`, `extract`, `build`.

Stands inside `cli`, on `load` and `transform`.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.options import api_options, as_json_option, connect, db_options, load_plan, span_options
from mithril_elt.cli.progress import shown_progress
from mithril_elt.cli.saying import say, say_text
from mithril_elt.cli.summary import Summary, summed_up
from mithril_elt.errors import MithrilError
from mithril_elt.instants import iso, parse_instant
from mithril_elt.place import Place
from mithril_elt.settings import find_timezone

if TYPE_CHECKING:
    from mithril_elt.load import LoadResult
    from mithril_elt.reports import State
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

    with summed_up(as_json=as_json) as run:
        pinned = parse_instant(as_of, option="--as-of") if as_of else None
        api, projects = connect(values)
        plan = load_plan(values, projects)
        with api, locked(values["db"]):
            _extract(run, api, values["db"], plan)
            _build(run, values["db"], dataset=values["dataset"], as_of=pinned)
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
    with summed_up(as_json=as_json) as run:
        api, projects = connect(values)
        plan = load_plan(values, projects)
        with api:
            _extract(run, api, values["db"], plan)


@click.command("build")
@db_options
@_as_of_option
@click.option("--full", is_flag=True, help="Build everything anew, from the parsing of the models on.")
@as_json_option
def build_command(as_of: str | None, *, full: bool, as_json: bool, db: Place, dataset: str | None) -> None:
    """Build and test the models from the raw tables: what has changed since the last build, or all of it.

    \b
    Example:
      mithril-elt build --as-of 2026-04-01
    """
    with summed_up(as_json=as_json) as run:
        pinned = parse_instant(as_of, option="--as-of") if as_of else None
        _build(run, db, dataset=dataset, as_of=pinned, full=full)


def loaded(api: Any, db: Place, plan: Any, into: LoadResult | None = None) -> LoadResult:
    """Runs the load with its progress shown; what it did is in `into` also if it fails."""
    from mithril_elt.load import load  # noqa: PLC0415  # imports the client

    with shown_progress(lambda: api.traffic.requests) as tell:
        return load(api, db, plan, on_progress=tell.loaded, on_read=tell.read, into=into)


def built(db: Place, *, dataset: str | None, as_of: datetime | None, full: bool = False) -> BuildResult:
    """Runs the build, and tells of warnings."""
    from mithril_elt.transform import build  # noqa: PLC0415  # imports duckdb

    models = build(db, full=full, as_of=as_of, dataset=dataset, timezone=find_timezone())
    for warning in models.warnings:
        log.warning(warning)
    return models


def _extract(run: Summary, api: Any, db: Place, plan: Any) -> None:
    from mithril_elt.load import LoadResult  # noqa: PLC0415  # imports the client

    done = LoadResult()
    run.run_id = done.run_id
    with run.stage("extract"):
        try:
            loaded(api, db, plan, done)
        finally:
            run.facts |= _plain(done)


def _build(run: Summary, db: Place, **wanted: Any) -> None:
    before = _state(db, wanted["dataset"])
    with run.stage("build"):
        run.facts["build"] = asdict(built(db, **wanted))
    now = _state(db, wanted["dataset"])
    if now:
        run.facts["figures"] = {
            "as_of": iso(now.as_of),
            "unpriced_hours": str(now.unpriced_hours),
            "unpriced_hours_before": str(before.unpriced_hours) if before else None,
        }


def _state(db: Place, dataset: str | None) -> State | None:
    """How the marts stand; None where they cannot be read, as before the first build."""
    from mithril_elt.reports import state_of  # noqa: PLC0415  # only around a build
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb

    with suppress(MithrilError):
        return state_of(db, marts_schema=schema_name("marts", dataset))
    return None


def _plain(done: LoadResult) -> dict[str, Any]:
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in asdict(done).items()}


def _summary(db: Place, dataset: str | None) -> None:
    from mithril_elt.reports import render, report  # noqa: PLC0415  # only at the end
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb

    say("")
    say_text(render(report(db, "summary", marts_schema=schema_name("marts", dataset)), "table"))
