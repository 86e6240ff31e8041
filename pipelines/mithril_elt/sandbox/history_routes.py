"""The sandbox's two history endpoints: the same questions about status and about prices.

Stands between `app` and `owners` and `histories` in the sandbox, beside `routes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Response

from mithril_elt.sandbox.answers import paged
from mithril_elt.sandbox.clock import microseconds
from mithril_elt.sandbox.histories import History, Window, history_page
from mithril_elt.sandbox.owners import check_narrowed, owners
from mithril_elt.sandbox.questions import Asking, Here, HistoryQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mithril_elt.sandbox.account import Instance

__all__ = ["router"]

router = APIRouter(prefix="/v2/instances")


@router.get("/status/history")
async def get_status_history(here: Here, query: Annotated[HistoryQuery, Query()]) -> Response:
    """A page of the status history."""
    return _history(here, query, here.chronicle.statuses)


@router.get("/pricing/history")
async def get_pricing_history(here: Here, query: Annotated[HistoryQuery, Query()]) -> Response:
    """A page of the price history."""
    return _history(here, query, here.chronicle.prices)


def _history(here: Asking, query: HistoryQuery, tellings_of: Callable[[Instance, int], Sequence[Any]]) -> Response:
    asked_for = {
        "instance_fid": query.instance_fid,
        "bid_fid": query.bid_fid,
        "reservation_fid": query.reservation_fid,
    }
    check_narrowed(here.wording.readings, asked_for.values())
    here.directory.check_project(query.project, here.now_us)
    instances = owners(here.directory, query.project, here.now_us, **asked_for)
    window = Window(
        None if query.start_time is None else microseconds(query.start_time),
        None if query.end_time is None else microseconds(query.end_time),
        here.now_us,
    )
    history = History(tellings_of, window, here.wording)
    return paged(here, "instances", lambda after: history_page(history, instances, limit=here.limit, after=after))
