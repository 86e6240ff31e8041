"""How hard a server is worked by a session: at a time, in a second, and after it refused; counted at the server."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import count, pairwise
from typing import Any

import anyio
import pytest

from mithril_elt.client import Client
from mithril_elt.errors import UsageError
from mithril_elt.limits import Limits, Pace
from scripted import Answer, Asked, scripted
from session import BUSY, ME, QUICK, in_session, many


@pytest.mark.parametrize(
    "limits",
    [
        {"concurrency": 0},
        {"concurrency": -1},
        {"concurrency": 1001},
        {"requests_per_second": 0},
        {"requests_per_second": -1.5},
        {"requests_per_second": float("nan")},
        {"requests_per_second": float("inf")},
        {"requests_per_second": 1e6},
        {"attempts": 0},
        {"budget_s": 0},
        {"timeout_s": 0},
        {"timeout_s": -1},
        {"backoff_s": -0.1},
        {"answer_bytes": 0},
        {"answer_bytes": -1},
        {"answer_bytes": 2**50},
    ],
)
def test_limits_without_a_meaning_are_wrong_usage(limits: dict[str, Any]) -> None:
    """One sentence that names the limit and what it may be."""
    [name] = limits
    with pytest.raises(UsageError, match=name.replace("_", "[-_ ]")):
        Limits(**limits)


@pytest.mark.parametrize("concurrency", [1, 5])
@pytest.mark.shows(35)
def test_the_concurrency_is_never_exceeded(concurrency: int) -> None:
    """Counted at the server, with many requests waiting and some that fail and come again."""
    numbers = count()

    def sometimes_busy(_: Asked) -> Answer:
        return replace(BUSY if next(numbers) % 7 == 3 else ME, after_s=0.01)

    with scripted(sometimes_busy) as server:
        many(server, 40, replace(QUICK, concurrency=concurrency))
    assert max(asked.at_once for asked in server.asked) == concurrency


@pytest.mark.shows(35)
def test_the_rate_is_never_exceeded() -> None:
    """Counted at the server, retries included; a request that was slow on its way may come close to the next."""
    per_second, slow_s, numbers = 40, 0.25, count()

    def sometimes_busy(_: Asked) -> Answer:
        return BUSY if next(numbers) % 5 == 3 else ME

    with scripted(sometimes_busy) as server:
        many(server, 24, replace(QUICK, requests_per_second=per_second, concurrency=8))
    came = sorted(asked.at_s for asked in server.asked)
    assert len(came) > 24
    for first, at_s in enumerate(came):
        for last in range(first, len(came)):
            assert last - first <= (came[last] - at_s + slow_s) * per_second


class _Bucket:
    """A server that answers so many requests a second and refuses the others, without saying for how long."""

    def __init__(self, per_second: int) -> None:
        self.per_second, self.tokens, self.at_s, self.refused = per_second, 5.0, time.monotonic(), 0

    def __call__(self, asked: Asked) -> Answer:
        now_s = time.monotonic()
        self.tokens = min(5.0, self.tokens + (now_s - self.at_s) * self.per_second)
        self.at_s = now_s
        if self.tokens < 1:
            self.refused += 1
            return Answer(429, {"detail": f"too many like {asked.path}"})
        self.tokens -= 1
        return ME


@pytest.mark.shows(35)
def test_a_server_that_refuses_what_is_too_fast_is_asked_more_slowly() -> None:
    """None of the calls is given up, and far fewer are refused than a client that does not learn would see."""
    limits = Limits(concurrency=16, backoff_s=0.05, attempts=40, budget_s=60)

    async def work(client: Client) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(80):
                group.start_soon(client.rows, "me")

    def refused_by(*, learns: bool) -> int:
        with pytest.MonkeyPatch.context() as patch:
            if not learns:
                patch.setattr(Pace, "slow_down", lambda *_: None)
            bucket = _Bucket(50)
            with scripted(bucket) as server:
                in_session(server, work, limits)
            return bucket.refused

    learned, not_learned = refused_by(learns=True), refused_by(learns=False)
    assert learned * 2 < not_learned


@pytest.mark.shows(35)
def test_nothing_leaves_while_the_server_asks_to_wait() -> None:
    """A `Retry-After` that one request was answered holds for all of them."""

    async def work(client: Client) -> None:
        await client.rows("me")
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(client.rows, "me")
                await anyio.sleep(0.05)

    with scripted(ME, Answer(429, {"detail": "slow"}, {"Retry-After": "1"}), ME) as server:
        in_session(server, work)
        refused_at_s = server.asked[1].at_s
        assert len(server.asked) == 7
        assert min(each.at_s for each in server.asked[2:]) >= refused_at_s + 0.95


@pytest.mark.shows(35)
def test_a_pause_of_the_program_is_not_made_up_for_in_a_burst() -> None:
    """After a second in which nothing could leave, the pace is what it was."""

    async def moments() -> list[float]:
        pace, left = Pace(100), []

        async def leave(number: int) -> None:
            await pace.wait()
            left.append(time.monotonic())
            if number == 5:
                time.sleep(0.2)  # noqa: ASYNC251  # the program is busy with something else

        async with anyio.create_task_group() as group:
            for number in range(25):
                group.start_soon(leave, number)
        return left

    left = anyio.run(moments)
    assert all(later - sooner >= 0.0099 for sooner, later in pairwise(left))
