"""The command `compact`: few large files out of many small ones, or a database without empty room.

Stands inside `cli`, on `compaction` and `rewriting`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

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
    "--keep",
    default="7d",
    show_default=True,
    metavar="DURATION",
    help="How long replaced files of a folder or a bucket stay for readers.",
)
@as_json_option
def compact_command(*, db: Place, dataset: str | None, keep: str, as_json: bool) -> None:
    """Merge the small files that loads leave in a folder or a bucket, and remove those that nobody reads any more;
    or write a DuckDB file anew, without the room that loads and builds left in it.

    Figures stay the same. Run it weekly, or after a long first load.

    \b
    Examples:
      mithril-elt compact --db mithril.duckdb
      mithril-elt compact --destination filesystem --keep 7d
    """
    kept = parse_duration(keep, option="--keep")
    if isinstance(db, Objects):
        _merge(db, dataset, kept, as_json=as_json)
    elif isinstance(db, Path):
        _rewrite(db, as_json=as_json)
    else:
        raise UsageError("a database on a server sees to its files itself: this is for DuckDB and for files")


def _merge(db: Objects, dataset: str | None, keep: timedelta, *, as_json: bool) -> None:
    from mithril_elt.compaction import compact  # noqa: PLC0415  # imports duckdb

    done = compact(db, dataset, keep=keep)
    if as_json:
        say_facts(asdict(done))
    else:
        say(f"{done.merged:,} files merged into {done.written:,}.")
        say(f"{done.removed:,} that nobody reads any more removed ({done.removed_bytes:,} bytes).")


def _rewrite(db: Path, *, as_json: bool) -> None:
    from mithril_elt.rewriting import rewrite  # noqa: PLC0415  # imports duckdb

    done = rewrite(db)
    if as_json:
        say_facts(asdict(done))
    else:
        say(f"{db} has {done.bytes_after:,} bytes now, {done.bytes_before:,} before.")
