"""All lists of an account in one go: which projects, which rows, and how far back they reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from mithril_elt.api import Mithril
from mithril_elt.errors import ContractError, KeyRefusedError, MithrilError, NotFoundError
from mithril_elt.limits import Limits
from mithril_elt.lists import LIST_TABLES, Lists, choose_projects, read_lists
from mithril_elt.tables import raw_table
from scripted import KEY, Answer, Asked, Scripted, scripted

QUICK = Limits(backoff_s=0.001, attempts=2)
PROJECTS = [{"fid": "proj_a", "name": "research", "created_at": None}, {"fid": "proj_b", "name": "serving"}]
INSTANCE = {"fid": "inst_1", "project": "proj_a", "status": "STATUS_RUNNING", "created_at": "2026-03-05T10:00:00Z"}
RESERVATION = {
    "fid": "res_1",
    "project": "proj_a",
    "status": "Active",
    "start_time": "2026-03-04T01:00:00Z",
    "end_time": "2026-03-20T00:00:00Z",
}
BID = {"fid": "bid_1", "project": "proj_b", "limit_price": "$32.00", "created_at": "2026-03-06T00:00:00Z"}
EVENT = {"event_type": "Terms Set", "timestamp": "2026-03-04T01:00:00Z", "pause_credit_cents": 500}
GRANT = {"starts_at": "2026-03-04T01:00:00Z", "unit_price": 199}
USAGE = {"summary": {"net_cost_cents": 4776}, "grants": [GRANT], "pricing_events": []}
MARKET = {"instance_type": "it_1", "region": "r", "timestamps": ["2026-03-01T00:00:00Z"], "spot_prices": ["$1.00"]}

Answers = dict[str, Any]


@contextmanager
def account(**changes: Any) -> Iterator[tuple[Scripted, Mithril]]:
    """A server of two projects; what is given answers its path instead."""
    usual: Answers = {
        "/v2/me": {"fid": "user_1"},
        "/v2/projects": PROJECTS,
        "/v2/instance-types": [{"fid": "it_1", "name": "h100", "num_gpus": 8}],
        "/v2/instances": {"data": [INSTANCE]},
        "/v2/reservation": {"data": [RESERVATION]},
        "/v2/spot/bids": {"data": [BID]},
        "/v2/reservation/res_1/history": {"events": [EVENT]},
        "/v2/reservation/res_1/usage": USAGE,
        "/v2/pricing/history": [MARKET],
    }
    answers = usual | changes

    def answer(asked: Asked) -> Answer:
        found = answers.get(asked.path, Answer(404, {"detail": "no such path"}))
        if isinstance(found, Answer):
            return found
        if isinstance(found, dict) and "data" in found:
            mine = [row for row in found["data"] if row.get("project") in (None, "other", asked.query["project"])]
            return Answer(body={"data": mine, "next_cursor": None})
        return Answer(body=found)

    with scripted(answer) as server, Mithril(KEY, server.url, limits=QUICK) as api:
        yield server, api


def rows(lists: Lists, table: str) -> list[dict[str, Any]]:
    """The rows of one table."""
    found: list[dict[str, Any]] = lists.tables[table].to_pylist()
    return found


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ([], ["proj_a", "proj_b"]),
        (["proj_b"], ["proj_b"]),
        (["serving", "proj_a"], ["proj_b", "proj_a"]),
        (["research", "proj_a", "research"], ["proj_a"]),
    ],
)
def test_projects_are_chosen_by_id_or_name(wanted: list[str], chosen: list[str]) -> None:
    """All that the key sees if none is named; each once, in the order named."""
    with account() as (_, api):
        assert choose_projects(api, wanted) == chosen


def test_a_project_that_is_listed_twice_is_one() -> None:
    """It is read once, and found by its id."""
    with account(**{"/v2/projects": [*PROJECTS, PROJECTS[0]]}) as (_, api):
        assert choose_projects(api, []) == ["proj_a", "proj_b"]
        assert choose_projects(api, ["proj_a"]) == ["proj_a"]


@pytest.mark.parametrize("wanted", ["proj_c", "twin", ""])
def test_a_project_that_is_not_one_is_not_found(wanted: str) -> None:
    """Unknown, or a name that two have: it says which the key sees."""
    twins = [*PROJECTS, {"fid": "proj_t", "name": "twin"}, {"fid": "proj_u", "name": "twin"}]
    with account(**{"/v2/projects": twins}) as (_, api), pytest.raises(NotFoundError, match="proj_u") as missing:
        choose_projects(api, [wanted])
    assert missing.value.exit_status == 4
    assert repr(wanted) in str(missing.value)


@pytest.mark.shows(10)
def test_every_list_becomes_its_table() -> None:
    """Each with every column; a reservation's events, usage and grants bear its id and its project."""
    with account() as (_, api):
        lists = read_lists(api, ["proj_a", "proj_b"])
    assert set(lists.tables) == set(LIST_TABLES)
    assert {name: table.num_rows for name, table in lists.tables.items()} == {
        "projects": 2,
        "instance_types": 1,
        "instances": 1,
        "reservations": 1,
        "spot_bids": 1,
        "reservation_events": 1,
        "reservation_usage": 1,
        "reservation_grants": 1,
        "market_prices": 1,
    }
    for name, table in lists.tables.items():
        assert table.schema == raw_table(name).arrow_schema
    for name in ("reservation_events", "reservation_usage", "reservation_grants"):
        [row] = rows(lists, name)
        assert (row["project"], row["reservation_fid"]) == ("proj_a", "res_1")


@pytest.mark.shows(15)
def test_an_empty_account_makes_every_table() -> None:
    """With no row and all columns."""
    empty = {"data": []}
    changes: Answers = dict.fromkeys(("/v2/instances", "/v2/reservation", "/v2/spot/bids"), empty)
    changes |= {"/v2/instance-types": [], "/v2/pricing/history": []}
    with account(**changes) as (_, api):
        lists = read_lists(api, ["proj_a"])
    assert lists.oldest == {}
    assert {name: table.num_rows for name, table in lists.tables.items() if table.num_rows} == {"projects": 2}
    assert all(table.schema == raw_table(name).arrow_schema for name, table in lists.tables.items())


def test_the_oldest_instant_of_each_project_is_the_midnight_before_it() -> None:
    """Of instances, reservations and bids, by creation or start."""
    with account() as (_, api):
        assert read_lists(api, ["proj_a", "proj_b"]).oldest == {
            "proj_a": datetime(2026, 3, 4, tzinfo=UTC),
            "proj_b": datetime(2026, 3, 6, tzinfo=UTC),
        }


def test_only_the_projects_that_were_chosen_are_asked() -> None:
    """No list of another one is read."""
    with account() as (server, api):
        read_lists(api, ["proj_b"])
    assert {asked.query["project"] for asked in server.asked if "project" in asked.query} == {"proj_b"}


def test_rows_of_another_project_are_left_out_with_a_warning() -> None:
    """A filter that was not honoured adds nothing to a bill."""
    stray = {**INSTANCE, "fid": "inst_9", "project": "other"}
    with account(**{"/v2/instances": {"data": [INSTANCE, stray]}}) as (_, api):
        lists = read_lists(api, ["proj_a"])
        assert [row["fid"] for row in rows(lists, "instances")] == ["inst_1"]
        assert [warning for warning in api.novelties.warnings if "not asked for" in warning]


@pytest.mark.shows(30)
def test_a_row_that_comes_twice_counts_once() -> None:
    """The later one holds."""
    later = {**INSTANCE, "status": "STATUS_TERMINATED"}
    with account(**{"/v2/instances": {"data": [INSTANCE, later]}}) as (_, api):
        [row] = rows(read_lists(api, ["proj_a"]), "instances")
    assert row["status"] == "STATUS_TERMINATED"


@pytest.mark.parametrize(
    ("reservation", "asked_again"),
    [
        ({"status": "Ended", "end_time": "2026-03-09T23:59:59Z"}, False),
        ({"status": "Canceled", "end_time": "2026-03-01T00:00:00Z"}, False),
        ({"status": "Ended", "end_time": "2026-03-10T00:00:00Z"}, True),
        ({"status": "Active", "end_time": "2026-03-01T00:00:00Z"}, True),
        ({"status": "Ended", "end_time": None}, True),
    ],
)
def test_reservations_that_ended_long_ago_are_not_asked_again(reservation: Answers, asked_again: bool) -> None:
    """Over, and before what is read again; in all other cases their terms and usage may still change."""
    with account(**{"/v2/reservation": {"data": [{**RESERVATION, **reservation}]}}) as (server, api):
        lists = read_lists(api, ["proj_a"], settled_before=datetime(2026, 3, 10, tzinfo=UTC))
    assert ("/v2/reservation/res_1/history" in server.paths) is asked_again
    assert lists.tables["reservations"].num_rows == 1
    assert lists.tables["reservation_usage"].num_rows == asked_again


@pytest.mark.parametrize("status", [404, 405, 501])
def test_without_market_prices_an_account_is_still_read(status: int) -> None:
    """They are no part of any cost: refused or not there, it is a warning."""
    with account(**{"/v2/pricing/history": Answer(status, {"detail": "not for you"})}) as (_, api):
        lists = read_lists(api, ["proj_a"])
        assert [warning for warning in api.novelties.warnings if "market prices" in warning]
    assert lists.tables["market_prices"].num_rows == 0
    assert lists.tables["instances"].num_rows == 1


@pytest.mark.parametrize(
    ("path", "answer", "kind"),
    [
        ("/v2/instances", Answer(401, {"detail": "expired"}), KeyRefusedError),
        ("/v2/spot/bids", Answer(body={"bids": []}), ContractError),
        ("/v2/reservation/res_1/usage", Answer(body={"summary": None}), ContractError),
        ("/v2/pricing/history", Answer(body={}), ContractError),
    ],
)
def test_what_fails_elsewhere_ends_the_reading(path: str, answer: Answer, kind: type[MithrilError]) -> None:
    """No list is half there."""
    with account(**{path: answer}) as (_, api), pytest.raises(kind):
        read_lists(api, ["proj_a", "proj_b"])
