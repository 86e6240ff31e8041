"""The command `report`: reads the marts and prints one report.

Stands at the end of the flow: marts → reports → here. Figures come from `mithril_elt.reports`.
"""

from __future__ import annotations

import shutil
import sys
from typing import Any

import click

from mithril_elt.cli.options import F, db_options, decorated, parts
from mithril_elt.cli.saying import say, say_data, say_text
from mithril_elt.errors import UsageError
from mithril_elt.instants import parse_end, parse_instant
from mithril_elt.place import Place
from mithril_elt.reports import FORMATS, GROUPINGS, Report, as_chart, marts_as_of, render, report

__all__ = ["asked_report", "report_command", "report_options", "tell_warnings"]


def report_options(function: F) -> F:
    """Which report, of what and of which time: what `asked_report` takes."""
    return decorated(
        function,
        click.argument("name", metavar="NAME"),
        click.option(
            "--by", multiple=True, metavar="GROUPING", help=f"A row for each {', '.join(GROUPINGS)}; repeatable."
        ),
        click.option(
            "--only",
            multiple=True,
            metavar="GROUPING=ID",
            help="Of one project, order, user … alone, by its id; repeatable.",
        ),
        click.option(
            "--from", "from_", metavar="T", help="From this whole UTC hour on: 2026-03-01, 2026-03-01T12:00:00Z."
        ),
        click.option("--to", metavar="T", help="Up to this whole UTC hour, not included."),
        click.option("--limit", type=int, metavar="N", help="At most so many rows."),
        db_options,
        click.option("--as-of", metavar="T", help="As it was then: nothing that happened later counts."),
    )


@click.command("report")
@report_options
@click.option(
    "--format", "form", metavar="|".join(FORMATS), default="table", show_default=True, help="How it is printed."
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("--chart", "is_chart", is_flag=True, help="A bar for each row, of what the report is sorted by.")
def report_command(*, name: str, form: str, is_chart: bool, **values: Any) -> None:
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
      mithril-elt report cost --by day --chart
    """
    if is_chart and form != "table":
        raise UsageError(f"--chart is for people and {form} is not: leave one of them out")
    answer = asked_report(name, **values)
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size(fallback=(80, 24)).columns
    if is_chart:
        say_text(as_chart(answer, width=width))
        return
    text = render(answer, form, width=width, bold=is_terminal)
    say_data(text) if form in ("csv", "json") else say_text(text, styled=is_terminal)
    if form == "csv":
        tell_warnings(answer)


def asked_report(
    name: str,
    *,
    by: tuple[str, ...],
    only: tuple[str, ...],
    from_: str | None,
    to: str | None,
    limit: int | None,
    db: Place,
    dataset: str | None,
    as_of: str | None,
) -> Report:
    """The report that these options ask for."""
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb: not for --help

    from_at = None if from_ is None else parse_end(from_, option="--from")
    to_at = None if to is None else parse_end(to, option="--to")
    pinned = None if as_of is None else parse_instant(as_of, option="--as-of")
    schema = schema_name("marts", dataset)
    with marts_as_of(db, pinned, dataset=dataset) as path:
        span = {"from_at": from_at, "to_at": to_at}
        return report(path, name, by=by, only=parts(only), **span, limit=limit, marts_schema=schema)


def tell_warnings(answer: Report) -> None:
    """Where what is written has no place for warnings, they go to where people look."""
    for warning in answer.warnings:
        say(f"Warning: {warning}", err=True)
