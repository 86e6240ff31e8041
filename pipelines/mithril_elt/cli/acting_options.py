"""The options by which idle instances are looked for and paused, and what they stand for.

Stands inside `cli`, under `opportunities` and `report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.options import F, decorated
from mithril_elt.instants import parse_duration

if TYPE_CHECKING:
    from mithril_elt.acting import Rules
    from mithril_elt.reports.use import UseTable

__all__ = ["acting_options", "rule_options", "rules_of", "use_options", "use_table"]


def use_options(function: F) -> F:
    """The user's own table of how much GPUs were used, and how it is read."""
    return decorated(
        function,
        click.option(
            "--utilisation",
            envvar="MITHRIL_UTILISATION",
            metavar="FILE|TABLE",
            help="A .csv or .parquet file, or schema.table of the database, with timestamp, instance, gpu_utilisation;"
            " or MITHRIL_UTILISATION.",
        ),
        click.option(
            "--threshold", default="5", show_default=True, metavar="PERCENT", help="Below it GPUs are out of use."
        ),
        click.option(
            "--longest-gap",
            default="15m",
            show_default=True,
            metavar="DURATION",
            help="Between rows that are further apart nothing is known of the use.",
        ),
    )


def rule_options(function: F) -> F:
    """What may be paused, and for how long."""
    return decorated(
        function,
        click.option("--instance", "named", multiple=True, metavar="FID", help="Only this one; repeatable."),
        click.option(
            "--safe-age", default="6h", show_default=True, metavar="DURATION", help="What is younger is left alone."
        ),
        click.option(
            "--idle-for", default="60m", show_default=True, metavar="DURATION", help="How long GPUs were out of use."
        ),
        click.option(
            "--for", "lasts", metavar="DURATION", help="How long it is to last; default: till the reservation ends."
        ),
    )


def acting_options(function: F) -> F:
    """Whether and how to act."""
    return decorated(
        function,
        click.option("--apply", "is_applied", is_flag=True, help="Pause them; otherwise they are only listed."),
        click.option("--yes", is_flag=True, help="Do not ask first."),
        click.option("--dry-run", is_flag=True, help="Print the requests that --apply would send, and send none."),
        click.option("--batch", default=10, show_default=True, metavar="N", help="Instances in one request, at most."),
        click.option("--wait", default="10m", show_default=True, metavar="DURATION", help="Until all are paused."),
        click.option("--max-age", default="24h", show_default=True, metavar="DURATION", help="How old figures may be."),
        click.option("--journal", "is_journal", is_flag=True, help="What was asked so far, and what it has earned."),
    )


def use_table(values: dict[str, Any]) -> UseTable | None:
    """The table of use by these options; None if there is none."""
    from mithril_elt.reports.use import UseTable  # noqa: PLC0415  # kept out of --help

    gap = parse_duration(values["longest_gap"], option="--longest-gap")
    return UseTable.asked(values["utilisation"], values["threshold"], gap) if values["utilisation"] else None


def rules_of(values: dict[str, Any]) -> Rules:
    """What may be paused, by these options."""
    from mithril_elt.acting import Rules  # noqa: PLC0415  # imports the client

    return Rules(
        tuple(dict.fromkeys(values["named"])),
        parse_duration(values["safe_age"], option="--safe-age"),
        parse_duration(values["idle_for"], option="--idle-for"),
        parse_duration(values["lasts"], option="--for") if values["lasts"] else None,
    )
