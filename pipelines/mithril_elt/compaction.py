"""Makes few large files of the many small ones that loads leave, and removes those that nobody reads any more.

Stands beside `load`, on `raw_files`. Each load adds a file to each table it has something for; a compacted one has each
key once, the histories a file a month, so that only months are written anew of which something came. What holds is
the newest manifest, one small file: whoever reads sees all of it or none, and a compaction that is broken off none.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from mithril_elt.lock import locked
from mithril_elt.objects import Objects
from mithril_elt.raw_files import RawFiles, manifest_path, read_manifest
from mithril_elt.raw_views import in_files, kept_rows
from mithril_elt.tables import RAW_TABLES, RawTable
from mithril_elt.warehouse import listed, read_files, schema_name, try_write

__all__ = ["KEEP", "Compacted", "compact"]

KEEP = timedelta(days=7)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHLY = {"instance_status_events": "timestamp", "instance_price_periods": "start_time", "market_prices": "timestamp"}


@dataclass
class Compacted:
    """What a compaction did: files that were read as one, files written, files removed and their bytes."""

    merged: int = 0
    written: int = 0
    removed: int = 0
    removed_bytes: int = 0


def compact(place: Objects, dataset: str | None = None, *, keep: timedelta = KEEP) -> Compacted:
    """Merges the files of all loads so far, and removes what was replaced longer than `keep` ago.

    Whoever began to read before may go on for that time. What no load came to its end with goes after that time, too.

    Raises:
        LockedError: a run holds the place.
        WarehouseError: it cannot be read or written.
    """
    schema, done = schema_name("raw", dataset), Compacted()
    with locked(place):
        try_write(place)
        found = listed(place, schema)
        with place.reached():
            if found.noted - found.compacted:
                _merge(found, schema, done)
            _expire(listed(place, schema), datetime.now(UTC) - keep, done)
    return done


def _merge(found: RawFiles, schema: str, done: Compacted) -> None:
    """Writes the parts of each table that loads have added to, then the manifest that has them in."""
    number = max(_us(datetime.now(UTC)), *(each + 1 for each in found.manifests or [0]))
    tables: dict[str, dict[str, str]] = {}
    with read_files(found, schema) as connection, tempfile.TemporaryDirectory(prefix="mithril-elt-") as folder:
        for table in RAW_TABLES:
            tables[table.name] = dict(found.manifest.get("tables", {}).get(table.name, {}))
            done.merged += len(found.fresh(table.name))
            for part, rows in _parts(connection, found, table):
                name = f"compacted-{number}-{part}.parquet"
                file = Path(folder) / name
                connection.execute(f"copy ({rows}) to '{file}' (format parquet)")
                found.place.files.put_file(str(file), f"{found.folder}/{table.name}/{name}")
                file.unlink()
                tables[table.name][part] = name
                done.written += 1
    manifest = {"at": datetime.now(UTC).isoformat(), "loads": sorted(found.noted | found.compacted), "tables": tables}
    found.place.write_whole(manifest_path(found, number), json.dumps(manifest).encode())


def _parts(connection: Any, found: RawFiles, table: RawTable) -> Iterator[tuple[str, str]]:
    """The parts of a table to which something was added: what each is called, and its rows as a query."""
    fresh, rows = found.fresh(table.name), kept_rows(found, table)
    if not fresh:
        return
    instant = _MONTHLY.get(table.name)
    if instant is None:
        yield "all", rows
        return
    asked = f"select distinct date_trunc('month', \"{instant}\") from {in_files(fresh)} order by 1"  # noqa: S608  # own names
    for (month,) in connection.execute(asked).fetchall():
        begin = f"timestamp '{month:%Y-%m-%d}'"
        inside = f'"{instant}" >= {begin} and "{instant}" < {begin} + interval \'1 month\''
        yield f"{month:%Y-%m}", f'from ({rows}) where {inside} order by "{instant}"'


def _expire(found: RawFiles, before: datetime, done: Compacted) -> None:
    """Removes the files that only those read who listed them before that instant, and what was broken off before it."""
    manifests = [{"at": "", "loads": [], "tables": {}}, *(read_manifest(found, number) for number in found.manifests)]
    replaced_at = [datetime.fromisoformat(each["at"]) for each in manifests[1:]] + [datetime.now(UTC)]
    living = [each for each, at in zip(manifests, replaced_at, strict=True) if at >= before]
    for table in RAW_TABLES:
        read = {name for each in living for name in each["tables"].get(table.name, {}).values()}
        for name, load in found.loads_of(table.name).items():
            is_broken_off = load not in found.noted and int(Decimal(load) * 1_000_000) < _us(before)
            if not is_broken_off and any(load not in each["loads"] for each in living):
                read.add(name)
        # A young one that no manifest has may be of a compaction that goes on elsewhere.
        read |= {name for name, at_us in found.compactions_of(table.name).items() if at_us >= _us(before)}
        for name in {*found.loads_of(table.name), *found.compactions_of(table.name)} - read:
            _remove(found, f"{found.folder}/{table.name}/{name}", done)
    for number, manifest in zip(found.manifests, manifests[1:], strict=True):
        if manifest not in living:
            _remove(found, manifest_path(found, number), done)


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _remove(found: RawFiles, path: str, done: Compacted) -> None:
    found.place.files.rm_file(path)
    done.removed += 1
    done.removed_bytes += found.sizes[path]
