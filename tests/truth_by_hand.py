"""Small accounts for figures that are worked by hand."""

from __future__ import annotations

from typing import Any

from mithril_elt.sandbox.account import (
    HOUR_US,
    Account,
    Bid,
    Instance,
    InstanceType,
    PricePeriod,
    Project,
    Reservation,
    StatusChange,
    Terms,
)
from mithril_elt.sandbox.truth import InstanceTruth, Truth, true_figures

SECOND_US = 1_000_000
DAY_US = 24 * HOUR_US
MIDNIGHT_US = 20_000 * DAY_US  # 2024-10-04T00:00:00Z
T = MIDNIGHT_US + 6 * HOUR_US  # the small stories begin here, at six in the morning


def make_instance(
    *changes: tuple[int, str],
    prices: list[PricePeriod] | None = None,
    bid: str | None = None,
    reservation: str | None = None,
    **more: Any,
) -> Instance:
    """An instance whose statuses change at microseconds after T."""
    told = [StatusChange(T + at_us, f"STATUS_{status}") for at_us, status in changes]
    return Instance(
        **{
            "fid": "inst_1",
            "name": "one",
            "project": "proj_1",
            "created_by": "user_1",
            "created_at_us": told[0].at_us if told else T,
            "instance_type": "it_1",
            "region": "us-east1-a",
            "bid": bid,
            "reservation": reservation,
            "changes": told,
            "prices": [
                PricePeriod(T + each.start_us, None if each.end_us is None else T + each.end_us, each.price_cents)
                for each in prices or []
            ],
            **more,
        }
    )


def make_reservation(*terms: tuple[int, int, int | None], hours: int = 10, **more: Any) -> Reservation:
    """A reservation of one instance from T on, placed an hour before; terms (at, unit, pause rate) after T."""
    return Reservation(
        **{
            "fid": "res_1",
            "name": "r",
            "project": "proj_1",
            "created_by": "user_1",
            "placed_at_us": T - HOUR_US,
            "start_us": T,
            "end_us": T + hours * HOUR_US,
            "instance_type": "it_1",
            "region": "us-east1-a",
            "instance_quantity": 1,
            "terms": [Terms(T + at_us, unit, pause, 900) for at_us, unit, pause in terms],
            **more,
        }
    )


def make_bid(**more: Any) -> Bid:
    """A bid for one instance of type `it_1`, made at T."""
    usual = {"fid": "bid_1", "name": "b", "project": "proj_1", "created_by": "user_1", "created_at_us": T}
    usual |= {"instance_type": "it_1", "region": "us-east1-a", "instance_quantity": 1, "limit_price_cents": 1}
    return Bid(**(usual | more))


def make_truth(as_of_us: int, *parts: Instance | Reservation | Bid) -> Truth:
    """The figures of these instances and orders, `as_of_us` after T; `it_1` has 8 GPUs, no list has `it_old`."""
    types = [
        InstanceType("it_1", "h100", 8),
        InstanceType("it_cpu", "cpu", 0),
        InstanceType("it_old", "a40", 4, listed=False),
    ]
    account = Account(
        seed=0,
        start_us=T,
        now_us=T + as_of_us,
        projects=[Project("proj_1", "p", T)],
        instance_types=types,
        markets=[],
        bids=[part for part in parts if isinstance(part, Bid)],
        reservations=[part for part in parts if isinstance(part, Reservation)],
        instances=[part for part in parts if isinstance(part, Instance)],
    )
    return true_figures(account, T + as_of_us)


def spot(as_of_us: int, changes: list[tuple[int, str]], prices: list[PricePeriod]) -> InstanceTruth:
    return make_truth(as_of_us, make_instance(*changes, prices=prices, bid="bid_1")).instances["inst_1"]


def paused_from(*pauses: tuple[int, int | None]) -> Instance:
    """A reserved instance that runs from T on but for these pauses (from, until or None)."""
    changes = [(0, "RUNNING")]
    for from_us, until_us in pauses:
        changes += [(from_us, "PAUSED"), *([] if until_us is None else [(until_us, "RUNNING")])]
    return make_instance(*changes, reservation="res_1")
