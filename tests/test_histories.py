"""From the pages of a history to rows: the span that counts, both ways of reading an answer, exactness."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mithril_elt.columns import event_columns, history_page
from mithril_elt.decode import Decode, Novelties, Page, decode_page
from mithril_elt.endpoints import ENDPOINTS, Row
from mithril_elt.errors import ContractError
from mithril_elt.held import Lateness
from mithril_elt.histories import HISTORIES, PRICING, History
from mithril_elt.open_periods import OpenPeriods
from mithril_elt.wanted import Wanted
from mithril_elt.windows import Span

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPAN = Span(NOON, NOON + timedelta(hours=1))
US = timedelta(microseconds=1)
STATUS = HISTORIES[0]
WAYS = pytest.mark.parametrize("decode", [history_page, decode_page], ids=["as documented", "row by row"])


def page(history: History, *instances: dict[str, Any], decode: Decode = history_page, **answer: Any) -> Page:
    """The page that an answer with those instances stands for."""
    body = json.dumps({"instances": list(instances), **answer}).encode()
    return decode(ENDPOINTS[history.endpoint], body, server_at=NOON, novelties=Novelties())


def of_one(*events: dict[str, Any], **owner: Any) -> dict[str, Any]:
    """An instance with those events."""
    return {"instance_fid": "inst_1", "bid_fid": "bid_1", "events": list(events), **owner}


def tabled(
    history: History, *pages: Page, wanted: Wanted | None = None, novelties: Novelties | None = None
) -> pa.Table:
    """The rows that a window from noon to one takes of them."""
    return history.tabled(pages, "proj_a", wanted or Wanted(SPAN), novelties or Novelties())


def statuses_at(*instants: datetime, decode: Decode = history_page) -> list[datetime]:
    """The instants of the status events that are kept of those, for the span from noon to one."""
    events = ({"timestamp": at.isoformat(), "status": "STATUS_RUNNING"} for at in instants)
    found = tabled(STATUS, page(STATUS, of_one(*events), decode=decode)).column("timestamp").to_pylist()
    return [at.replace(tzinfo=UTC) for at in found]


@WAYS
def test_only_events_inside_the_span_are_kept(decode: Decode) -> None:
    """Start included, end not, to the microsecond: whatever the server thinks that its bounds mean."""
    kept = [NOON, NOON + US, SPAN.end - US]
    outside = [NOON - US, SPAN.end, SPAN.end + timedelta(days=1), NOON - timedelta(days=400)]
    assert statuses_at(*outside, *kept, decode=decode) == kept
    assert statuses_at(decode=decode) == []


def test_of_what_lies_outside_only_what_was_left_open_is_kept() -> None:
    """By instance and instant; of another instance, or another instant of the same, nothing."""
    early = NOON - timedelta(days=9)
    events = [{"start_time": at.isoformat(), "end_time": None, "price_cents": 1} for at in (early, early + US, NOON)]
    told = page(PRICING, of_one(*events), of_one(*events, instance_fid="inst_2"))
    rows = tabled(PRICING, told, wanted=Wanted(SPAN, {("inst_1", early)}))
    kept = zip(*(rows.column(name).to_pylist() for name in ("instance_fid", "start_time")), strict=True)
    assert sorted(kept) == [
        (fid, at.replace(tzinfo=None)) for fid, at in (("inst_1", early), ("inst_1", NOON), ("inst_2", NOON))
    ]


def test_an_answer_may_tell_of_others_than_was_asked_for() -> None:
    """Where one instance was asked for, only its rows are taken."""
    event = {"timestamp": NOON.isoformat(), "status": "STATUS_RUNNING"}
    told = page(STATUS, of_one(event), of_one(event, instance_fid="inst_2"))
    assert tabled(STATUS, told, wanted=Wanted(SPAN, fid="inst_2")).column("instance_fid").to_pylist() == ["inst_2"]


@WAYS
def test_what_the_server_tells_of_its_own_future_is_warned_of(decode: Decode) -> None:
    """A time that its clock has not reached: loaded with the window that it lies in, and said."""
    for minutes, warned in ((5, True), (0, False)):
        novelties = Novelties()
        event = {"timestamp": (NOON + timedelta(minutes=minutes)).isoformat(), "status": "STATUS_RUNNING"}
        assert tabled(STATUS, page(STATUS, of_one(event), decode=decode), novelties=novelties).num_rows == 1
        assert bool([warning for warning in novelties.warnings if "own clock" in warning]) is warned


@pytest.mark.parametrize(("days", "warned"), [(8, False), (10, True)])
def test_what_no_window_will_ever_have_is_warned_of(days: int, warned: bool) -> None:  # a case
    """Older than anything that is listed or was read; what another window has is none of it."""
    event = {"timestamp": (NOON - timedelta(days=days)).isoformat(), "status": "STATUS_RUNNING"}
    novelties = Novelties()
    wanted = Wanted(SPAN, begins_at=NOON - timedelta(days=9))
    assert tabled(STATUS, page(STATUS, of_one(event)), wanted=wanted, novelties=novelties).num_rows == 0
    assert bool([warning for warning in novelties.warnings if "are not read" in warning]) is warned


def test_a_status_that_is_new_is_warned_of_and_loaded() -> None:
    """In both ways of reading, once."""
    event = {"timestamp": NOON.isoformat(), "status": "STATUS_DREAMING"}
    for decode in (history_page, decode_page):
        novelties = Novelties()
        rows = tabled(STATUS, page(STATUS, of_one(event, event), decode=decode), novelties=novelties)
        assert rows.column("status").to_pylist() == ["STATUS_DREAMING"] * 2
        assert len(novelties.warnings) == 1


@WAYS
def test_events_are_placed_by_their_instant_not_by_their_spelling(decode: Decode) -> None:
    """An offset does not move an event into another window."""
    east = timezone(timedelta(hours=14))
    assert statuses_at(NOON.astimezone(east), SPAN.end.astimezone(east), decode=decode) == [NOON]


@WAYS
def test_a_period_belongs_to_the_window_that_it_starts_in(decode: Decode) -> None:
    """One in force since before is left out, though it is open; an end far after the window is kept."""
    before = {"start_time": (NOON - US).isoformat(), "end_time": None, "price_cents": 1}
    after = {"start_time": NOON.isoformat(), "end_time": (NOON + timedelta(days=9)).isoformat(), "price_cents": 2}
    rows = tabled(PRICING, page(PRICING, of_one(before, after), decode=decode)).to_pylist()
    noon = NOON.replace(tzinfo=None)
    assert rows == [
        {
            "project": "proj_a",
            "instance_fid": "inst_1",
            "bid_fid": "bid_1",
            "reservation_fid": None,
            "start_time": noon,
            "end_time": noon + timedelta(days=9),
            "price_cents": 2,
            "read_at": noon,
            "withdrawn_at": None,
        }
    ]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(st.lists(st.integers(-7_200, 7_200), max_size=12), st.lists(st.integers(1, 3_599), max_size=4, unique=True))
@pytest.mark.shows(22)
def test_windows_side_by_side_give_the_rows_of_one(seconds: list[int], cuts: list[int]) -> None:
    """However the hour is cut, each event is in exactly one window."""
    instants = [NOON + timedelta(seconds=n) for n in seconds]
    edges = [NOON, *(NOON + timedelta(seconds=n) for n in sorted(cuts)), SPAN.end]
    told = page(STATUS, of_one(*({"timestamp": at.isoformat(), "status": "STATUS_RUNNING"} for at in instants)))
    parts = [
        at.replace(tzinfo=UTC)
        for start, end in pairwise(edges)
        for at in tabled(STATUS, told, wanted=Wanted(Span(start, end))).column("timestamp").to_pylist()
    ]
    assert sorted(parts) == sorted(at for at in instants if SPAN.start <= at < SPAN.end)


def test_a_price_over_64_bits_is_a_breach_on_its_way_to_the_table() -> None:
    """From the wire to the column."""
    period = {"start_time": NOON.isoformat(), "end_time": None, "price_cents": 2**63}
    with pytest.raises(ContractError, match="does not fit its column"):
        tabled(PRICING, page(PRICING, of_one(period)))


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-01T24:00:00Z",
        "2026-03-01",
        "noon",
        "",
        "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:00:00-14:00",
    ],
)
def test_a_time_that_is_none_is_a_breach_that_names_its_place(written: str) -> None:
    """Though the rest of the page is as documented."""
    with pytest.raises(ContractError, match=r"timestamp|which is none in UTC") as breach:
        tabled(STATUS, page(STATUS, of_one({"timestamp": written, "status": "STATUS_RUNNING"})))
    assert "\n" not in str(breach.value)


def test_a_late_row_that_came_on_two_pages_counts_once() -> None:
    """As many rows as are new, and how far the earliest lies behind what was covered."""
    event = {"timestamp": NOON.isoformat(), "status": "STATUS_RUNNING"}
    told = page(STATUS, of_one(event, {**event, "timestamp": (NOON + US).isoformat()}))
    late = Lateness()
    late.note(tabled(STATUS, told, told).select(STATUS.key), "timestamp", [Span(NOON + US, NOON + timedelta(hours=2))])
    late.note(tabled(STATUS, told).select(STATUS.key), "timestamp", [])
    assert (late.rows, late.seconds) == (1, 2 * 60 * 60 - 1)


INSTANTS = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)) | st.sampled_from([NOON.replace(tzinfo=None)])  # noqa: DTZ001  # a zone is written behind


@st.composite
def instants(draw: st.DrawFn) -> str:
    """An instant in any spelling that the API may use."""
    at = draw(INSTANTS)
    at = at.replace(microsecond=0) if draw(st.booleans()) else at
    written = at.isoformat(sep=draw(st.sampled_from("TTT ")))
    written += "000" if "." in written and draw(st.booleans()) and draw(st.booleans()) else ""
    return written + draw(st.sampled_from(["Z", "Z", "+00:00", "-00:00", "+05:30", "-14:00", ""]))


def owners(events: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Instances with such events; keys may be absent or null, and there may be new ones."""
    fids = st.none() | st.text(min_size=1, max_size=3)
    optional = {"bid_fid": fids, "reservation_fid": fids, "colour": st.just("red")}
    wanted = {"instance_fid": st.text(min_size=1, max_size=4), "events": st.lists(events, max_size=4)}
    return st.lists(st.fixed_dictionaries(wanted, optional=optional), max_size=4)


STATUSES = st.fixed_dictionaries(
    {"timestamp": instants(), "status": st.sampled_from(["STATUS_RUNNING", "STATUS_NEW", "X"])}
)
PERIODS = st.fixed_dictionaries(
    {"start_time": instants(), "price_cents": st.integers(-(2**63), 2**63 - 1)},
    optional={"end_time": st.none() | instants(), "unit": st.just("cent")},
)
ANSWERS = st.tuples(st.just(STATUS), st.lists(owners(STATUSES), min_size=1, max_size=3)) | st.tuples(
    st.just(PRICING), st.lists(owners(PERIODS), min_size=1, max_size=3)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(ANSWERS)
def test_both_ways_of_reading_give_the_same_columns_and_warnings(
    told: tuple[History, list[list[dict[str, Any]]]],
) -> None:
    """Whatever is absent, null, new, or written in another way."""
    history, answers = told
    found = []
    for decode in (history_page, decode_page):
        novelties = Novelties()
        bodies = [json.dumps({"instances": answer}).encode() for answer in answers]
        endpoint = ENDPOINTS[history.endpoint]
        pages = [decode(endpoint, body, server_at=NOON, novelties=novelties) for body in bodies]
        columns = event_columns(history.endpoint, pages, novelties)
        found.append((sorted(map(repr, columns.to_pylist())), novelties.seen))
    assert found[0] == found[1]


def test_a_page_as_documented_is_read_in_the_fast_way() -> None:
    """Or the test above would compare one way with itself."""
    event = {"timestamp": NOON.isoformat(), "status": "STATUS_RUNNING"}
    assert not isinstance(page(STATUS, of_one(event)).rows[0], Row)
    assert isinstance(page(STATUS, of_one({**event, "colour": "red"})).rows[0], Row)
    assert page(STATUS, next_cursor="c").next_cursor == "c"
    assert page(STATUS, next_cursor="").next_cursor is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.none() | st.integers(6, 9)), max_size=12))
def test_open_periods_are_those_that_rows_one_by_one_lead_to(told: list[tuple[str, int, int | None]]) -> None:
    """Closed periods that are left aside unseen change nothing, when open ones are told first."""
    at = [NOON + timedelta(hours=n) for n in range(10)]
    rows = [(fid, at[start], None if end is None else at[end]) for fid, start, end in told]
    schema = pa.schema(
        [("instance_fid", pa.string()), ("start_time", pa.timestamp("us")), ("end_time", pa.timestamp("us"))]
    )
    columns = [[fid for fid, *_ in rows], *([row[n] and row[n].replace(tzinfo=None) for row in rows] for n in (1, 2))]
    table = pa.table(columns, schema=schema).append_column("withdrawn_at", pa.nulls(len(rows), pa.timestamp("us")))
    together: dict[str, Any] = {}
    by_row: dict[str, Any] = {}
    OpenPeriods(together, "proj_a").note_all(table, but_of={"c"})
    periods = OpenPeriods(by_row, "proj_a")
    for fid, start, end in sorted(rows, key=lambda row: row[2] is not None):
        if fid != "c":
            periods.note(fid, start, end)
    assert together == by_row
