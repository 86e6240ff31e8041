"""The command `copy`: the raw history of one place to another.

Stands inside `cli`, on `moving`.
"""

from __future__ import annotations

from pathlib import Path

import click

from mithril_elt.cli.options import DESTINATIONS, as_json_option, place_of, place_options
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.place import choice

__all__ = ["copy_command"]


@click.command("copy")
@click.option("--to", required=True, type=click.Choice(DESTINATIONS), help="Where to; --destination says from where.")
@place_options
@as_json_option
def copy_command(*, to: str, destination: str, db: Path, dataset: str | None, as_json: bool) -> None:
    """Copy all that was loaded to another place, with what runs remember: the next run there goes on from here.

    The place must be empty, and what is copied stays as it is. A copy that is broken off leaves nothing: type it again.
    Models are not copied: build them there.

    \b
    Examples:
      mithril-elt copy --db mithril.duckdb --to postgres
      mithril-elt copy --destination postgres --to duckdb --db back.duckdb
    """
    from mithril_elt.moving import copy  # noqa: PLC0415  # imports dlt

    source, target = place_of(destination, db, dataset), place_of(to, db, dataset)
    copied = copy(source, target, dataset)
    if as_json:
        say_facts({"from": str(source), "to": str(target), "rows": copied.rows, "tables": copied.tables})
        return
    named = f" --dataset {dataset}" if dataset else ""
    say(f"Copied {copied.rows:,} rows in {len(copied.tables)} tables from {source} to {target}.")
    say(f"Now build the models there: mithril-elt build {choice(target)}{named}")
