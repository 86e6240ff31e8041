"""The command `status`: what is loaded up to when, the last runs, holes, lateness.

Stands inside `cli`; reads `raw.windows` and `raw.runs`, asks nothing of the API.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mithril_elt.cli.options import as_json_option, db_options
from mithril_elt.instants import iso

__all__ = ["status_command"]


@click.command("status")
@db_options
@click.option("--runs", default=5, show_default=True, metavar="N", help="How many of the last runs to show.")
@as_json_option
def status_command(*, db: Path, dataset: str | None, runs: int, as_json: bool) -> None:
    """Show what is loaded up to when, the last runs, time that nothing covers, and how late rows came.

    \b
    Example:
      mithril-elt status --db mithril.duckdb --json
    """
    facts = _facts(db, dataset, runs)
    if as_json:
        click.echo(json.dumps(facts))
        return
    for covered in facts["covered"]:
        click.echo(f"{covered['project_id']}  {covered['history']:<8} {covered['from']} … {covered['to']}")
        for hole in covered["holes"]:
            click.echo(f"  nothing is known of {hole['from']} … {hole['to']}: `run --since {hole['from']}` reads it")
    click.echo("")
    for run in facts["runs"]:
        late = f", {run['late_rows']} late by {run['late_seconds'] / 3600:.1f} h at most" if run["late_rows"] else ""
        click.echo(
            f"{run['started_at']}  {run['outcome']:<6} {run['windows_done']}/{run['windows_planned']} windows, "
            f"{run['rows']:,} rows, {run['requests']:,} requests{late}"
            + (f"\n  {run['error']}" if run["error"] else "")
        )
    if facts["advice"]:
        click.echo(f"\n{facts['advice']}")


def _facts(db: Path, dataset: str | None, runs: int) -> dict[str, Any]:
    from mithril_elt.warehouse import loaded_from, schema_name  # noqa: PLC0415  # imports duckdb

    schema = schema_name("raw", dataset)
    with loaded_from(db, schema) as connection:
        windows = connection.execute(
            f'select project, history, from_at, to_at from "{schema}".windows order by 1, 2, 3'  # noqa: S608  # own
        ).fetchall()
        wanted = "started_at finished_at as_of outcome error windows_planned windows_done rows requests retries bytes"
        columns = [*wanted.split(), "late_rows", "late_seconds", "version"]
        found = connection.execute(
            f'select {", ".join(columns)} from "{schema}".runs order by started_at desc limit ?',  # noqa: S608  # own
            [runs],
        ).fetchall()
    last = [dict(zip(columns, map(_plain, run), strict=True)) for run in found]
    return {"covered": _covered(windows), "runs": last, "advice": _advice(last)}


def _plain(value: Any) -> Any:
    return iso(value.replace(tzinfo=UTC)) if isinstance(value, datetime) else value


def _covered(windows: list[tuple[str, str, datetime, datetime]]) -> list[dict[str, Any]]:
    from mithril_elt.windows import Span, holes, merged  # noqa: PLC0415  # kept out of --help

    spans: dict[tuple[str, str], list[Span]] = {}
    for project, history, start, end in windows:
        spans.setdefault((project, history), []).append(Span(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)))
    return [
        {
            "project_id": project,
            "history": history,
            "from": iso(merged(found)[0].start),
            "to": iso(merged(found)[-1].end),
            "holes": [{"from": iso(hole.start), "to": iso(hole.end)} for hole in holes(found)],
        }
        for (project, history), found in spans.items()
    ]


def _advice(runs: list[dict[str, Any]]) -> str | None:
    latest = max((run["late_seconds"] for run in runs), default=0)
    if not latest:
        return None
    return f"Rows came up to {latest / 86400:.1f} days late: keep --lookback above that (it is 3d unless you say so)."
