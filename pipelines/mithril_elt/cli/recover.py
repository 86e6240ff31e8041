"""The command `recover`: clears what a crash left, and says what it did.

Stands inside `cli`, on `recovery`.
"""

from __future__ import annotations

from pathlib import Path

import click

from mithril_elt.cli.options import as_json_option, db_options
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.errors import UsageError, WarehouseError
from mithril_elt.place import Place

__all__ = ["recover_command"]


@click.command("recover")
@db_options
@as_json_option
def recover_command(*, db: Place, dataset: str | None, as_json: bool) -> None:
    """Clear what a crash left that the next run cannot clear by itself. Loses nothing that was loaded.

    A run that was killed needs none of this. It is for files that were cut short, as by a power failure or a
    full disk: what cannot be read is set aside, and the next run reads that time again.

    \b
    Example:
      mithril-elt recover --db mithril.duckdb
    """
    from mithril_elt.recovery import recover  # noqa: PLC0415  # imports dlt

    if isinstance(db, Path) and not db.is_file():
        raise UsageError(f"there is no database {db}, so nothing to recover: `mithril-elt run --db {db}` makes it")
    done = recover(db, dataset)
    advice = _about_the_marts(db, dataset)
    if as_json:
        say_facts({"done": done, "advice": advice})
        return
    for sentence in done or ["Nothing was to be done."]:
        say(sentence)
    if advice:
        say(advice)


def _about_the_marts(db: Place, dataset: str | None) -> str | None:
    """What a build that was cut short needs, if the last one was."""
    from mithril_elt.reports import known_up_to  # noqa: PLC0415  # imports duckdb
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # as above

    try:
        known_up_to(db, marts_schema=schema_name("marts", dataset))
    except (UsageError, WarehouseError) as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    return None
