"""The command `demo`: the whole flow, against the sandbox, checked against its own books.

Stands inside `cli`, on everything.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from mithril_elt.cli.run import built, loaded
from mithril_elt.cli.saying import say, say_text
from mithril_elt.errors import DataTestError

__all__ = ["demo_command"]

log = logging.getLogger("mithril_elt")

_REPORTS = (("usage", ("order",)), ("uptime", ("region",)), ("cost", ("month",)), ("pause-credits", ("reservation",)))


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default="mithril-demo",
    show_default=True,
    metavar="DIR",
    help="Where the database is made.",
)
def demo_command(folder: Path) -> None:
    """Serve a made-up account, run the main job against it, print the reports and what to try next.

    \b
    Example:
      mithril-elt demo --dir mithril-demo
    """
    from mithril_elt.api import Mithril  # noqa: PLC0415  # kept out of --help
    from mithril_elt.sandbox.fleet import make_account  # noqa: PLC0415  # as above
    from mithril_elt.sandbox.server import serve  # noqa: PLC0415  # as above

    folder.mkdir(parents=True, exist_ok=True)
    db = folder / "mithril.duckdb"
    account = make_account()
    with serve(account) as sandbox:
        log.info("a made-up account of %s instances is served at %s", len(account.instances), sandbox.url)
        with Mithril(sandbox.key, sandbox.url) as api:
            loaded(api, db, None)
    built(db, dataset=None, as_of=None)
    _print_reports(db)
    _compare(db, account)
    _print_next(db)


def _print_reports(db: Path) -> None:
    from mithril_elt.reports import render, report  # noqa: PLC0415  # as above

    for name, by in _REPORTS:
        say_text(render(report(db, name, by=by), "table"))
        say("")


def _compare(db: Path, account: Any) -> None:
    """The marts against the account's true figures, which are worked out another way."""
    from mithril_elt.sandbox.audit import differences  # noqa: PLC0415  # as above

    found = differences(db, account)
    if found:
        raise DataTestError(f"{len(found)} figures differ from the sandbox's own books; the first: {found[0]}")
    say(
        f"Checked: hours, cost and credits of all {len(account.instances)} instances equal the sandbox's own books, "
        "to the last digit."
    )
    say("")


def _print_next(db: Path) -> None:
    on_path = shutil.which("mithril-elt")
    command, python = ("mithril-elt", "python") if on_path else (_shown(sys.argv[0]), _shown(sys.executable))
    say_text(
        f"""The database is {db}. Three things to try next:

  {command} report cost --by day --db {db}

  {python} -c "import duckdb; print(duckdb.connect('{db}', read_only=True).sql('from marts.fct_cost_daily limit 9'))"

  export MITHRIL_API_KEY=fkey_…        # your own account
  {command} check && {command} run
"""
    )


def _shown(program: str) -> str:
    """The path of a program as one would type it here."""
    shown = os.path.relpath(program)
    return program if shown.startswith("..") else shown
