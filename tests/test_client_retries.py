"""What is tried again, how often and for how long, against a real server that misbehaves."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import anyio
import pytest

from mithril_elt.client import Client
from mithril_elt.errors import ApiError
from mithril_elt.limits import backoff_s
from scripted import Answer, Asked, scripted
from session import BUSY, ME, QUICK, get, in_session, traffic_of


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.shows(27)
def test_what_may_pass_is_tried_again(status: int) -> None:
    """A throttle or a failure of the server is outlived, and each retry is counted."""
    with scripted(Answer(status, {"detail": "busy"}), Answer(status, b"<html>"), ME) as server:
        assert traffic_of(server) == (3, 2)
        assert len(server.asked) == 3


@pytest.mark.parametrize("how", ["reset", "reset_within", "cut", "stall", "stall_within"])
@pytest.mark.shows(27)
def test_a_connection_that_breaks_is_tried_again(how: Any) -> None:
    """Before the answer or in the middle of it, by a reset, an early end or silence."""
    with scripted(Answer(body={"fid": "user_1"}, how=how), ME) as server:
        assert get(server, replace(QUICK, timeout_s=0.3)).rows[0].fid == "user_1"
        assert len(server.asked) >= 2


@pytest.mark.parametrize(
    "answer",
    [
        BUSY,
        Answer(429, {"detail": "slow down"}),
        Answer(how="reset", body={}),
        Answer(how="cut", body={"fid": "user_1"}),
        Answer(how="raw", body=b"SSH-2.0-nonsense\r\n\r\n"),
        Answer(how="raw", body=b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n"),
        Answer(body=b"not gzip", headers={"Content-Encoding": "gzip"}),
    ],
)
@pytest.mark.shows(27, 34)
def test_the_tries_are_bounded(answer: Answer) -> None:
    """After the last one it is an ApiError, exit status 5, that says how often it was tried."""
    with scripted(answer) as server:
        with pytest.raises(ApiError, match="3 times") as failed:
            get(server, replace(QUICK, attempts=3))
        assert len(server.asked) == 3
    assert failed.value.exit_status == 5
    assert "/v2/me" in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("how", ["stall", "stall_within", "drip"])
@pytest.mark.shows(27)
def test_the_time_is_bounded_whatever_the_server_does(how: Any) -> None:
    """Silence, half an answer, or an answer that never ends: the budget of seconds ends it."""
    began = time.monotonic()
    with scripted(Answer(body={"fid": "user_1"}, how=how)) as server, pytest.raises(ApiError, match="/v2/me"):
        get(server, replace(QUICK, timeout_s=0.1, budget_s=0.3, attempts=50))
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("how", ["stall", "stall_within", "drip"])
def test_an_answer_that_takes_for_ever_once_is_outlived(how: Any) -> None:
    """No single try uses up all the time that a call may take."""
    with scripted(Answer(body={"fid": "user_1"}, how=how), ME) as server:
        assert get(server, replace(QUICK, timeout_s=0.3, budget_s=1)).rows[0].fid == "user_1"
        assert len(server.asked) == 2


@pytest.mark.shows(27)
def test_retry_after_in_seconds_is_waited_out() -> None:
    """The next request comes no sooner than the API asked for."""
    with scripted(Answer(429, {}, {"Retry-After": "1"}), ME) as server:
        get(server)
    first, second = server.asked
    assert second.at_s - first.at_s >= 1


@pytest.mark.shows(27)
def test_retry_after_as_a_date_is_waited_out_by_the_servers_clock() -> None:
    """A date counts from the answer's own `Date`, though this machine's clock is years away."""

    headers = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2015 07:28:01 GMT"}
    with scripted(Answer(429, {}, headers), ME) as server:
        get(server)
    first, second = server.asked
    assert second.at_s - first.at_s >= 1


@pytest.mark.parametrize("asked_for", ["86400", "9" * 3_000, "Fri, 31 Dec 9999 23:59:59 GMT"])
@pytest.mark.shows(27)
def test_an_absurd_retry_after_is_an_error_at_once(asked_for: str) -> None:
    """What is beyond the budget is not waited for: it fails now, and says what was asked."""
    began = time.monotonic()
    with scripted(Answer(429, {"detail": "come back"}, {"Retry-After": asked_for})) as server:
        with pytest.raises(ApiError, match="longer than") as failed:
            get(server)
        assert len(server.asked) == 1
    assert time.monotonic() - began < 2
    assert "come back" in str(failed.value)


def test_retries_wait_ever_longer_and_never_the_same() -> None:
    """Jitter, so that many clients do not come back at once; doubled each time, with a ceiling."""
    for attempt in range(1, 2_000):
        ceiling = min(20, 0.2 * 2 ** min(attempt - 1, 60))
        assert 0 <= backoff_s(attempt, 0.2) <= ceiling
    assert len({backoff_s(8, 0.2) for _ in range(20)}) == 20
    assert max(backoff_s(8, 0.2) for _ in range(200)) > 5


@pytest.mark.parametrize(
    ("turns", "answer_after_s"), [({"requests_per_second": 12}, 0), ({"concurrency": 1}, 0.09)], ids=["pace", "slots"]
)
def test_waiting_for_a_turn_does_not_use_up_the_budget(turns: dict[str, int], answer_after_s: float) -> None:
    """At a slow pace, or with few slots, the last of many calls still has all its tries."""
    limits = replace(QUICK, budget_s=1, attempts=3, **turns)

    async def work(client: Client) -> None:
        async with anyio.create_task_group() as group:
            for number in range(14):
                group.start_soon(client.rows, "me" if number < 13 else "projects")

    def busy_at_the_end(asked: Asked) -> Answer:
        return BUSY if asked.path == "/v2/projects" else replace(ME, after_s=answer_after_s)

    with scripted(busy_at_the_end) as server:
        with pytest.raises(ExceptionGroup):
            in_session(server, work, limits)
        assert server.paths.count("/v2/projects") == 3
