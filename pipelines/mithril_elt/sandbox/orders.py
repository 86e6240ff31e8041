"""Orders as people make them by chance: spot bids and flexible reservations, with the instances they get.

Stands after `spot` and `story` in the sandbox's fleet: `fleet` draws orders until the account is full.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    Bid,
    Instance,
    PricePeriod,
    Reservation,
    StatusChange,
    Terms,
)
from mithril_elt.sandbox.catalogue import TRADED, new_fid
from mithril_elt.sandbox.spot import NOTICE_US, SpotPlan, billed_prices, spot_story
from mithril_elt.sandbox.story import SECOND_US, Break, ended, moment, reserved_story, span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from mithril_elt.sandbox.account import InstanceType
    from mithril_elt.sandbox.markets import MarketLine

__all__ = ["Orders", "World", "draw_bid", "draw_reservation", "new_bid", "new_instance", "until_end"]

_EDGES_US = (HOUR_US - 1_000, HOUR_US, HOUR_US + 1_000)
_WORK = ("train", "sweep", "eval", "finetune", "serve", "distill", "render", "pretrain")


@dataclass(frozen=True)
class World:
    """What all orders share: the time that is told, who orders, what is offered and what it costs."""

    start_us: int
    now_us: int
    ends_us: int
    projects: Sequence[str]
    users: Sequence[str]
    types: dict[str, InstanceType]
    lines: dict[tuple[str, str], MarketLine]


@dataclass
class Orders:
    """Bids and reservations, and the instances they got."""

    bids: list[Bid] = field(default_factory=list)
    reservations: list[Reservation] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)

    def add(self, more: Orders) -> None:
        """Takes in other orders."""
        self.bids += more.bids
        self.reservations += more.reservations
        self.instances += more.instances


def until_end(world: World, changes: Sequence[StatusChange]) -> list[StatusChange]:
    """The changes up to the end of the time that is told."""
    return [change for change in changes if change.at_us < world.ends_us]


def new_instance(
    random: Random,
    order: Bid | Reservation,
    number: int,
    changes: list[StatusChange],
    prices: list[PricePeriod] | None = None,
) -> Instance:
    """An instance of that order; it was created with its first change."""
    return Instance(
        fid=new_fid(random, "inst_"),
        name=f"{order.name}-{number}",
        project=order.project,
        created_by=order.created_by,
        created_at_us=changes[0].at_us,
        instance_type=order.instance_type,
        region=order.region,
        bid=order.fid if isinstance(order, Bid) else None,
        reservation=order.fid if isinstance(order, Reservation) else None,
        changes=changes,
        prices=prices or [],
    )


def new_bid(
    world: World, random: Random, market: tuple[str, str], *, created_us: int, quantity: int, limit_cents: int
) -> Bid:
    """A bid by anyone for anything, in that market."""
    return Bid(
        fid=new_fid(random, "bid_"),
        name=f"{random.choice(_WORK)}-{random.randint(1, 99)}",
        project=random.choice(world.projects),
        created_by=random.choice(world.users),
        created_at_us=created_us,
        instance_type=world.types[market[0]].fid,
        region=market[1],
        instance_quantity=quantity,
        limit_price_cents=limit_cents,
    )


def draw_bid(world: World, random: Random, placed_us: int, most: int) -> Orders:
    """A spot bid of 1 to 6 (at most `most`) instances, with its instances."""
    offer = random.choice(TRADED)
    market = (offer.key, random.choice(offer.regions))
    line = world.lines[market]
    limit_cents = offer.usual_price_cents * random.randint(100, 260) // 100
    quantity = min(most, random.randint(1, 6))
    bid = new_bid(world, random, market, created_us=placed_us, quantity=quantity, limit_cents=limit_cents)
    given_up_us = placed_us + span(random, 6 * HOUR_US, 40 * DAY_US)
    instances = []
    for number in range(1, bid.instance_quantity + 1):
        begins_us = placed_us + span(random, SECOND_US, 5 * MINUTE_US)
        plan = SpotPlan(begins_us, span(random, HOUR_US, 48 * HOUR_US), _spot_breaks(random, begins_us, world.ends_us))
        changes = until_end(world, ended(random, spot_story(random, line.above(limit_cents), plan), given_up_us))
        instances.append(new_instance(random, bid, number, changes, billed_prices(line, changes)))
    return Orders([bid], [], instances)


def _spot_breaks(random: Random, from_us: int, until_us: int) -> list[Break]:
    """What befalls a spot instance besides its price: an error or a relocation every week or so."""
    breaks = []
    at_us = from_us + span(random, HOUR_US, 14 * DAY_US)
    while at_us < until_us:
        at_us = moment(random, at_us)
        if random.randrange(2):
            then = random.choice(("STARTING",) * 5 + ("TERMINATED",))
            breaks.append(Break("ERROR", at_us, at_us + span(random, 5 * MINUTE_US, 6 * HOUR_US), then))
        else:
            then = random.choice(("RUNNING",) * 5 + ("STARTING",) * 3 + ("REPLACED",))
            breaks.append(Break("RELOCATING", at_us, at_us + NOTICE_US, then))
        at_us = breaks[-1].until_us + span(random, HOUR_US, 14 * DAY_US)
    return breaks


def draw_reservation(world: World, random: Random, placed_us: int, most: int) -> Orders:
    """A flexible reservation of 1 to 8 (at most `most`) instances, with its instances."""
    offer = random.choice(TRADED)
    start_us = moment(random, placed_us + SECOND_US + span(random, 0, 8 * HOUR_US))
    end_us = start_us + HOUR_US * random.choice((random.randint(3, 24), random.randint(24, 336), 168, 336))
    canceled_us = moment(random, span(random, start_us + HOUR_US, end_us)) if random.randrange(14) == 0 else None
    reservation = Reservation(
        fid=new_fid(random, "res_"),
        name=f"{random.choice(_WORK)}-reserved-{random.randint(1, 99)}",
        project=random.choice(world.projects),
        created_by=random.choice(world.users),
        placed_at_us=placed_us,
        start_us=start_us,
        end_us=end_us,
        instance_type=world.types[offer.key].fid,
        region=random.choice(offer.regions),
        instance_quantity=min(most, random.choice((1, 1, 2, 2, 3, 4, 4, 8))),
        terms=_terms(random, offer.usual_price_cents * random.randint(110, 170) // 100, placed_us, end_us),
        canceled_at_us=canceled_us,
    )
    instances = [
        new_instance(random, reservation, number, _reserved_changes(world, random, reservation))
        for number in range(1, reservation.instance_quantity + 1)
    ]
    return Orders([], [reservation], instances)


def _terms(random: Random, unit_cents: int, placed_us: int, end_us: int) -> list[Terms]:
    """Rates as a seller sets them; a third change once or twice, a few credit nothing for a pause."""
    credits_pauses = random.randrange(12) > 0
    changes = random.choice((0, 0, 0, 0, 1, 2))
    changed = sorted({moment(random, span(random, placed_us + HOUR_US, end_us - HOUR_US)) for _ in range(changes)})
    terms = []
    for from_us in (placed_us, *changed):
        pause_cents = unit_cents * random.randint(20, 60) // 100
        return_cents = pause_cents * random.randint(105, 140) // 100
        terms.append(Terms(from_us, unit_cents, pause_cents if credits_pauses else None, return_cents))
        unit_cents = unit_cents * random.randint(90, 110) // 100
    return terms


def _reserved_changes(world: World, random: Random, reservation: Reservation) -> list[StatusChange]:
    """The story of one instance of the reservation: some are returned early, some outlast it by seconds."""
    begins_us = reservation.start_us + span(random, SECOND_US, 60 * SECOND_US)
    end_us = min(reservation.end_us, reservation.canceled_at_us or reservation.end_us)
    ends_us = random.choice((end_us, end_us, moment(random, end_us + span(random, SECOND_US, 90 * SECOND_US))))
    if random.randrange(10) == 0:
        ends_us = moment(random, span(random, begins_us + HOUR_US // 2, end_us))
    breaks = _reserved_breaks(random, begins_us, min(end_us, ends_us))
    return until_end(world, reserved_story(random, begins_us, breaks, ends_us))


def _reserved_breaks(random: Random, begins_us: int, ends_us: int) -> list[Break]:
    """Mostly pauses, of every length that matters; now and then an error or a relocation."""
    breaks = []
    at_us = begins_us + HOUR_US // 2 + span(random, 0, 30 * HOUR_US)
    while at_us < ends_us:
        at_us = moment(random, at_us)
        kind = random.randrange(10)
        if kind == 0:
            breaks.append(Break("ERROR", at_us, at_us + span(random, 5 * MINUTE_US, 3 * HOUR_US)))
        elif kind == 1:
            breaks.append(Break("RELOCATING", at_us, at_us + NOTICE_US, "RUNNING"))
        else:
            breaks.append(Break("PAUSED", at_us, at_us + _pause_us(random)))
        at_us = breaks[-1].until_us + span(random, HOUR_US // 2, 30 * HOUR_US)
    return breaks


def _pause_us(random: Random) -> int:
    """How long a pause lasts: at the edge of an hour, shorter, longer, or days."""
    return random.choice(
        (
            random.choice(_EDGES_US),
            span(random, 10 * MINUTE_US, HOUR_US),
            moment(random, span(random, HOUR_US, 12 * HOUR_US)),
            moment(random, span(random, HOUR_US, 12 * HOUR_US)),
            moment(random, span(random, DAY_US, 4 * DAY_US)),
        )
    )
