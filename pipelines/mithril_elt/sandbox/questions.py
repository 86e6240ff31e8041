"""What the sandbox's endpoints may be asked: the moment, the page, filters, order, and the body of a PATCH.

Stands under `routes` in the sandbox. FastAPI checks each question against these types: its own 422s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator

from mithril_elt.sandbox.chronicle import Chronicle
from mithril_elt.sandbox.directory import Directory
from mithril_elt.sandbox.pages import Cursors, Expiry, Turn
from mithril_elt.sandbox.rendering import Instants
from mithril_elt.sandbox.switching import Wanted
from mithril_elt.sandbox.tellings import Wording

__all__ = ["Asking", "Direction", "Fids", "Here", "HistoryQuery", "InstanceOrder", "OrderTypes", "Statuses", "Switch"]


@dataclass(frozen=True)
class Asking:
    """Who asks whom when: the account, the moment of the request, and the page of a list that it wants."""

    directory: Directory
    wording: Wording
    chronicle: Chronicle
    now_us: int
    limit: int
    cursor: str | None
    cursors: Cursors
    expiry: Expiry

    @property
    def instant(self) -> Instants:
        """What writes the instants of the answer."""
        return self.wording.instant

    def turn(self) -> Turn:
        """The page that is asked for. Raises RefusedError (400) for a wrong cursor, and for one that has expired."""
        readings = self.wording.readings
        if self.cursor is None:
            return Turn(None, is_empty=readings.empty_pages)
        turn = self.cursors.read(self.cursor)
        if readings.cursors_expire:
            self.expiry.check(self.cursor)
        return turn


async def asking(
    request: Request, limit: Annotated[int | None, Query(ge=1, le=100)] = None, next_cursor: str | None = None
) -> Asking:
    """Reads what every endpoint needs. A cursor holds for the same filters and order, whatever the limit."""
    wording: Wording = request.app.state.wording
    filters = sorted(item for item in request.query_params.multi_items() if item[0] not in {"limit", "next_cursor"})
    return Asking(
        directory=request.app.state.directory,
        wording=wording,
        chronicle=request.app.state.chronicle,
        now_us=request.state.now_us,
        limit=wording.readings.default_limit if limit is None else limit,
        cursor=next_cursor,
        cursors=Cursors(request.url.path, filters),
        expiry=request.app.state.expiry,
    )


Here = Annotated[Asking, Depends(asking)]


def _split(values: Any) -> list[str]:
    """`a,b` and `a` beside `b` are the same list."""
    return [part for value in values for part in value.split(",")]


def _unique(fids: list[str]) -> list[str]:
    if len(set(fids)) < len(fids):
        raise ValueError("instances must be unique")
    return fids


Status = Literal[
    "STATUS_NEW",
    "STATUS_CONFIRMED",
    "STATUS_INITIALIZING",
    "STATUS_STARTING",
    "STATUS_RUNNING",
    "STATUS_STOPPING",
    "STATUS_TERMINATED",
    "STATUS_RELOCATING",
    "STATUS_PREEMPTING",
    "STATUS_PREEMPTED",
    "STATUS_REPLACED",
    "STATUS_PAUSED",
    "STATUS_ERROR",
]
Fids = Annotated[list[str] | None, BeforeValidator(_split), Query()]
Statuses = Annotated[list[Status] | None, BeforeValidator(_split), Query()]
OrderTypes = Annotated[list[Literal["Bid", "Reservation"]] | None, BeforeValidator(_split), Query()]
Direction = Literal["asc", "desc"]
InstanceOrder = Literal["created_at", "instance_status", "instance_type_fid"]


class HistoryQuery(BaseModel):
    """What may be asked of both histories."""

    project: str
    instance_fid: str | None = None
    bid_fid: str | None = None
    reservation_fid: str | None = None
    start_time: AwareDatetime | None = None
    end_time: AwareDatetime | None = None


class Switch(BaseModel):
    """The body of a PATCH: which instances shall run or be paused."""

    instances: Annotated[list[str], AfterValidator(_unique)]
    status: Wanted
