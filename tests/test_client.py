"""One request, or every page of a list: retries, limits and guards, against a real server that misbehaves."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import anyio
import pytest

from certificates import self_signed
from mithril_elt.client import Client
from mithril_elt.decode import Page
from mithril_elt.errors import ApiError, ContractError, KeyRefusedError, MithrilError, NotFoundError, UsageError
from mithril_elt.limits import Limits, Pace, backoff_s
from mithril_elt.settings import DEFAULT_API_URL
from mithril_elt.transport import _certificates
from mithril_elt.wire import Refused
from scripted import KEY, Answer, Asked, Scripted, page, scripted

T = TypeVar("T")
QUICK = Limits(backoff_s=0.001, timeout_s=1, budget_s=5)
ROW = {
    "fid": "inst_1",
    "name": "one",
    "project": "proj_a",
    "created_at": "2026-03-01T00:00:00Z",
    "created_by": "user_1",
    "instance_type": "it_1",
    "status": "STATUS_RUNNING",
}
ME = Answer(body={"fid": "user_1"})
BUSY = Answer(503, {"detail": "try later"})


def in_session(server: Scripted, work: Callable[[Client], Awaitable[T]], limits: Limits = QUICK, key: str = KEY) -> T:
    """What `work` makes of a session with that server."""

    async def session() -> T:
        async with Client(key, server.url, limits=limits) as client:
            return await work(client)

    return anyio.run(session)


def get(server: Scripted, limits: Limits = QUICK) -> Page:
    """One plain GET."""
    return in_session(server, lambda client: client.rows("me"), limits)


def get_projects(server: Scripted, limits: Limits = QUICK) -> Page:
    """A GET that is answered with a bare list."""
    return in_session(server, lambda client: client.rows("projects"), limits)


def walk(server: Scripted, name: str = "instances", **params: Any) -> list[Page]:
    """Every page of a list."""

    async def work(client: Client) -> list[Page]:
        return [each async for each in client.pages(name, {"project": "proj_a", **params})]

    return in_session(server, work)


def patch(server: Scripted, limits: Limits = QUICK) -> dict[str, str]:
    """One PATCH of two instances."""
    return in_session(server, lambda client: client.set_status(["inst_1", "inst_2"], "STATUS_PAUSED"), limits)


def traffic_of(server: Scripted, limits: Limits = QUICK) -> tuple[int, int]:
    """Requests and retries that a GET took, by the client's own count."""

    async def work(client: Client) -> tuple[int, int]:
        await client.rows("me")
        return client.traffic.requests, client.traffic.retries

    return in_session(server, work, limits)


# paging


def test_next_cursor_is_followed_to_the_end_with_the_same_filters() -> None:
    """Each page is asked for with the first one's filters, 100 rows at a time, and the cursor of the one before."""
    with scripted(page([ROW], "c2"), page([ROW, ROW], "c3"), page([ROW])) as server:
        pages = walk(server, region="us-east1-a", bid_fid=None)
    assert [len(each.rows) for each in pages] == [1, 2, 1]
    first = {"limit": "100", "project": "proj_a", "region": "us-east1-a"}
    assert [each.query for each in server.asked] == [
        first,
        {**first, "next_cursor": "c2"},
        {**first, "next_cursor": "c3"},
    ]


def test_an_empty_page_with_a_cursor_goes_on() -> None:
    """Only a page without a cursor is the last."""
    with scripted(page([], "c2"), page([], "c3"), page([ROW])) as server:
        assert sum(len(each.rows) for each in walk(server)) == 1
    assert len(server.asked) == 3


@pytest.mark.parametrize("cursors", [["c", "c"], ["a", "b", "a"]])
@pytest.mark.shows(28)
def test_a_repeated_cursor_is_a_breach_and_no_loop(cursors: list[str]) -> None:
    """Also where others came between."""
    with scripted(*(page([ROW], cursor) for cursor in cursors)) as server:
        with pytest.raises(ContractError, match="next_cursor twice"):
            walk(server)
        assert len(server.asked) == len(cursors)


@pytest.mark.parametrize("status", [400, 404, 410, 422])
@pytest.mark.shows(28)
def test_a_list_whose_cursor_has_expired_is_walked_anew(status: int) -> None:
    """Each walk gets further than the one before: rows may come twice, and the last page comes."""
    refused = set()

    def answer(asked: Asked) -> Answer:
        number = int(asked.query.get("next_cursor", "0"))
        if number and number not in refused:
            refused.add(number)
            return Answer(status, {"detail": "Cursor expired"})
        return Answer(body={"data": [], "next_cursor": str(number + 1) if number < 3 else None})

    with scripted(answer) as server:
        assert len(walk(server)) == 1 + 2 + 3 + 4
        assert len(refused) == 3


@pytest.mark.shows(28)
def test_a_cursor_that_is_refused_for_ever_is_a_breach() -> None:
    """A walk that gets no further than the one before is given up, in the API's own words: no option is to blame."""

    def answer(asked: Asked) -> Answer:
        if "next_cursor" in asked.query:
            return Answer(400, {"detail": "Cursor expired"})
        return Answer(body={"data": [], "next_cursor": "x"})

    with scripted(answer) as server:
        with pytest.raises(ContractError, match="Cursor expired") as breach:
            walk(server)
        assert len(server.asked) == 4
    assert "/v2/instances" in str(breach.value)


@pytest.mark.shows(28)
def test_ever_new_cursors_on_empty_pages_are_a_breach() -> None:
    """A list that goes on and has nothing is no list."""
    numbers = count()

    def answer(_asked: Asked) -> Answer:
        return Answer(body={"data": [], "next_cursor": str(next(numbers))})

    with scripted(answer) as server, pytest.raises(ContractError, match="empty pages"):
        walk(server)


def test_several_values_of_a_filter_are_joined_by_commas() -> None:
    """As the API's own clients send them."""
    with scripted(page([])) as server:
        walk(server, status_in=["STATUS_RUNNING", "STATUS_PAUSED"], order_type_in=("Bid",))
    assert server.asked[0].query["status_in"] == "STATUS_RUNNING,STATUS_PAUSED"
    assert server.asked[0].query["order_type_in"] == "Bid"


def test_an_answer_that_should_have_no_pages_is_a_breach_if_it_has() -> None:
    """Rows behind a cursor that nobody follows would be lost in silence."""
    with (
        scripted(Answer(body={"events": [], "next_cursor": "c2"})) as server,
        pytest.raises(ContractError, match="more pages"),
    ):
        in_session(server, lambda client: client.rows("reservation_events", fid="res_1"))


@pytest.mark.parametrize("fid", ["inst_1", "a/../b", "x?y=1#z", "%2e%2e", "ä b"])
def test_an_id_stays_inside_its_place_in_the_path(fid: str) -> None:
    """Whatever somebody types for an id, no other endpoint is asked."""
    with scripted(Answer(404, {"detail": "no"})) as server, pytest.raises(NotFoundError):
        in_session(server, lambda client: client.rows("instance_state", fid=fid))
    [asked] = server.asked
    assert [unquote(part) for part in asked.path.split("/")] == ["", "v2", "instances", fid, "status"]
    assert asked.query == {}


# what comes back


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body={"items": []}),
        Answer(body={"data": [{**ROW, "fid": 5}]}),
        Answer(body={"data": [], "next_cursor": 5}),
        Answer(302, b"", {"Location": "/v2/elsewhere"}),
    ],
)
@pytest.mark.shows(27, 29)
def test_an_answer_of_another_shape_is_a_breach_at_once(answer: Answer) -> None:
    """One useful sentence that names the endpoint, exit status 6, and no second try."""
    with scripted(answer) as server:
        with pytest.raises(ContractError) as breach:
            walk(server)
        assert len(server.asked) == 1
    assert "/v2/instances" in str(breach.value)
    assert "\n" not in str(breach.value)


GARBLED = [
    Answer(body=b"<html>", headers={"Content-Type": "text/html"}),
    Answer(body={"data": []}, headers={"Content-Type": "text/plain"}),
    Answer(body=b"<html>"),
    Answer(body=b""),
    Answer(204, b""),
    Answer(body=b'{"data": [{"fid"'),
    Answer(body=gzip.compress(b'{"data": [' + b"1, " * 999 + b"]}")[:-16], headers={"Content-Encoding": "gzip"}),
]


@pytest.mark.parametrize("answer", GARBLED)
def test_an_answer_that_cannot_be_read_is_asked_for_again(answer: Answer) -> None:
    """It may have been damaged on its way, or come from something between that was being restarted."""
    with scripted(answer, answer, page([ROW])) as server:
        assert [len(each.rows) for each in walk(server)] == [1]
        assert len(server.asked) == 3


@pytest.mark.parametrize("answer", GARBLED)
def test_an_answer_that_can_never_be_read_is_a_breach_soon(answer: Answer) -> None:
    """Three tries, whatever the limits are: a wrong address answers the same for ever. Exit status 6."""
    with scripted(answer) as server:
        with pytest.raises(ContractError, match="3 times: is the address that of the API") as breach:
            walk(server)
        assert len(server.asked) == 3
    assert breach.value.exit_status == 6
    assert "/v2/instances" in str(breach.value)
    assert "\n" not in str(breach.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, KeyRefusedError),
        (403, KeyRefusedError),
        (404, NotFoundError),
        (405, Refused),
        (409, Refused),
        (422, Refused),
        (501, Refused),
        (418, ApiError),
    ],
)
def test_a_refusal_is_final_and_in_the_apis_own_words(status: int, kind: type[MithrilError]) -> None:
    """No second try; FastAPI's list of complaints is read."""
    detail = [{"loc": ["query", "project"], "msg": "Field required", "type": "missing"}]
    with scripted(Answer(status, {"detail": detail})) as server:
        with pytest.raises(kind, match=r"query\.project: Field required"):
            get(server)
        assert len(server.asked) == 1


def test_compressed_answers_are_read() -> None:
    """The API may compress what it sends."""
    body = gzip.compress(b'{"fid": "user_1"}')
    with scripted(Answer(body=body, headers={"Content-Encoding": "gzip"})) as server:
        assert get(server).rows[0].fid == "user_1"


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.shows(36)
def test_an_answer_without_end_is_a_breach(*, is_packed: bool) -> None:
    """Beyond the largest answer nothing more is read, also where a small one unpacks to a huge one."""
    body = b'{"fid": "' + b"x" * 3_000_000 + b'"}'
    packed = {"body": gzip.compress(body), "headers": {"Content-Encoding": "gzip"}} if is_packed else {"body": body}
    with scripted(Answer(**packed)) as server:
        with pytest.raises(ContractError, match="more than 2 MiB") as refused:
            get(server, replace(QUICK, answer_bytes=2 * 2**20))
        assert len(server.asked) == 1
        assert get(server).rows[0].fid == "x" * 3_000_000
    assert refused.value.exit_status == 6


def test_the_page_has_the_servers_clock() -> None:
    """By its `Date` header, not by this machine's clock."""
    with scripted(Answer(body={}, headers={"Date": "Wed, 21 Oct 2015 07:28:00 GMT"})) as server:
        assert get(server).server_at == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)


# retries


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


@pytest.mark.shows(6)
def test_a_server_that_is_gone_is_an_api_error_that_names_it() -> None:
    """Refused connections are tried again, then told with the host, and not as a time-out."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    gone = Scripted(f"http://127.0.0.1:{port}")
    with pytest.raises(ApiError, match=r"127\.0\.0\.1") as failed:
        get(gone, replace(QUICK, attempts=2))
    assert "refused" in str(failed.value) or "Connect call failed" in str(failed.value)
    assert "gave no answer in" not in str(failed.value)


def test_a_host_that_does_not_exist_is_an_api_error() -> None:
    """A name that resolves to nothing."""
    nowhere = Scripted("https://nowhere.invalid")
    with pytest.raises(ApiError, match=r"nowhere\.invalid"):
        get(nowhere, replace(QUICK, attempts=1))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A certificate of this machine's address that nobody trusts, and its file."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


def test_a_certificate_that_is_not_trusted_ends_it_at_once(certificate: tuple[ssl.SSLContext, Path]) -> None:
    """No request leaves, no other try is made, and the sentence says what to set where it is to be trusted."""
    with scripted(ME, tls=certificate[0]) as server:
        with pytest.raises(ApiError, match="certificate that is not trusted") as failed:
            get(server)
        assert (server.asked, server.connections) == ([], 1)
    assert server.url.removeprefix("https://") in str(failed.value)
    assert "SSL_CERT_FILE" in str(failed.value)
    assert failed.value.exit_status == 5


def test_a_certificate_that_is_named_as_trusted_is_trusted(
    certificate: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the advice of the sentence above; but for no other host than the one it names."""
    context, file = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    _certificates.cache_clear()
    try:
        with scripted(ME, tls=context) as server:
            assert get(server).rows[0].fid == "user_1"
            with pytest.raises(ApiError, match="not trusted"):
                get(replace(server, url=server.url.replace("127.0.0.1", "localhost")))
            assert len(server.asked) == 1
    finally:
        _certificates.cache_clear()


def test_a_plain_server_that_is_spoken_to_by_https_is_told_at_once() -> None:
    """Nothing leaves in the clear, and the sentence names the setting to look at."""
    with scripted(ME) as server:
        with pytest.raises(ApiError, match="does not speak https") as failed:
            get(replace(server, url=server.url.replace("http:", "https:")))
        assert (server.asked, server.connections) == ([], 1)
    assert "MITHRIL_API_URL" in str(failed.value)


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


# PATCH


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


# the key


@pytest.mark.shows(2)
def test_the_key_goes_in_the_header_and_to_no_other_host() -> None:
    """A redirect, even to another port of the same machine, is not followed."""
    with scripted(ME) as other, scripted(Answer(302, b"", {"Location": f"{other.url}/v2/me"})) as server:
        with pytest.raises(ContractError, match="redirect"):
            get(server)
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
        assert other.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401, {"detail": f"the key {KEY} is expired"}),
        Answer(403, {"detail": [{"loc": [KEY], "msg": KEY}]}),
        Answer(422, {"detail": {"key": KEY}}),
        Answer(503, {"detail": KEY}),
        Answer(302, b"", {"Location": f"/v2/{KEY}"}),
        Answer(body=KEY.encode()),
        Answer(body={KEY: 1}),
        Answer(body=b"<html>", headers={"Content-Type": f"text/{KEY}"}),
        Answer(how="raw", body=f"{KEY}\r\n\r\n".encode()),
        Answer(how="raw", body=f"HTTP/1.1 {KEY} no\r\n\r\n".encode()),
        Answer(how="reset", body={}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.shows(2)
def test_the_key_shows_nowhere(answer: Answer, method: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not in an error, its causes or the log, though the server repeats it."""
    ask = patch if method == "PATCH" else get_projects
    with caplog.at_level(logging.DEBUG), scripted(answer) as server, pytest.raises(MithrilError) as failed:
        ask(server, replace(QUICK, attempts=2))
    assert KEY not in "".join(traceback.format_exception(failed.value))
    assert KEY not in repr(failed.value)
    assert KEY not in str(failed.value.detail)
    assert KEY not in caplog.text


def test_the_key_is_not_in_the_sessions_repr() -> None:
    """A session that is printed or logged tells nothing."""
    assert KEY not in repr(Client(KEY))


@pytest.mark.parametrize("key", ["", " ", "fkey\n", "fkey_ä", "fkey_\x00", "two words"])
def test_a_key_that_cannot_be_one_is_refused_before_anything_is_sent(key: str) -> None:
    """It would break the header, or be sent as nobody meant; and it is not repeated."""
    with pytest.raises(KeyRefusedError, match="MITHRIL_API_KEY") as refused:
        Client(key)
    assert "fkey\n" not in str(refused.value)
    assert "ä" not in str(refused.value)


# addresses and limits


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.mithril.ai",
        "ftp://api.mithril.ai",
        "https://",
        "http://[::1",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:port",
        "https://a..b",
        f"https://{'x' * 70}",
        "https://api.mithril.ai?x=1",
        "https://user:secret@api.mithril.ai",
        "https://api.mithril.ai#x",
        "http://\x00",
    ],
)
def test_an_address_that_cannot_be_one_is_wrong_usage(url: str) -> None:
    """One sentence with what was given and the public address as an example, and no password in it."""
    with pytest.raises(UsageError, match=DEFAULT_API_URL) as refused:
        Client(KEY, url)
    assert "secret" not in str(refused.value)
    assert "@" in url or repr(url) in str(refused.value)


@pytest.mark.parametrize("url", ["http://api.mithril.ai", "http://10.0.0.7:8080", "http://127.0.0.1.example.com"])
def test_the_key_does_not_travel_unencrypted(url: str) -> None:
    """Over plain http only to this very machine."""
    with pytest.raises(UsageError, match="unencrypted"):
        Client(KEY, url)
    for own in ("http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://10.0.0.7"):
        assert Client(KEY, own).url == own


def test_an_address_may_have_a_path_and_a_slash_at_its_end() -> None:
    """As behind a gateway."""
    with scripted(ME) as server:
        get(replace(server, url=f"{server.url}/gateway/"))
        assert server.paths == ["/gateway/v2/me"]


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


def _many(server: Scripted, requests: int, limits: Limits) -> None:
    async def work(client: Client) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(requests):
                group.start_soon(client.rows, "me")

    in_session(server, work, limits)


@pytest.mark.parametrize("concurrency", [1, 5])
@pytest.mark.shows(35)
def test_the_concurrency_is_never_exceeded(concurrency: int) -> None:
    """Counted at the server, with many requests waiting and some that fail and come again."""
    numbers = count()

    def sometimes_busy(_: Asked) -> Answer:
        return replace(BUSY if next(numbers) % 7 == 3 else ME, after_s=0.01)

    with scripted(sometimes_busy) as server:
        _many(server, 40, replace(QUICK, concurrency=concurrency))
    assert max(asked.at_once for asked in server.asked) == concurrency


@pytest.mark.shows(35)
def test_the_rate_is_never_exceeded() -> None:
    """Counted at the server, retries included; a request that was slow on its way may come close to the next."""
    per_second, slow_s, numbers = 40, 0.25, count()

    def sometimes_busy(_: Asked) -> Answer:
        return BUSY if next(numbers) % 5 == 3 else ME

    with scripted(sometimes_busy) as server:
        _many(server, 24, replace(QUICK, requests_per_second=per_second, concurrency=8))
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


def test_the_pace_recovers() -> None:
    """One refusal halves it; good answers bring it back to what was asked for, and not past that."""
    pace = Pace(100)
    now_s = time.monotonic()
    pace.slow_down(0, now_s)
    pace.slow_down(0, now_s)  # which left before the first was heard
    assert pace._gap_s == pytest.approx(0.02)
    pace.speed_up()
    assert 0.01 < pace._gap_s < 0.02
    for _ in range(70):
        pace.speed_up()
    assert pace._gap_s == pytest.approx(0.01)
    free = Pace(None)
    free.slow_down(0, now_s)
    for _ in range(300):
        free.speed_up()
    assert free._gap_s == 0


def test_time_in_which_nothing_was_to_be_asked_is_no_pace() -> None:
    """Between two windows nothing is asked for seconds: a refusal after that halves the pace before it, no more."""
    now_s = time.monotonic()
    pace = Pace(None)
    pace._left_at_s.extend([now_s - 60, now_s - 50, now_s - 40, *(now_s - 0.5 + n * 0.05 for n in range(10))])
    pace.slow_down(0, now_s)
    assert pace._gap_s == pytest.approx(0.2)


def test_a_slow_pace_recovers_in_seconds() -> None:
    """However slow it was made: two hundred answers, not a thousand, and a run is as fast as before."""
    pace, waited_s = Pace(50), 0.0
    pace._gap_s = 10.0
    for _ in range(200):
        waited_s += pace._gap_s
        pace.speed_up()
    assert pace._gap_s < 0.06
    assert waited_s < 100


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


# the pool


def test_a_session_leaves_no_connection_open() -> None:
    """Not when all went well, and not when the work failed half-way."""
    for answer in (ME, Answer(404, {"detail": "no"})):
        with scripted(answer) as server:
            with suppress(NotFoundError):
                get(server)
            assert server.all_closed()
            assert server.connections == 1


def test_connections_are_used_again() -> None:
    """One request after the other needs one connection."""

    async def work(client: Client) -> None:
        for _ in range(5):
            await client.rows("me")

    with scripted(ME) as server:
        in_session(server, work)
        assert server.connections == 1


def test_a_session_that_was_closed_can_be_opened_again() -> None:
    """Each time with a pool of its own."""

    async def twice(url: str) -> None:
        client = Client(KEY, url, limits=QUICK)
        for _ in range(2):
            async with client:
                await client.rows("me")

    with scripted(ME) as server:
        anyio.run(twice, server.url)
        assert len(server.asked) == 2
