"""All lists of an account in one go: projects, types, instances, reservations with their terms, bids, prices.

Stands inside `source`: they are small, depend on each other (a reservation's history is asked by its id)
and tell how far back the histories go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from mithril_elt.api import Mithril, Walk
from mithril_elt.decode import Novelties, Page
from mithril_elt.errors import NotFoundError
from mithril_elt.rows import Rows, arrow, market_rows, reservation_event_rows, usage_rows, version_rows
from mithril_elt.tables import RAW_TABLES
from mithril_elt.windows import BEGINNING

__all__ = ["LIST_TABLES", "Lists", "choose_projects", "read_lists"]

LIST_TABLES = tuple(
    t.name
    for t in RAW_TABLES
    if t.history == "versions" or t.name.startswith("reservation_") or t.name == "market_prices"
)
_LISTED = ("projects", "instance_types", "instances", "reservations", "spot_bids")
_BY_PROJECT = ("instances", "reservations", "spot_bids")
_OVER = frozenset({"Ended", "Canceled"})


@dataclass(frozen=True)
class Lists:
    """The lists as Arrow tables by raw table, and for each project the oldest instant that they name.

    `as_of`: the server's clock before which everything that a run needs has happened. The vendor's own sums
    were read just before it, so that they can be compared with figures up to it; the other lists after it, so
    that no instance of the histories is missing from them.
    """

    tables: dict[str, pa.Table]
    oldest: dict[str, datetime]
    as_of: datetime

    def rows(self, table: str, project: str) -> list[dict[str, Any]]:
        """The rows of a project in one of the lists, instants as UTC."""
        found = [row for row in self.tables[table].to_pylist() if row["project"] == project]
        return [{k: v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for k, v in row.items()} for row in found]


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
    first = list(api.stream(_walks(projects, "reservations")))
    unsettled = [each for each in _versions(api, first)["reservations"] if not _settled(each, settled_before)]
    summed = _details(api, api.stream(_detail_walks(unsettled, "reservation_usage")))
    as_of = api.server_now()
    after = [
        *(Walk("projects"), Walk("instance_types"), Walk("market_prices", {"num_samples": -1}, may_be_refused=True)),
        *_walks(projects, "instances", "spot_bids"),
        *_detail_walks(unsettled, "reservation_events"),
    ]
    told: dict[str, list[tuple[Walk, Page]]] = {}
    for walk, page in api.stream(after):
        told.setdefault(walk.endpoint, []).append((walk, page))
    listed = [*first, *(each for name in _LISTED for each in told.get(name, ()))]
    rows = _versions(api, listed, read_at=as_of) | summed | _details(api, told.get("reservation_events", ()))
    rows["market_prices"] = _market(api, told.get("market_prices", ()))
    return Lists({name: arrow(name, rows.get(name, [])) for name in LIST_TABLES}, _oldest(rows, api.novelties), as_of)


def _walks(projects: Sequence[str], *lists: str) -> list[Walk]:
    return [Walk(name, {"project": project}, tag=project) for project in projects for name in lists]


def _versions(api: Mithril, pages: Iterable[tuple[Walk, Page]], **added: Any) -> dict[str, Rows]:
    """The rows of the lists by table; a row that came on two pages counts once, and the later page holds."""
    rows: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in _LISTED}
    for walk, page in pages:
        rows[walk.endpoint] |= {row["fid"]: {**row, **added} for row in _list_rows(api, walk, page)}
    return {name: list(by_fid.values()) for name, by_fid in rows.items()}


def _list_rows(api: Mithril, walk: Walk, page: Page) -> Rows:
    """The page's rows; those of a project that was not asked for are left out, with a warning."""
    added = {"project": walk.tag} if walk.tag else {}
    rows = version_rows(page, api.novelties, **added)
    asked_for = [row for row in rows if not walk.tag or row["project"] == walk.tag]
    if len(asked_for) < len(rows):
        api.novelties.warn(f"{walk.endpoint} answered rows of projects that were not asked for: left out")
    return asked_for


def _detail_walks(reservations: Rows, endpoint: str) -> list[Walk]:
    return [
        Walk(endpoint, path={"fid": each["fid"]}, tag=(each["project"], each["fid"]), may_be_refused=True)
        for each in reservations
    ]


def _details(api: Mithril, pages: Iterable[tuple[Walk, Page]]) -> dict[str, Rows]:
    """What is told of each reservation; one that the API does not tell it of is left out, with a warning."""
    rows: dict[str, Rows] = {}
    for walk, page in pages:
        project, fid = walk.tag
        if page.refusal:
            api.novelties.warn(f"nothing is told of {fid}, which the list has: {page.refusal}")
            continue
        added = {"project": project, "reservation_fid": fid, "read_at": page.server_at}
        if walk.endpoint == "reservation_events":
            rows.setdefault(walk.endpoint, []).extend(reservation_event_rows(page, api.novelties, **added))
        else:
            summary, grants = usage_rows(page.rows[0], api.novelties, **added)
            rows.setdefault(walk.endpoint, []).append(summary)
            rows.setdefault("reservation_grants", []).extend(grants)
    return rows


def _settled(reservation: dict[str, Any], before: datetime | None) -> bool:
    ended_at = reservation.get("end_time")
    return bool(before and reservation.get("status") in _OVER and ended_at and ended_at < before)


def _market(api: Mithril, pages: Iterable[tuple[Walk, Page]]) -> Rows:
    """Market prices are no part of any cost: an account that is refused them can still be loaded."""
    rows: Rows = []
    for _, page in pages:
        if page.refusal:
            api.novelties.warn(f"market prices are not to be had: {page.refusal}")
        rows += market_rows(page.rows, api.novelties, read_at=page.server_at)
    return rows


def _oldest(rows: dict[str, Rows], novelties: Novelties) -> dict[str, datetime]:
    """The midnight before the first thing that a project's lists name; a time that stands for none does not count."""
    oldest: dict[str, datetime] = {}
    for row in (row for name in _BY_PROJECT for row in rows[name]):
        for at in _instants(row):
            if at < BEGINNING:
                novelties.warn(
                    f"{row['fid']} is said to be of {at.isoformat()}: that does not count for where to start"
                )
                continue
            oldest[row["project"]] = min(at, oldest.get(row["project"], at))
    return {p: at.replace(hour=0, minute=0, second=0, microsecond=0) for p, at in oldest.items()}


def _instants(row: dict[str, Any]) -> Iterable[datetime]:
    return (at for at in (row.get("created_at"), row.get("start_time")) if at)
