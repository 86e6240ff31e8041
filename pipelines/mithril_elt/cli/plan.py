"""The command `plan`: what `run` would ask for.

Stands inside `cli`, on `forecast`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.options import api_options, as_json_option, connect, db_options, load_plan, span_options
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.instants import iso

if TYPE_CHECKING:
    from mithril_elt.forecast import Forecast

__all__ = ["plan_command"]


@click.command("plan")
@api_options
@span_options
@db_options
@as_json_option
def plan_command(*, as_json: bool, **values: Any) -> None:
    """Show what `run` would ask for with the same options: windows, requests, rows. Writes nothing.

    The lists are read to know it, the histories are not.

    \b
    Example:
      mithril-elt plan --since 2026-01-01 --db mithril.duckdb
    """
    from mithril_elt.forecast import forecast  # noqa: PLC0415  # imports the client

    api, projects = connect(values)
    wanted = load_plan(values, projects)
    with api:
        told = forecast(api, values["db"], wanted)
    if as_json:
        say_facts(_facts(told))
    else:
        _show(told)


def _facts(told: Forecast) -> dict[str, Any]:
    windows = [
        {
            "project_id": window.project,
            "from": iso(window.span.start),
            "to": iso(window.span.end),
            "requests": window.requests,
            "rows": window.rows,
        }
        for window in told.windows
    ]
    counts = {"list_requests": told.list_requests, "requests": told.requests, "rows": told.rows}
    return {"as_of": iso(told.as_of), "is_first": told.is_first, **counts, "windows": windows}


def _show(told: Forecast) -> None:
    for window in told.windows:
        rows = "" if window.rows is None else f", about {window.rows:,} rows"
        say(
            f"{window.project}  {iso(window.span.start)} … {iso(window.span.end)}"
            f"  {_about(told)} {window.requests:,} requests{rows}"
        )
    rows = "" if told.rows is None else f", about {told.rows:,} rows"
    say(
        f"{len(told.windows)} windows up to {iso(told.as_of)}: {_about(told)} {told.requests:,} requests,"
        f" {told.list_requests:,} of them for the lists{rows}."
    )


def _about(told: Forecast) -> str:
    return "at least" if told.is_first else "about"
