"""The sandbox's endpoints under `/v2`: what each may be asked, checked by FastAPI, and what it answers.

Stands between `app` and the sandbox's lists and stories, beside `history_routes`. Each endpoint answers as of the
moment at which its request came.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, HTTPException, Query, Response

from mithril_elt.sandbox import lists, reservation_story
from mithril_elt.sandbox.account import Bid, Instance, Reservation
from mithril_elt.sandbox.answers import answer, paged
from mithril_elt.sandbox.directory import status_at
from mithril_elt.sandbox.pages import Mark, Page, Place, ordered_page
from mithril_elt.sandbox.questions import (
    Asking,
    Direction,
    Fids,
    Here,
    InstanceOrder,
    OrderTypes,
    Statuses,
    Switch,
)
from mithril_elt.sandbox.switching import switch
from mithril_elt.sandbox.usage import usage_row

__all__ = ["router"]

router = APIRouter(prefix="/v2")

Row = dict[str, Any]
T = TypeVar("T")
Order = TypeVar("Order", Bid, Reservation)


def _ordered(
    here: Asking,
    rows: Collection[T],
    place: Callable[[T], Place],
    sort_dir: Direction,
    write: Callable[[T], Row],
) -> Response:
    """The page of those rows that is asked for, in the order that is asked for."""

    def page_after(after: Mark | None) -> Page[Row]:
        repeats_last = here.wording.readings.repeated_rows
        return ordered_page(
            rows, place, descending=sort_dir == "desc", limit=here.limit, after=after, repeats_last=repeats_last
        ).map(write)

    return paged(here, "data", page_after)


def _fids(here: Asking, order: str) -> list[str]:
    """The instances of an order, as far as the list of instances has them."""
    return [one.fid for one in here.directory.instances_of(order, here.now_us)]


def _of_kind(orders: list[Order], instance_type: str | None, region: str | None) -> list[Order]:
    return [
        one
        for one in orders
        if (instance_type is None or one.instance_type == instance_type) and (region is None or one.region == region)
    ]


@router.get("/me")
async def get_me(here: Here) -> Response:
    """Whose key it is."""
    owners = sorted(instance.created_by for instance in here.directory.account.instances)
    return answer(here, {"fid": owners[0] if owners else "user_0000000000000000", "email": "someone@sandbox.example"})


@router.get("/projects")
async def get_projects(here: Here) -> Response:
    """The projects that the key sees."""
    return answer(here, [lists.project_row(project, here.instant) for project in here.directory.projects(here.now_us)])


@router.get("/instance-types")
async def get_instance_types(here: Here) -> Response:
    """The instance types that there are now."""
    return answer(
        here, [lists.instance_type_row(kind) for kind in here.directory.account.instance_types if kind.listed]
    )


@router.get("/instances")
async def get_instances(
    here: Here,
    *,
    project: str,
    sort_by: InstanceOrder = "created_at",
    sort_dir: Direction = "desc",
    instance_type: str | None = None,
    region: str | None = None,
    status_in: Statuses = None,
    order_type_in: OrderTypes = None,
    bid_fid_in: Fids = None,
    reservation_fid_in: Fids = None,
) -> Response:
    """A page of the instances of a project."""
    here.directory.check_project(project, here.now_us)

    def is_asked_for(one: Instance) -> bool:
        order_types = {"Bid": one.bid, "Reservation": one.reservation}
        return (
            (instance_type is None or one.instance_type == instance_type)
            and (region is None or one.region == region)
            and (bid_fid_in is None or one.bid in bid_fid_in)
            and (reservation_fid_in is None or one.reservation in reservation_fid_in)
            and (order_type_in is None or any(order_types[kind] for kind in order_type_in))
            and (status_in is None or status_at(one, here.now_us) in status_in)
        )

    def place(one: Instance) -> Place:
        if sort_by == "instance_status":
            return status_at(one, here.now_us), one.fid
        return (one.created_at_us if sort_by == "created_at" else one.instance_type), one.fid

    def written(one: Instance) -> Row:
        return lists.instance_row(one, here.now_us, here.instant)

    found = [one for one in here.directory.listed_instances(project, here.now_us) if is_asked_for(one)]
    return _ordered(here, found, place, sort_dir, written)


@router.patch("/instances")
async def patch_instances(here: Here, body: Switch) -> Response:
    """Pauses or starts reserved instances."""
    return answer(here, {"instances": switch(here.directory, body.instances, body.status, here.now_us)})


@router.get("/instances/{fid}/status")
async def get_instance_status(here: Here, fid: str) -> Response:
    """The status of one instance."""
    instance = here.directory.listed_instance(fid, here.now_us)
    return answer(here, lists.instance_state(instance, here.now_us, here.instant))


@router.get("/reservation")
async def get_reservations(
    here: Here,
    *,
    project: str,
    sort_by: Literal["created_at", "start_time", "end_time"] = "created_at",
    sort_dir: Direction = "desc",
    instance_type: str | None = None,
    region: str | None = None,
) -> Response:
    """A page of the reservations of a project."""
    here.directory.check_project(project, here.now_us)

    def place(one: Reservation) -> Place:
        times_us = {"created_at": one.placed_at_us, "start_time": one.start_us, "end_time": one.end_us}
        return times_us[sort_by], one.fid

    def written(one: Reservation) -> Row:
        members = here.directory.members_of(one.fid, here.now_us)
        return lists.reservation_row(one, _fids(here, one.fid), members, here.now_us, here.instant)

    found = _of_kind(here.directory.listed_reservations(project, here.now_us), instance_type, region)
    return _ordered(here, found, place, sort_dir, written)


@router.get("/reservation/{fid}")
async def get_reservation() -> Response:
    """There is no such endpoint."""
    raise HTTPException(405, "Method Not Allowed", headers={"Allow": "PATCH"})


@router.get("/reservation/{fid}/history")
async def get_reservation_history(here: Here, fid: str) -> Response:
    """What happened to a reservation."""
    reservation = here.directory.listed_reservation(fid, here.now_us)
    instances = here.directory.in_order.get(fid, [])
    events = reservation_story.history_rows(reservation, instances, here.now_us, here.instant)
    return answer(here, {"events": events})


@router.get("/reservation/{fid}/usage")
async def get_reservation_usage(here: Here, fid: str) -> Response:
    """The vendor's own sums for a reservation."""
    reservation = here.directory.listed_reservation(fid, here.now_us)
    instances = here.directory.in_order.get(fid, [])
    return answer(here, usage_row(reservation, instances, here.now_us, here.wording))


@router.get("/spot/bids")
async def get_bids(
    here: Here,
    *,
    project: str | None = None,
    sort_by: Literal["created_at", "limit_price"] = "created_at",
    sort_dir: Direction = "desc",
    instance_type: str | None = None,
    region: str | None = None,
) -> Response:
    """A page of the spot bids of a project, or of all."""
    if project is not None:
        here.directory.check_project(project, here.now_us)

    def place(one: Bid) -> Place:
        return (one.created_at_us if sort_by == "created_at" else one.limit_price_cents), one.fid

    def written(one: Bid) -> Row:
        members = here.directory.members_of(one.fid, here.now_us)
        return lists.bid_row(one, _fids(here, one.fid), members, here.now_us, here.instant)

    found = _of_kind(here.directory.bids(project, here.now_us), instance_type, region)
    return _ordered(here, found, place, sort_dir, written)


@router.get("/pricing/history")
async def get_market_prices(here: Here, num_samples: Annotated[int, Query(ge=-1)] = 100) -> Response:
    """The prices of every market; all of them only for `num_samples=-1`."""
    markets = here.directory.account.markets
    return answer(here, [lists.market_series(market, num_samples, here.now_us, here.instant) for market in markets])
