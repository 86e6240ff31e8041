"""What the sandbox answers over a real socket: keys, lists, filters, orders, pages, errors, the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from mithril_elt.sandbox.account import Account
from mithril_elt.sandbox.clock import Clock
from mithril_elt.sandbox.server import Sandbox, serve
from sandbox_by_hand import NOW, account, asking, hours, instance, iso, walk

A = {"project": "proj_a"}


def fids(answer: httpx.Response) -> list[str]:
    """The fids of a list's rows, in their order."""
    return [row["fid"].removeprefix("inst_") for row in answer.raise_for_status().json()["data"]]


@pytest.mark.parametrize(
    ("authorization", "detail"),
    [
        (None, "Missing or wrong API key"),
        ("Bearer fkey_other", "Missing or wrong API key"),
        ("fkey_sandbox", "Missing or wrong API key"),
        ("Basic fkey_sandbox", "Missing or wrong API key"),
        ("Bearer fkey_expired", "The API key has expired"),
    ],
)
def test_only_the_key_opens_the_account(sandbox: Sandbox, authorization: str | None, detail: str) -> None:
    """A missing, wrong or expired key is answered 401, before anything else about the question is looked at."""
    headers = {"Authorization": authorization} if authorization else {}
    answer = httpx.get(f"{sandbox.url}/v2/instances", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"detail": detail})


def test_a_key_of_ones_own() -> None:
    """The sandbox takes the key it is given, and no longer its usual one."""
    with serve(account(), key="fkey_mine") as mine, asking(mine) as client:
        assert client.get("/v2/me").status_code == 200
        assert httpx.get(f"{mine.url}/v2/me", headers={"Authorization": "Bearer fkey_sandbox"}).status_code == 401


def test_me_projects_and_types(api: httpx.Client) -> None:
    """The bare answers: who asks, the projects that exist by now, the types that are listed."""
    assert api.get("/v2/me").json() == {"fid": "user_ann", "email": "someone@sandbox.example"}
    assert api.get("/v2/projects").json() == [
        {"fid": "proj_a", "name": "research", "created_at": iso(-72)},
        {"fid": "proj_b", "name": "serving", "created_at": iso(-71)},
    ]
    assert api.get("/v2/instance-types").json() == [
        {"fid": "it_h100", "name": "h100-80gb.sxm.8x", "num_gpus": 8},
        {"fid": "it_cpu", "name": "cpu.16x", "num_gpus": 0},
    ]


def test_an_instance_row(api: httpx.Client) -> None:
    """A row has every documented field, with null where there is nothing to say."""
    rows = {row["fid"]: row for row in api.get("/v2/instances", params=A).json()["data"]}
    assert rows["inst_silent"] == {
        "fid": "inst_silent",
        "name": "silent",
        "project": "proj_a",
        "created_at": iso(-1),
        "created_by": "user_ann",
        "instance_type": "it_h100",
        "status": "STATUS_NEW",
        "region": None,
        "bid": "bid_2",
        "reservation": None,
        "ssh_destination": None,
        "private_ip": None,
    }
    running = rows["inst_res1"]
    assert (running["status"], running["reservation"], running["bid"]) == ("STATUS_RUNNING", "res_1", None)
    assert running["ssh_destination"] == "res1.sandbox.example"
    assert running["private_ip"].startswith("10.")


NEWEST_FIRST = ["silent", "spot2", "spot1", "odd", "back", "res2", "res1", "cpu", "dropped"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, NEWEST_FIRST),
        ({"sort_dir": "asc"}, NEWEST_FIRST[::-1]),
        ({"sort_by": "created_at", "sort_dir": "desc"}, NEWEST_FIRST),
        # NEW, RUNNING, SCHEDULED, TERMINATED; equal ones by fid
        (
            {"sort_by": "instance_status", "sort_dir": "asc"},
            ["silent", "cpu", "res1", "res2", "spot1", "odd", "back", "dropped", "spot2"],
        ),
        (
            {"sort_by": "instance_type_fid", "sort_dir": "asc"},
            ["cpu", "odd", "back", "dropped", "res1", "res2", "silent", "spot1", "spot2"],
        ),
        (
            {"sort_by": "instance_type_fid", "sort_dir": "desc"},
            ["spot2", "spot1", "silent", "res2", "res1", "dropped", "back", "odd", "cpu"],
        ),
        ({"instance_type": "it_cpu"}, ["cpu"]),
        ({"instance_type": "it_none"}, []),
        ({"region": "us-east1-a"}, ["res2", "res1"]),
        ({"status_in": "STATUS_NEW"}, ["silent"]),
        ({"status_in": "STATUS_NEW,STATUS_TERMINATED"}, ["silent", "spot2", "back", "dropped"]),
        ({"status_in": ["STATUS_NEW", "STATUS_TERMINATED"]}, ["silent", "spot2", "back", "dropped"]),
        ({"status_in[]": "STATUS_NEW,STATUS_TERMINATED"}, ["silent", "spot2", "back", "dropped"]),
        ({"status_in[]": ["STATUS_NEW", "STATUS_TERMINATED"]}, ["silent", "spot2", "back", "dropped"]),
        ({"status_in": "STATUS_PAUSED"}, []),
        ({"order_type_in": "Bid"}, ["silent", "spot2", "spot1"]),
        ({"order_type_in": "Reservation"}, ["back", "res2", "res1", "cpu", "dropped"]),
        ({"order_type_in[]": "Bid,Reservation"}, [one for one in NEWEST_FIRST if one != "odd"]),
        ({"bid_fid_in": "bid_1"}, ["spot2", "spot1"]),
        ({"bid_fid_in[]": "bid_1,bid_2"}, ["silent", "spot2", "spot1"]),
        ({"reservation_fid_in": "res_1,res_cpu"}, ["res2", "res1", "cpu"]),
        ({"reservation_fid_in": "res_1", "status_in": "STATUS_NEW"}, []),
        ({"region": "us-central1-a", "status_in": "STATUS_RUNNING", "sort_dir": "asc"}, ["cpu", "spot1"]),
    ],
)
def test_filters_and_orders_of_instances(api: httpx.Client, params: dict[str, Any], expected: list[str]) -> None:
    """Each filter keeps just what it names, filters add up, and rows come in the order asked for."""
    assert fids(api.get("/v2/instances", params=A | params)) == expected


def test_instances_of_another_project(api: httpx.Client) -> None:
    """A project's list has its own instances only."""
    assert fids(api.get("/v2/instances", params={"project": "proj_b"})) == ["b"]


def test_the_status_of_one_instance(api: httpx.Client) -> None:
    """The status endpoint says what the list says, and when an instance ended for good."""
    assert api.get("/v2/instances/inst_spot2/status").json() == {
        "fid": "inst_spot2",
        "name": "spot2",
        "status": "STATUS_TERMINATED",
        "bid": "bid_1",
        "reservation": None,
        "end_time": iso(-4),
    }
    running = api.get("/v2/instances/inst_res1/status").json()
    assert (running["status"], running["reservation"], running["end_time"]) == ("STATUS_RUNNING", "res_1", None)


def test_bids(api: httpx.Client) -> None:
    """Bids of a project or of all, with their listed instances, in dollars."""
    bids = api.get("/v2/spot/bids", params=A).json()["data"]
    assert [bid["fid"] for bid in bids] == ["bid_2", "bid_1"]
    assert bids[1] == {
        "fid": "bid_1",
        "name": "bid_1",
        "project": "proj_a",
        "created_by": "user_ann",
        "created_at": iso(-10),
        "instance_quantity": 2,
        "instance_type": "it_h100",
        "region": "us-central1-a",
        "instances": ["inst_spot1", "inst_spot2"],
        "limit_price": "$32.00",
        "status": "Allocated",
    }
    assert (bids[0]["status"], bids[0]["limit_price"]) == ("Open", "$1,234.56")
    for params, expected in (
        ({}, ["bid_b", "bid_2", "bid_1"]),
        ({"sort_by": "limit_price", "sort_dir": "asc"}, ["bid_b", "bid_1", "bid_2"]),
        ({"sort_dir": "asc", "region": "us-central1-a"}, ["bid_1", "bid_b"]),
        ({"instance_type": "it_cpu"}, ["bid_2"]),
        ({"project": "proj_b"}, ["bid_b"]),
    ):
        assert fids(api.get("/v2/spot/bids", params=params)) == expected


def test_the_status_of_a_bid_follows_its_instances() -> None:
    """A bid is Preempting while an instance is, and Terminated once all are over."""
    with serve(account()) as running, asking(running) as client:

        def status(fid: str = "bid_1") -> str:
            return str({bid["fid"]: bid["status"] for bid in client.get("/v2/spot/bids").json()["data"]}[fid])

        running.clock.set(NOW + timedelta(hours=1))
        assert status() == "Preempting"
        running.clock.set(NOW - timedelta(hours=9, minutes=30))
        assert status() == "Open"
        running.clock.set(NOW - timedelta(hours=5, minutes=30))
        assert status("bid_b") == "Open"  # it has no instance yet
        running.account.instances[0].changes[-1] = running.account.instances[1].changes[-1]
        running.clock.set(NOW)
        assert status() == "Terminated"


def test_market_prices(api: httpx.Client) -> None:
    """All samples up to now for -1; else evenly thinned out, the newest always among them."""
    market = {"instance_type": "it_h100", "region": "us-central1-a"}
    every = {
        "timestamps": [iso(-3), iso(-2), iso(-1)],
        "spot_prices": ["$13.00", "$13.01", "$12.50"],
        "reserved_prices": ["$22.00", None, "$23.00"],
    }
    assert api.get("/v2/pricing/history", params={"num_samples": -1}).json() == [market | every]
    assert api.get("/v2/pricing/history").json() == [market | every]
    assert api.get("/v2/pricing/history", params={"num_samples": 1}).json()[0]["timestamps"] == [iso(-1)]
    assert api.get("/v2/pricing/history", params={"num_samples": 2}).json()[0]["spot_prices"] == ["$13.00", "$12.50"]
    assert api.get("/v2/pricing/history", params={"num_samples": 0}).json()[0]["spot_prices"] == []


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v2/instances?project=proj_x", "Project not found"),
        ("/v2/instances?project=proj_later", "Project not found"),
        ("/v2/reservation?project=proj_x", "Project not found"),
        ("/v2/spot/bids?project=proj_x", "Project not found"),
        ("/v2/instances/status/history?project=proj_x", "Project not found"),
        ("/v2/instances/pricing/history?project=proj_x", "Project not found"),
        ("/v2/instances/inst_none/status", "Instance not found"),
        ("/v2/instances/inst_gone/status", "Instance not found"),
        ("/v2/instances/inst_later/status", "Instance not found"),
        ("/v2/reservation/res_none/history", "Reservation not found"),
        ("/v2/reservation/res_cpu/usage", "Reservation not found"),
        ("/v2/reservation/res_later/usage", "Reservation not found"),
        ("/v2/nothing", "Not Found"),
    ],
)
def test_what_is_not_there(api: httpx.Client, path: str, detail: str) -> None:
    """What nobody has, the list has no more, or is not made yet is answered 404 with a detail."""
    answer = api.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": detail})


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v2/reservation/res_1"), ("POST", "/v2/instances"), ("PATCH", "/v2/me")]
)
def test_methods_that_do_not_exist(api: httpx.Client, method: str, path: str) -> None:
    """A single reservation cannot be read, and no path takes a method that it does not have: 405."""
    answer = api.request(method, path)
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})


@pytest.mark.parametrize(
    ("path", "loc", "kind"),
    [
        ("/v2/instances", ["query", "project"], "missing"),
        ("/v2/reservation", ["query", "project"], "missing"),
        ("/v2/instances/status/history", ["query", "project"], "missing"),
        ("/v2/instances/pricing/history", ["query", "project"], "missing"),
        ("/v2/instances?project=proj_a&limit=0", ["query", "limit"], "greater_than_equal"),
        ("/v2/instances?project=proj_a&limit=101", ["query", "limit"], "less_than_equal"),
        ("/v2/instances?project=proj_a&limit=ten", ["query", "limit"], "int_parsing"),
        ("/v2/instances/status/history?project=proj_a&limit=101", ["query", "limit"], "less_than_equal"),
        ("/v2/instances?project=proj_a&sort_by=name", ["query", "sort_by"], "literal_error"),
        ("/v2/instances?project=proj_a&sort_dir=up", ["query", "sort_dir"], "literal_error"),
        ("/v2/reservation?project=proj_a&sort_by=name", ["query", "sort_by"], "literal_error"),
        ("/v2/spot/bids?sort_by=name", ["query", "sort_by"], "literal_error"),
        ("/v2/instances?project=proj_a&status_in=STATUS_NEW,RUNNING", ["query", "status_in", 1], "literal_error"),
        ("/v2/instances?project=proj_a&order_type_in[]=bid", ["query", "order_type_in", 0], "literal_error"),
        (
            "/v2/instances/status/history?project=proj_a&start_time=noon",
            ["query", "start_time"],
            "datetime_from_date_parsing",
        ),
        (
            "/v2/instances/pricing/history?project=proj_a&end_time=2026-03-31T00:00:00",
            ["query", "end_time"],
            "timezone_aware",
        ),
        ("/v2/pricing/history?num_samples=-2", ["query", "num_samples"], "greater_than_equal"),
    ],
)
def test_questions_that_make_no_sense(api: httpx.Client, path: str, loc: list[Any], kind: str) -> None:
    """They are answered 422 in FastAPI's shape, which says where and what."""
    answer = api.get(path)
    assert answer.status_code == 422
    [error] = answer.json()["detail"]
    assert (error["loc"], error["type"]) == (loc, kind)
    assert error["msg"]


PAGED = [
    ("/v2/instances", "data", 9),
    ("/v2/reservation", "data", 4),
    ("/v2/spot/bids", "data", 2),
    ("/v2/instances/status/history", "instances", 9),
    ("/v2/instances/pricing/history", "instances", 2),
]


@pytest.mark.parametrize(("path", "rows", "count"), PAGED)
def test_pages_of_every_size_give_each_row_once(api: httpx.Client, path: str, rows: str, count: int) -> None:
    """For each limit all pages together are the whole list in its order, and every page but the last is full."""
    [whole] = walk(api, path, rows, **A)
    assert len(whole) == count
    for limit in range(1, count + 2):
        pages = walk(api, path, rows, limit=limit, **A)
        assert [row for page in pages for row in page] == whole
        assert {len(page) for page in pages[:-1]} <= {limit}
        assert 0 < len(pages[-1]) <= limit


def crowd(count: int) -> Account:
    """An account of that many instances with one event each; some were created at the same moment."""
    one = account()
    one.instances[:] = [instance(f"inst_{number:03}", -100 + number // 3, [(-1, "RUNNING")]) for number in range(count)]
    return one


def test_a_page_has_a_hundred_rows_unless_told_otherwise() -> None:
    """Without a limit a page has 100 rows, instances of a history too."""
    with serve(crowd(101)) as running, asking(running) as client:
        assert [len(page) for page in walk(client, "/v2/instances", "data", **A)] == [100, 1]
        assert [len(page) for page in walk(client, "/v2/instances/status/history", "instances", **A)] == [100, 1]


def test_every_limit_gives_each_row_once() -> None:
    """With any limit from 1 to 100 the pages together are the list."""
    expected = [f"inst_{number:03}" for number in range(40)]
    with serve(crowd(40)) as running, asking(running) as client:
        for limit in range(1, 101):
            pages = walk(client, "/v2/instances", "data", limit=limit, sort_dir="asc", **A)
            assert [row["fid"] for page in pages for row in page] == expected
        pages = walk(client, "/v2/instances/status/history", "instances", limit=7, **A)
        assert [row["instance_fid"] for page in pages for row in page] == expected


def test_rows_that_come_between_two_pages_shift_no_other(api: httpx.Client, clock: Clock) -> None:
    """While the list grows at its head, a walk still gives each of the old rows once."""
    first = api.get("/v2/instances", params=A | {"limit": 4}).json()
    clock.advance(timedelta(hours=2))
    rest = api.get("/v2/instances", params=A | {"next_cursor": first["next_cursor"]})
    assert [row["fid"].removeprefix("inst_") for row in first["data"]] + fids(rest) == NEWEST_FIRST
    assert fids(api.get("/v2/instances", params=A))[0] == "later"


def test_a_cursor_holds_for_its_own_question(api: httpx.Client) -> None:
    """A cursor may be used with another limit; with other filters, another order or another list it is refused: 400."""
    cursor = {"next_cursor": api.get("/v2/instances", params=A | {"limit": 2}).json()["next_cursor"]}
    assert fids(api.get("/v2/instances", params=A | cursor | {"limit": 3})) == NEWEST_FIRST[2:5]
    for path, params in (
        ("/v2/instances", A | {"region": "us-east1-a"}),
        ("/v2/instances", A | {"sort_dir": "asc"}),
        ("/v2/instances", {"project": "proj_b"}),
        ("/v2/reservation", A),
        ("/v2/instances/status/history", A),
    ):
        answer = api.get(path, params=params | cursor)
        assert (answer.status_code, answer.json()) == (400, {"detail": "The cursor was given for other filters"})


@pytest.mark.parametrize("cursor", ["", "x", "nonsense", "%00", "WzEsMl0", "é", "a" * 1001])
def test_a_cursor_that_was_never_given(api: httpx.Client, cursor: str) -> None:
    """Whatever else is sent as a cursor is answered 400."""
    for path in ("/v2/instances", "/v2/instances/status/history"):
        answer = api.get(path, params=A | {"next_cursor": cursor})
        assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid cursor"})


def test_the_date_of_each_answer_is_the_servers_clock(api: httpx.Client, clock: Clock) -> None:
    """Answers, errors among them, are dated by the sandbox's clock, cut down to the second; there is one Date."""
    assert api.get("/v2/me").headers.get_list("date") == ["Tue, 31 Mar 2026 00:00:00 GMT"]
    clock.advance(timedelta(days=-1, microseconds=-1))
    for path in ("/v2/me", "/v2/instances", "/v2/nothing"):
        assert api.get(path).headers.get_list("date") == ["Sun, 29 Mar 2026 23:59:59 GMT"]
    assert "server" not in api.get("/v2/me").headers


def test_a_clock_that_runs() -> None:
    """With a clock that runs, time passes between two answers."""
    with serve(account(), clock=Clock(NOW, speed=3_600_000)) as running, asking(running) as client:
        first, second = (client.get("/v2/me").headers["date"] for _ in range(2))
        assert first != second
        assert running.clock.now_us() > hours(1)


def test_what_was_asked_is_written_down() -> None:
    """The sandbox lists each request with its path, its question and how it was answered."""
    with serve(account()) as running, asking(running) as client:
        client.get("/v2/instances", params=A | {"limit": 1})
        client.get("/v2/nothing")
        httpx.get(f"{running.url}/v2/me")
        client.patch("/v2/instances", json={})
        assert [tuple(asked) for asked in running.requests] == [
            ("GET", "/v2/instances", "project=proj_a&limit=1", 200),
            ("GET", "/v2/nothing", "", 404),
            ("GET", "/v2/me", "", 401),
            ("PATCH", "/v2/instances", "", 422),
        ]
