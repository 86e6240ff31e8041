"""Readings of what an answer looks like: instants, keys without a value, instances that leave the list."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from asked import PRICING, STATUS, Api

from sandbox_by_hand import iso

Under = Callable[..., Api]

ANSWERS = [
    *("/v2/projects", "/v2/instance-types", "/v2/instances", "/v2/instances/inst_spot2/status", "/v2/reservation"),
    *("/v2/reservation/res_1/history", "/v2/reservation/res_pending/history", "/v2/reservation/res_1/usage"),
    *("/v2/reservation/res_pending/usage", "/v2/spot/bids", "/v2/pricing/history", STATUS, PRICING),
]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|[+-]\d\d:\d\d)")


def leaves(content: Any) -> list[Any]:
    """Every value in an answer, in order."""
    if isinstance(content, dict):
        return [leaf for value in content.values() for leaf in leaves(value)]
    return [leaf for value in content for leaf in leaves(value)] if isinstance(content, list) else [content]


@pytest.mark.parametrize(
    ("readings", "zones", "fractions"),
    [
        ({"times": "+00:00"}, {"+00:00"}, {None}),
        ({"times": "-00:00"}, {"-00:00"}, {None}),
        ({"times": "mixed"}, {"Z", "+00:00", "-00:00", "+02:00"}, {None}),
        ({"fractions": "always"}, {"Z"}, {".000000"}),
        ({"times": "mixed", "fractions": "always"}, {"Z", "+00:00", "-00:00", "+02:00"}, {".000000"}),
    ],
)
def test_every_instant_is_written_so(
    readings: dict[str, str], zones: set[str], fractions: set[str | None], under: Under
) -> None:
    """All instants of all answers, and each is still the same instant; nothing else changes."""
    seen = []
    for path in ANSWERS:
        usual, other = leaves(under().json(path)), leaves(under(**readings).json(path))
        for before, after in zip(usual, other, strict=True):
            found = INSTANT.fullmatch(str(before))
            if found is None:
                assert after == before
            else:
                assert datetime.fromisoformat(after) == datetime.fromisoformat(before)
                written = INSTANT.fullmatch(after)
                assert written
                seen.append(written.groups())
    assert {fraction for fraction, _ in seen} == fractions
    assert {zone for _, zone in seen} == zones


def without_nulls(content: Any) -> Any:
    """The answer without its keys of no value."""
    if isinstance(content, dict):
        return {key: without_nulls(value) for key, value in content.items() if value is not None}
    return [without_nulls(value) for value in content] if isinstance(content, list) else content


@pytest.mark.parametrize("path", ANSWERS)
def test_what_has_no_value_can_be_left_out_everywhere(path: str, under: Under) -> None:
    """Every answer is the usual one without its nulls; at the end of a list there is still a null cursor, or none."""
    usual = without_nulls(under().json(path))
    absent = under(optional_keys="absent").json(path)
    if "next_cursor" in under().json(path):
        assert absent.pop("next_cursor") is None
    assert absent == usual
    assert under(optional_keys="absent", last_cursor="absent").json(path) == usual


def test_histories_can_name_orders_that_there_are_not(under: Under) -> None:
    """By null where there is no bid or no reservation; lists are as ever, and an open period has a null end."""
    api = under(optional_keys="null")
    for row, usual in zip(api.pages(STATUS)[0], under().pages(STATUS)[0], strict=True):
        assert row == {"bid_fid": None, "reservation_fid": None} | usual
    assert api.json("/v2/instances") == under().json("/v2/instances")
    [spot1, _] = api.pages(PRICING)[0]
    assert spot1["events"][-1] == {"price_cents": 1301, "start_time": iso(-2), "end_time": None}


def test_an_open_period_can_lack_its_end(under: Under) -> None:
    """It has no end_time; a period that has ended has one."""
    [spot1, _] = under(optional_keys="absent").pages(PRICING)[0]
    assert spot1["events"] == [
        {"price_cents": 1300, "start_time": iso(-9), "end_time": iso(-2)},
        {"price_cents": 1301, "start_time": iso(-2)},
    ]
    clipped = under(optional_keys="absent", start_selects="clipped").pages(PRICING, start_time=iso(-1))
    assert clipped[0][0]["events"] == [{"price_cents": 1301, "start_time": iso(-1)}]


def listed(api: Api) -> set[str]:
    """The instances that the list has."""
    return {row["fid"].removeprefix("inst_") for row in api.json("/v2/instances")["data"]}


def test_instances_leave_the_list_after_their_end(under: Under) -> None:
    """So many hours after it and not before; orders no longer name them, histories still know them."""
    api = under(leaves_list_hours=10)
    gone = {"back", "dropped"}  # they ended 12 and 30 hours ago, spot2 only 4
    assert listed(api) == listed(under()) - gone
    assert api.get("/v2/instances/inst_back/status").status_code == 404
    assert api.told(STATUS) == under().told(STATUS)
    assert "spot2" in listed(api.at(6, more_us=-1))
    assert "spot2" not in listed(api.at(6))
    bids = {row["fid"]: row for row in api.json("/v2/spot/bids")["data"]}
    assert bids["bid_1"]["instances"] == ["inst_spot1"]
    assert bids["bid_1"]["status"] == "Preempting"


def test_an_order_whose_instances_have_all_left_is_over(under: Under) -> None:
    """A reservation and a bid say what they said before their last instance left."""
    api = under(leaves_list_hours=0)
    rows = {row["fid"]: row for row in api.at(14).json("/v2/reservation")["data"]}
    usual = {row["fid"]: row for row in under().at(14).json("/v2/reservation")["data"]}
    assert rows["res_1"] == usual["res_1"] | {"instances": []}
    bids = api.json("/v2/spot/bids")["data"]
    assert [row["status"] for row in bids] == [row["status"] for row in under().at(14).json("/v2/spot/bids")["data"]]


def test_a_bid_whose_instances_have_all_left_is_terminated(under: Under) -> None:
    """Though it names none any more."""
    api = under(leaves_list_hours=1)
    spot1, spot2 = (one for one in api.sandbox.account.instances if one.bid == "bid_1" and one.listed)
    kept = list(spot1.changes)
    spot1.changes[:] = spot2.changes
    bid = {row["fid"]: row for row in api.json("/v2/spot/bids")["data"]}["bid_1"]
    spot1.changes[:] = kept
    assert (bid["instances"], bid["status"]) == ([], "Terminated")
