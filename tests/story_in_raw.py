"""Stories put into the raw tables, as one run of the load would leave them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from minute_by_minute import Story, at
from sql_project import insert

__all__ = ["READ_AT", "tell"]

READ_AT = datetime.fromisoformat("2026-04-02T00:00")


def tell(connection: duckdb.DuckDBPyConnection, story: Story, *, summed_up_at: int | None = None) -> None:
    """Puts a story into the raw tables, in the order in which it is told.

    `summed_up_at`: the minute that the vendor's summaries are of; the last one, if None.
    """
    version: dict[str, Any] = {"version_hash": "v", "_dlt_valid_from": at(0)}
    bare = {"version_hash": "v", "_dlt_valid_from": at(0), "project": "proj_a"}
    insert(connection, "projects", [{"fid": "proj_a", "name": "a"} | version])
    insert(connection, "instance_types", [{"fid": f"it_{n}", "name": "h100", "num_gpus": n} | version for n in (0, 8)])
    for history in ("status", "pricing"):
        counts: dict[str, Any] = {"rows": 0, "requests": 1, "run_id": "run", "read_at": READ_AT}
        span: dict[str, Any] = {"project": "proj_a", "history": history, "from_at": at(0), "to_at": at(story.as_of)}
        insert(connection, "windows", [span | counts])
    for machine in story.machines:
        listed = {"fid": machine.name, "bid": machine.bid, "reservation": machine.order}
        listed |= {"instance_type": None if machine.gpus is None else f"it_{machine.gpus}", "status": "STATUS_NEW"}
        insert(connection, "instances", [listed | bare])
        owner = {"project": "proj_a", "instance_fid": machine.name, "read_at": READ_AT}
        events = [owner | {"timestamp": at(t), "status": f"STATUS_{status}"} for t, status in machine.events]
        insert(connection, "instance_status_events", events)
        for start, end, cents in machine.prices:
            period = {"start_time": at(start), "end_time": None if end is None else at(end), "price_cents": cents}
            insert(connection, "instance_price_periods", [owner | period])
    for order in story.orders:
        window = {"start_time": at(order.start), "end_time": at(order.end), "created_at": at(0)}
        insert(connection, "reservations", [{"fid": order.name, "instance_quantity": 2} | window | bare])
        owner = {"project": "proj_a", "reservation_fid": order.name, "read_at": READ_AT}
        said = [{"timestamp": at(t), "event_type": "Terms Set", "pause_credit_cents": c} for t, c in order.rates]
        said += [{"timestamp": at(order.cut), "event_type": "Canceled"}] if order.cut is not None else []
        insert(connection, "reservation_events", [owner | event for event in said])
        for position, grant in enumerate(order.grants):
            span = {"starts_at": at(grant.start), "position": position, "ends_at": at(grant.end)}
            terms = {"quantity": grant.quantity, "unit_price_cents": grant.cents}
            insert(connection, "reservation_grants", [owner | span | terms])
        # A summary that says nothing but when it is of: ours is compared with the other marts all the same.
        insert(connection, "reservation_usage", [owner | {"as_of": at(summed_up_at or story.as_of)}])
