"""The places that tables may be at: a DuckDB file, a PostgreSQL database, or files in a folder or a bucket.

Stands on `postgres` and `objects`, under everything that opens one.
"""

from __future__ import annotations

from pathlib import Path

from mithril_elt.errors import UsageError
from mithril_elt.objects import Objects
from mithril_elt.postgres import Postgres

__all__ = ["DESTINATIONS", "Place", "choice", "file_of", "options_of", "place_of", "secrets_of"]

DESTINATIONS = ("duckdb", "postgres", "filesystem")

Place = Path | Postgres | Objects


def place_of(destination: str, file: Path, dataset: str | None = None) -> Place:
    """What a destination's name stands for: the file, or what dlt's own configuration says of a server or files.

    Raises:
        UsageError: there is no such destination, or the configuration is not there or cannot be understood.
        WarehouseError: it has no credentials for the bucket.
    """
    if destination == "duckdb":
        return file
    if destination == "filesystem":
        return Objects.configured(file)
    if destination != "postgres":
        raise UsageError(f"there is no destination {destination!r}: there are {', '.join(DESTINATIONS)}")
    server = Postgres.configured()
    server.check_dataset(dataset)
    return server


def secrets_of(place: Place) -> list[str]:
    """What must appear nowhere."""
    if isinstance(place, Objects):
        return place.secrets
    return [place.password] if isinstance(place, Postgres) else []


def options_of(place: Place) -> tuple[str, ...]:
    """The options of the command line that choose a place, as words."""
    if isinstance(place, Postgres):
        return ("--destination", "postgres")
    return ("--db", str(place)) if isinstance(place, Path) else ("--destination", "filesystem", "--db", str(place.file))


def choice(place: Place) -> str:
    """The same as they are typed."""
    return " ".join(options_of(place))


def file_of(place: Place) -> Path | None:
    """The DuckDB file in which the models are built; None where a server builds them."""
    if isinstance(place, Objects):
        return place.file
    return place if isinstance(place, Path) else None
