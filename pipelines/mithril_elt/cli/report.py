"""The command `report`: reads the marts of a DuckDB file and prints one report.

Stands at the end of the flow: marts → reports → here. Figures come from `mithril_elt.reports`.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from mithril_elt.cli.options import db_options
from mithril_elt.cli.saying import say, say_data, say_text
from mithril_elt.errors import UsageError
from mithril_elt.instants import iso, parse_instant
from mithril_elt.place import Place
from mithril_elt.reports import FORMATS, GROUPINGS, Report, known_up_to, render, report

__all__ = ["report_command"]


@click.command("report")
@click.argument("name", metavar="NAME")
@click.option("--by", multiple=True, metavar="GROUPING", help=f"A row for each {', '.join(GROUPINGS)}; repeatable.")
@click.option("--from", "from_", metavar="T", help="From this whole UTC hour on: 2026-03-01, 2026-03-01T12:00:00Z.")
@click.option("--to", metavar="T", help="Up to this whole UTC hour, not included.")
@click.option(
    "--format", "form", metavar="|".join(FORMATS), default="table", show_default=True, help="How it is printed."
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("--limit", type=int, metavar="N", help="At most so many rows.")
@db_options
@click.option("--as-of", metavar="T", help="As it was then: nothing that happened later counts.")
def report_command(
    *,
    name: str,
    by: tuple[str, ...],
    from_: str | None,
    to: str | None,
    form: str,
    limit: int | None,
    db: Place,
    dataset: str | None,
    as_of: str | None,
) -> None:
    """Print a report: usage, uptime, cost, cash, pause-credits, credits, reservations, savings, opportunities,
    reconciliation or summary.

    Figures are exact: the rows of any grouping add up to the ungrouped report to the last digit. Tables
    round dollars to the cent; json and csv have all twelve places.

    Opportunities are one list, the dearest first, each with what to do about it.

    A reconciliation is of no span of time: it has each field of the vendor's newest summary of a
    reservation beside ours as of the same instant, and what would explain a difference.

    \b
    Example:
      mithril-elt report cost --by instance --from 2026-03-01 --to 2026-04-01
    """
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb: not for --help

    from_at = None if from_ is None else parse_instant(from_, option="--from")
    to_at = None if to is None else parse_instant(to, option="--to")
    pinned = None if as_of is None else parse_instant(as_of, option="--as-of")
    schema = schema_name("marts", dataset)
    with _as_of(db, schema, dataset, pinned) as path:
        answer = report(path, name, by=by, from_at=from_at, to_at=to_at, limit=limit, marts_schema=schema)
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size(fallback=(80, 24)).columns
    text = render(answer, form, width=width, bold=is_terminal)
    say_data(text) if form in ("csv", "json") else say_text(text, styled=is_terminal)
    if form == "csv":
        _warn(answer)


@contextmanager
def _as_of(db: Place, schema: str, dataset: str | None, pinned: datetime | None) -> Iterator[Place]:
    """The database whose marts are as of that instant: this one, or a scratch copy of it built so."""
    if pinned is None:
        yield db
        return
    instants = known_up_to(db, marts_schema=schema)
    if not instants or pinned > max(instants):
        until = iso(max(instants)) if instants else "nothing yet"
        raise UsageError(
            f"--as-of {iso(pinned)} is past what the marts are built up to ({until}): `mithril-elt run` goes on"
            " from there"
        )
    if pinned == min(instants) == max(instants):
        yield db
        return
    from mithril_elt.transform import build_scratch  # noqa: PLC0415  # loads dbt, which takes seconds

    with build_scratch(db, as_of=pinned, dataset=dataset) as scratch:
        yield scratch


def _warn(answer: Report) -> None:
    """CSV has no place for warnings, so they go to where people look."""
    for warning in answer.warnings:
        say(f"Warning: {warning}", err=True)
