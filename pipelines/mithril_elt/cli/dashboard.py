"""The command `dashboard`: a page for a team and its finance person, served on this machine or written as one file.

Stands inside `cli`, on `dashboard`.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from mithril_elt.cli.options import db_options, parts
from mithril_elt.cli.saying import keep_secret, say, say_text
from mithril_elt.errors import UsageError
from mithril_elt.instants import parse_duration
from mithril_elt.place import Place

__all__ = ["dashboard_command"]

_TOKEN = "MITHRIL_DASHBOARD_TOKEN"  # noqa: S105  # a variable's name
_SHORTEST = 16  # signs of a token that somebody chose


@click.command("dashboard")
@click.option("--month", metavar="YYYY-MM", help="The month to show first; default: the newest.")
@click.option("--from", "from_", metavar="T", help="Or: from this whole UTC hour on.")
@click.option("--to", metavar="T", help="Up to this whole UTC hour, not included.")
@click.option("--only", multiple=True, metavar="GROUPING=ID", help="Of one project, order, user …; repeatable.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write one file and end.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="NAME", help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8643, show_default=True, metavar="N", help="0: any free."
)
@click.option(
    "--stale-after", default="36h", show_default=True, metavar="DURATION", help="When figures are called old."
)
@db_options
def dashboard_command(
    *,
    month: str | None,
    from_: str | None,
    to: str | None,
    only: tuple[str, ...],
    out: Path | None,
    host: str,
    port: int,
    stale_after: str,
    db: Place,
    dataset: str | None,
) -> None:
    """Serve a page of cost, use, uptime and credits to be read in a browser, until Ctrl-C; or write it as one file.

    Only this machine can open it, unless --host says otherwise: then it asks for a token, which is that of
    MITHRIL_DASHBOARD_TOKEN or a new one, printed on stderr.

    \b
    Example:
      mithril-elt dashboard --out march.html --month 2026-03
    """
    from mithril_elt.dashboard import Source, State  # noqa: PLC0415  # kept out of --help

    old = parse_duration(stale_after, option="--stale-after")
    told = [("month", month or ""), ("from", from_ or ""), ("to", to or ""), *parts(only).items()]
    state, source = State.told(told), Source(db, dataset)
    if out is None:
        _serve(source, state, host, port, old)
    else:
        _write(source, state, out, old)


def _write(source: Any, state: Any, out: Path, stale_after: timedelta) -> None:
    from mithril_elt.dashboard import static_page  # noqa: PLC0415  # as above
    from mithril_elt.dashboard.figures import UnreadyError  # noqa: PLC0415  # as above

    try:
        page = static_page(source, state, now=datetime.now(UTC), stale_after=stale_after).encode()
    except UnreadyError as error:  # no file, or no marts in it, is wrong usage here as it is for `report`
        raise (error.__cause__ if isinstance(error.__cause__, UsageError) else error) from None
    try:
        # Whoever has the old file open, or fetches it, has all of the old or all of the new.
        with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
            file.write(page)
        Path(file.name).replace(out)
    except OSError as error:
        raise UsageError(f"{out} cannot be written ({error.strerror or error}): choose another --out") from error
    say(f"{out}: {len(page) / 1024:,.0f} KB, for a browser; it asks nothing of any network.")


def _serve(source: Any, state: Any, host: str, port: int, stale_after: timedelta) -> None:
    from mithril_elt.dashboard import create_app, is_loopback, listen, serve_forever, url_of  # noqa: PLC0415  # as above

    is_own = is_loopback(host)
    token, is_new = _token(is_needed=not is_own)
    hosts = {"localhost", "127.0.0.1", "::1", host} if is_own else None
    with listen(host, port) as listener:
        app = create_app(source, stale_after=stale_after, hosts=hosts, token=token)
        serve_forever(
            app, listener, on_ready=lambda: _say_where(url_of(listener) + state.query(), token, is_new=is_new)
        )
    say("The dashboard has ended.", err=True)


def _token(*, is_needed: bool) -> tuple[str | None, bool]:
    """The token that is asked for, if any, and whether it was made just now."""
    chosen = os.environ.get(_TOKEN, "").strip()
    if chosen:
        if len(chosen) < _SHORTEST:
            raise UsageError(
                f"{_TOKEN} is shorter than {_SHORTEST} signs: choose a longer one, or unset it for a new one"
            )
        keep_secret(chosen)
        return chosen, False
    return (secrets.token_urlsafe(24), True) if is_needed else (None, False)


def _say_where(url: str, token: str | None, *, is_new: bool) -> None:
    say(url)
    if is_new:
        say_text(f"Token, asked for once by each browser: {token}\n", err=True)
    elif token:
        say(f"It asks each browser once for the token of {_TOKEN}.", err=True)
    say("Ctrl-C ends it.", err=True)
