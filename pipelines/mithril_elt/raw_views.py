"""The SQL that makes raw tables of files: with the columns that they have in a database, and each key once.

Stands on `raw_files` and `tables` under `warehouse`; pure but for `make_views`. What a newer load tells of a key
replaces what is there: the views do that, as `merge` does it in a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mithril_elt.quoting import quoted_name, quoted_text
from mithril_elt.raw_files import RawFiles
from mithril_elt.tables import RAW_TABLES, SQL_TYPES, RawTable

__all__ = ["IS_LISTED", "in_files", "kept_rows", "make_views", "raw_view"]

IS_LISTED = "is_listed"  # of a row of a list: a version that came, or one that the list has no more


def make_views(connection: Any, found: RawFiles, schema: str, tables: Iterable[RawTable] | None = None) -> None:
    """Makes, or makes anew, raw tables of a schema, all or some, as views over those files, and no later ones."""
    connection.execute(f'create schema if not exists "{schema}"')
    for table in RAW_TABLES if tables is None else tables:
        connection.execute(f'create or replace view "{schema}"."{table.name}" as {raw_view(found, table)}')
    releases = ", ".join(f"({layout}, {quoted_text(release)})" for layout, release in found.releases) or "(null, null)"
    connection.execute(
        f'create or replace view "{schema}".layouts as select layout::bigint as layout, version::varchar as version,'
        f" null::timestamp as since from (values {releases}) as noted (layout, version) where layout is not null"
    )


def raw_view(found: RawFiles, table: RawTable) -> str:
    """The rows of a raw table as a query: with the columns that it has in a database, and each key once."""
    if table.history == "versions":
        return _versions(found, table)
    names, key = [column.name for column in table.columns], ", ".join(map(quoted_name, table.key))
    columns = ", ".join(map(quoted_name, [*names, "_dlt_load_id"]))
    last = 'cast("_dlt_load_id" as decimal(38, 6)) desc'
    closed = ', ("end_time" is null)' if "end_time" in names else ""  # of two readings in one load, the closed one
    newest = (
        f"select {columns} from {_told(found.fresh(table.name), table)}"
        f" qualify row_number() over (partition by {key} order by {last}{closed}) = 1"
    )
    settled = found.settled(table.name)
    if not settled:
        return newest
    same_key = " and ".join(f"settled.{quoted_name(each)} = newest.{quoted_name(each)}" for each in table.key)
    kept = f"select {columns} from {_told(settled, table)} as settled anti join newest on {same_key}"
    return f"with newest as ({newest}) select {columns} from newest union all {kept}"


def kept_rows(found: RawFiles, table: RawTable) -> str:
    """The rows of a table that its view is made of, as a query: what compacted files have."""
    if table.history == "events":
        return raw_view(found, table)
    columns = ", ".join(quoted_name(column.name) for column in table.columns)
    return f"select {columns}, _dlt_load_id, {IS_LISTED} from ({_turns(found, table)})"


def _turns(found: RawFiles, table: RawTable) -> str:
    """When versions of a list came and went, each once though several runs have told it."""
    return f"""
        select *, cast(_dlt_load_id as decimal(38, 6)) as load_number
        from {_told([*found.settled(table.name), *found.fresh(table.name)], table)}
        qualify {IS_LISTED} <> lag({IS_LISTED}, 1, false) over ({_of_version(table)}, {IS_LISTED} desc)
    """


def _versions(found: RawFiles, table: RawTable) -> str:
    """A list as versions: one begins with the load that told it, and ends with the load that found it gone."""
    columns = ", ".join(quoted_name(column.name) for column in table.columns)
    return f"""
        with turns as ({_turns(found, table)}), spans as (
            select *, lead(load_number) over ({_of_version(table)}) as gone_at
            from turns
        )
        select {columns}, _dlt_load_id, {_instant("load_number")} as _dlt_valid_from,
            {_instant("gone_at")} as _dlt_valid_to
        from spans where {IS_LISTED}
    """


def _of_version(table: RawTable) -> str:
    return f"partition by {', '.join(map(quoted_name, table.key))}, version_hash order by load_number"


def _told(files: Sequence[str], table: RawTable) -> str:
    """The rows of those files, or of none, with the declared types."""
    if files:
        return in_files(files)
    typed = [f"null::{SQL_TYPES[column.kind]} as {quoted_name(column.name)}" for column in table.columns]
    typed += ["null::varchar as _dlt_load_id"]
    typed += [f"null::boolean as {IS_LISTED}"] if table.history == "versions" else []
    return f"(select {', '.join(typed)} where false)"


def _instant(load_number: str) -> str:
    """When a load was begun; its id says it."""
    return f"timezone('UTC', make_timestamp(cast({load_number} * 1000000 as bigint)))"


def in_files(files: Iterable[str]) -> str:
    """The rows of those files, of which there is one at least, as DuckDB reads them."""
    listed = ", ".join(map(quoted_text, files))
    return f"read_parquet([{listed}])"
