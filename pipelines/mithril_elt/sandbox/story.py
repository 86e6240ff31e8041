"""How the story of an instance is told: change after change, and the whole of it for a reserved one.

Stands after `account` in the sandbox's fleet: `spot`, `orders` and `special` tell with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import MINUTE_US, StatusChange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

__all__ = ["SECOND_US", "UP", "Break", "Tale", "ended", "moment", "reserved_story", "span"]

SECOND_US = 1_000_000
UP = frozenset({"STATUS_RUNNING", "STATUS_PREEMPTING", "STATUS_RELOCATING"})


@dataclass(frozen=True)
class Break:
    """From `from_us` until `until_us` the instance has another status, to the microsecond; then comes `then`.

    `then` is RUNNING (at once), STARTING (and RUNNING after that), or TERMINATED or REPLACED (the end).
    """

    status: str
    from_us: int
    until_us: int
    then: str = "STARTING"


def moment(random: Random, at_us: int) -> int:
    """That instant as a log would have it: mostly whole seconds, often milliseconds, some microseconds."""
    grain = random.choice((SECOND_US,) * 6 + (1_000,) * 3 + (1,))
    return at_us // grain * grain


def span(random: Random, low_us: int, high_us: int) -> int:
    """A random length between the two, both included."""
    return random.randint(low_us, high_us)


class Tale:
    """The changes of one instance so far. Time only goes on: a change told too early moves behind the last."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.changes: list[StatusChange] = []

    def tell(self, status: str, at_us: int) -> int:
        """Adds a change at about `at_us`; returns when it was."""
        return self.tell_exactly(status, moment(self.random, at_us))

    def tell_exactly(self, status: str, at_us: int) -> int:
        """Adds a change at `at_us` to the microsecond; returns when it was."""
        if self.changes:
            at_us = max(at_us, self.changes[-1].at_us + 1)
        self.changes.append(StatusChange(at_us, f"STATUS_{status}"))
        return at_us

    def ordered(self, at_us: int) -> int:
        """NEW and CONFIRMED; returns when it was confirmed."""
        at_us = self.tell("NEW", at_us)
        return self.tell("CONFIRMED", at_us + span(self.random, 2 * SECOND_US, 10 * SECOND_US))

    def initialized(self, at_us: int) -> int:
        """INITIALIZING; returns when it can start."""
        at_us = self.tell("INITIALIZING", at_us + span(self.random, 2 * SECOND_US, 40 * SECOND_US))
        return at_us + span(self.random, 5 * SECOND_US, 60 * SECOND_US)


def ended(random: Random, changes: Sequence[StatusChange], at_us: int) -> list[StatusChange]:
    """The story given up at `at_us`: STOPPING and TERMINATED where it was up, else TERMINATED at once.

    What was told for later is dropped; a story that is over by then, or begins later, is left as it is.
    """
    kept = [change for change in changes if change.at_us < at_us]
    if not kept or kept[-1].status in {"STATUS_TERMINATED", "STATUS_REPLACED"}:
        return list(changes)
    if kept[-1].status in UP:
        kept.append(StatusChange(at_us, "STATUS_STOPPING"))
        at_us = moment(random, at_us + span(random, 30 * SECOND_US, 90 * SECOND_US))
    return [*kept, StatusChange(at_us, "STATUS_TERMINATED")]


def reserved_story(random: Random, begins_us: int, breaks: Sequence[Break], ends_us: int) -> list[StatusChange]:
    """A reserved instance: it starts, lives through its breaks (in order of time) and is ended at `ends_us`.

    PAUSED is led in by STOPPING and out by CONFIRMED, STARTING and, within 7 minutes, RUNNING. Breaks
    need a quarter of an hour between them, and the first half an hour after the beginning.
    """
    tale = Tale(random)
    starting_us = tale.tell("STARTING", tale.initialized(tale.ordered(begins_us)))
    tale.tell("RUNNING", starting_us + span(random, MINUTE_US, 20 * MINUTE_US))
    for stop in breaks:
        if stop.status == "PAUSED":
            tale.tell("STOPPING", stop.from_us - span(random, 20 * SECOND_US, 60 * SECOND_US))
        tale.tell_exactly(stop.status, stop.from_us)
        restart_us = stop.until_us
        if stop.status == "PAUSED":
            tale.tell_exactly("CONFIRMED", restart_us)
            restart_us += span(random, 2 * SECOND_US, 20 * SECOND_US)
        if stop.then == "STARTING":
            restart_us = tale.tell("STARTING", restart_us)
            tale.tell("RUNNING", restart_us + span(random, SECOND_US, 7 * MINUTE_US - 20 * SECOND_US))
        else:
            tale.tell_exactly(stop.then, restart_us)
    return ended(random, tale.changes, ends_us)
