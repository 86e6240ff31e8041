"""What changes something is sent once; and no request goes unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mithril_elt.client import Client
from mithril_elt.errors import ApiError, MithrilError
from scripted import Answer, scripted
from session import BUSY, ME, QUICK, in_session, patch


def test_patch_sends_what_is_asked_and_gives_what_is_answered() -> None:
    """The ids and the status as JSON; what each instance answered."""
    answer = Answer(body={"instances": {"inst_1": "STATUS_STOPPING", "inst_2": "STATUS_PAUSED"}, "note": 1})
    with scripted(answer) as server:
        assert patch(server) == {"inst_1": "STATUS_STOPPING", "inst_2": "STATUS_PAUSED"}
    [asked] = server.asked
    assert (asked.method, asked.path) == ("PATCH", "/v2/instances")
    assert asked.headers["content-type"] == "application/json"
    assert asked.body == b'{"instances":["inst_1","inst_2"],"status":"STATUS_PAUSED"}'


@pytest.mark.parametrize(
    "answer",
    [
        BUSY,
        Answer(429, {}, {"Retry-After": "0"}),
        Answer(500, {}),
        Answer(how="reset", body={}),
        Answer(how="reset_within", body={"instances": {}}),
        Answer(how="cut", body={"instances": {}}),
        Answer(how="stall", body={}),
        Answer(how="stall_within", body={"instances": {}}),
        Answer(how="drip", body={"instances": {}}),
        Answer(how="raw", body=b"nonsense\r\n\r\n"),
        Answer(307, b"", {"Location": "/v2/instances"}),
        Answer(422, {"detail": "no"}),
        Answer(body={"other": 1}),
        Answer(body={"instances": {"inst_1": 5}}),
        Answer(body=b"\xff"),
    ],
)
def test_patch_is_never_sent_twice(answer: Answer) -> None:
    """Whatever comes back, or does not: the server may have taken it up already."""
    with scripted(answer) as server:
        with pytest.raises(MithrilError, match="PATCH /v2/instances"):
            patch(server, replace(QUICK, timeout_s=0.3, budget_s=1))
        assert [asked.method for asked in server.asked] == ["PATCH"]


@pytest.mark.shows(34)
def test_no_request_is_sent_unseen() -> None:
    """Where a kept connection turns out to be closed, the request that is sent again is counted like any other."""

    async def work(client: Client) -> tuple[int, int]:
        await client.rows("me")
        await client.rows("me")
        return client.traffic.requests, client.traffic.retries

    with scripted(ME, Answer(how="reset", body={}), ME) as server:
        assert in_session(server, work) == (3, 1)
        assert len(server.asked) == 3


def test_patch_is_not_sent_twice_on_a_connection_that_had_served_before() -> None:
    """Also where the connection pool's own library would be ready to repeat a request."""

    async def work(client: Client) -> None:
        await client.rows("me")
        await client.set_status(["inst_1"], "STATUS_PAUSED")

    with scripted(ME, Answer(how="reset", body={})) as server:
        with pytest.raises(ApiError, match="not sent again"):
            in_session(server, work)
        assert [asked.method for asked in server.asked] == ["GET", "PATCH"]
