"""The command `report`: reads the marts and prints one report.

Stands at the end of the flow: marts → reports → here. Figures come from `mithril_elt.reports`.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.acting_options import use_options, use_table
from mithril_elt.cli.options import F, db_options, decorated, parts
from mithril_elt.cli.saying import say, say_data, say_text
from mithril_elt.errors import UsageError
from mithril_elt.instants import parse_end, parse_instant
from mithril_elt.place import Place
from mithril_elt.reports import (
    EVERY_GROUPING,
    FORMATS,
    Assumptions,
    Report,
    Rule,
    as_chart,
    marts_as_of,
    read_rules,
    render,
    report,
)
from mithril_elt.settings import find_timezone

if TYPE_CHECKING:
    from mithril_elt.reports.use import UseTable

__all__ = ["asked_report", "report_command", "report_options", "tell_warnings"]

_RULES = "chargeback.csv"


def report_options(function: F) -> F:
    """Which report, of what and of which time: what `asked_report` takes."""
    return decorated(
        function,
        click.argument("name", metavar="NAME"),
        click.option(
            "--by", multiple=True, metavar="GROUPING", help=f"A row for each {', '.join(EVERY_GROUPING)}; repeatable."
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
        click.option(
            "--rules",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help=f"Of a chargeback: CSV with pattern, label; or MITHRIL_CHARGEBACK_RULES; or {_RULES}, if there.",
        ),
        click.option("--limit", type=int, metavar="N", help="At most so many rows."),
        db_options,
        click.option("--as-of", metavar="T", help="As it was then: nothing that happened later counts."),
        use_options,
        click.option(
            "--against",
            metavar="T",
            help="variance: where the other span begins; default: the one just before.",
        ),
        click.option("--expected-use", metavar="PERCENT", help="return-now: of the hours left; default: as so far."),
        click.option(
            "--spot-price", metavar="USD", help="return-now: an instance-hour; default: as paid in the last 7 days."
        ),
    )


@click.command("report")
@report_options
@click.option(
    "--format", "form", metavar="|".join(FORMATS), default="table", show_default=True, help="How it is printed."
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("--chart", "is_chart", is_flag=True, help="A bar for each row, of what the report is sorted by.")
def report_command(*, name: str, form: str, is_chart: bool, **values: Any) -> None:
    """Print a report: usage, uptime, cost, chargeback, variance, cash, credits, pause-credits,
    return-credits, reservations, savings, preemptions, rates, opportunities, return-now, reconciliation or summary.

    Figures are exact: the rows of any grouping add up to the ungrouped report to the last digit. Tables
    round dollars to the cent; json and csv have all twelve places.

    A chargeback has the lines that a cost report adds up, spot, reserved, idle and pause credit, by project, user and
    the label that the user's rules give to names of instances.

    A variance says why cost is not what it was in the span before, or in that of --against: how much of the change is
    by volume (hours), by mix (other types, spot or reserved), and by price (what an hour cost).

    Rates are what a GPU-hour cost on spot and reserved, as percentiles of the GPU-hours paid for.

    Opportunities are one list, the dearest first, each with what to do about it; with --utilisation also of
    instances that ran while their GPUs were not used.

    Of each open reservation return-now says what keeping it, pausing while idle and giving it back would cost.

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
    rules: Path | None,
    limit: int | None,
    db: Place,
    dataset: str | None,
    as_of: str | None,
    against: str | None,
    **use: Any,
) -> Report:
    """The report that these options ask for."""
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb: not for --help

    from_at = None if from_ is None else parse_end(from_, option="--from")
    to_at = None if to is None else parse_end(to, option="--to")
    pinned = None if as_of is None else parse_instant(as_of, option="--as-of")
    schema = schema_name("marts", dataset)
    wanted = find_timezone() if "MITHRIL_REPORT_TIMEZONE" in os.environ else None
    table, assumptions = _use_of(name, use), _assumptions_of(name, use)
    with marts_as_of(db, pinned, dataset=dataset) as path:
        span = {"from_at": from_at, "to_at": to_at}
        answer = report(
            path,
            name,
            by=by,
            only=parts(only),
            **span,
            limit=limit,
            rules=_rules(name, rules),
            marts_schema=schema,
            use=table,
            assumptions=assumptions,
            against=None if against is None else parse_end(against, option="--against"),
        )
    if wanted in (None, answer.timezone):
        return answer
    other = f"Days are those of {answer.timezone}, not of {wanted}: `mithril-elt build` cuts them anew."
    return replace(answer, warnings=(*answer.warnings, other))


def _assumptions_of(name: str, values: dict[str, Any]) -> Assumptions:
    """What is expected, for the report that takes it. Raises UsageError where another is given it."""
    if name != "return-now" and (values["expected_use"] or values["spot_price"]):
        raise UsageError(f"the report {name} takes neither --expected-use nor --spot-price: return-now does")
    return Assumptions.asked(values["expected_use"], values["spot_price"])


def _use_of(name: str, values: dict[str, Any]) -> UseTable | None:
    """The table of use, for the report that takes one. Raises UsageError where another is given one by an option."""
    if name == "opportunities":
        return use_table(values)
    source = click.get_current_context().get_parameter_source("utilisation")
    if source is click.core.ParameterSource.COMMANDLINE:
        raise UsageError(f"the report {name} takes no --utilisation: opportunities does")
    return None


def _rules(name: str, asked: Path | None) -> list[Rule]:
    """The rules for a chargeback: of the file asked for, that of the environment, or the one that lies here, if any."""
    if name != "chargeback":
        if asked is not None:
            raise UsageError(f"the report {name} takes no --rules: they are for chargeback")
        return []
    named = os.environ.get("MITHRIL_CHARGEBACK_RULES")
    path = asked or (Path(named) if named else Path(_RULES))
    return read_rules(path) if asked or named or path.exists() else []


def tell_warnings(answer: Report) -> None:
    """Where what is written has no place for warnings, they go to where people look."""
    for warning in answer.warnings:
        say(f"Warning: {warning}", err=True)
