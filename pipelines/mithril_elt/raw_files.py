"""Which files under a folder or a bucket are the raw tables at a moment.

Stands on `objects` under `raw_views` and `warehouse`. dlt adds files and never changes one; a load counts once dlt has
noted it in `_dlt_loads`, which comes after its last file. So what was broken off is not there yet, what was begun again
has the same names, and whoever reads sees whole loads only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from importlib.metadata import version
from typing import Any

from mithril_elt.layout import LAYOUT
from mithril_elt.objects import Objects

__all__ = [
    "RawFiles",
    "begin_files",
    "manifest_path",
    "note_release",
    "raw_files",
    "read_manifest",
]

MANIFESTS = "_mithril"  # a folder of a dataset: what is compacted, and which releases have written
_MANIFEST = re.compile(r"compacted-(\d+)\.json")
_COMPACTED = re.compile(r"compacted-(\d+)-[^/]+\.parquet")
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
        return max(self.noted, key=Decimal, default=None)

    def names(self, table: str) -> list[str]:
        """The names of the files in the folder of a table."""
        start = f"{self.folder}/{table}/"
        return [path.removeprefix(start) for path in self.sizes if path.startswith(start)]

    def loads_of(self, table: str) -> dict[str, str]:
        """The names of the files of a table that loads wrote, each with the id of its load, noted or not."""
        found = {name: _FILE.fullmatch(name) for name in self.names(table)}
        return {name: each[1] for name, each in found.items() if each}

    def compactions_of(self, table: str) -> dict[str, int]:
        """The compacted files of a table, each with the number of its compaction: microseconds since 1970."""
        found = {name: _COMPACTED.fullmatch(name) for name in self.names(table)}
        return {name: int(each[1]) for name, each in found.items() if each}

    def fresh(self, table: str) -> list[str]:
        """Where DuckDB finds the files of a table that are not compacted."""
        counting = self.noted - self.compacted
        return self._addresses(table, (name for name, load in self.loads_of(table).items() if load in counting))

    def settled(self, table: str) -> list[str]:
        """Where DuckDB finds the compacted files of a table, in which each key is once."""
        return self._addresses(table, self.manifest.get("tables", {}).get(table, {}).values())

    @property
    def manifests(self) -> list[int]:
        """The numbers of the manifests, as those of compacted files; the last one holds."""
        found = (_MANIFEST.fullmatch(name) for name in self.names(MANIFESTS))
        return sorted(int(each[1]) for each in found if each)

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
    found = RawFiles(place, folder, sizes)
    numbers = found.manifests
    if not numbers:
        return found
    with place.reached():
        return replace(found, manifest=read_manifest(found, numbers[-1]))


def read_manifest(found: RawFiles, number: int) -> dict[str, Any]:
    """What a compaction has noted: when, which loads it has taken in, and by table the names of its files."""
    manifest: dict[str, Any] = json.loads(found.place.files.cat_file(manifest_path(found, number)))
    return manifest


def manifest_path(found: RawFiles, number: int) -> str:
    """Where a manifest is, as `Objects.files` calls it."""
    return f"{found.folder}/{MANIFESTS}/compacted-{number}.json"


def begin_files(found: RawFiles) -> None:
    """Notes that this release writes, and takes away what dlt would fall over, or believe, though it was broken off.

    dlt writes down its state before it notes the load that it is of; a file of a folder may end in the middle; and a
    folder that dlt has made, but not begun to fill, it would make again.
    """
    files, is_local = found.place.files, found.place.is_local
    init = f"{found.folder}/init"
    if init not in found.sizes or (is_local and not _is_whole(files, init)):
        if is_local and files.isdir(found.folder):
            if init in found.sizes:
                files.rm_file(init)
            files.rmdir(found.folder)  # nothing else is in it: that comes later
        return
    note_release(found)
    for name in found.names("_dlt_pipeline_state"):
        if name.split("__")[1] not in found.noted:
            files.rm_file(f"{found.folder}/_dlt_pipeline_state/{name}")
    for name in found.names("_dlt_version") if is_local else ():
        path = f"{found.folder}/_dlt_version/{name}"
        if not _is_whole(files, path):
            files.rm_file(path)


def _is_whole(files: Any, path: str) -> bool:
    """Whether a file of dlt's own was written to its end."""
    try:
        json.loads(files.cat_file(path))
    except ValueError:
        return False
    return True


def note_release(found: RawFiles) -> None:
    """Notes that this release has written there, if it is not noted yet."""
    note = f"layout-{LAYOUT}-{version('mithril-elt')}.json"
    if note not in found.names(MANIFESTS):
        found.place.files.makedirs(f"{found.folder}/{MANIFESTS}", exist_ok=True)
        found.place.files.pipe_file(f"{found.folder}/{MANIFESTS}/{note}", b"{}")
