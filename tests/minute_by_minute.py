"""Small stories told in whole minutes, and their figures by brute force: one minute at a time, nothing clever.

It shares nothing with the SQL but the rules, and no rounding can hide: every figure is a count of minutes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from random import Random
from typing import Any

__all__ = ["LAST", "MINUTE_US", "Figures", "Grant", "Machine", "Order", "Story", "at", "made_up"]

FIRST = datetime.fromisoformat("2026-03-30T22:00")
LAST = 500
MINUTE_US = 60_000_000
HOUR = 60

LIFECYCLE = (
    *("NEW", "CONFIRMED", "INITIALIZING", "STARTING", "RUNNING", "RELOCATING", "PREEMPTING", "STOPPING"),
    *("PAUSED", "PREEMPTED", "ERROR", "SCHEDULED", "REPLACED", "TERMINATED"),
)
UP = {"RUNNING", "RELOCATING", "PREEMPTING"}
DOWN = {"PREEMPTED", "ERROR"}
OVER = {"REPLACED", "TERMINATED"}
PHASE = {"RUNNING": "running", "RELOCATING": "noticed", "PREEMPTING": "noticed", "STOPPING": "stopping"}
PHASE |= {"PAUSED": "paused", "PREEMPTED": "interrupted", "ERROR": "interrupted", "SCHEDULED": "unknown"}
PHASE |= {"STARTING": "starting"} | dict.fromkeys(("NEW", "CONFIRMED", "INITIALIZING"), "waiting")


def at(minute: int) -> datetime:
    """The instant of a minute."""
    return FIRST + timedelta(minutes=minute)


def hour_of(minute: int) -> datetime:
    """The start of the hour of a minute."""
    return at(minute - minute % HOUR)


@dataclass(frozen=True)
class Grant:
    """A terms period."""

    start: int
    end: int
    quantity: int
    cents: int


@dataclass(frozen=True)
class Order:
    """A reservation: its window, grants, pause rates as (minute, cents or None) and when it was cut, if it was."""

    name: str
    start: int
    end: int
    grants: tuple[Grant, ...]
    rates: tuple[tuple[int, int | None], ...]
    cut: int | None = None

    def window_at(self, minute: int) -> bool:
        """Whether the minute is inside the window."""
        return self.start <= minute < (self.end if self.cut is None else min(self.end, self.cut))

    def grants_at(self, minute: int) -> list[Grant]:
        """The grants in force, the one that began first before the others."""
        inside = [g for g in self.grants if g.start <= minute < g.end]
        return sorted(inside, key=lambda g: g.start) if self.window_at(minute) else []

    def rate_at(self, minute: int) -> int | None:
        """The pause rate in force."""
        said = [(start, cents) for start, cents in self.rates if start <= minute and cents is not None]
        return max(said, key=lambda pair: pair[0])[1] if said else None


@dataclass(frozen=True)
class Machine:
    """An instance: status events as (minute, status), prices as (start, end or None, cents)."""

    name: str
    bid: str | None
    order: str | None
    gpus: int | None
    events: tuple[tuple[int, str], ...]
    prices: tuple[tuple[int, int | None, int], ...]

    def status_at(self, minute: int) -> str | None:
        """The status in that minute; None before the first and after the end."""
        known = [(t, LIFECYCLE.index(status)) for t, status in self.events if t <= minute]
        status = LIFECYCLE[max(known)[1]] if known else None
        return None if status in OVER else status

    def price_at(self, minute: int) -> int | None:
        """The price in that minute, None where no period covers it."""
        begun = [period for period in self.prices if period[0] <= minute]
        if not begun:
            return None
        _, end, cents = max(begun, key=lambda period: period[0])
        return cents if end is None or minute < end else None


@dataclass(frozen=True)
class Story:
    """All that happened, and the minute up to which it was read."""

    machines: tuple[Machine, ...]
    orders: tuple[Order, ...]
    as_of: int

    def known_at(self, minute: int) -> Story:
        """The story as it could be read at a minute: nothing later, and the prices of then still open."""
        machines = []
        for machine in self.machines:
            begun = [period for period in machine.prices if period[0] < minute]
            prices = tuple((s, None if end is not None and end >= minute else end, cents) for s, end, cents in begun)
            events = tuple(event for event in machine.events if event[0] < minute)
            machines.append(replace(machine, events=events, prices=prices))
        orders = [replace(o, cut=None) if o.cut is not None and o.cut > minute else o for o in self.orders]
        return Story(tuple(machines), tuple(orders), minute)


@dataclass
class Figures:
    """What the marts must say, in minutes and cent-minutes; an unknown amount is None."""

    hours: dict[tuple[str, datetime], dict[str, Any]] = field(default_factory=dict)
    order_hours: dict[tuple[str, datetime], dict[str, int]] = field(default_factory=dict)
    pauses: dict[tuple[str, datetime], tuple[int, int | None]] = field(default_factory=dict)
    interruptions: dict[tuple[str, datetime], int | None] = field(default_factory=dict)
    starts: dict[tuple[str, datetime], int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, story: Story) -> Figures:
        """The figures of a story, with nothing in them that is past its end."""
        figures, story = cls(), story.known_at(story.as_of)
        for machine in story.machines:
            figures._add_machine(machine, story)
        for order in story.orders:
            figures._add_order(order, story)
        return figures

    def _add_machine(self, machine: Machine, story: Story) -> None:
        minutes = [m for m in range(story.as_of) if machine.status_at(m)]
        order = next((o for o in story.orders if machine.bid is None and o.name == machine.order), None)
        for minute in minutes:
            self._count(machine, order, minute)
        self._add_changes(machine, minutes)
        if order:
            self._add_credits(machine, order, minutes)

    def _count(self, machine: Machine, order: Order | None, minute: int) -> None:
        row = self.hours.setdefault((machine.name, hour_of(minute)), defaultdict(int))
        status = machine.status_at(minute) or ""
        price = machine.price_at(minute)
        counted = {PHASE[status]: True, "up": status in UP, "down": status in DOWN}
        counted["billed"] = machine.bid is not None and status in UP
        counted["priced"] = counted["billed"] and price is not None
        in_force = order.grants_at(minute) if order and status in UP else []
        counted["used"] = bool(in_force)
        for name, happens in counted.items():
            row[name] += int(happens)
        row["cost"] += price if counted["priced"] and price is not None else 0
        row["allocated"] += in_force[0].cents if in_force else 0

    def _add_changes(self, machine: Machine, minutes: list[int]) -> None:
        running = [m for m in minutes if machine.status_at(m) == "RUNNING"]
        for minute in minutes:
            before, now = machine.status_at(minute - 1), machine.status_at(minute)
            next_run = next((m for m in running if m >= minute), None)
            after = None if next_run is None else next_run - minute
            if now in DOWN and before is not None and before not in DOWN:
                self.interruptions[machine.name, at(minute)] = after if before in UP else None
            is_asked = PHASE[now or ""] in {"waiting", "starting"}
            if is_asked and before not in UP and PHASE.get(before or "") not in {"waiting", "starting"}:
                self.starts[machine.name, at(minute)] = after

    def _add_credits(self, machine: Machine, order: Order, minutes: list[int]) -> None:
        inside = [m for m in minutes if order.window_at(m)]
        for pause in _runs(m for m in inside if machine.status_at(m) == "PAUSED"):
            is_credited = len(pause) >= HOUR
            self._add_rated(machine, order, pause, "credited" if is_credited else "short")
            rates = [order.rate_at(m) for m in pause]
            amount = None if None in rates else sum(rate or 0 for rate in rates)
            self.pauses[machine.name, at(pause[0])] = (len(pause), amount if is_credited else 0)
        idle = (m for m in inside if machine.status_at(m) not in UP | {"PAUSED"})
        for stretch in _runs(idle):
            if len(stretch) >= HOUR:
                self._add_rated(machine, order, stretch, "unclaimed")

    def _add_rated(self, machine: Machine, order: Order, minutes: list[int], kind: str) -> None:
        for minute in minutes:
            row = self.hours[machine.name, hour_of(minute)]
            row[kind] += 1
            rate, amount = order.rate_at(minute), row[f"{kind}_cents"]
            row[f"{kind}_cents"] = None if rate is None or amount is None else amount + rate

    def _add_order(self, order: Order, story: Story) -> None:
        users = [m for m in story.machines if m.bid is None and m.order == order.name]
        for minute in range(story.as_of):
            in_force = order.grants_at(minute)
            used = sum(machine.status_at(minute) in UP for machine in users) if in_force else 0
            if in_force:
                row = self.order_hours.setdefault((order.name, hour_of(minute)), defaultdict(int))
                row["reserved"] += sum(g.quantity for g in in_force)
                row["used"] += used
                row["used_cents"] += used * in_force[0].cents
                row["unused_cents"] += sum(g.quantity * g.cents for g in in_force) - used * in_force[0].cents


def _runs(minutes: Iterable[int]) -> Iterator[list[int]]:
    """Unbroken runs of minutes."""
    ordered = list(minutes)
    breaks = [0, *(i for i, (a, b) in enumerate(pairwise(ordered), 1) if b != a + 1), len(ordered)]
    yield from (ordered[a:b] for a, b in pairwise(breaks) if a < b)


def made_up(seed: int) -> Story:
    """A story of six instances and two reservations in which about everything can happen; the same for one seed."""
    dice = Random(seed)  # the same story each time, not a secret
    return Story(
        tuple(_machine(dice, f"inst_{n}") for n in range(6)),
        (_order(dice, "res_a"), _order(dice, "res_b")),
        dice.choice([LAST, LAST, dice.randint(1, LAST)]),
    )


def _machine(dice: Random, name: str) -> Machine:
    bid, order = dice.choice(
        [("bid_a", None), (None, "res_a"), (None, "res_b"), ("bid_a", "res_a"), (None, "res_gone")]
    )
    gaps = (0, 1, 10, 30, 59, 60, 61, 100, 150)
    times = accumulate(dice.choice(gaps) for _ in range(dice.randint(0, 12)))
    likely = [
        *LIFECYCLE,
        *("RUNNING", "PAUSED") * 6,
        *("STOPPING", "CONFIRMED") * 2,
        "PREEMPTED",
        "PREEMPTING",
        "STARTING",
    ]
    events = {(time, dice.choice(likely)) for time in times}
    starts = sorted(dice.sample(range(LAST), dice.randint(0, 8)))
    prices = tuple((s, dice.choice([None, s + dice.randint(0, 200)]), dice.randint(1, 9)) for s in starts)
    return Machine(name, bid, order, dice.choice([None, 0, 8]), tuple(sorted(events)), prices)


def _order(dice: Random, name: str) -> Order:
    """Terms with gaps and overlaps, rates that come late, are taken back or never come."""
    start = dice.choice([0, 30, 100])
    grants = tuple(
        Grant(s, s + dice.randint(30, 400), dice.randint(1, 3), dice.randint(1, 9))
        for s in sorted(dice.sample(range(0, 300, 10), dice.randint(1, 3)))
    )
    times = sorted({0, *dice.sample(range(LAST), 3)})[dice.choice([0, 0, 0, 1, 4]) :]
    rates = tuple((time, dice.choice([None, 1, 2, 3, 4])) for time in times)
    return Order(name, start, start + dice.randint(60, LAST), grants, rates, dice.choice([None, dice.randint(0, LAST)]))
