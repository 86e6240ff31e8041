"""The command `export focus`: charges in the words of FOCUS, which FinOps tools read.

Stands inside `cli`, on `focus`.
"""

from __future__ import annotations

from pathlib import Path

import click

from mithril_elt.cli.options import as_json_option, db_options
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.instants import parse_end, parse_instant
from mithril_elt.place import Place

__all__ = ["export_focus_command"]


@click.command("focus")
@click.option("--version", type=click.Choice(["1.2", "1.4"]), required=True, help="Of FOCUS.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Ends in .csv or .parquet; a file that is there is replaced.",
)
@click.option(
    "--dataset-kind",
    "kind",
    type=click.Choice(["cost-and-usage", "contract-commitment"]),
    default="cost-and-usage",
    show_default=True,
    help="Which dataset of FOCUS.",
)
@click.option("--from", "from_", metavar="T", help="What is booked from this whole UTC hour on: 2026-03-01.")
@click.option("--to", metavar="T", help="Up to this whole UTC hour, not included.")
@click.option("--project", "projects", multiple=True, metavar="FID", help="Only this project; repeatable.")
@click.option("--billing-account", metavar="ID", help="BillingAccountId; default: the project.")
@db_options
@click.option("--as-of", metavar="T", help="As it was then: nothing that happened later counts.")
@as_json_option
def export_focus_command(
    *,
    version: str,
    out: Path,
    kind: str,
    from_: str | None,
    to: str | None,
    projects: tuple[str, ...],
    billing_account: str | None,
    db: Place,
    dataset: str | None,
    as_of: str | None,
    as_json: bool,
) -> None:
    """Write charges as a FOCUS file: spot time, reservations, what of them was used or stood idle, credits.

    A file from the first of a month to the first of the next has what is booked in that month, so that files of months
    never overlap. BilledCost is not what an invoice asks for: credits are booked when they are earned.

    \b
    Examples:
      mithril-elt export focus --version 1.4 --out focus.parquet
      mithril-elt export focus --version 1.2 --out march.csv --from 2026-03-01 --to 2026-04-01
    """
    from mithril_elt.focus import FocusPlan, export_focus  # noqa: PLC0415  # its reports take a while to load
    from mithril_elt.reports import days_of, marts_as_of  # noqa: PLC0415  # as above
    from mithril_elt.reports.span import Span  # noqa: PLC0415  # as above
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb: not for --help

    from_at = None if from_ is None else parse_end(from_, option="--from")
    to_at = None if to is None else parse_end(to, option="--to")
    pinned = None if as_of is None else parse_instant(as_of, option="--as-of")
    schema = schema_name("marts", dataset)
    with marts_as_of(db, pinned, dataset=dataset) as path:
        span = Span.told(from_at, to_at, timezone=days_of(path, marts_schema=schema))
        done = export_focus(path, out, FocusPlan(version, kind, span, projects, billing_account), marts_schema=schema)
    for warning in done.warnings:
        say(f"Warning: {warning}", err=True)
    if as_json:
        say_facts(
            {"file": str(out), "rows": done.rows, "version": version, "dataset_kind": kind, "warnings": done.warnings}
        )
        return
    say(f"Wrote {done.rows:,} rows of FOCUS {version}, {kind}, to {out}.")
