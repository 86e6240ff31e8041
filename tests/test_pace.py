"""The pace of requests beside servers that refuse what is too fast: by a clock that only waiting moves."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import anyio
import pytest

from mithril_elt import limits
from mithril_elt.limits import Pace

ON_ITS_WAY_S = 0.05  # exact-ok: a wait


class Clock:
    """A clock that stands still but for what is waited."""

    def __init__(self) -> None:
        self.now_s = 1000.0  # exact-ok: of a steady clock

    def monotonic(self) -> float:  # exact-ok: as above
        """As the module `time` has it."""
        return self.now_s

    async def sleep(self, wait_s: float) -> None:  # exact-ok: a wait
        """As the module `anyio` has it."""
        self.now_s += wait_s + 1e-9


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The clock that paces go by."""
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    monkeypatch.setattr(limits, "anyio", SimpleNamespace(sleep=clock.sleep, Lock=anyio.Lock))
    return clock


class Bucket:
    """A limit: so many requests a second, the first ones at once."""

    def __init__(self, clock: Clock, per_second: float, at_once: float) -> None:  # exact-ok: a pace
        self.clock, self.per_second, self.at_once = clock, per_second, at_once
        self.left, self.at_s = at_once, clock.now_s

    def __call__(self) -> bool:
        """Whether a request is answered."""
        self.left = min(self.at_once, self.left + (self.clock.now_s - self.at_s) * self.per_second)
        self.at_s = self.clock.now_s
        is_good = self.left >= 1
        self.left -= is_good
        return is_good


def refusals(pace: Pace, clock: Clock, answers: Callable[[], bool], requests: int, at_once: int = 16) -> list[bool]:
    """Which of so many requests are refused, where each answer comes a little after its request left."""

    async def ask() -> list[bool]:
        refused, coming = [], list[tuple[float, float, bool]]()
        for _ in range(requests):
            while coming and (len(coming) == at_once or coming[0][0] <= clock.now_s):
                at_s, left_at_s, is_good = heapq.heappop(coming)
                clock.now_s = max(clock.now_s, at_s)
                if is_good:
                    pace.speed_up(left_at_s)
                else:
                    pace.slow_down(0, left_at_s)
            left_at_s = await pace.wait()
            refused.append(not answers())
            heapq.heappush(coming, (clock.now_s + ON_ITS_WAY_S, left_at_s, not refused[-1]))
        return refused

    return anyio.run(ask)


@pytest.mark.shows(35)
@pytest.mark.parametrize("concurrency", [1, 16])
@pytest.mark.parametrize("at_once", [1, 10])
@pytest.mark.parametrize("per_second", [1, 5, 10, 50, 100])
def test_a_steady_limit_refuses_less_than_one_in_a_hundred(
    clock: Clock, per_second: int, at_once: int, concurrency: int
) -> None:
    """Once its pace was found; and three quarters of what it allows are used."""
    pace, answers = Pace(None), Bucket(clock, per_second, at_once)
    refusals(pace, clock, answers, 500, concurrency)
    began_at_s = clock.now_s
    refused = refusals(pace, clock, answers, 3000, concurrency)
    assert sum(refused) < 30
    allowed = min(per_second, concurrency / ON_ITS_WAY_S) * (clock.now_s - began_at_s)
    assert 3000 - sum(refused) > allowed * 3 / 4


@pytest.mark.shows(35)
def test_a_limit_of_one_in_five_seconds_is_found(clock: Clock) -> None:
    """The slowest that is met: most of what is asked is answered."""
    pace, answers = Pace(None), Bucket(clock, 0.2, 1)
    refusals(pace, clock, answers, 50, 1)
    assert sum(refusals(pace, clock, answers, 100, 1)) < 10


@pytest.mark.parametrize("lasts_s", [1, 30])
def test_a_server_that_refused_all_for_a_while_is_soon_asked_as_before(clock: Clock, lasts_s: int) -> None:
    """What it refused then says nothing of a pace: 300 answers and two minutes later none is left of it."""
    pace, over_at_s = Pace(None), clock.now_s + 5 + lasts_s
    refusals(pace, clock, lambda: not over_at_s - lasts_s <= clock.now_s < over_at_s, 2000)
    while clock.now_s < over_at_s:
        refusals(pace, clock, lambda: clock.now_s >= over_at_s, 1)
    assert not any(refusals(pace, clock, lambda: True, 300))
    assert clock.now_s - over_at_s < 120
    assert pace._gap_s < 0.05


def test_a_few_refusals_that_have_nothing_to_do_with_the_pace_cost_seconds(clock: Clock) -> None:
    """Every other request is refused, six of twelve: each halves the pace at which they truly left, no more."""
    pace, times = Pace(None), iter(range(12))
    began_at_s = clock.now_s
    refused = refusals(pace, clock, lambda: next(times) % 2 == 1, 12, at_once=1)
    assert sum(refused) == 6
    assert clock.now_s - began_at_s < 20


def test_a_limit_that_was_lifted_is_forgotten(clock: Clock) -> None:
    """A thousand good answers past the pace that was refused, there is no limit again."""
    pace = Pace(None)
    refusals(pace, clock, Bucket(clock, 10, 1), 500)
    refusals(pace, clock, lambda: True, 1500)
    assert pace._gap_s == 0


def test_the_pace_recovers(clock: Clock) -> None:
    """One refusal halves it; good answers bring it back to what was asked for, and not past that."""
    pace = Pace(100)
    pace.slow_down(0, clock.now_s)
    pace.slow_down(0, clock.now_s)  # which left before the first was heard
    assert pace._gap_s == pytest.approx(0.02)
    pace.speed_up(clock.now_s)  # as above
    assert pace._gap_s == pytest.approx(0.02)
    pace.speed_up(clock.now_s + 1)
    assert 0.01 < pace._gap_s < 0.02
    for _ in range(900):
        pace.speed_up(clock.now_s + 1)
    assert pace._gap_s == pytest.approx(0.01)


def test_time_in_which_nothing_was_to_be_asked_is_no_pace(clock: Clock) -> None:
    """Between two windows nothing is asked for seconds: a refusal after that halves the pace before it, no more."""
    pace, now_s = Pace(None), clock.now_s
    pace._left_at_s.extend([now_s - 60, now_s - 50, now_s - 40, *(now_s - 0.5 + n * 0.05 for n in range(10))])
    pace.slow_down(0, now_s)
    assert pace._gap_s == pytest.approx(0.1)


def test_a_slow_pace_recovers_in_seconds() -> None:
    """However slow it was made: two hundred answers, not a thousand, and a run is as fast as before."""
    pace, waited_s = Pace(50), 0.0
    pace._gap_s = 10.0
    for _ in range(200):
        waited_s += pace._gap_s
        pace.speed_up(1.0)
    assert pace._gap_s < 0.06
    assert waited_s < 100
