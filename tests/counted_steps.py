"""Any short life, and its figures counted step by step from what holds at each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from mithril_elt.sandbox.account import HOUR_US, Instance, PricePeriod, Reservation
from truth_by_hand import DAY_US, T, make_instance, make_reservation

LIFECYCLE = (
    "NEW", "CONFIRMED", "INITIALIZING", "STARTING", "RUNNING", "RELOCATING", "PREEMPTING", "STOPPING", "PAUSED",
    "PREEMPTED", "ERROR", "FAILED", "REPLACED", "TERMINATED",
)  # fmt: skip
PHASE = {
    "NEW": "waiting", "CONFIRMED": "waiting", "INITIALIZING": "waiting", "STARTING": "starting", "RUNNING": "running",
    "RELOCATING": "noticed", "PREEMPTING": "noticed", "STOPPING": "stopping", "PAUSED": "paused",
    "PREEMPTED": "interrupted", "ERROR": "interrupted", "FAILED": "unknown",
}  # fmt: skip
STEPS = 36


@dataclass
class Story:
    """Everything in steps of `step_us` from `T`: nothing changes inside a step but the day."""

    step_us: int
    is_spot: bool
    names_both: bool  # a spot instance that names the reservation too
    changes: list[tuple[int, str]]
    prices: list[tuple[int, int | None, int]]
    start: int
    end: int
    canceled: int | None
    terms: list[tuple[int, int, int | None]]
    quantity: int
    as_of: int

    def parts(self) -> tuple[Instance, Reservation]:
        """The story as the account's data."""
        instance = make_instance(
            *((step * self.step_us, status) for step, status in self.changes),
            prices=[
                PricePeriod(start * self.step_us, None if end is None else end * self.step_us, cents)
                for start, end, cents in self.prices
            ],
            bid="bid_1" if self.is_spot else None,
            reservation=None if self.is_spot and not self.names_both else "res_1",
            created_at_us=T - DAY_US,
        )
        reservation = make_reservation(
            *((step * self.step_us, unit, pause) for step, unit, pause in self.terms),
            placed_at_us=T + self.terms[0][0] * self.step_us,
            start_us=T + self.start * self.step_us,
            end_us=T + self.end * self.step_us,
            canceled_at_us=None if self.canceled is None else T + self.canceled * self.step_us,
            instance_quantity=self.quantity,
        )
        return instance, reservation


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Short lives with everything at once: equal instants, overlapping prices, terms at any time, odd steps."""
    step = st.integers(0, STEPS)
    step_us = draw(st.sampled_from([HOUR_US // 3 - 1, HOUR_US // 3, HOUR_US // 3 + 1, HOUR_US // 2, HOUR_US, 1]))
    start = draw(st.integers(0, STEPS - 1))
    end = draw(st.integers(start + 1, STEPS + 5))
    first = (draw(st.integers(-2, start)), draw(st.integers(1, 99)), draw(st.none() | st.integers(0, 99)))
    changed = draw(st.lists(st.integers(first[0] + 1, STEPS), unique=True, max_size=3).map(sorted))
    likely = st.sampled_from((*LIFECYCLE, *("RUNNING", "PAUSED") * 5))
    return Story(
        step_us=step_us,
        is_spot=draw(st.booleans()),
        names_both=draw(st.booleans()),
        changes=draw(st.lists(st.tuples(step, likely), unique=True, min_size=1, max_size=14)),
        prices=[
            (at, draw(st.none() | st.integers(at + 1, STEPS + 3)), draw(st.integers(1, 99)))
            for at in draw(st.lists(step, unique=True, max_size=8).map(sorted))
        ],
        start=start,
        end=end,
        canceled=draw(st.none() | st.integers(start + 1, end)),
        terms=[first, *((at, draw(st.integers(1, 99)), draw(st.none() | st.integers(0, 99))) for at in changed)],
        quantity=draw(st.integers(1, 3)),
        as_of=draw(st.integers(0, STEPS)),
    )


class Counted:
    """The figures of a story, counted step by step from what holds at each."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.steps = range(story.as_of)
        self.status = [self.status_at(step) for step in self.steps]
        canceled = story.canceled
        self.end = story.end if canceled is None or canceled > story.as_of else min(canceled, story.end)

    def status_at(self, step: int) -> str | None:
        past = [(at, LIFECYCLE.index(status)) for at, status in self.story.changes if at <= step]
        status = LIFECYCLE[max(past)[1]] if past else None
        return None if status in {"TERMINATED", "REPLACED"} else status

    def is_up(self, step: int) -> bool:
        return self.status[step] in {"RUNNING", "RELOCATING", "PREEMPTING"}

    def price_at(self, step: int) -> int | None:
        begun = [period for period in self.story.prices if period[0] <= step]
        if not begun:
            return None
        _, end, cents = max(begun, key=lambda period: period[0])
        return cents if end is None or step < end else None

    def is_reserved(self, step: int) -> bool:
        return not self.story.is_spot and self.story.start <= step < self.end and self.is_placed()

    def is_placed(self) -> bool:
        return self.story.terms[0][0] <= self.story.as_of

    def unit_at(self, step: int) -> int:
        return [unit for number, (at, unit, _) in enumerate(self.story.terms) if not number or at <= step][-1]

    def rate_at(self, step: int) -> int | None:
        named = [pause for at, _, pause in self.story.terms if at <= step and pause is not None]
        return named[-1] if named else None

    def is_idle(self, step: int) -> bool:
        return self.status[step] is not None and self.status[step] != "PAUSED" and not self.is_up(step)

    def run_of(self, step: int, *, paused: bool) -> int:
        """How many steps the run around this one has, inside the window."""

        def belongs(other: int) -> bool:
            inside = 0 <= other < self.story.as_of and self.is_reserved(other)
            return inside and (self.status[other] == "PAUSED" if paused else self.is_idle(other))

        first = last = step
        while belongs(first - 1):
            first -= 1
        while belongs(last + 1):
            last += 1
        return last - first + 1

    def earned(self, steps: list[int]) -> tuple[int, int | None]:
        """Time, and what it earns; an hour with a part that has no rate counts for nothing. None if all hours do."""
        parts = [(hour, lasts_us, self.rate_at(step)) for step in steps for hour, lasts_us in self.cut(step, HOUR_US)]
        unknown = {hour for hour, _, rate in parts if rate is None}
        known = [lasts_us * (rate or 0) for hour, lasts_us, rate in parts if hour not in unknown]
        return sum(lasts_us for _, lasts_us, _ in parts), None if steps and not known else sum(known)

    def cut(self, step: int, unit_us: int) -> list[tuple[int, int]]:
        """The step cut where a UTC day or hour begins: its number since 1970, and how long the part is."""
        parts = []
        from_us, until_us = T + step * self.story.step_us, T + (step + 1) * self.story.step_us
        while from_us < until_us:
            cut_us = min(until_us, from_us - from_us % unit_us + unit_us)
            parts.append((from_us // unit_us, cut_us - from_us))
            from_us = cut_us
        return parts

    def paused(self, *, is_long: bool) -> list[int]:
        inside = [step for step in self.steps if self.is_reserved(step) and self.status[step] == "PAUSED"]
        return [step for step in inside if (self.run_of(step, paused=True) * self.story.step_us >= HOUR_US) == is_long]

    def unclaimed(self) -> list[int]:
        inside = [step for step in self.steps if self.is_reserved(step) and self.is_idle(step)]
        return [step for step in inside if self.run_of(step, paused=False) * self.story.step_us >= HOUR_US]

    def up_by_day(self) -> dict[str, int]:
        """Up time by UTC day: each step cut at midnight where one lies inside."""
        days: dict[str, int] = {}
        for step in self.steps:
            for number, lasts_us in self.cut(step, DAY_US):
                day = f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=number):%Y-%m-%d}"
                days[day] = days.get(day, 0) + (lasts_us if self.is_up(step) else 0)
        return {day: us for day, us in days.items() if us}

    def next_running(self, after: int) -> int | None:
        for step in range(after + 1, self.story.as_of):
            if self.status[step] == "RUNNING" and self.status[step - 1] != "RUNNING":
                return (step - after) * self.story.step_us
        return None

    def turns(self) -> tuple[int, list[int], list[int]]:
        """Interruptions, times to mend, times to start."""
        interruptions, mended, started = 0, [], []
        on_its_way = {"waiting", "starting"}
        for step in self.steps:
            now = PHASE.get(self.status[step] or "")
            before = PHASE.get(self.status[step - 1] or "") if step else None
            took = self.next_running(step)
            if now == "interrupted" and before not in {None, "interrupted"}:
                interruptions += 1
                mended += [took] if took is not None and self.is_up(step - 1) else []
            if now in on_its_way and before not in {*on_its_way, "running", "noticed"} and took is not None:
                started.append(took)
        return interruptions, mended, started
