"""The API without awaiting: what each call asks for, and that nothing is left behind however a call ends."""

from __future__ import annotations

import gc
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

import pytest

from mithril_elt.api import Mithril, Walk
from mithril_elt.errors import ApiError, KeyRefusedError, NotFoundError, UsageError
from mithril_elt.limits import Limits
from scripted import KEY, Answer, Asked, Scripted, page, scripted

QUICK = Limits(backoff_s=0.001, timeout_s=5, budget_s=20, attempts=3)
ROW = {"fid": "inst_1", "project": "proj_a", "status": "STATUS_RUNNING"}
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
HISTORY = {"instances": [], "next_cursor": None}
USAGE = {"summary": {"net_cost_cents": 5, "idle_instance_hours": "PT36H"}, "grants": [], "pricing_events": []}
STATE = {"fid": "inst_1", "status": "STATUS_PAUSED"}


def session(server: Scripted, limits: Limits = QUICK) -> Mithril:
    """A session with that server, not open yet."""
    return Mithril(KEY, server.url, limits=limits)


def endless(asked: Asked) -> Answer:
    """A list that never ends, with a new cursor each time."""
    return page([ROW], asked.query.get("next_cursor", "") + "x")


@pytest.fixture(autouse=True)
def _nothing_left(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The session's thread and its event loop are gone when the session is, and nothing complains later."""
    before = set(threading.enumerate())
    yield
    gc.collect()
    assert not [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    left = [each for each in threading.enumerate() if each not in before and "process_request" not in each.name]
    for each in left:
        each.join(2)
    assert not [each for each in left if each.is_alive()]


@pytest.mark.parametrize(
    ("call", "answer", "path", "query", "result"),
    [
        (lambda api: api.me().fid, {"fid": "user_1"}, "/v2/me", {}, "user_1"),
        (lambda api: api.projects()[0].fid, [{"fid": "proj_a"}], "/v2/projects", {}, "proj_a"),
        (lambda api: api.instance_types()[0].num_gpus, [{"fid": "it_1", "num_gpus": 8}], "/v2/instance-types", {}, 8),
        (
            lambda api: [each.fid for each in api.instances("proj_a", region="r", status_in=["A", "B"])],
            {"data": [ROW]},
            "/v2/instances",
            {"limit": "100", "project": "proj_a", "region": "r", "status_in": "A,B"},
            ["inst_1"],
        ),
        (
            lambda api: list(api.reservations("proj_a")),
            {"data": []},
            "/v2/reservation",
            {"limit": "100", "project": "proj_a"},
            [],
        ),
        (
            lambda api: list(api.spot_bids("proj_a")),
            {"data": []},
            "/v2/spot/bids",
            {"limit": "100", "project": "proj_a"},
            [],
        ),
        (lambda api: api.reservation_events("res_1"), {"events": []}, "/v2/reservation/res_1/history", {}, []),
        (
            lambda api: api.reservation_usage("res_1").summary.net_cost_cents,
            USAGE,
            "/v2/reservation/res_1/usage",
            {},
            5,
        ),
        (lambda api: api.market_prices(), [], "/v2/pricing/history", {"num_samples": "-1"}, []),
        (lambda api: api.instance_state("inst_1").status, STATE, "/v2/instances/inst_1/status", {}, "STATUS_PAUSED"),
        (
            lambda api: list(api.status_history("proj_a", start_time=MARCH, end_time=APRIL, bid_fid="bid_1")),
            HISTORY,
            "/v2/instances/status/history",
            {
                "limit": "100",
                "project": "proj_a",
                "start_time": "2026-03-01T00:00:00Z",
                "end_time": "2026-04-01T00:00:00Z",
                "bid_fid": "bid_1",
            },
            [],
        ),
        (
            lambda api: list(api.price_history("proj_a", start_time=MARCH)),
            HISTORY,
            "/v2/instances/pricing/history",
            {"limit": "100", "project": "proj_a", "start_time": "2026-03-01T00:00:00Z"},
            [],
        ),
    ],
)
@pytest.mark.shows(9)
def test_each_call_asks_its_endpoint(
    call: Callable[[Mithril], Any], answer: Any, path: str, query: dict[str, str], result: Any
) -> None:
    """One request to the documented path with the documented query, and typed rows back."""
    with scripted(Answer(body=answer)) as server, session(server) as api:
        assert call(api) == result
    [asked] = server.asked
    assert (asked.method, asked.path, asked.query) == ("GET", path, query)


def test_set_status_takes_one_id_or_many_each_once() -> None:
    """The API wants unique ids; a single one may be given as it is."""
    with scripted(Answer(body={"instances": {"inst_1": "STATUS_STOPPING"}})) as server, session(server) as api:
        assert api.set_status("inst_1", "STATUS_PAUSED") == {"inst_1": "STATUS_STOPPING"}
        api.set_status(["inst_1", "inst_2", "inst_1"], "STATUS_PAUSED")
    assert [asked.body for asked in server.asked] == [
        b'{"instances":["inst_1"],"status":"STATUS_PAUSED"}',
        b'{"instances":["inst_1","inst_2"],"status":"STATUS_PAUSED"}',
    ]


def test_no_instance_to_set_is_wrong_usage() -> None:
    """Nothing is sent."""
    with scripted(Answer(body={})) as server, session(server) as api:
        with pytest.raises(UsageError, match="no instance"):
            api.set_status([], "STATUS_PAUSED")
        assert server.asked == []


def test_a_naive_time_is_wrong_usage() -> None:
    """It is never taken for this machine's local time."""
    with scripted(Answer(body=HISTORY)) as server, session(server) as api:
        with pytest.raises(UsageError, match="time zone"):
            api.status_history("proj_a", start_time=datetime(2026, 3, 1))  # noqa: DTZ001  # that is what is tested
        assert server.asked == []


def test_the_servers_clock_is_that_of_its_date_header() -> None:
    """Whatever this machine's clock says."""
    with (
        scripted(Answer(body={}, headers={"Date": "Wed, 21 Oct 2015 07:28:00 GMT"})) as server,
        session(server) as api,
    ):
        assert api.server_now() == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
        assert api.traffic.first_server_at == api.server_now()
        assert api.traffic.requests == 2


def test_lists_fetch_page_by_page() -> None:
    """Who takes three rows of an endless list does not wait for its end."""
    with scripted(endless) as server, session(server) as api:
        assert len(list(islice(api.instances("proj_a"), 3))) == 3
        assert len(server.asked) < 40


def test_pages_of_one_walk_stay_in_order_while_many_are_walked() -> None:
    """300 walks at once: each comes whole, in its own order, with its tag."""

    def pages(asked: Asked) -> Answer:
        number = int(asked.query.get("next_cursor", "0"))
        row = {**ROW, "project": asked.query["project"], "name": str(number)}
        return page([row], str(number + 1) if number < 2 else None)

    with scripted(pages) as server, session(server) as api:
        walks = [Walk("instances", {"project": f"proj_{n}"}, tag=n) for n in range(300)]
        found: dict[int, list[str]] = {}
        for walk, each in api.stream(walks):
            assert each.rows[0].project == f"proj_{walk.tag}"
            found.setdefault(walk.tag, []).append(each.rows[0].name)
    assert found == {n: ["0", "1", "2"] for n in range(300)}
    assert max(asked.at_once for asked in server.asked) <= QUICK.concurrency


def test_no_walk_is_no_page() -> None:
    """An empty stream ends at once."""
    with scripted(Answer(body={})) as server, session(server) as api:
        assert list(api.stream([])) == []


def test_the_first_error_of_many_walks_ends_all() -> None:
    """It comes as it is, not in a group; the others are not walked for ever, and the session goes on."""

    def one_fails(asked: Asked) -> Answer:
        if asked.query.get("project") == "proj_7":
            return Answer(404, {"detail": "Project not found"})
        return Answer(body={}) if asked.path == "/v2/me" else endless(asked)

    with scripted(one_fails) as server, session(server) as api:
        walks = [Walk("instances", {"project": f"proj_{n}"}) for n in range(20)]
        with pytest.raises(NotFoundError, match="Project not found"):
            list(api.stream(walks))
        api.me()


def test_pages_that_came_before_an_error_are_given_first() -> None:
    """What was read is not lost to what fails later."""
    with scripted(page([ROW], "c2"), page([ROW], "c3"), Answer(404, {})) as server, session(server) as api:
        rows = api.instances("proj_a")
        assert [next(rows).fid, next(rows).fid] == ["inst_1", "inst_1"]
        with pytest.raises(NotFoundError):
            next(rows)


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_a_stream_that_is_left_ends(taken: int) -> None:
    """A `break` ends the walks; the session goes on and closes."""
    with scripted(endless) as server, session(server) as api:
        stream = api.stream([Walk("instances", {"project": f"proj_{n}"}) for n in range(10)])
        assert len(list(islice(stream, taken))) == taken
        del stream
        assert next(api.instances("proj_a")).fid == "inst_1"
    assert server.all_closed()


def test_a_stream_that_is_left_gives_up_its_slots_at_once() -> None:
    """Its requests on their way are broken off: what comes next does not wait for a server that says nothing."""

    def stalls(asked: Asked) -> Answer:
        if asked.path == "/v2/me":
            return Answer(body={})
        return Answer(how="stall", body={}) if "next_cursor" in asked.query else page([ROW], "c2")

    one = Limits(concurrency=1, timeout_s=60, budget_s=60)
    with scripted(stalls) as server, session(server, one) as api:
        began = time.monotonic()
        for _ in api.instances("proj_a"):
            break
        api.me()
        assert time.monotonic() - began < 15


def test_a_stream_that_is_kept_past_its_session_ends_with_it() -> None:
    """Leaving the `with` does not wait for a list that somebody still holds; the list then says so."""
    with scripted(endless) as server:
        with session(server) as api:
            kept = api.stream([Walk("instances", {"project": f"proj_{n}"}) for n in range(10)])
            next(kept)
        with pytest.raises(RuntimeError, match="session is closed"):
            list(kept)
        assert server.all_closed()


def test_a_stream_that_is_kept_and_forgotten_is_no_trouble() -> None:
    """Collected after its session has closed, it raises and warns of nothing."""
    with scripted(endless) as server:
        with session(server) as api:
            kept = api.instances("proj_a")
            next(kept)
        del kept
        gc.collect()
        assert server.all_closed()


def test_walks_that_have_begun_go_on_until_so_many_pages_wait() -> None:
    """Before anybody looks; a stream asks for nothing until then."""
    with scripted(endless) as server, session(server) as api:
        unseen, begun = api.stream([Walk("instances", {})]), api.begin([Walk("instances", {})], ahead=3)
        most = 3 + 1 + 1  # that wait, that finds no room, and that is asked for meanwhile
        for _ in range(200):
            time.sleep(0.01)
            if len(server.asked) >= 3 + 1:
                break
        time.sleep(0.1)  # nothing more comes
        assert 3 + 1 <= len(server.asked) <= most
        assert len(list(islice(begun, 10))) == 10
        assert len(list(islice(unseen, 1))) == 1


def test_walks_that_have_begun_and_are_never_looked_at_end_with_the_session() -> None:
    """As where the history that is read before them cannot be read."""
    with scripted(endless) as server:
        with session(server) as api:
            begun = api.begin([Walk("instances", {"project": f"proj_{n}"}) for n in range(10)], ahead=2)
            next(api.instances("proj_a"))
        with pytest.raises(RuntimeError, match="session is closed"):
            list(begun)
        assert server.all_closed()


def test_an_error_in_the_callers_loop_ends_the_walks() -> None:
    """The caller's own error comes out, and nothing hangs on a server that says nothing more."""
    numbers = count()

    def stalls(asked: Asked) -> Answer:
        return endless(asked) if next(numbers) < 5 else Answer(how="stall", body={})

    with scripted(stalls) as server, session(server) as api:
        stream = api.stream([Walk("instances", {"project": f"proj_{n}"}) for n in range(10)])
        with pytest.raises(ZeroDivisionError):
            [1 // 0 for _ in stream]


def test_calls_from_several_threads_share_one_session() -> None:
    """Each gets its own answer."""

    def own_project(asked: Asked) -> Answer:
        return page([{**ROW, "fid": asked.query["project"]}])

    found: dict[int, list[str]] = {}
    with scripted(own_project) as server, session(server) as api:

        def work(number: int) -> None:
            found[number] = [each.fid for each in api.instances(f"proj_{number}")]

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {n: [f"proj_{n}"] for n in range(8)}


def test_a_session_that_is_not_open_says_how_to_open_it() -> None:
    """Before the `with` and after it."""
    with scripted(Answer(body={})) as server:
        api = session(server)
        with pytest.raises(RuntimeError, match="with Mithril"):
            api.me()
        with api:
            api.me()
        with pytest.raises(RuntimeError, match="with Mithril"):
            api.set_status(["inst_1"], "STATUS_PAUSED")


def test_a_session_can_be_opened_again_but_not_twice_at_once() -> None:
    """One after the other, with the traffic counted on; inside itself it says what is wrong, and goes on."""
    with scripted(Answer(body={})) as server:
        api = session(server)
        for _ in range(2):
            with api:
                api.me()
                with pytest.raises(RuntimeError, match="open already"):
                    api.__enter__()
                api.me()
        assert api.traffic.requests == 4
        assert server.all_closed()


def test_one_connection_serves_calls_that_follow_each_other() -> None:
    """And it is closed with the session."""
    with scripted(Answer(body={})) as server:
        with session(server) as api:
            for _ in range(5):
                api.me()
        assert server.connections == 1
        assert server.all_closed()


def test_key_and_address_come_from_the_settings_where_they_are_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each on its own: what is given wins."""
    with scripted(Answer(body={})) as server:
        monkeypatch.setenv("MITHRIL_API_KEY", "fkey_of_the_environment")
        monkeypatch.setenv("MITHRIL_API_URL", server.url)
        with Mithril() as api, Mithril("fkey_given") as other:
            api.me()
            other.me()
        assert api.url == server.url
    assert [asked.headers["authorization"] for asked in server.asked] == [
        "Bearer fkey_of_the_environment",
        "Bearer fkey_given",
    ]


def test_without_a_key_anywhere_it_says_where_to_put_one() -> None:
    """Before anything is sent."""
    with pytest.raises(KeyRefusedError, match="MITHRIL_API_KEY"):
        Mithril()
    with pytest.raises(KeyRefusedError, match="MITHRIL_API_KEY"):
        Mithril("", "http://127.0.0.1:1")


def test_the_key_is_not_in_the_sessions_repr() -> None:
    """Nor in that of what it is made of."""
    api = Mithril(KEY, "http://127.0.0.1:1")
    assert KEY not in repr(api) + repr(vars(api))


def test_a_server_that_is_gone_is_one_sentence() -> None:
    """The session opens, the call fails."""
    with scripted(Answer(body={})) as server:
        pass
    with session(server) as api, pytest.raises(ApiError, match=r"127\.0\.0\.1"):
        api.me()


def test_every_public_name_says_what_it_is() -> None:
    """Each public method has a docstring, and those that ask the API name the endpoint."""
    for name, member in inspect.getmembers(Mithril):
        if not name.startswith("_"):
            assert inspect.getdoc(member), name
            if callable(member) and name not in {"stream", "begin"}:
                assert "/v2/" in str(inspect.getdoc(member)), name
