"""The options that several commands share, and what they stand for.

Stands inside `cli`. A key is never an option: it comes from the environment or a configuration file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from mithril_elt.cli.saying import keep_secret
from mithril_elt.errors import UsageError
from mithril_elt.instants import parse_duration, parse_instant
from mithril_elt.place import DESTINATIONS, Place, secrets_of
from mithril_elt.place import place_of as known_place
from mithril_elt.settings import DEFAULT_API_URL, Settings, find_settings

__all__ = [
    "DESTINATIONS",
    "F",
    "api_options",
    "as_json_option",
    "connect",
    "db_options",
    "decorated",
    "load_plan",
    "parts",
    "place_of",
    "place_options",
    "span_options",
]

_LONG_ENOUGH = 8  # for a password to be taken out of what is printed: a short one may be part of any word or number

F = TypeVar("F", bound=Callable[..., Any])


def decorated(function: F, *options: Callable[[F], F]) -> F:
    """The function with these options, which help lists in this order."""
    for option in reversed(options):
        function = option(function)
    return function


def as_json_option(function: F) -> F:
    """Facts instead of sentences on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print the facts as one JSON object.")(function)


def db_options(function: F) -> F:
    """The database, which the command is given as a `Place`, and the prefix of its schemas."""

    @wraps(function)
    def placed(**values: Any) -> Any:
        values["db"] = place_of(values.pop("destination"), values["db"], values["dataset"])
        return function(**values)

    return place_options(cast("F", placed))


def place_options(function: F) -> F:
    """The same as they are typed: `destination`, `db` (a file) and `dataset`."""
    return decorated(
        function,
        click.option(
            "--db",
            type=click.Path(path_type=Path, dir_okay=False),
            default="mithril.duckdb",
            show_default=True,
            metavar="FILE",
            help="The DuckDB file.",
        ),
        click.option(
            "--destination",
            type=click.Choice(DESTINATIONS),
            default="duckdb",
            help="postgres: the database that dlt's configuration names, instead of a file. filesystem: raw history as"
            " Parquet in the folder or bucket that it names; FILE has the models.",
        ),
        click.option("--dataset", metavar="NAME", help="A prefix for the schemas: NAME_raw, NAME_staging, NAME_marts."),
    )


def place_of(destination: str, file: Path, dataset: str | None) -> Place:
    """What a destination's name stands for; from here on nothing that is said has its secrets in it."""
    place = known_place(destination, file, dataset)
    for secret in secrets_of(place):
        if len(secret) >= _LONG_ENOUGH:
            keep_secret(secret)
    return place


def parts(only: Iterable[str]) -> dict[str, str]:
    """The values of `--only`: the id of one group by its grouping.

    Raises:
        UsageError: one that is no such pair, or two of one grouping.
    """
    found: dict[str, str] = {}
    for each in only:
        option, equals, identity = each.partition("=")
        if not equals or option in found:
            raise UsageError(f"--only {each!r}: it is GROUPING=ID, as in user=user_1, once for each grouping")
        found[option] = identity
    return found


def api_options(function: F) -> F:
    """The account, and how hard its API may be worked."""
    return decorated(
        function,
        click.option(
            "--project", "projects", multiple=True, metavar="FID", help="A project to read; default: all the key sees."
        ),
        click.option("--api-url", metavar="URL", help=f"The API's address; default: {DEFAULT_API_URL}."),
        click.option("--concurrency", type=int, default=16, show_default=True, metavar="N", help="Requests at a time."),
        click.option("--requests-per-second", type=float, metavar="N", help="At most so many requests a second."),
    )


def span_options(function: F) -> F:
    """What time to read."""
    return decorated(
        function,
        click.option("--since", metavar="T", help="Where to start; first run: the day of the oldest instance."),
        click.option("--until", metavar="T", help="Where to end; default: now, by the server's clock."),
        click.option(
            "--lookback", default="3d", show_default=True, metavar="DURATION", help="Covered time read again."
        ),
        click.option("--deep", is_flag=True, help="Read everything again from --since on."),
    )


def account_settings(values: dict[str, Any]) -> Settings:
    """The settings in force; from here on nothing that is said has the key in it."""
    found = find_settings(api_url=values["api_url"], projects=values["projects"])
    keep_secret(found.api_key)
    return found


def span_ends(values: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
    """`--since` and `--until`, where they were given."""
    since, until = (
        parse_instant(values[name], option=f"--{name}") if values[name] else None for name in ("since", "until")
    )
    return since, until


def connect(
    values: dict[str, Any], *, quick: bool = False, patience: Mapping[str, int] | None = None
) -> tuple[Any, tuple[str, ...]]:
    """A session with the API by the options and settings in force, and the projects to read.

    `quick`: one attempt of two seconds for each request, for those who wait at the screen. `patience`: other limits of
    one call than the usual ones.
    """
    from mithril_elt.api import Mithril  # noqa: PLC0415  # half a second
    from mithril_elt.client import Limits  # noqa: PLC0415  # as above

    found = account_settings(values)
    patience = {"attempts": 1, "timeout_s": 2, "budget_s": 2} if quick else patience or {}
    pace = {"concurrency": values["concurrency"], "requests_per_second": values["requests_per_second"]}
    limits = Limits(**pace, **patience)
    return Mithril(found.api_key, found.api_url or DEFAULT_API_URL, limits=limits), found.projects


def load_plan(values: dict[str, Any], projects: tuple[str, ...]) -> Any:
    """What the load is asked for by these options."""
    from mithril_elt.load import LoadPlan  # noqa: PLC0415  # imports the client

    since, until = span_ends(values)
    return LoadPlan(
        projects=projects,
        since=since,
        until=until,
        lookback=parse_duration(values["lookback"], option="--lookback"),
        deep=values["deep"],
        dataset=values["dataset"],
    )
