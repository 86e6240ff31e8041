"""The marts of a DuckDB file, opened to be read and never written.

Stands between marts and reports, on `warehouse`: the only module of the reports that opens a database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mithril_elt.errors import UsageError, WarehouseError
from mithril_elt.objects import Objects
from mithril_elt.place import Place
from mithril_elt.postgres import Postgres, Session
from mithril_elt.quoting import quoted_name

if TYPE_CHECKING:
    import duckdb

__all__ = ["Marts", "Project", "read_marts"]


@dataclass(frozen=True)
class Project:
    """A project, the instant up to which its data is complete (None until it was read to its end), when it was made.

    `timezone`: of its days and months.
    """

    project_id: str
    as_of: datetime | None
    created_at: datetime | None = None
    timezone: str = "UTC"


@dataclass(frozen=True)
class Marts:
    """An open connection and the schema of the marts in it.

    `kept`: answers, for who asks for many reports at once, which share totals and warnings; None keeps nothing.
    """

    connection: Any
    schema: str
    kept: dict[str, list[tuple[Any, ...]]] | None = None

    @cached_property
    def _database(self) -> str:
        [[database]] = self.connection.execute("select current_database()").fetchall()
        return str(database)

    def _inside(self, schema: str) -> str:
        # With the database before it: in a file that is called marts.duckdb the schema alone is ambiguous.
        return ".".join(quoted_name(name) for name in (self._database, schema))

    @property
    def home(self) -> str:
        """The schema of the marts as SQL names it, whatever the file is called."""
        return self._inside(self.schema)

    def beside(self, schema: str) -> str:
        """Another schema of the database, as SQL names it."""
        return self._inside(schema)

    @property
    def _staging(self) -> str:
        """The schema beside the marts in which builds are noted."""
        return self.schema.removesuffix("marts") + "staging"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of the statement, in which `{marts}` stands for the schema, and `{staging}` for the one beside it.

        It takes no parameters: to bind one, DuckDB imports pandas, which takes two seconds. Raises
        WarehouseError if a table or a column is not as this release builds it.
        """
        if self.kept is None:
            return self._asked(sql)
        if sql not in self.kept:
            self.kept[sql] = self._asked(sql)
        return self.kept[sql]

    def _asked(self, sql: str) -> list[tuple[Any, ...]]:
        import duckdb  # noqa: PLC0415  # takes longer to load than all of the reports

        try:
            if isinstance(self.connection, Session):
                sql = sql.replace(" as hugeint)", " as numeric(38, 0))")
            found: list[tuple[Any, ...]] = self.connection.execute(self.inside(sql)).fetchall()
        except duckdb.Error as error:
            raise WarehouseError(
                f"the marts in schema {self.schema!r} cannot be read ({str(error).partition(chr(10))[0]});"
                " `mithril-elt build --full` builds them anew"
            ) from error
        return found

    def inside(self, sql: str) -> str:
        """The statement with the schemas in the place of `{marts}` and `{staging}`."""
        for placeholder, schema in {"{marts}": self.schema, "{staging}": self._staging}.items():
            sql = sql.replace(placeholder, self._inside(schema))
        return sql

    def projects(self) -> list[Project]:
        """The projects in the marts, by id."""
        columns = "project_id, as_of, created_at, report_timezone"
        return [
            Project(project, as_of and as_of.replace(tzinfo=UTC), created_at and created_at.replace(tzinfo=UTC), zone)
            for project, as_of, created_at, zone in self.rows(
                f"select {columns} from {{marts}}.dim_projects order by project_id"  # noqa: S608  # own names
            )
        ]

    @property
    def timezone(self) -> str:
        """The zone of all days and months; UTC while there is nothing."""
        return next((project.timezone for project in self.projects()), "UTC")

    def first_at(self) -> datetime | None:
        """The first hour of which there is anything, in UTC; None where nothing is."""
        firsts = [
            self.rows(f"select min(hour_at) from {{marts}}.{mart}")[0][0]  # noqa: S608  # own names
            for mart in ("fct_instance_hours", "fct_reservation_hours")
        ]
        return min((at.replace(tzinfo=UTC) for at in firsts if at is not None), default=None)

    def failed_tests(self) -> str | None:
        """What was said of the data tests of the last build that failed; None if all passed, or nobody noted it."""
        noted = self.rows(
            "select table_schema from information_schema.columns"
            " where table_catalog = current_database() and table_name = 'builds' and column_name = 'failed'"
        )
        if (self._staging,) not in noted:
            return None
        found = self.rows("select failed from {staging}.builds order by number desc limit 1")
        return next((str(failed) for (failed,) in found if failed), None)

    def newest_build(self) -> list[tuple[Any, ...]]:
        """The number of the last build and whether it did not come to its end; nothing of one by an older release."""
        noted = self.rows(
            "select table_schema from information_schema.tables"
            " where table_catalog = current_database() and table_name = 'builds'"
        )
        if (self._staging,) not in noted:
            return []
        return self.rows("select number, finished_at is null from {staging}.builds order by number desc limit 1")


@contextmanager
def read_marts(db: Place | duckdb.DuckDBPyConnection | Marts, schema: str) -> Iterator[Marts]:
    """The marts of a file, which is closed afterwards, or of a connection, which is left open; or those that are open.

    Raises UsageError if there is no such file or it has no marts of that name, WarehouseError if it is not
    a DuckDB file, another process holds its lock, or the last build of the marts did not come to its end.
    """
    if isinstance(db, Marts):
        yield db
        return
    if not isinstance(db, (Path, Postgres, Objects)):
        yield _checked(Marts(db, schema), "the database")
        return
    from mithril_elt.warehouse import read_from  # noqa: PLC0415  # DuckDB takes longer to load than the reports

    with read_from(db) as connection:
        marts = _checked(Marts(connection, schema), str(db))
        built = marts.newest_build()
        yield marts
        if marts.newest_build() != built:
            raise WarehouseError(f"a build of {db} began or ended meanwhile, so that figures are of two: ask again")


def _checked(marts: Marts, where: str) -> Marts:
    found = marts.rows(
        "select table_schema from information_schema.tables"
        " where table_catalog = current_database() and table_name = 'dim_projects'"
    )
    if (marts.schema,) not in found:
        raise UsageError(
            f"there are no marts (schema {marts.schema!r}) in {where}: `mithril-elt build` makes them from what is"
            " loaded, `mithril-elt run` loads and builds"
        )
    if any(is_cut_short for _, is_cut_short in marts.newest_build()):
        raise WarehouseError(
            f"the last build of the marts (schema {marts.schema!r}) in {where} did not come to its end, so that they"
            " are of two instants: `mithril-elt build` makes them anew"
        )
    return marts
