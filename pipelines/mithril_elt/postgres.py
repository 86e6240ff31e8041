"""A PostgreSQL database that holds the tables: where dlt's configuration says it is, and how it is asked.

Stands under `lock` and `warehouse`, which know a database as a `Place`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any

from mithril_elt.errors import UsageError, WarehouseError

__all__ = ["Postgres", "Session"]

# Settings of a connection that may stand in the address, and libpq's variables for them, by which dbt is told.
_SETTINGS = {
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssencmode": "PGGSSENCMODE",
    "sslcert": "PGSSLCERT",
    "sslcrl": "PGSSLCRL",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
_ALIVE = {"keepalives": 1, "keepalives_idle": 60, "keepalives_interval": 15}  # a session that waits is not cut off
_DATASET = re.compile(r"[a-z_][a-z0-9_]{0,49}")

_LOCK = 0x6D69746872696C  # of the whole database; any number will do that nobody else takes
_PARAMETER = re.compile(r"\?|\$(\d+)")
_NUMERIC = 1700  # the type's number in every PostgreSQL


@dataclass(frozen=True)
class Postgres:
    """A database on a server; what is said of it never has the password in it."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"PostgreSQL database {self.database} on {self.host}"

    @classmethod
    def configured(cls) -> Postgres:
        """The one of dlt's own configuration, `[destination.postgres.credentials]` or its variables.

        Raises:
            UsageError: there is none, or it cannot be understood.
        """
        import dlt  # noqa: PLC0415  # half a second
        from dlt.common.configuration.exceptions import ConfigurationException  # noqa: PLC0415  # as above
        from dlt.destinations.impl.postgres.configuration import PostgresCredentials  # noqa: PLC0415  # as above

        try:
            found = dlt.secrets.get("destination.postgres.credentials", PostgresCredentials)
        except (ConfigurationException, ValueError) as error:
            # the parser's own message may quote the line with the password
            raise UsageError(f"the credentials of PostgreSQL cannot be read ({type(error).__name__})") from None
        if found is None or not found.database:
            raise UsageError(
                "no credentials of PostgreSQL that can be understood: set DESTINATION__POSTGRES__CREDENTIALS="
                "postgresql://USER:PASSWORD@HOST/NAME, or the same in .dlt/secrets.toml"
            )
        if not found.username:
            raise UsageError(f"the credentials of PostgreSQL database {found.database} name no user")
        options = {name: str(value) for name, value in (found.query or {}).items()}
        host = options.pop("host", None) or found.host or "localhost"  # a folder: a socket in it
        strange = sorted(options.keys() - _SETTINGS.keys())
        if strange:
            raise UsageError(
                f"settings of a connection to PostgreSQL that cannot be passed on: {', '.join(strange)}; there are"
                f" {', '.join(_SETTINGS)}"
            )
        password = str(found.password or "")
        return cls(host, found.port, found.database, found.username, password, tuple(sorted(options.items())))

    @property
    def environment(self) -> dict[str, str]:
        """The variables of libpq for it, by which dbt finds it."""
        told = {"HOST": self.host, "PORT": str(self.port), "DATABASE": self.database, "USER": self.user}
        told |= {"PASSWORD": self.password, "TZ": "UTC"}
        return {f"PG{name}": value for name, value in told.items()} | {
            _SETTINGS[name]: value for name, value in self.options
        }

    @property
    def work_folder(self) -> Path:
        """The hidden folder for dlt's working files, where the command is run: one for each database of each server."""
        name = re.sub(r"\W", "_", self.database)
        place = hashlib.sha256(f"{self.host}:{self.port}/{self.database}".encode()).hexdigest()[:8]
        return Path(f".{name}.{place}.postgres.dlt").absolute()

    def check_dataset(self, dataset: str | None) -> None:
        """Passes a prefix of the schemas that dlt, dbt and PostgreSQL all take for the same name.

        Raises:
            UsageError: they do not.
        """
        if dataset is not None and not _DATASET.fullmatch(dataset):
            raise UsageError(f"--dataset {dataset!r}: on PostgreSQL it is small letters, digits and _, at most 50")

    @contextmanager
    def opened(self) -> Iterator[Session]:
        """A session, closed afterwards; each statement is its own transaction until `begin`.

        Raises:
            UsageError: the driver is not installed.
            WarehouseError: whatever the server or the driver says.
        """
        try:
            import psycopg2  # type: ignore[import-untyped]  # noqa: PLC0415  # an extra, which has no types
        except ImportError:
            raise UsageError("PostgreSQL needs its driver: pip install 'mithril-elt[postgres]'") from None
        try:
            named = {"host": self.host, "port": self.port, "dbname": self.database, "user": self.user}
            connection = psycopg2.connect(**named, **_ALIVE, password=self.password, **dict(self.options))
            try:
                yield Session(connection)
            finally:
                connection.close()
        except psycopg2.Error as error:
            raise self.error(error) from None

    def error(self, error: BaseException) -> WarehouseError:
        """One sentence for what the server said."""
        said = " ".join(str(error).replace(self.password or "\0", "…").split())[:300] or type(error).__name__
        return WarehouseError(f"{self} cannot be used: {said}")

    @contextmanager
    def locked(self) -> Iterator[tuple[Session, str | None]]:
        """Holds a lock of the database for the session that is given; and who else has it, if it is not had."""
        with self.opened() as session:
            [[is_held]] = session.execute("select pg_try_advisory_lock(?)", [_LOCK]).fetchall()
            yield session, None if is_held else _holder(session)


class Session:
    """A connection that is asked as one to DuckDB is: parameters are `?` or `$1`, whole numbers come as integers."""

    def __init__(self, connection: Any) -> None:
        import psycopg2.extensions as pg  # type: ignore[import-untyped]  # noqa: PLC0415  # as above

        connection.autocommit = True
        self._connection, self._cursor = connection, connection.cursor()
        pg.register_type(pg.new_type((_NUMERIC,), "exact", _exact), connection)
        self._cursor.execute("set timezone = 'UTC'")

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> Session:
        """Runs a statement; its rows are had from what is returned."""
        if not parameters:
            self._cursor.execute(sql)
            return self
        position = count(1)
        text = _PARAMETER.sub(lambda mark: f"%(p{mark[1] or next(position)})s", sql.replace("%", "%%"))
        self._cursor.execute(text, {f"p{number}": value for number, value in enumerate(parameters, 1)})
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows of the last statement."""
        rows: list[tuple[Any, ...]] = self._cursor.fetchall()
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row of the last statement, if there is one."""
        row: tuple[Any, ...] | None = self._cursor.fetchone()
        return row

    def copy_out(self, sql: str, rows: Any) -> None:
        """Runs a `copy … to stdout`; what it sends is written to `rows`, a row at a time."""
        self._cursor.copy_expert(sql, rows)

    def copy_in(self, sql: str, rows: IO[bytes]) -> None:
        """Runs a `copy … from stdin` of what is read from `rows`."""
        self._cursor.copy_expert(sql, rows)

    @property
    def description(self) -> Any:
        """What the columns of the last statement's rows are: of each a tuple, first its name."""
        return self._cursor.description

    def begin(self) -> None:
        """Begins a transaction, which `commit` ends."""
        self._cursor.execute("begin")

    def commit(self) -> None:
        """Ends the transaction."""
        self._cursor.execute("commit")


def _exact(text: str | None, _: object) -> Any:
    from decimal import Decimal  # noqa: PLC0415  # only here

    return None if text is None else Decimal(text) if "." in text or not text.lstrip("-").isdigit() else int(text)


def _holder(session: Session) -> str:
    asked = (
        "select activity.pid, activity.client_addr, activity.backend_start from pg_locks"
        " inner join pg_stat_activity as activity on pg_locks.pid = activity.pid where locktype = 'advisory'"
        " and (classid::bigint << 32) + objid::bigint = ?"
        " and pg_locks.database = (select oid from pg_database where datname = current_database())"
    )
    for pid, address, since in session.execute(asked, [_LOCK]).fetchall():
        return f"session {pid} from {address or 'this machine'}" + (f" since {since:%Y-%m-%dT%H:%MZ}" if since else "")
    return "session unknown"
