"""dlt's destination for PostgreSQL, with one thing of its own: Parquet goes in by `COPY`.

Stands under `pipeline`. Of dlt's own ways `INSERT` takes more than twice as long, CSV makes an empty text null, and the
driver of Arrow (ADBC), which is no faster, fails on a table without rows.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from dlt.common.destination import DestinationCapabilitiesContext, PreparedTableSchema
from dlt.common.destination.client import HasFollowupJobs, LoadJob, RunnableLoadJob
from dlt.destinations import postgres
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from dlt.destinations.impl.postgres.postgres import PostgresClient

from mithril_elt.batches import as_csv
from mithril_elt.postgres import Postgres

__all__ = ["destination_of"]

_ROWS = 50_000  # of a piece


def destination_of(db: Postgres) -> Any:
    """dlt's destination for a database."""
    known = {"database": db.database, "username": db.user, "password": db.password, "port": db.port}
    is_socket = db.host.startswith("/")  # no name for an address, but one for its parameters
    query = dict(db.options) | ({"host": db.host} if is_socket else {})
    host = "localhost" if is_socket else db.host
    return _Destination(PostgresCredentials(known | {"host": host, "query": query}), destination_name="postgres")


class _Destination(postgres):
    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.loader_file_format_selector = None  # type: ignore[assignment]  # it takes Parquet away without ADBC
        return capabilities

    @property
    def client_class(self) -> type[PostgresClient]:
        return _Client


class _Client(PostgresClient):
    def create_load_job(
        self,
        table: PreparedTableSchema,
        file_path: str,
        load_id: str,
        restore: bool = False,
    ) -> LoadJob:
        if file_path.endswith(".parquet"):
            return _CopyJob(file_path)
        return super().create_load_job(table, file_path, load_id, restore)


class _CopyJob(RunnableLoadJob, HasFollowupJobs):
    def run(self) -> None:
        client: Any = self._job_client.sql_client  # type: ignore[attr-defined]  # every SQL client has one
        file = pq.ParquetFile(self._file_path)
        named = ", ".join(map(client.escape_column_name, file.schema_arrow.names))
        statement = f"copy {client.make_qualified_table_name(self.load_table_name)} ({named}) from stdin (format csv)"
        with client.begin_transaction(), client.native_connection.cursor() as cursor:
            for batch in file.iter_batches(_ROWS):
                cursor.copy_expert(statement, as_csv(pa.Table.from_batches([batch])))
