"""The made-up account, from a seed: orders, machines, prices and everything that befalls them.

Stands at the beginning of the sandbox: `server` shows the account, `truth` adds it up.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mithril_elt.errors import UsageError
from mithril_elt.sandbox.account import DAY_US, Account
from mithril_elt.sandbox.catalogue import instance_types, projects, stream, users
from mithril_elt.sandbox.markets import make_markets
from mithril_elt.sandbox.orders import Orders, World, draw_bid, draw_reservation
from mithril_elt.sandbox.special import SPECIAL_DAYS, SPECIAL_INSTANCES, scripted_spikes, special_orders
from mithril_elt.sandbox.story import SECOND_US, moment, span

__all__ = ["DEFAULT_NOW", "make_account"]

DEFAULT_NOW = datetime(2026, 3, 31, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def make_account(
    seed: int = 7,
    instances: int = 40,
    days: int = 30,
    *,
    now: datetime = DEFAULT_NOW,
    tail_days: int = 3,
) -> Account:
    """An account of that many instances, whose stories begin `days` before `now` and go on `tail_days` past it.

    The same arguments give an equal account. Twelve of the instances are always there (see `special`);
    the first of the others, and perhaps more, come to be only after `now`. Raises `UsageError` for sizes
    that leave no room for the twelve, and for a `now` without a time zone.
    """
    if instances < SPECIAL_INSTANCES or days < SPECIAL_DAYS or tail_days < 1:
        raise UsageError(
            f"A sandbox account has at least {SPECIAL_INSTANCES} instances and {SPECIAL_DAYS} days, "
            f"and one day after now; asked for: {instances}, {days} and {tail_days}."
        )
    if now.tzinfo is None:
        raise UsageError(f"The sandbox's clock needs a time zone, and {now.isoformat()} has none.")
    now_us = (now - _EPOCH) // timedelta(microseconds=1)
    start_us, ends_us = now_us - days * DAY_US, now_us + tail_days * DAY_US
    types = instance_types(seed)
    lines = make_markets(seed, types, start_us, ends_us, scripted_spikes(now_us))
    owners = projects(seed, start_us)
    world = World(start_us, now_us, ends_us, [owner.fid for owner in owners], users(seed), types, lines)
    orders = _orders(seed, world, instances)
    return Account(
        seed=seed,
        start_us=start_us,
        now_us=now_us,
        projects=owners,
        instance_types=list(types.values()),
        markets=[line.market for line in lines.values()],
        bids=orders.bids,
        reservations=orders.reservations,
        instances=orders.instances,
    )


def _orders(seed: int, world: World, instances: int) -> Orders:
    """The special orders, then random ones until there are that many instances; the first of them comes after now."""
    orders = special_orders(world, stream(seed, "special"))
    number = 0
    while len(orders.instances) < instances:
        random = stream(seed, "order", number)
        draw = draw_bid if random.randrange(100) < 55 else draw_reservation
        earliest_us, latest_us = (world.start_us, world.ends_us) if number else (world.now_us, world.now_us + DAY_US)
        placed_us = moment(random, span(random, earliest_us + SECOND_US, latest_us - DAY_US // 2))
        orders.add(draw(world, random, placed_us, instances - len(orders.instances)))
        number += 1
    return orders
