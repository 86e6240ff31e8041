"""The journal of what was asked of instances: written before each request and after its answer, only ever added to.

Stands in `acting`, beside the ledger in the database: schema `ops`, table `actions`, a row for each instance and entry.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from mithril_elt.acting.rules import Candidate
from mithril_elt.errors import WarehouseError
from mithril_elt.instants import naive_utc
from mithril_elt.layout import check_layout
from mithril_elt.lock import still_held
from mithril_elt.migration import make_schema
from mithril_elt.place import Place
from mithril_elt.quoting import quoted_name
from mithril_elt.warehouse import opened, schema_name

__all__ = ["COLUMNS", "Entry", "Journal", "table_of"]

_READER_S = 3

# Its columns may become more, and are never renamed.
COLUMNS = {
    "run_id": "varchar",  # of one call of the command
    "number": "bigint",  # of the entry in it
    "entry": "varchar",  # asked, answered or ended
    "server_at": "timestamp",  # by the API's clock, UTC
    "noted_at": "timestamp",  # by this machine's
    "instance_id": "varchar",
    "reservation_id": "varchar",
    "project_id": "varchar",
    "request": "varchar",  # method, path and body; null where nothing was asked
    "outcome": "varchar",
    "http_status": "bigint",
    "detail": "varchar",
    "status_before": "varchar",
    "status_now": "varchar",
    # The row of the report that it came from.
    "opportunity": "varchar",
    "idle_since": "timestamp",
    "idle_us": "bigint",
    "at_stake_cent_us": "numeric(38, 0)",
    "pause_credit_cents": "bigint",
    "planned_us": "bigint",
    "expected_cent_us": "numeric(38, 0)",
    "figures_as_of": "timestamp",
}


@dataclass(frozen=True)
class Entry:
    """What is noted of one instance: `entry` is asked, answered or ended."""

    entry: str
    candidate: Candidate
    server_at: datetime
    request: str | None = None
    outcome: str | None = None
    http_status: int | None = None
    detail: str | None = None
    status_before: str | None = None
    status_now: str | None = None


def table_of(dataset: str | None) -> tuple[str, str]:
    """The schema and the name of the table."""
    return schema_name("ops", dataset), "actions"


class Journal:
    """Entries of one call of the command, in the database of the figures.

    The table is made when the first one is written. The database is opened for each entry alone, so that reports can be
    read while instances come to rest; who reads one at that moment is waited for.
    """

    def __init__(self, db: Place, dataset: str | None) -> None:
        self._db = db
        self._schema, table = table_of(dataset)
        self._table = f"{quoted_name(self._schema)}.{table}"
        self.run_id = uuid4().hex
        self._number = 0

    def note(self, entries: Iterable[Entry]) -> None:
        """Adds entries, all or none.

        Raises:
            WarehouseError: they cannot be written; what was asked since the entries before is then in no journal.
        """
        rows = [self._row(entry) for entry in entries]
        if not rows:
            return
        patient_until_s = time.monotonic() + _READER_S
        while True:
            try:
                self._write(rows)
            except WarehouseError:
                if time.monotonic() > patient_until_s:
                    raise
                time.sleep(0.1)
            else:
                return

    def _write(self, rows: list[list[Any]]) -> None:
        still_held(self._db)
        marks = ", ".join(f"${position}" for position in range(1, len(COLUMNS) + 1))
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        with opened(self._db) as connection:
            check_layout(connection, self._db)
            connection.begin()
            make_schema(connection, self._schema)
            connection.execute(f"create table if not exists {self._table} ({columns})")
            for row in rows:
                connection.execute(f"insert into {self._table} ({', '.join(COLUMNS)}) values ({marks})", row)  # noqa: S608  # own names
            connection.commit()

    def _row(self, entry: Entry) -> list[Any]:
        self._number += 1
        of = entry.candidate
        cells = {
            "run_id": self.run_id,
            "number": self._number,
            "entry": entry.entry,
            "server_at": naive_utc(entry.server_at),
            "noted_at": naive_utc(datetime.now(UTC)),
            "instance_id": of.instance_id,
            "reservation_id": of.reservation_id,
            "project_id": of.project_id,
            "request": entry.request,
            "outcome": entry.outcome,
            "http_status": entry.http_status,
            "detail": entry.detail,
            "status_before": entry.status_before,
            "status_now": entry.status_now,
            "opportunity": of.opportunity or None,
            "idle_since": of.idle_since,
            "idle_us": of.idle_us,
            "at_stake_cent_us": of.at_stake_cent_us,
            "pause_credit_cents": of.pause_credit_cents,
            "planned_us": of.planned_us,
            "expected_cent_us": of.expected_cent_us,
            "figures_as_of": of.as_of,
        }
        return [cells[name] for name in COLUMNS]
