"""The orders that every account has: each holds cases that figures go wrong on, at known distances from now.

Stands after `orders` in the sandbox's fleet: `fleet` begins each account with these twelve instances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import DAY_US, HOUR_US, MINUTE_US, Reservation, Terms
from mithril_elt.sandbox.catalogue import GONE, REGIONS, TRADED, new_fid
from mithril_elt.sandbox.markets import GRID_US, Spike
from mithril_elt.sandbox.orders import Orders, World, new_bid, new_instance, until_end
from mithril_elt.sandbox.spot import NOTICE_US, SpotPlan, billed_prices, spot_story, with_gap
from mithril_elt.sandbox.story import Break, reserved_story

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

__all__ = ["SPECIAL_DAYS", "SPECIAL_INSTANCES", "scripted_spikes", "special_orders"]

SPECIAL_DAYS = 7
SPECIAL_INSTANCES = 12

_SCRIPTED = (TRADED[0].key, TRADED[0].regions[0])
_USUAL_CENTS = TRADED[0].usual_price_cents
_LIMIT_CENTS = 3 * _USUAL_CENTS
_BUSY = (TRADED[1].key, TRADED[1].regions[0])
_REGIONS = {offer.key: offer.regions[-1] for offer in TRADED}
_FLASH = ("b200-8", "us-east1-a")


def scripted_spikes(now_us: int) -> dict[tuple[str, str], list[Spike]]:
    """Prices that are not left to chance, by market.

    One market passes the limit of the scripted bid for 4 minutes (a notice only), for 90 minutes and for
    13 hours; one moves every two minutes for 3 hours; one flashes up to the dearest price ever seen.
    """
    grid_us = now_us // GRID_US * GRID_US
    high_cents = _LIMIT_CENTS + 500
    return {
        _SCRIPTED: [
            Spike(grid_us - 100 * HOUR_US, grid_us - 100 * HOUR_US + 2 * GRID_US, high_cents),
            Spike(grid_us - 80 * HOUR_US, grid_us - 80 * HOUR_US + 45 * GRID_US, high_cents),
            Spike(grid_us - 30 * HOUR_US, grid_us - 17 * HOUR_US, high_cents, 10 * GRID_US),
        ],
        _BUSY: [Spike(grid_us - 60 * HOUR_US, grid_us - 57 * HOUR_US, TRADED[1].usual_price_cents)],
        _FLASH: [Spike(grid_us - 55 * HOUR_US, grid_us - 55 * HOUR_US + 3 * GRID_US, 8 * 11_250)],
    }


def special_orders(world: World, random: Random) -> Orders:
    """The twelve scripted instances with their orders."""
    orders = Orders()
    for part in (_edges, _no_pause_rate, _past_the_end, _canceled, _pending, _active, _cpu, _scripted_bid, _gone_type):
        orders.add(part(world, random))
    return orders


def _reservation(
    world: World,
    random: Random,
    name: str,
    *,
    start_us: int,
    hours: int,
    type_key: str = "h100-new",
    quantity: int = 1,
    changes: Sequence[tuple[int, int, int | None, int | None]] = (),
    pause_cents: int | None = 500,
    placed_us: int | None = None,
    canceled_us: int | None = None,
    listed: bool = True,
) -> Reservation:
    """A reservation at 1,600 c an hour, placed an hour before its start; `changes` are later terms."""
    placed_us = start_us - HOUR_US if placed_us is None else placed_us
    return Reservation(
        fid=new_fid(random, "res_"),
        name=name,
        project=world.projects[0],
        created_by=random.choice(world.users),
        placed_at_us=placed_us,
        start_us=start_us,
        end_us=start_us + hours * HOUR_US,
        instance_type=world.types[type_key].fid,
        region=_REGIONS.get(type_key, REGIONS[3]),
        instance_quantity=quantity,
        terms=[Terms(placed_us, 1_600, pause_cents, 650), *(Terms(*change) for change in changes)],
        listed=listed,
        canceled_at_us=canceled_us,
    )


def _with_instances(
    world: World, random: Random, reservation: Reservation, stories: Iterable[tuple[Sequence[Break], int]]
) -> Orders:
    """The reservation with an instance for each story: its breaks and its end."""
    instances = []
    for number, (breaks, ends_us) in enumerate(stories, start=1):
        changes = until_end(world, reserved_story(random, reservation.start_us + 7_250_000, breaks, ends_us))
        instances.append(new_instance(random, reservation, number, changes))
    return Orders([], [reservation], instances)


def _paused(from_us: int, lasts_us: int) -> Break:
    return Break("PAUSED", from_us, from_us + lasts_us)


def _edges(world: World, random: Random) -> Orders:
    """Pauses on either side of an hour, one over a change of terms, two that are on now; both paused now."""
    now = world.now_us
    reservation = _reservation(
        world,
        random,
        "edges-reserved",
        start_us=now - 150 * HOUR_US,
        hours=168,
        quantity=2,
        changes=[(now - 100 * HOUR_US + 1_234_567, 1_700, 620, 800)],
    )
    first = [
        _paused(now - 148 * HOUR_US, HOUR_US - 1_000),
        _paused(now - 146 * HOUR_US, HOUR_US),
        _paused(now - 144 * HOUR_US, HOUR_US + 1_000),
        _paused(now - 142 * HOUR_US, 40 * MINUTE_US),
        _paused(now - 141 * HOUR_US, 40 * MINUTE_US),
        _paused(now - 130 * HOUR_US + 17_003, 60 * HOUR_US),
        _paused(now - 5 * HOUR_US, 9 * HOUR_US),
    ]
    second = [
        Break("ERROR", now - 90 * HOUR_US, now - 88 * HOUR_US),
        _paused(now - 35 * MINUTE_US, 125 * MINUTE_US),
    ]
    return _with_instances(
        world, random, reservation, [(first, reservation.end_us), (second, reservation.end_us + 44_000_000)]
    )


def _no_pause_rate(world: World, random: Random) -> Orders:
    """Terms without a pause rate; an unknown status; an instance that is returned ten hours early."""
    now = world.now_us
    reservation = _reservation(
        world, random, "no-rate-reserved", start_us=now - 120 * HOUR_US, hours=60, type_key="h200", pause_cents=None
    )
    breaks = [
        Break("SCHEDULED", now - 118 * HOUR_US, now - 117 * HOUR_US + 500_000, "RUNNING"),
        _paused(now - 110 * HOUR_US, 5 * HOUR_US),
        _paused(now - 100 * HOUR_US, 20 * MINUTE_US),
    ]
    return _with_instances(world, random, reservation, [(breaks, reservation.end_us - 10 * HOUR_US)])


def _past_the_end(world: World, random: Random) -> Orders:
    """A pause that begins 3 hours before the reservation ends and lasts an hour longer than it."""
    reservation = _reservation(world, random, "ended-reserved", start_us=world.now_us - 140 * HOUR_US, hours=40)
    pause = _paused(reservation.end_us - 3 * HOUR_US, 5 * HOUR_US)
    return _with_instances(world, random, reservation, [([pause], reservation.end_us + HOUR_US)])


def _canceled(world: World, random: Random) -> Orders:
    """A reservation that is canceled while its instance is paused."""
    start_us = world.now_us - 90 * HOUR_US
    canceled_us = start_us + 50 * HOUR_US
    reservation = _reservation(
        world, random, "canceled-reserved", start_us=start_us, hours=72, canceled_us=canceled_us, type_key="h100"
    )
    breaks = [_paused(start_us + 10 * HOUR_US, 6 * HOUR_US), _paused(start_us + 48 * HOUR_US, 20 * HOUR_US)]
    return _with_instances(world, random, reservation, [(breaks, canceled_us)])


def _pending(world: World, random: Random) -> Orders:
    """A reservation that is placed and begins in six hours; its instance is listed, in no region, with no history."""
    placed_us = world.now_us - 5 * HOUR_US
    reservation = _reservation(
        world, random, "pending-reserved", start_us=world.now_us + 6 * HOUR_US, hours=12, placed_us=placed_us
    )
    orders = _with_instances(world, random, reservation, [([], reservation.end_us)])
    orders.instances[0].created_at_us = placed_us
    orders.instances[0].region = None
    return orders


def _active(world: World, random: Random) -> Orders:
    """A reservation that goes on for two days, with an instance that runs now; its terms change in ten hours."""
    now = world.now_us
    later = (now + 10 * HOUR_US, 1_650, 520, 660)
    reservation = _reservation(
        world, random, "active-reserved", start_us=now - 48 * HOUR_US, hours=96, type_key="h100", changes=[later]
    )
    pause = _paused(now - 30 * HOUR_US, 90 * MINUTE_US)
    return _with_instances(world, random, reservation, [([pause], reservation.end_us)])


def _cpu(world: World, random: Random) -> Orders:
    """A CPU machine whose reservation no list has: it is paused once, and says RUNNING twice in a row."""
    now = world.now_us
    reservation = _reservation(
        world, random, "cpu-reserved", start_us=now - 140 * HOUR_US, hours=336, type_key="cpu", listed=False
    )
    pause = _paused(now - 80 * HOUR_US, 2 * HOUR_US)
    again = Break("RUNNING", now - 60 * HOUR_US, now - 59 * HOUR_US, "RUNNING")
    return _with_instances(world, random, reservation, [([pause, again], reservation.end_us)])


def _scripted_bid(world: World, random: Random) -> Orders:
    """Three instances of one bid, over the scripted spikes.

    The first gets a notice that passes, is preempted and starts again, is relocated, and has a gap in
    its prices. The second is preempted for good. The third is replaced, and the list has it no more.
    """
    now = world.now_us
    line = world.lines[_SCRIPTED]
    bid = new_bid(world, random, _SCRIPTED, created_us=now - 145 * HOUR_US, quantity=3, limit_cents=_LIMIT_CENTS)
    relocated = Break("RELOCATING", now - 70 * HOUR_US, now - 70 * HOUR_US + NOTICE_US, "RUNNING")
    replaced = Break("RELOCATING", now - 120 * HOUR_US, now - 120 * HOUR_US + NOTICE_US, "REPLACED")
    plans = [
        SpotPlan(now - 145 * HOUR_US, 10 * DAY_US, [relocated]),
        SpotPlan(now - 144 * HOUR_US),
        SpotPlan(now - 143 * HOUR_US, breaks=[replaced]),
    ]
    instances = []
    for number, plan in enumerate(plans, start=1):
        changes = until_end(world, spot_story(random, line.above(_LIMIT_CENTS), plan))
        instances.append(new_instance(random, bid, number, changes, billed_prices(line, changes)))
    first, _, third = instances
    first.prices = with_gap(first.prices, now - 50 * HOUR_US + 1_500, now - 47 * HOUR_US)
    third.listed = False
    return Orders([bid], [], instances)


def _gone_type(world: World, random: Random) -> Orders:
    """A spot instance of a type that the list has no more; it has failed since."""
    now = world.now_us
    market = (GONE.key, GONE.regions[0])
    line = world.lines[market]
    bid = new_bid(
        world, random, market, created_us=now - 130 * HOUR_US, quantity=1, limit_cents=5 * GONE.usual_price_cents
    )
    failed = Break("FAILED", now - 10 * HOUR_US, now + 3 * HOUR_US, "TERMINATED")
    plan = SpotPlan(now - 130 * HOUR_US, breaks=[Break("ERROR", now - 66 * HOUR_US, now - 64 * HOUR_US), failed])
    changes = until_end(world, spot_story(random, line.above(bid.limit_price_cents), plan))
    return Orders([bid], [], [new_instance(random, bid, 1, changes, billed_prices(line, changes))])
