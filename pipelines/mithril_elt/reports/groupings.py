"""What rows of a report can be of: the values of `--by`, and what each is in the marts.

Stands between marts and reports: `catalog` says which report takes which, `query` puts them into SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from mithril_elt.instants import iso

__all__ = ["EVERY_GROUPING", "GROUPINGS", "LABEL", "LINE", "REGIME", "Grouping", "shown_key"]


@dataclass(frozen=True)
class Grouping:
    """One value of `--by`: the column it fills, and what that is where the facts are of instances or reservations.

    `f` is the fact, `i` its row of dim_instances, `r` its row of dim_reservations; None means it has no meaning there.
    `names` are the marts, the ids and the names that a reader is shown beside the id.
    """

    option: str
    column: str
    of_instance: str
    of_reservation: str | None
    names: tuple[tuple[str, str, str], ...] = ()
    missing: str = "(unknown)"
    is_time: bool = False


_BID_NAMES = ("dim_instances", "bid_id", "bid_name")
_RESERVATION_NAMES = ("dim_reservations", "reservation_id", "reservation_name")
GROUPINGS = {
    grouping.option: grouping
    for grouping in (
        Grouping(
            "instance",
            "instance_id",
            "f.instance_id",
            None,
            (("dim_instances", "instance_id", "instance_name"),),
            missing="(no instance)",
        ),
        Grouping(
            "order",
            "order_id",
            "i.order_id",
            "r.reservation_id",
            (_BID_NAMES, _RESERVATION_NAMES),
            missing="(no order)",
        ),
        Grouping(
            "reservation",
            "reservation_id",
            "i.reservation_id",
            "r.reservation_id",
            (_RESERVATION_NAMES,),
            missing="(no reservation)",
        ),
        Grouping("bid", "bid_id", "i.bid_id", None, (_BID_NAMES,), missing="(no bid)"),
        Grouping("user", "user_id", "i.user_id", "r.user_id"),
        Grouping(
            "instance-type",
            "instance_type_id",
            "i.instance_type_id",
            "r.instance_type_id",
            (("dim_instance_types", "instance_type_id", "instance_type_name"),),
        ),
        Grouping("region", "region", "i.region", "r.region"),
        Grouping(
            "project", "project_id", "f.project_id", "f.project_id", (("dim_projects", "project_id", "project_name"),)
        ),
        Grouping("hour", "hour", "f.hour_at", "f.hour_at", is_time=True),
        Grouping("day", "day", "f.day", "f.day", is_time=True),
        Grouping("month", "month", "f.month", "f.month", is_time=True),
    )
}

# What the user's rules call an instance; the marts know it by its id, `chargeback` puts the label there.
LABEL = Grouping("label", "label", "f.instance_id", None, missing="(idle)")
# The kind of a line of `report chargeback`, which each of its rows has.
LINE = Grouping("line", "line", "", None)
# Whether time is paid for on spot or reserved, which each row of `report rates` is of.
REGIME = Grouping("regime", "regime", "", None)
EVERY_GROUPING = {**GROUPINGS, LABEL.option: LABEL}


def shown_key(key: tuple[Any, ...], groupings: Sequence[Grouping]) -> tuple[str | None, ...]:
    """The texts of a group's key, one for each grouping; None where it has no such thing."""
    return tuple(_shown(part, grouping.column) for part, grouping in zip(key, groupings, strict=True))


def _shown(part: object, column: str) -> str | None:
    if isinstance(part, datetime):
        return iso(part.replace(tzinfo=UTC))
    if isinstance(part, date):
        return part.isoformat()[:7] if column == "month" else part.isoformat()
    return None if part is None else str(part)
