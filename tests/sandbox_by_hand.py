"""A small account whose every answer can be worked out by hand; all times are counted from NOW."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from mithril_elt.sandbox.account import (
    HOUR_US,
    Account,
    Bid,
    Instance,
    InstanceType,
    Market,
    PricePeriod,
    Project,
    Reservation,
    StatusChange,
    Terms,
)
from mithril_elt.sandbox.server import Sandbox

NOW = datetime(2026, 3, 31, tzinfo=UTC)
NOW_US = 1_774_915_200_000_000


def us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def bare_account(**fields: Any) -> Account:
    """An account with one project and nothing in it but what is given."""
    start = us(NOW - timedelta(days=30))
    usual: dict[str, Any] = {"seed": 0, "start_us": start, "now_us": us(NOW), "instances": [], "markets": []}
    usual |= {"projects": [Project("proj_a", "a", start)], "instance_types": [], "bids": [], "reservations": []}
    return Account(**(usual | fields))


def hours(count: float) -> int:
    """That many hours from NOW, in microseconds since 1970."""
    return NOW_US + round(count * HOUR_US)


def iso(count: float) -> str:
    """That many hours from NOW, as the API writes it."""
    return (NOW + timedelta(hours=count)).isoformat().replace("+00:00", "Z")


def told(changes: Iterable[tuple[float, str]]) -> list[StatusChange]:
    """A story from (hours from NOW, status without its prefix)."""
    return [StatusChange(hours(at), f"STATUS_{status}") for at, status in changes]


def instance(fid: str, created: float, changes: Iterable[tuple[float, str]] = (), **fields: Any) -> Instance:
    """An instance of `proj_a` in us-central1-a, of type it_h100, with no order unless one is given."""
    usual: dict[str, Any] = {
        "name": fid.removeprefix("inst_"),
        "project": "proj_a",
        "created_by": "user_ann",
        "instance_type": "it_h100",
        "region": "us-central1-a",
        "bid": None,
        "reservation": None,
    }
    return Instance(fid=fid, created_at_us=hours(created), changes=told(changes), **(usual | fields))


def _reservation(fid: str, placed: float, start: float, end: float, terms: list[Terms], **fields: Any) -> Reservation:
    usual: dict[str, Any] = {"name": fid, "project": "proj_a", "created_by": "user_bob", "instance_quantity": 1}
    usual |= {"instance_type": "it_h100", "region": "us-east1-a"}
    return Reservation(
        fid=fid, placed_at_us=hours(placed), start_us=hours(start), end_us=hours(end), terms=terms, **(usual | fields)
    )


def _bid(fid: str, created: float, limit_price_cents: int, **fields: Any) -> Bid:
    usual: dict[str, Any] = {"name": fid, "project": "proj_a", "created_by": "user_ann", "instance_quantity": 1}
    usual |= {"instance_type": "it_h100", "region": "us-central1-a"}
    return Bid(fid=fid, created_at_us=hours(created), limit_price_cents=limit_price_cents, **(usual | fields))


def _instances() -> list[Instance]:
    return [
        instance(
            "inst_spot1",
            -10,
            [(-10, "NEW"), (-9.5, "STARTING"), (-9, "RUNNING"), (1, "PREEMPTING")],
            bid="bid_1",
            prices=[
                PricePeriod(hours(-9), hours(-2), 1300),
                PricePeriod(hours(-2), hours(1), 1301),
                PricePeriod(hours(1), None, 1400),
            ],
        ),
        instance(
            "inst_spot2",
            -10,
            [(-10, "NEW"), (-8, "RUNNING"), (-4, "TERMINATED")],
            bid="bid_1",
            prices=[PricePeriod(hours(-8), hours(-4), 1300)],
        ),
        instance("inst_gone", -9, [(-9, "RUNNING"), (-7, "REPLACED")], bid="bid_1", listed=False),
        instance(
            "inst_res1",
            -24,
            [(-24, "RUNNING"), (-6, "PAUSED"), (-4, "RUNNING"), (3, "PAUSED"), (12, "TERMINATED")],
            reservation="res_1",
            region="us-east1-a",
            created_by="user_bob",
        ),
        instance(
            "inst_res2",
            -23,
            [(-23, "RUNNING"), (-5, "PAUSED"), (-3, "RUNNING"), (12, "TERMINATED")],
            reservation="res_1",
            region="us-east1-a",
            prices=[PricePeriod(hours(-23), None, 1600)],
        ),
        instance("inst_back", -20, [(-20, "RUNNING"), (-12, "TERMINATED")], reservation="res_ended"),
        instance("inst_dropped", -48, [(-48, "RUNNING"), (-30, "TERMINATED")], reservation="res_canceled"),
        instance("inst_cpu", -30, [(-30, "RUNNING")], reservation="res_cpu", instance_type="it_cpu"),
        instance("inst_odd", -12, [(-12, "SCHEDULED")], instance_type="it_gone"),
        instance("inst_silent", -1, bid="bid_2", region=None),
        instance("inst_later", 1, [(1, "NEW")], bid="bid_2"),
        instance("inst_b", -5, [(-5, "RUNNING")], project="proj_b", bid="bid_b"),
    ]


def account() -> Account:
    """The account, new each time: a test may change it."""
    first = Terms(hours(-30), 1600, 500, 650)
    return Account(
        seed=7,
        start_us=hours(-72),
        now_us=NOW_US,
        projects=[
            Project("proj_a", "research", hours(-72)),
            Project("proj_b", "serving", hours(-71)),
            Project("proj_later", "not yet", hours(2)),
        ],
        instance_types=[
            InstanceType("it_h100", "h100-80gb.sxm.8x", 8),
            InstanceType("it_cpu", "cpu.16x", 0),
            InstanceType("it_gone", "h100-80gb.sxm.4x", 4, listed=False),
        ],
        markets=[
            Market(
                "it_h100",
                "us-central1-a",
                [hours(at) for at in (-3, -2, -1, 1)],
                [1300, 1301, 1250, 9999],
                [2200, None, 2300, 2200],
            )
        ],
        bids=[
            _bid("bid_1", -10, 3200, instance_quantity=2),
            _bid("bid_2", -9, 123_456, region="us-east1-a", instance_type="it_cpu"),
            _bid("bid_later", 1, 100),
            _bid("bid_b", -6, 3100, project="proj_b"),
        ],
        reservations=[
            _reservation(
                "res_1",
                -30,
                -24,
                12,
                [first, Terms(hours(-10), 1700, 620, 800), Terms(hours(2), 1800, 700, 900)],
                instance_quantity=2,
            ),
            _reservation(
                "res_pending",
                -1,
                5,
                8,
                [Terms(hours(5), 199, None, None), Terms(hours(6), 299, None, None)],
                region="eu-central1-b",
            ),
            _reservation(
                "res_canceled", -50, -48, -24, [first, Terms(hours(-26), 9999, 9999, 9999)], canceled_at_us=hours(-30)
            ),
            _reservation("res_ended", -21, -20, -10, [first], instance_type="it_cpu"),
            _reservation("res_cpu", -31, -30, 30, [first], listed=False),
            _reservation("res_later", 1, 2, 5, [first]),
        ],
        instances=_instances(),
    )


@contextmanager
def asking(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client that has the sandbox's key."""
    headers = {"Authorization": f"Bearer {sandbox.key}"}
    with httpx.Client(base_url=sandbox.url, headers=headers, timeout=20) as client:
        yield client


def walk(client: httpx.Client, path: str, rows: str, **params: Any) -> list[list[dict[str, Any]]]:
    """Every page of a list."""
    pages: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(path, params=params | cursor).raise_for_status().json()
        pages.append(answer[rows])
        if answer["next_cursor"] is None:
            return pages
        cursor = {"next_cursor": answer["next_cursor"]}
