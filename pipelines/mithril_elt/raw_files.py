"""Which files under a folder or a bucket are the raw tables at a moment, and the SQL that makes tables of them.

Stands on `objects` and `tables` under `warehouse`. dlt adds files and never changes one; a load counts once dlt has
noted it in `_dlt_loads`, which comes after its last file. So what was broken off is not there yet, what was begun again
has the same names, and whoever reads sees whole loads only. What a newer load tells of a key replaces what is there:
the views do that, as `merge` does it in a database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Any

from mithril_elt.layout import LAYOUT
from mithril_elt.objects import Objects
from mithril_elt.tables import RAW_TABLES, SQL_TYPES, RawTable

__all__ = ["IS_LISTED", "MANIFESTS", "RawFiles", "begin_files", "make_views", "note_release", "raw_files", "raw_view"]

IS_LISTED = "is_listed"  # of a row of a list: a version that came, or one that the list has no more

MANIFESTS = "_mithril"  # a folder of a dataset: what is compacted, and which releases have written
_MANIFEST = re.compile(r"compacted-(\d+)\.json")
_RELEASE = re.compile(r"layout-(\d+)-(.+)\.json")
_LOADED = re.compile(r".+__(\d+\.\d+)\.jsonl")
_FILE = re.compile(r"(\d+\.\d+)\.[^/]+\.parquet")


@dataclass(frozen=True)
class RawFiles:
    """What there was under a dataset's folder when it was listed; all paths are as `Objects.files` calls them.

    `noted`: the loads that came to their end. `compacted`: those whose rows stand in the files of `manifest` instead.
    `sizes`: of every file, in bytes.
    """

    place: Objects
    folder: str
    sizes: dict[str, int]
    manifest: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def noted(self) -> set[str]:
        """The loads that came to their end, by id."""
        found = (_LOADED.fullmatch(name) for name in self.names("_dlt_loads"))
        return {each[1] for each in found if each}

    @property
    def compacted(self) -> set[str]:
        """The loads whose rows are in compacted files."""
        return set(self.manifest.get("loads", ()))

    @property
    def newest_load(self) -> str | None:
        """The id of the load that was begun last, of those that came to their end."""
        return max(self.noted, key=float, default=None)  # exact-ok: an id of dlt, which is a time

    def names(self, table: str) -> list[str]:
        """The names of the files in the folder of a table."""
        start = f"{self.folder}/{table}/"
        return [path.removeprefix(start) for path in self.sizes if path.startswith(start)]

    def loads_of(self, table: str) -> dict[str, str]:
        """The names of the files of a table that loads wrote, each with the id of its load, noted or not."""
        found = {name: _FILE.fullmatch(name) for name in self.names(table)}
        return {name: each[1] for name, each in found.items() if each}

    def fresh(self, table: str) -> list[str]:
        """Where DuckDB finds the files of a table that are not compacted."""
        counting = self.noted - self.compacted
        return self._addresses(table, (name for name, load in self.loads_of(table).items() if load in counting))

    def settled(self, table: str) -> list[str]:
        """Where DuckDB finds the compacted files of a table, in which each key is once."""
        return self._addresses(table, self.manifest.get("tables", {}).get(table, {}).values())

    @property
    def releases(self) -> list[tuple[int, str]]:
        """The layouts and releases that have written here."""
        found = (_RELEASE.fullmatch(name) for name in self.names(MANIFESTS))
        return sorted((int(each[1]), each[2]) for each in found if each)

    def _addresses(self, table: str, names: Iterable[str]) -> list[str]:
        return [self.place.address(f"{self.folder}/{table}/{name}") for name in sorted(names)]


def raw_files(place: Objects, dataset: str) -> RawFiles:
    """What there is now under the folder of a dataset; nothing, if there is none.

    Raises:
        WarehouseError: the storage cannot be reached.
    """
    folder = place.inside(dataset)
    sizes = place.listing(folder)
    numbers = (_MANIFEST.fullmatch(path.rpartition("/")[2]) for path in sizes if f"/{MANIFESTS}/" in path)
    newest = max((int(each[1]) for each in numbers if each), default=None)
    manifest = {}
    if newest is not None:
        manifest = json.loads(place.files.cat_file(f"{folder}/{MANIFESTS}/compacted-{newest}.json"))
    return RawFiles(place, folder, sizes, manifest)


def begin_files(found: RawFiles) -> None:
    """Notes that this release writes, and takes away what dlt would fall over, or believe, though it was broken off.

    dlt writes down its state before it notes the load that it is of; a file of a folder may end in the middle; and a
    folder that dlt has made, but not begun to fill, it would make again.
    """
    files = found.place.files
    if f"{found.folder}/init" not in found.sizes:
        if found.place.is_local and files.isdir(found.folder):
            files.rmdir(found.folder)
        return
    note_release(found)
    for name in found.names("_dlt_pipeline_state"):
        if name.split("__")[1] not in found.noted:
            files.rm_file(f"{found.folder}/_dlt_pipeline_state/{name}")
    for name in found.names("_dlt_version") if found.place.is_local else ():
        path = f"{found.folder}/_dlt_version/{name}"
        try:
            json.loads(files.cat_file(path))
        except ValueError:
            files.rm_file(path)


def note_release(found: RawFiles) -> None:
    """Notes that this release has written there, if it is not noted yet."""
    note = f"layout-{LAYOUT}-{version('mithril-elt')}.json"
    if note not in found.names(MANIFESTS):
        found.place.files.makedirs(f"{found.folder}/{MANIFESTS}", exist_ok=True)
        found.place.files.pipe_file(f"{found.folder}/{MANIFESTS}/{note}", b"{}")


def make_views(connection: Any, found: RawFiles, schema: str, tables: Iterable[RawTable] = RAW_TABLES) -> None:
    """Makes, or makes anew, raw tables of a schema as views over those files, and no others that come later."""
    connection.execute(f'create schema if not exists "{schema}"')
    for table in tables:
        connection.execute(f'create or replace view "{schema}"."{table.name}" as {raw_view(found, table)}')
    releases = ", ".join(f"({layout}, '{_quoted(release)}')" for layout, release in found.releases) or "(null, null)"
    connection.execute(
        f'create or replace view "{schema}".layouts as select layout::bigint as layout, version::varchar as version,'
        f" null::timestamp as since from (values {releases}) as noted (layout, version) where layout is not null"
    )


def raw_view(found: RawFiles, table: RawTable) -> str:
    """The rows of a raw table as a query: with the columns that it has in a database, and each key once."""
    if table.history == "versions":
        return _versions(found, table)
    names, key = [column.name for column in table.columns], ", ".join(map(_name, table.key))
    columns = ", ".join(map(_name, [*names, "_dlt_load_id"]))
    last = 'cast("_dlt_load_id" as decimal(38, 6)) desc'
    closed = ', ("end_time" is null)' if "end_time" in names else ""  # of two readings in one load, the closed one
    newest = (
        f"select {columns} from {_told(found.fresh(table.name), table)}"
        f" qualify row_number() over (partition by {key} order by {last}{closed}) = 1"
    )
    settled = found.settled(table.name)
    if not settled:
        return newest
    same_key = " and ".join(f"settled.{_name(each)} = newest.{_name(each)}" for each in table.key)
    kept = f"select {columns} from {_told(settled, table)} as settled anti join newest on {same_key}"
    return f"with newest as ({newest}) select {columns} from newest union all {kept}"


def _versions(found: RawFiles, table: RawTable) -> str:
    """A list as versions: one begins with the load that told it, and ends with the load that found it gone."""
    columns = ", ".join(_name(column.name) for column in table.columns)
    of_version = f"partition by {', '.join(map(_name, table.key))}, version_hash"
    files = [*found.settled(table.name), *found.fresh(table.name)]
    return f"""
        with told as (
            select *, cast(_dlt_load_id as decimal(38, 6)) as load_number
            from {_told(files, table)}
        ), turns as (
            select * from told
            qualify {IS_LISTED} <> lag({IS_LISTED}, 1, false) over ({of_version} order by load_number, {IS_LISTED} desc)
        ), spans as (
            select *, lead(load_number) over ({of_version} order by load_number) as gone_at
            from turns
        )
        select {columns}, _dlt_load_id, {_instant("load_number")} as _dlt_valid_from,
            {_instant("gone_at")} as _dlt_valid_to
        from spans where {IS_LISTED}
    """


def _told(files: Sequence[str], table: RawTable) -> str:
    """The rows of those files, or of none, with the declared types."""
    if files:
        listed = ", ".join(f"'{_quoted(file)}'" for file in files)
        return f"read_parquet([{listed}])"
    typed = [f"null::{SQL_TYPES[column.kind]} as {_name(column.name)}" for column in table.columns]
    typed += ["null::varchar as _dlt_load_id"]
    typed += [f"null::boolean as {IS_LISTED}"] if table.history == "versions" else []
    return f"(select {', '.join(typed)} where false)"


def _instant(load_number: str) -> str:
    """When a load was begun; its id says it."""
    return f"timezone('UTC', make_timestamp(cast({load_number} * 1000000 as bigint)))"


def _name(column: str) -> str:
    return f'"{column}"'


def _quoted(text: str) -> str:
    return text.replace("'", "''")
