"""All lists of an account in one go: projects, types, instances, reservations with their terms, bids, prices.

Stands inside `source`: they are small, depend on each other (a reservation's history is asked by its id)
and tell how far back the histories go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from mithril_elt.api import Mithril, Walk
from mithril_elt.decode import Page
from mithril_elt.errors import NotFoundError
from mithril_elt.rows import Rows, arrow, market_rows, reservation_event_rows, usage_rows, version_rows
from mithril_elt.tables import RAW_TABLES
from mithril_elt.wire import Refused

__all__ = ["LIST_TABLES", "Lists", "choose_projects", "read_lists"]

LIST_TABLES = tuple(
    t.name
    for t in RAW_TABLES
    if t.history == "versions" or t.name.startswith("reservation_") or t.name == "market_prices"
)
_BY_PROJECT = ("instances", "reservations", "spot_bids")
_OVER = frozenset({"Ended", "Canceled"})


@dataclass(frozen=True)
class Lists:
    """The lists as Arrow tables by raw table, and for each project the oldest instant that they name."""

    tables: dict[str, pa.Table]
    oldest: dict[str, datetime]


def choose_projects(api: Mithril, wanted: Sequence[str]) -> list[str]:
    """The fids of the projects to read: those wanted, by fid or name; all that the key sees if none is.

    Raises:
        NotFoundError: the key sees no such project.
    """
    seen = list({project.fid: project for project in api.projects()}.values())
    if not wanted:
        return [project.fid for project in seen]
    chosen = []
    for each in wanted:
        match = [p.fid for p in seen if p.fid == each] or [p.fid for p in seen if p.name == each]
        if len(match) != 1:
            known = ", ".join(f"{p.fid} ({p.name})" for p in seen) or "none"
            raise NotFoundError(f"the key sees no one project {each!r}; it sees {known}")
        chosen += match
    return list(dict.fromkeys(chosen))


def read_lists(api: Mithril, projects: Sequence[str], *, settled_before: datetime | None = None) -> Lists:
    """Reads all lists of those projects.

    `settled_before`: reservations that ended before are not asked for their history and usage again.
    """
    walks = [Walk("projects"), Walk("instance_types")]
    walks += [Walk(name, {"project": project}, tag=project) for project in projects for name in _BY_PROJECT]
    rows: dict[str, Rows] = {name: [] for name in LIST_TABLES}
    for walk, page in api.stream(walks):
        rows[walk.endpoint] += _list_rows(api, walk, page)
    rows = {name: _one_a_key(listed) for name, listed in rows.items()}
    _read_details(api, rows, settled_before)
    _read_market(api, rows)
    return Lists({name: arrow(name, listed) for name, listed in rows.items()}, _oldest(rows))


def _list_rows(api: Mithril, walk: Walk, page: Page) -> Rows:
    """The page's rows; those of a project that was not asked for are left out, with a warning."""
    added = {"project": walk.tag} if walk.tag else {}
    rows = version_rows(page, api.novelties, **added)
    asked_for = [row for row in rows if not walk.tag or row["project"] == walk.tag]
    if len(asked_for) < len(rows):
        api.novelties.warn(f"{walk.endpoint} answered rows of projects that were not asked for: left out")
    return asked_for


def _one_a_key(rows: Rows) -> Rows:
    """A row that came on two pages counts once; the later page holds."""
    return list({row["fid"]: row for row in rows}.values())


def _read_details(api: Mithril, rows: dict[str, Rows], settled_before: datetime | None) -> None:
    walks = [
        Walk(endpoint, path={"fid": each["fid"]}, tag={"project": each["project"], "reservation_fid": each["fid"]})
        for each in rows["reservations"]
        if not _settled(each, settled_before)
        for endpoint in ("reservation_events", "reservation_usage")
    ]
    for walk, page in api.stream(walks):
        added = {**walk.tag, "read_at": page.server_at}
        if walk.endpoint == "reservation_events":
            rows["reservation_events"] += reservation_event_rows(page, api.novelties, **added)
        else:
            summary, grants = usage_rows(page.rows[0], api.novelties, **added)
            rows["reservation_usage"].append(summary)
            rows["reservation_grants"] += grants


def _settled(reservation: dict[str, Any], before: datetime | None) -> bool:
    ended_at = reservation.get("end_time")
    return bool(before and reservation.get("status") in _OVER and ended_at and ended_at < before)


def _read_market(api: Mithril, rows: dict[str, Rows]) -> None:
    """Market prices are no part of any cost: an account that is refused them can still be loaded."""
    try:
        for _, page in api.stream([Walk("market_prices", {"num_samples": -1})]):
            rows["market_prices"] += market_rows(page.rows, api.novelties, read_at=page.server_at)
    except (NotFoundError, Refused) as error:
        api.novelties.warn(f"market prices are not to be had: {error}")


def _oldest(rows: dict[str, Rows]) -> dict[str, datetime]:
    """The midnight before the first thing that a project's lists name."""
    oldest: dict[str, datetime] = {}
    for row in (row for name in _BY_PROJECT for row in rows[name]):
        for at in _instants(row):
            oldest[row["project"]] = min(at, oldest.get(row["project"], at))
    return {p: at.replace(hour=0, minute=0, second=0, microsecond=0) for p, at in oldest.items()}


def _instants(row: dict[str, Any]) -> Iterable[datetime]:
    return (at for at in (row.get("created_at"), row.get("start_time")) if at)
