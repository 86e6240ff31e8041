"""Tables taken from one database to another, a batch of rows at a time and without a file between them.

Stands under `postgres_loads`, `raw_copies` and `moving`. Rows travel as Arrow: DuckDB reads and writes it, PostgreSQL
by its `COPY`, in CSV that keeps an empty text apart from null. Measured both ways it is as fast as the driver of Arrow
(ADBC), which needs to be installed, and five times as fast as `INSERT`.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc

from mithril_elt.errors import WarehouseError
from mithril_elt.postgres import Session

__all__ = ["as_csv", "make_table", "move_rows", "tables_of"]

log = logging.getLogger("mithril_elt")

_ROWS = 50_000  # of a batch
_BYTES = 16 * 2**20  # the same of what PostgreSQL sends
_NULL = "\\N"  # unquoted; a text of these two signs is quoted

_KINDS = {
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "character varying": pa.string(),
    "double": pa.float64(),
    "double precision": pa.float64(),
    "integer": pa.int32(),
    "jsonb": pa.string(),
    "text": pa.string(),
    "timestamp": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "timestamp without time zone": pa.timestamp("us"),
    "varchar": pa.string(),
}
# Words that both engines take.
_WORDS = {
    pa.bool_(): "boolean",
    pa.float64(): "double precision",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.string(): "varchar",
    pa.timestamp("us"): "timestamp",
    pa.timestamp("us", "UTC"): "timestamp with time zone",
}


def tables_of(connection: Any, schema: str) -> dict[str, pa.Schema]:
    """The columns of each table of a schema, in their order, by the table's name.

    Raises:
        WarehouseError: one is of a type that no raw table has.
    """
    listed = (
        "select columns.table_name, column_name, data_type, is_nullable, numeric_precision, numeric_scale"
        " from information_schema.columns as columns inner join information_schema.tables as tables"
        " on columns.table_catalog = tables.table_catalog and columns.table_schema = tables.table_schema"
        " and columns.table_name = tables.table_name where tables.table_type = 'BASE TABLE'"
        " and columns.table_catalog = current_database() and columns.table_schema = ?"
        " order by columns.table_name, ordinal_position"
    )
    found: dict[str, list[pa.Field]] = {}
    for table, name, kind, is_nullable, *digits in connection.execute(listed, [schema]).fetchall():
        is_decimal = kind.lower().startswith(("decimal", "numeric")) and digits[0] is not None
        arrow = pa.decimal128(*map(int, digits)) if is_decimal else _KINDS.get(kind.lower())
        if arrow is None:
            raise WarehouseError(f'column "{name}" of {schema}.{table} is of a type that cannot be copied: {kind}')
        found.setdefault(table, []).append(pa.field(name, arrow, is_nullable == "YES"))
    return {table: pa.schema(fields) for table, fields in found.items()}


def make_table(connection: Any, name: str, columns: pa.Schema) -> None:
    """Makes a table of these columns; `name` is quoted already."""
    described = (f'"{field.name}" {_word(field.type)}{"" if field.nullable else " not null"}' for field in columns)
    connection.execute(f"create table {name} ({', '.join(described)})")


def _word(kind: pa.DataType) -> str:
    return f"numeric({kind.precision}, {kind.scale})" if pa.types.is_decimal(kind) else _WORDS[kind]


def move_rows(source: Any, target: Any, name: str, columns: pa.Schema) -> int:
    """Adds to a table what the table of that name holds elsewhere; how many rows. `name` is quoted already.

    Raises:
        WarehouseError: a value cannot be read as what its column is.
    """
    named = ", ".join(f'"{field.name}"' for field in columns)
    rows = 0

    def add(batch: pa.Table) -> None:
        nonlocal rows
        rows += batch.num_rows
        if isinstance(target, Session):
            target.copy_in(f"copy {name} ({named}) from stdin (format csv)", as_csv(batch))
        else:
            # DuckDB finds the variable by its name; one that is registered it keeps until the transaction ends
            target.execute(f"insert into {name} ({named}) select {named} from batch")  # noqa: S608  # own names

    if isinstance(source, Session):
        _each_of_server(source, f"copy (select {named} from {name}) to stdout", columns, add)  # noqa: S608  # as above
    else:
        for batch in _of_file(source, f"select {named} from {name}"):  # noqa: S608  # as above
            add(batch)
    return rows


def _of_file(source: Any, query: str) -> Iterator[pa.Table]:
    found = source.execute(query)
    reader = getattr(found, "to_arrow_reader", None) or found.fetch_record_batch  # the name until DuckDB 1.5
    for batch in reader(_ROWS):
        yield pa.Table.from_batches([batch])


def _each_of_server(source: Session, query: str, columns: pa.Schema, use: Callable[[pa.Table], None]) -> None:
    held = _Held(columns, use)
    source.copy_out(f"{query} (format csv, null '{_NULL}')", held)
    held.empty()


class _Held:
    """A file that is written to row by row, as psycopg does, and hands on what makes a batch."""

    def __init__(self, columns: pa.Schema, use: Callable[[pa.Table], None]) -> None:
        self._use = use
        self._held = io.BytesIO()
        self._names = pc.ReadOptions(column_names=columns.names, block_size=2**30)  # all of a batch is one block
        self._lines = pc.ParseOptions(newlines_in_values=True)
        self._types = pc.ConvertOptions(
            column_types=columns,
            null_values=[_NULL],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        )

    def write(self, row: bytes) -> int:
        """Takes one row."""
        self._held.write(row)
        if self._held.tell() >= _BYTES:
            self.empty()
        return len(row)

    def empty(self) -> None:
        """Hands on what is held."""
        if not self._held.tell():
            return
        held, self._held = self._held, io.BytesIO()
        try:
            batch = pc.read_csv(pa.py_buffer(held.getbuffer()), self._names, self._lines, self._types)
        except pa.ArrowInvalid as error:
            raise WarehouseError(f"rows of PostgreSQL cannot be read: {error}") from None
        self._use(batch)


def as_csv(batch: pa.Table) -> io.BytesIO:
    """Rows as PostgreSQL's `COPY` reads them: null is nothing at all, and every text is quoted, an empty one too.

    Of all there can be in a text it lacks one sign, the zero: another stands for it, which is said in the log.
    """
    text = io.BytesIO()
    pc.write_csv(batch, text, pc.WriteOptions(include_header=False, quoting_style="all_valid"))
    if b"\0" in text.getvalue():
        log.warning("PostgreSQL has no zero sign: where a text has one, the sign U+FFFD stands for it")
        return io.BytesIO(text.getvalue().replace(b"\0", "\ufffd".encode()))
    text.seek(0)
    return text
