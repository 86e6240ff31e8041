"""Readings of pages and cursors, in lists and histories: whatever they are, all pages together have the same rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from asked import PRICING, STATUS, Api, Row, brief, name

from sandbox_by_hand import iso

Under = Callable[..., Api]

LISTS = ["/v2/instances", "/v2/reservation", "/v2/spot/bids"]
EVERY = [*LISTS, STATUS, PRICING]


def rows(api: Api, path: str, limit: int | None = None) -> list[Row]:
    """The rows of all pages together."""
    params = {} if limit is None else {"limit": limit}
    return [row for page in api.pages(path, **params) for row in page]


def test_a_page_has_as_many_rows_as_the_readings_say(under: Under) -> None:
    """Where no limit is asked for; a limit that is asked for holds."""
    api = under(default_limit=2)
    assert [len(page) for page in api.pages("/v2/instances")] == [2, 2, 2, 2, 1]
    assert [len(page) for page in api.pages(STATUS)] == [2, 2, 2, 2, 1]
    assert [len(page) for page in api.pages("/v2/instances", limit=5)] == [5, 4]
    counted = under(default_limit=2, limit_counts="events").pages(STATUS, bid_fid="bid_1")
    assert [sum(len(row["events"]) for row in page) for page in counted] == [2, 2, 2, 2]


@pytest.mark.parametrize("path", EVERY)
def test_the_end_of_a_list_is_told_by_no_cursor_at_all(path: str, under: Under) -> None:
    """The last page lacks the key; all others have their cursor."""
    api = under(last_cursor="absent")
    assert "next_cursor" not in api.json(path)
    assert api.json(path, limit=1)["next_cursor"]
    assert rows(api, path, 1) == rows(under(), path)


@pytest.mark.parametrize("path", EVERY)
def test_every_other_page_is_empty(path: str, under: Under) -> None:
    """An empty page comes before each page, and has a cursor."""
    pages = under(empty_pages=True).pages(path, limit=1)
    assert pages[0::2] == [[]] * (len(pages) // 2)
    assert [row for page in pages for row in page] == rows(under(), path)
    assert all(pages[1::2])
    assert len(pages) == 2 * len(under().pages(path, limit=1))


@pytest.mark.parametrize("path", LISTS)
def test_the_last_row_of_a_list_comes_again(path: str, under: Under) -> None:
    """Each page after the first begins with it, before its own rows."""
    plain = under().pages(path, limit=1)
    assert under(repeated_rows=True).pages(path, limit=1) == [
        plain[0],
        *([*before, *after] for before, after in pairwise(plain)),
    ]
    assert under(repeated_rows=True).pages(path) == under().pages(path)


def test_the_last_instance_of_a_history_comes_again(under: Under) -> None:
    """With all the events that it had on the page before."""
    api = under(repeated_rows=True)
    pages = [[name(row) for row in page] for page in api.pages(STATUS, limit=2, bid_fid="bid_1")]
    assert pages == [["spot1", "spot2"], ["spot2", "gone"]]
    first, second = api.pages(STATUS, limit=2, bid_fid="bid_1")
    assert first[1] == second[0]


def test_the_last_event_of_a_history_comes_again(under: Under) -> None:
    """Where events are counted: before the rest of its instance, or alone before another."""
    api = under(repeated_rows=True, limit_counts="events")
    pages = [
        [(name(row), [brief(event)[0] for event in row["events"]]) for row in page]
        for page in api.pages(STATUS, limit=2, bid_fid="bid_1")
    ]
    assert pages == [
        [("spot1", [iso(-10), iso(-9.5)])],
        [("spot1", [iso(-9.5), iso(-9)]), ("spot2", [iso(-10)])],
        [("spot2", [iso(-10), iso(-8), iso(-4)])],
        [("spot2", [iso(-4)]), ("gone", [iso(-9), iso(-7)])],
    ]


def test_rows_come_again_after_an_empty_page_too(under: Under) -> None:
    """The last row before it; the empty page itself has none."""
    pages = under(repeated_rows=True, empty_pages=True).pages("/v2/spot/bids", limit=1)
    assert [[row["fid"] for row in page] for page in pages] == [[], ["bid_2"], [], ["bid_2", "bid_1"]]


def test_some_cursors_are_refused_once(under: Under) -> None:
    """About a third are, the first time that the server is given them; it says so, and takes them after that."""
    api = under(cursors_expire=True)
    sorts = [
        {"sort_by": sort_by, "sort_dir": sort_dir}
        for sort_by in ("created_at", "instance_status", "instance_type_fid")
        for sort_dir in ("asc", "desc")
    ]
    given: list[str] = []
    refused: list[str] = []
    for path, question in [*((path, {}) for path in EVERY), *(("/v2/instances", sort) for sort in sorts)]:
        cursor = api.json(path, limit=1, **question)["next_cursor"]
        while cursor:
            given.append(cursor)
            answer = api.get(path, limit=1, next_cursor=cursor, **question)
            if answer.status_code == 400:
                assert answer.json() == {"detail": "Cursor expired"}
                refused.append(cursor)
                answer = api.get(path, limit=1, next_cursor=cursor, **question)
            assert answer.json() == api.json(path, limit=1, next_cursor=cursor, **question)
            cursor = answer.json()["next_cursor"]
        assert rows(api, path, 1) == rows(under(), path)
    assert len(set(given)) == len(given)
    assert len(given) // 5 < len(refused) < len(given) // 2
    nonsense = api.get("/v2/instances", next_cursor="nonsense")
    assert nonsense.json() == {"detail": "Invalid cursor"}


@pytest.mark.parametrize("unit", ["instances", "events"])
@pytest.mark.parametrize("path", EVERY)
def test_pages_of_any_size_have_the_same_rows(path: str, unit: str, under: Under) -> None:
    """Under everything that befalls pages at once: with limits of 1, 2 and 100 nothing is lost, nothing is added."""

    def told(api: Api, limit: int) -> list[str]:
        events = [
            (name(row), brief(event)) if "events" in row else row
            for row in rows(api, path, limit)
            for event in row.get("events", [None])
        ]
        return sorted({str(event) for event in events})

    befallen = under(
        limit_counts=unit,
        repeated_rows=True,
        empty_pages=True,
        cursors_expire=True,
        last_cursor="absent",
        order="shuffled",
        equal_times=True,
        repeated_statuses=True,
        price_periods="split",
    )
    plain = under(equal_times=True, repeated_statuses=True, price_periods="split")
    assert told(befallen, 1) == told(befallen, 2) == told(befallen, 100) == told(plain, 100)
