"""The benchmark's own parts, where they could be wrong: its arithmetic, what its server tells, its histories."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.answers import Account, project_fid
from bench.fleet import DAY_US, Excerpt, Fleet, Stretch, as_us, fleet_of
from bench.history import multiply
from bench.limits import targets
from bench.measured import HERE, measured
from bench.served import Allowance, Api, Served, served
from bench.tables import ratios, spread, table
from mithril_elt.api import Mithril

PROJECT = project_fid(0)

stretches = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 30)), min_size=1, max_size=4)


def fleet(instances: int, parts: list[tuple[int, int]]) -> Fleet:
    """A fleet whose stretches follow each other from a small instant on."""
    at_us, found = 7, []
    for length_us, events in parts:
        found.append(Stretch(at_us, at_us + length_us, events))
        at_us += length_us
    return Fleet(instances, tuple(found))


@given(stretches, st.integers(0, 250))
def test_what_is_before_an_instant_is_counted_without_looking(parts: list[tuple[int, int]], at_us: int) -> None:
    """The same as by looking at each event; they are in order, and inside the time of the fleet."""
    one = fleet(3, parts)
    times_us = [one.at_us(event) for event in range(one.events)]
    assert times_us == sorted(times_us)
    assert all(one.start_us <= at < one.end_us for at in times_us)
    assert one.before(at_us) == sum(at < at_us for at in times_us)


@given(st.integers(0, 40), st.integers(0, 60), st.integers(1, 9), st.integers(1, 7))
def test_pages_tell_each_event_once(first: int, events: int, instances: int, limit: int) -> None:
    """However they count, in as many pages as foretold; none is longer than its limit, none mixes two instances."""
    excerpt = Excerpt(first, first + events, instances)
    all_of_them = list(range(first, first + events))
    for counts_events, whole, page in (
        (False, excerpt.told, excerpt.by_instances),
        (True, excerpt.events, excerpt.by_events),
    ):
        pages = [list(page(offset, limit)) for offset in range(0, max(whole, 1), limit)]
        assert len(pages) == excerpt.pages(limit, counts_events=counts_events)
        assert sorted(event for groups in pages for group in groups for event in group) == all_of_them
        assert all(sum(map(len, groups)) <= limit if counts_events else len(groups) <= limit for groups in pages)
        assert all(len({event % instances for event in group}) == 1 for groups in pages for group in groups)
    for number in range(instances):
        assert list(excerpt.of_instance(number)) == [event for event in all_of_them if event % instances == number]


@pytest.mark.parametrize("bursty", [False, True])
def test_an_account_has_as_many_rows_as_were_asked_for(*, bursty: bool) -> None:
    """Also in bursts, which are four fifths of all; a million rows are 640 pages, or a little above 10,000."""
    one = fleet_of(1_000_000, bursty=bursty, later=[(1, 5000)])
    assert one.rows == 1_005_000
    assert (one.end_us - one.start_us) // DAY_US == 57
    on_days = [one.excerpt(day, day + DAY_US).events for day in range(one.start_us, one.end_us, DAY_US)][:56]
    assert sum(sorted(on_days)[-4:]) == (400_000 if bursty else 4 * 8929)
    plain = fleet_of(1_000_000)
    assert plain.least_requests(counts_events=False) == 640
    assert plain.least_requests(counts_events=True) == 10_000
    assert fleet_of(10_000_000).instances == plain.instances


@pytest.fixture(scope="module", params=[False, True], ids=["by instances", "by events"])
def server(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server of 3,000 rows in each of two projects."""
    with served(3000, projects=2, counts_events=request.param, bursty=True) as running:
        yield running


def test_the_projects_client_reads_each_row_once(server: Served) -> None:
    """In windows that meet, every row is in one of them, inside its bounds; both histories add up to what there is."""
    server.counts()
    found: Counter[tuple[str, str, datetime]] = Counter()
    with Mithril("fkey_0000000000000000", server.url) as api:
        for project in api.projects():
            for window in server.account.fleet.windows():
                start, end = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us) for us in window)
                span = {"start_time": start, "end_time": end}
                status = [
                    ("status", each.instance_fid, event.timestamp)
                    for each in api.status_history(project.fid, **span)
                    for event in each.events
                ]
                prices = [
                    ("price", each.instance_fid, event.start_time)
                    for each in api.price_history(project.fid, **span)
                    for event in each.events
                ]
                assert all(start <= at < end for _, _, at in (*status, *prices))
                found.update(status + prices)
            listed = [each.fid for each in api.instances(project.fid)]
            assert len(set(listed)) == len(listed) == server.account.fleet.instances
        assert api.novelties.warnings == []
    assert set(found.values()) == {1}
    assert Counter(kind for kind, _, _ in found) == {"status": 3000, "price": 3000}
    lists = 1 + 2  # projects, and the instances of each
    assert server.counts().requests == lists + 2 * server.account.fleet.least_requests(
        counts_events=server.account.counts_events
    )


def test_an_instance_tells_its_own_events(server: Served) -> None:
    """As the whole history tells them; price periods follow each other, and the last is open."""
    fid = "inst_0000000000000005"
    with Mithril("fkey_0000000000000000", server.url) as api:
        asked = [event for each in api.price_history(PROJECT, instance_fid=fid) for event in each.events]
        whole = [e for each in api.price_history(PROJECT) if each.instance_fid == fid for e in each.events]
    assert asked == whole
    assert len(asked) == 1500 // server.account.fleet.instances
    assert [period.end_time for period in asked] == [*(period.start_time for period in asked[1:]), None]


def test_what_is_not_served_is_refused(server: Served) -> None:
    """A filter it does not know, a project there is not, a path there is not: never an answer to another question."""
    path = f"{server.url}/v2/instances/status/history"
    assert httpx.get(path, params={"project": PROJECT, "bid_fid": "bid_1"}).status_code == 422
    assert httpx.get(path, params={"project": PROJECT, "limit": 101}).status_code == 422
    assert httpx.get(path, params={"project": project_fid(2)}).status_code == 404
    assert httpx.get(f"{server.url}/v2/other").status_code == 404


def test_a_server_ends_with_what_started_it() -> None:
    """Also where that was killed and could not say so: nothing is left listening."""
    command = [sys.executable, "-m", "bench.served", "--rows=1000", "--watched=1"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=HERE.environ(), **pipes) as process:
        assert process.stdout
        assert process.stdin
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        assert httpx.get(f"{url}/v2/me").status_code == 200
        process.stdin.close()
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_packed_or_not_the_answer_is_the_same(server: Served) -> None:
    """As the client asks."""
    path = f"{server.url}/v2/instances/status/history?project={PROJECT}"
    plain, packed = (httpx.get(path, headers={"Accept-Encoding": kind}) for kind in ("identity", "gzip"))
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content


def test_the_raw_requests_are_those_of_the_windows(server: Served) -> None:
    """The limits are measured on as many pages, and they hold as many rows."""
    account = server.account
    asked = list(targets(account))
    assert len(set(asked)) == len(asked) == 2 * account.fleet.least_requests(counts_events=account.counts_events)
    bodies = [account.answer(target) for target in asked]
    assert {body.status for body in bodies} == {200}
    assert sum(body.plain.count(b'"timestamp"') + body.plain.count(b'"price_cents"') for body in bodies) == account.rows


@pytest.mark.parametrize("counts_events", [False, True])
@pytest.mark.parametrize(("path", "key"), [("/instances/status/history", "instances"), ("/instances", "data")])
def test_a_list_ends_with_its_last_full_page(path: str, key: str, *, counts_events: bool) -> None:
    """Two hundred instances are two pages, not three; a cursor leads to the rest and no further."""
    account = Account(Fleet(200, (Stretch(0, DAY_US, 600),)), counts_events=counts_events)
    target, sizes, told = f"/v2{path}?project={PROJECT}&limit=100", [], []
    cursor = "at-0"
    while cursor is not None:
        page = json.loads(account.answer(f"{target}&next_cursor={cursor}").plain)
        told += [(row.get("instance_fid") or row["fid"]) for row in page[key] for _ in row.get("events", "1")]
        sizes.append(len(page[key]))
        cursor = page["next_cursor"]
    of_history = key == "instances"
    assert len(sizes) == (6 if counts_events and of_history else 2)
    assert set(Counter(told).values()) == {3 if of_history else 1}
    assert len(set(told)) == 200


def test_a_bucket_gives_no_more_than_flows_into_it() -> None:
    """A second's worth at once, then at its pace."""
    bucket = Allowance(10, at_ns=0)
    assert sum(bucket.take(0) for _ in range(30)) == 10
    assert sum(bucket.take(step * 10_000_000) for step in range(101)) == 10


def test_an_impatient_server_says_how_long_to_wait() -> None:
    """What is beyond the bucket gets 429 with a wait, and is counted as refused."""
    api = Api(Account(fleet_of(500)))
    api.be(latency_ms=0, rate_limit=2)
    heads = [api.answer("/v2/me", packed=False).partition(b"\r\n\r\n")[0] for _ in range(3)]
    assert [head.split(b" ")[1] for head in heads] == [b"200", b"200", b"429"]
    assert [b"Retry-After: 1" in head for head in heads] == [False, False, True]
    assert api.counts == {200: 2, 429: 1}


def test_a_multiplied_history_has_so_many_more_prices_of_the_same_time(tmp_path: Path) -> None:
    """Those that begin in the time that is named are cut up, without a gap; open ones and later ones stay."""
    db = tmp_path / "a.duckdb"
    start_us = as_us(datetime(2025, 1, 1, tzinfo=UTC))
    with duckdb.connect(str(db)) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.instance_price_periods as select 'inst_a' as instance_fid,"
            " timestamp '2025-01-01' + to_days(n::int) as start_time, case when n not in (7, 19) then"
            " timestamp '2025-01-02' + to_days(n::int) end as end_time, n as price_cents from range(20) as days(n)"
        )
    multiply(str(db), 7, start_us, start_us + 16 * DAY_US)
    with duckdb.connect(str(db)) as connection:
        counts = (
            "select count(*), count(distinct start_time), count(distinct price_cents) from raw.instance_price_periods"
        )
        assert connection.execute(counts).fetchall() == [(15 * 7 + 5, 15 * 7 + 5, 58 + 5)]
        gaps = (
            "select start_time from (select *, lag(end_time) over (order by start_time) as before_at"
            " from raw.instance_price_periods) where before_at <> start_time"
        )
        assert connection.execute(gaps).fetchall() == []
        whole = "select count(*) from raw.instance_price_periods where end_time - start_time = interval 1 day"
        assert connection.execute(whole).fetchall() == [(3,)]


def test_a_work_runs_in_a_process_of_its_own_and_is_told_when_it_fails() -> None:
    """The code of this checkout, its peak and its time; a failure is no figure."""
    run = measured(("mithril_elt", "--help"))
    assert run.seconds > 0
    assert run.peak_mb > 5
    with pytest.raises(RuntimeError, match="No such command"):
        measured(("mithril_elt", "nothing-of-the-kind"))


def test_figures_are_medians_with_their_least_and_most() -> None:
    """And the ratio is that of the medians."""
    assert spread([3, 1, 2.5]) == "2.50 (1.00–3.00)"
    lines = [("a", "here", spread([1, 2, 3])), ("a", "other", spread([4, 4, 4000]))]
    assert ratios(lines, ["here", "other"], "what", {"seconds": 2}).splitlines()[-1] == "| a    |    0.50 |"
    assert table("T", ("a", "b"), [("x", 1)]).splitlines() == [
        "### T",
        "",
        "| a   |   b |",
        "| --- | --: |",
        "| x   |   1 |",
    ]
