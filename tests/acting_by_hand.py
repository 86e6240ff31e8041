"""An account of idle and busy reserved instances, worked by hand, as marts; tables of how much their GPUs were used."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from marts_by_hand import HOUR_US, fill

__all__ = ["AS_OF", "NOW", "at", "idle_account", "made", "samples", "used"]

AS_OF = datetime.fromisoformat("2026-03-31T12:00")
NOW = AS_OF.replace(tzinfo=UTC)


def at(hours: float) -> datetime:
    """So many hours after as_of, before it if negative."""
    return AS_OF + timedelta(hours=hours)


def _instance(name: str, **cells: Any) -> dict[str, Any]:
    usual = {"instance_id": f"inst_{name}", "instance_name": name, "project_id": "proj_a", "reservation_id": "res_1"}
    return {**usual, "created_at": at(-48), "as_of": AS_OF, **cells}


def _spell(name: str, status: str, begins: float, ends: float = 0) -> dict[str, Any]:
    return {
        "instance_id": f"inst_{name}",
        "status": status,
        "is_known_status": True,
        "is_up": status == "RUNNING",
        "is_down": status == "ERROR",
        "started_at": at(begins),
        "ended_at": at(ends),
        "is_open": ends == 0,
    }


def _rate(reservation: str, cents: int | None, begins: float = -100) -> dict[str, Any]:
    return {
        "reservation_id": reservation,
        "project_id": "proj_a",
        "rate_kind": "pause_credit",
        "from_at": at(begins),
        "to_at": datetime(9999, 12, 31),  # noqa: DTZ001  # the marts' instants are naive UTC
        "rate_cents": cents,
        "is_in_force": True,
    }


def _reservation(name: str, begins: float, ends: float) -> dict[str, Any]:
    return {
        "reservation_id": name,
        "project_id": "proj_a",
        "starts_at": at(begins),
        "ends_at": at(ends),
        "has_terms": True,
        "as_of": AS_OF,
    }


def idle_account() -> dict[str, list[dict[str, Any]]]:
    """Instances of a reservation that ends in 10 hours and pays $5 an hour for a pause, each with one thing to it.

    idle, busy, unseen: they run, and the table of use is what parts them. young: running since two hours. paused.
    broken: ERROR for 7 hours after an hour of STOPPING. starting: for 8 hours. unrated, nothing, short: of other
    reservations, which pay an unknown amount, nothing, and end in 30 minutes. spot, ended, cpu: cannot be paused.
    """
    reserved = ("idle", "busy", "unseen", "young", "paused", "broken", "starting")
    others = {"unrated": "res_unrated", "nothing": "res_nothing", "short": "res_short", "cpu": "res_cpu"}
    return {
        "dim_projects": [{"project_id": "proj_a", "as_of": AS_OF}],
        "dim_instances": [
            *(_instance(name) for name in reserved),
            *(_instance(name, reservation_id=reservation) for name, reservation in others.items()),
            _instance("ended"),
            _instance("spot", reservation_id=None, bid_id="bid_1"),
        ],
        "dim_reservations": [
            _reservation("res_1", -50, 10),
            _reservation("res_unrated", -50, 10),
            _reservation("res_nothing", -50, 10),
            _reservation("res_short", -50, 0.5),
        ],
        "fct_reservation_rates": [
            _rate("res_1", 500),
            _rate("res_unrated", None),
            _rate("res_nothing", 0),
            _rate("res_short", 500),
        ],
        "fct_status_spells": [
            *(_spell(name, "RUNNING", -47) for name in ("idle", "busy", "unseen", *others)),
            _spell("young", "STARTING", -3, -2),
            _spell("young", "RUNNING", -2),
            _spell("paused", "PAUSED", -20),
            _spell("broken", "RUNNING", -47, -8),
            _spell("broken", "STOPPING", -8, -7),
            _spell("broken", "ERROR", -7),
            _spell("starting", "PAUSED", -20, -8),
            _spell("starting", "STARTING", -8),
            _spell("ended", "RUNNING", -47, -1),
        ],
        "fct_opportunities": [
            {
                "opportunity": "pause_when_idle",
                "reservation_id": "res_1",
                "instance_id": "inst_broken",
                "hour_at": at(-hour),
                "idle_us": HOUR_US,
                "at_stake_cent_us": 500 * HOUR_US,
            }
            for hour in range(1, 9)
        ],
    }


def samples(name: str, begins: float, ends: float, pct: object, every_minutes: int = 5) -> list[tuple[Any, ...]]:
    """Rows of a table of use, one every few minutes, both ends included."""
    count = round((ends - begins) * 60 / every_minutes)
    return [(at(begins + n * every_minutes / 60), f"inst_{name}", pct) for n in range(count + 1)]


def used(file: Path, rows: Iterable[tuple[Any, ...]]) -> Path:
    """The rows as a CSV file with a zone on each instant."""
    lines = [f"{when.isoformat()}Z,{instance},{pct}" for when, instance, pct in rows]
    file.write_text("\n".join(["timestamp,instance,gpu_utilisation", *lines]) + "\n")
    return file


def made(db: Path) -> Path:
    """A database file with the account's marts."""
    with duckdb.connect(str(db)) as connection:
        fill(connection, idle_account())
    return db
