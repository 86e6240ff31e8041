"""One request, or every page of a list: guards, ids, keys kept and addresses, against a real server."""

from __future__ import annotations

import gzip
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from urllib.parse import unquote

import anyio
import pytest

from mithril_elt.client import Client
from mithril_elt.errors import ApiError, ContractError, KeyRefusedError, MithrilError, NotFoundError, UsageError
from mithril_elt.settings import DEFAULT_API_URL
from mithril_elt.wire import Refused
from scripted import KEY, Answer, Asked, page, scripted
from session import ME, QUICK, ROW, get, in_session, walk


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
