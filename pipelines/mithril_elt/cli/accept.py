"""The command `accept`: forty points checked against an account, in a scratch database.

Stands inside `cli`, on `acceptance`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.options import account_settings, api_options, as_json_option, span_ends
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.errors import DataTestError, UsageError
from mithril_elt.instants import iso
from mithril_elt.settings import DEFAULT_API_URL

if TYPE_CHECKING:
    from mithril_elt.acceptance import Accepted

__all__ = ["accept_command"]

log = logging.getLogger("mithril_elt")

_WIDTH = 110


@click.command("accept")
@api_options
@click.option("--since", metavar="T", help="Where to start; default: two weeks before the end.")
@click.option("--until", metavar="T", help="Where to end; default: an hour ago, by the server's clock.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the scratch databases in this new folder; default: they are removed.",
)
@as_json_option
def accept_command(*, keep: Path | None, as_json: bool, **values: Any) -> None:
    """Check forty points of what is to hold against an account. Read-only, in a scratch database.

    The span is loaded in several ways, killed on the way, recovered, built and worked out a second time. It asks for
    the histories of the span about four times and for the lists about ten times, and says how many requests that is.

    \b
    Example:
      mithril-elt accept --since 2026-03-01 --json > accepted.json
    """
    from mithril_elt.acceptance import Account, Wanted, accept  # noqa: PLC0415  # kept out of --help

    since, until = span_ends(values)
    found = account_settings(values)
    pace = (values["concurrency"], values["requests_per_second"])
    account = Account(found.api_key, found.api_url or DEFAULT_API_URL, *pace)
    with _folder(keep) as folder, _each_said_once():
        accepted = accept(account, folder, Wanted(found.projects, since, until), tell=log.info)
    if as_json:
        say_facts(_facts(accepted))
    else:
        _show(accepted)
    if wrong := [outcome.point.number for outcome in accepted.outcomes if outcome.result == "failed"]:
        raise DataTestError(f"{len(wrong)} of {len(accepted.outcomes)} points failed: {', '.join(map(str, wrong))}")


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder that was named, which must be new or empty; otherwise one that is removed at the end."""
    if keep is None:
        with TemporaryDirectory(prefix="mithril-elt-") as folder:
            yield Path(folder)
        return
    if keep.is_dir() and any(keep.iterdir()):
        raise UsageError(f"{keep} is not empty: --keep makes a new folder")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep
    say(f"Kept in {keep}: accept.duckdb and others.", err=True)


@contextmanager
def _each_said_once() -> Iterator[None]:
    """Each of a dozen sessions warns of the same news: once is enough."""
    said: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        is_known = message in said
        said.add(message)
        return not is_known

    log.addFilter(is_new)
    try:
        yield
    finally:
        log.removeFilter(is_new)


def _facts(accepted: Accepted) -> dict[str, Any]:
    points = [
        {
            "point": outcome.point.number,
            "group": outcome.point.group,
            "holds": outcome.point.holds,
            "outcome": outcome.result,
            "evidence": outcome.evidence,
        }
        for outcome in accepted.outcomes
    ]
    counts = {result.replace(" ", "_"): accepted.count(result) for result in ("passed", "failed", "cannot tell")}
    span = {"since": iso(accepted.span.start), "until": iso(accepted.span.end)}
    about = {"account": accepted.account, "projects": list(accepted.projects), **span, "requests": accepted.requests}
    return {**about, **counts, "points": points}


def _show(accepted: Accepted) -> None:
    span = f"{iso(accepted.span.start)} … {iso(accepted.span.end)}"
    say(f"{accepted.account}, {', '.join(accepted.projects) or 'no project'}, {span}")
    say("")
    for outcome in accepted.outcomes:
        say(f"{outcome.point.number:>2}  {outcome.result:<11}  {outcome.point.holds}")
        for line in wrap(outcome.evidence, _WIDTH - 17, break_long_words=False, break_on_hyphens=False):
            say(f"{'':<17}{line}")
    counts = ", ".join(f"{accepted.count(result)} {result}" for result in ("passed", "failed", "cannot tell"))
    say("")
    say(f"{counts}; {accepted.requests} requests.")
