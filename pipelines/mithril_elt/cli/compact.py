"""The command `compact`: few large files out of many small ones.

Stands inside `cli`, on `compaction`.
"""

from __future__ import annotations

from dataclasses import asdict

import click

from mithril_elt.cli.options import as_json_option, db_options
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.errors import UsageError
from mithril_elt.instants import parse_duration
from mithril_elt.objects import Objects
from mithril_elt.place import Place

__all__ = ["compact_command"]


@click.command("compact")
@db_options
@click.option(
    "--keep", default="7d", show_default=True, metavar="DURATION", help="How long replaced files stay for readers."
)
@as_json_option
def compact_command(*, db: Place, dataset: str | None, keep: str, as_json: bool) -> None:
    """Merge the small files that loads leave in a folder or a bucket, and remove those that nobody reads any more.

    Figures stay the same. Run it weekly, or after a long first load.

    \b
    Example:
      mithril-elt compact --destination filesystem --keep 7d
    """
    from mithril_elt.compaction import compact  # noqa: PLC0415  # imports duckdb

    kept = parse_duration(keep, option="--keep")
    if not isinstance(db, Objects):
        raise UsageError("a database needs no compaction: it is for --destination filesystem")
    done = compact(db, dataset, keep=kept)
    if as_json:
        say_facts(asdict(done))
    else:
        say(f"{done.merged:,} files merged into {done.written:,}.")
        say(f"{done.removed:,} that nobody reads any more removed ({done.removed_bytes:,} bytes).")
