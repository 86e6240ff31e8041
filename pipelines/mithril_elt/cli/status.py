"""The command `status`: what is loaded up to when, the last runs, holes, lateness; and whether that is new enough.

Stands inside `cli`, on `freshness`; reads `raw.windows` and `raw.runs`, asks nothing of the API.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from mithril_elt.cli.alerts import Alarm, Alerts
from mithril_elt.cli.options import as_json_option, db_options
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.errors import StaleError
from mithril_elt.instants import iso, parse_duration
from mithril_elt.place import Place

__all__ = ["status_command"]

_OF_WINDOWS = ("project", "history", "from_at", "to_at", "asked_by")
_OF_RUNS = (
    *("started_at", "finished_at", "as_of", "outcome", "error", "windows_planned", "windows_done", "rows"),
    *("requests", "retries", "bytes", "late_rows", "late_seconds", "withdrawn_rows", "lookback_seconds", "version"),
)


@click.command("status")
@db_options
@click.option("--runs", default=5, show_default=True, metavar="N", help="How many of the last runs to show.")
@click.option("--check", is_flag=True, help="For monitors: say only whether the figures are fresh, else end with 7.")
@click.option(
    "--max-age", default="26h", show_default=True, metavar="DURATION", help="With --check: how old figures may be."
)
@click.option("--alert", is_flag=True, help="With --check: tell the webhook too, if one is set and all is not well.")
@as_json_option
def status_command(
    *, db: Place, dataset: str | None, runs: int, check: bool, max_age: str, alert: bool, as_json: bool
) -> None:
    """Show what is loaded up to when, the last runs, time that nothing covers, and how late rows came.

    With --check one sentence, and the exit status 7 if figures are older than allowed, if there was no run, or if the
    last run, the last build or its data tests failed; 8 while a run has the file to itself.

    \b
    Example:
      mithril-elt status --db mithril.duckdb --json
      mithril-elt status --check --max-age 26h
    """
    if check:
        _check(db, dataset, max_age, alert=alert, as_json=as_json)
        return
    facts = _facts(db, dataset, runs)
    if as_json:
        say_facts(facts)
    else:
        _show(facts)


def _check(db: Place, dataset: str | None, max_age: str, *, alert: bool, as_json: bool) -> None:
    from mithril_elt.freshness import freshness  # noqa: PLC0415  # imports duckdb

    found = freshness(db, dataset, parse_duration(max_age, option="--max-age"))
    if as_json:
        say_facts(found.facts())
    elif found.is_ok:
        say(found.sentence)
    if found.is_ok:
        return
    if alert:
        Alerts().tell(Alarm.of_check(found))
    raise StaleError(found.sentence)


def _show(facts: dict[str, Any]) -> None:
    for covered in facts["covered"]:
        by_order = ", asked by order: the API refuses a project alone" if covered["asked_by"] == "order" else ""
        say(f"{covered['project_id']}  {covered['history']:<8} {covered['from']} … {covered['to']}{by_order}")
        for hole in covered["holes"]:
            say(f"  nothing is known of {hole['from']} … {hole['to']}: `run --since {hole['from']}` reads it")
    say("")
    for run in facts["runs"]:
        say(_run_line(run))
        if run["error"]:
            say(f"  {run['error']}")
    if facts["advice"]:
        say("")
        say(facts["advice"])
    if facts["readings"]:
        say("")
        say("Seen by `probe --save`: " + ", ".join(f"{k} {v}" for k, v in facts["readings"].items()))


def _run_line(run: dict[str, Any]) -> str:
    late = f", {run['late_rows']:,} late by {run['late_seconds'] / 3600:.1f} h at most" if run["late_rows"] else ""
    withdrawn = f", {run['withdrawn_rows']:,} withdrawn by the API" if run["withdrawn_rows"] else ""
    return (
        f"{run['started_at']}  {run['outcome']:<6} {run['windows_done']}/{run['windows_planned']} windows, "
        f"{run['rows']:,} rows, {run['requests']:,} requests{late}{withdrawn}"
    )


def _facts(db: Place, dataset: str | None, runs: int) -> dict[str, Any]:
    from mithril_elt.findings import saved_readings  # noqa: PLC0415  # kept out of --help
    from mithril_elt.warehouse import loaded_from, schema_name  # noqa: PLC0415  # imports duckdb

    schema = schema_name("raw", dataset)
    with loaded_from(db, schema) as connection:
        windows = _rows(connection, f'"{schema}".windows', _OF_WINDOWS, "order by project, history, from_at")
        found = _rows(connection, f'"{schema}".runs', _OF_RUNS, f"order by started_at desc limit {int(runs)}")
        latest, lookback = _latest(connection, schema)
    last = [{name: _plain(value) for name, value in run.items()} for run in found]
    return {
        "covered": _covered(windows),
        "runs": last,
        "advice": _advice(latest, lookback),
        "readings": saved_readings(db),
    }


def _rows(connection: Any, table: str, wanted: Sequence[str], order: str) -> list[dict[str, Any]]:
    """Those columns of a table; null for those that a table of an older release does not have."""
    known = {name for name, *_ in connection.execute(f"select * from {table} where false").description}  # noqa: S608  # own names
    columns = ", ".join(name if name in known else f"null as {name}" for name in wanted)
    found = connection.execute(f"select {columns} from {table} {order}").fetchall()  # noqa: S608  # own names
    return [dict(zip(wanted, row, strict=True)) for row in found]


def _latest(connection: Any, schema: str) -> tuple[int, int | None]:
    """By how much the latest row of all runs was late, and the look-back of the newest run."""
    runs = _rows(connection, f'"{schema}".runs', ("late_seconds", "lookback_seconds"), "order by started_at desc")
    return max((run["late_seconds"] for run in runs), default=0), runs[0]["lookback_seconds"] if runs else None


def _plain(value: Any) -> Any:
    return iso(value.replace(tzinfo=UTC)) if isinstance(value, datetime) else value


def _covered(windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from mithril_elt.windows import Span, holes, merged  # noqa: PLC0415  # kept out of --help

    spans: dict[tuple[str, str], list[Span]] = {}
    asked_by: dict[tuple[str, str], str] = {}
    for each in windows:
        key = (each["project"], each["history"])
        spans.setdefault(key, []).append(Span(each["from_at"].replace(tzinfo=UTC), each["to_at"].replace(tzinfo=UTC)))
        asked_by[key] = each["asked_by"] or "project"  # the newest window is the last
    return [
        {
            "project_id": project,
            "history": history,
            "from": iso(merged(found)[0].start),
            "to": iso(merged(found)[-1].end),
            "asked_by": asked_by[project, history],
            "holes": [{"from": iso(hole.start), "to": iso(hole.end)} for hole in holes(found)],
        }
        for (project, history), found in spans.items()
    ]


def _advice(late_seconds: int, lookback_seconds: int | None) -> str | None:
    """What look-back to choose: half as long again as the latest row was late, in whole days."""
    if not late_seconds:
        return None
    days = -(-late_seconds * 3 // (2 * 86_400))
    enough = f"`--lookback {days}d` finds such rows"
    if lookback_seconds is not None and late_seconds > lookback_seconds:
        enough += ", the look-back of the last run did not; `run --deep` finds those that it has missed"
    return f"Rows came up to {late_seconds / 86400:.1f} days late: {enough}."
