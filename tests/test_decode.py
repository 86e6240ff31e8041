"""From the bytes of an answer to typed rows: what loads, what warns, what is refused."""

from __future__ import annotations

import decimal
import json
import logging
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mithril_elt.decode import Novelties, Page, decode_page, money_cents, money_usd, utc
from mithril_elt.endpoints import ENDPOINTS, KNOWN_STATUSES
from mithril_elt.errors import ContractError
from session import ROW as INSTANCE

READ_AT = datetime(2026, 3, 31, tzinfo=UTC)
RESERVATION = {
    "fid": "res_1",
    "name": "r",
    "instance_quantity": 2,
    "instance_type": "it_1",
    "region": "us-east1-a",
    "instances": [],
    "status": "Active",
    "start_time": "2026-03-01T00:00:00Z",
    "end_time": "2026-03-02T00:00:00Z",
    "total_price": "$47.76",
    "unit_price": "$1.99",
}
SUMMARY = {
    "committed_cost_cents": 4776,
    "flex_use_credits_cents": 0,
    "early_termination_credits_cents": 0,
    "net_cost_cents": 4776,
    "reserved_instance_hours": "P1D",
    "active_instance_hours": "PT0S",
    "idle_instance_hours": "P1D",
    "as_of": "2026-03-02T00:00:00Z",
}
EVENT = {"timestamp": "2026-03-01T00:00:00Z", "status": "STATUS_RUNNING"}


def decoded(name: str, answer: Any, novelties: Novelties | None = None) -> Page:
    """The page that an endpoint's answer stands for."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return decode_page(ENDPOINTS[name], body, server_at=READ_AT, novelties=novelties or Novelties())


def status_page(*events: dict[str, Any]) -> dict[str, Any]:
    """A page of the status history with one instance."""
    return {"instances": [{"instance_fid": "inst_1", "events": list(events)}], "next_cursor": None}


def warnings_of(name: str, answer: Any) -> list[str]:
    """What decoding that answer warned of."""
    novelties = Novelties()
    decoded(name, answer, novelties)
    return novelties.warnings


def test_a_page_has_its_rows_its_cursor_and_where_it_came_from() -> None:
    """Rows are typed; the cursor, the server's clock and the size go with them."""
    body = json.dumps({"data": [INSTANCE], "next_cursor": "c2"}).encode()
    page = decoded("instances", body)
    assert [row.fid for row in page.rows] == ["inst_1"]
    assert page.rows[0].created_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert (page.next_cursor, page.server_at, page.size_bytes) == ("c2", READ_AT, len(body))


@pytest.mark.parametrize("end", [{"next_cursor": None}, {}, {"next_cursor": ""}])
def test_a_list_ends_where_no_cursor_is_named(end: dict[str, Any]) -> None:
    """Null, absent or empty: there is no next page, and nothing to warn of."""
    novelties = Novelties()
    assert decoded("instances", {"data": [], **end}, novelties).next_cursor is None
    assert novelties.warnings == []


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [
        ("instances", {"items": [], "next_cursor": None}, "an object of items, next_cursor"),
        ("instances", {"instances": [INSTANCE]}, "an object of instances"),
        ("instances", {"data": None}, "`data`"),
        ("instances", {"data": {}}, "`data`"),
        ("instances", {}, "an object of nothing"),
        ("instances", [INSTANCE], "a list"),
        ("instances", None, "null"),
        ("instances", "no", "text"),
        ("instances", 7, "a int"),
        ("status_history", {"data": [], "next_cursor": None}, "`instances`"),
        ("projects", {"data": []}, "where a list is documented"),
        ("reservation_events", [], "`events`"),
        ("me", [], "Expected `object`"),
        ("instances", {"data": [], "next_cursor": 5}, "next_cursor that is a int"),
        ("instances", {"data": [], "next_cursor": True}, "next_cursor that is a bool"),
        ("instances", {"data": [], "next_cursor": ["a"]}, "next_cursor that is a list"),
        ("instances", {"data": [], "next_cursor": {"after": "x"}}, "next_cursor that is an object of after"),
        ("instances", {"data": [INSTANCE], "nextCursor": "c2"}, "nextCursor"),
        ("instances", {"data": [INSTANCE], "cursor": "c2"}, "cursor"),
        ("instances", {"data": [INSTANCE], "has_next": True}, "has_next"),
    ],
)
@pytest.mark.shows(29)
def test_another_envelope_is_a_breach_that_says_what_came(name: str, answer: Any, says: str) -> None:
    """A renamed or missing envelope or cursor never passes for an empty or a whole list."""
    with pytest.raises(ContractError) as breach:
        decoded(name, answer)
    assert says in str(breach.value)
    assert ENDPOINTS[name].path in str(breach.value)
    assert "\n" not in str(breach.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"data": [',
        b'{"data": []} {}',
        b"\xff",
        b'{"data": ["\xff"]}',
        b"[" * 100_000,
        b"{'data': []}",
    ],
)
@pytest.mark.shows(27)
def test_what_is_not_json_is_a_breach(body: bytes) -> None:
    """HTML, cut JSON, broken text, nesting without end: one sentence that shows how it began."""
    with pytest.raises(ContractError, match="not JSON") as breach:
        decoded("instances", body)
    assert len(str(breach.value)) < 300


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("instances", {"data": [{k: v for k, v in INSTANCE.items() if k != "fid"}]}),
        ("instances", {"data": [{**INSTANCE, "fid": None}]}),
        ("instances", {"data": [{**INSTANCE, "fid": 7}]}),
        ("instances", {"data": [{**INSTANCE, "created_at": 1772323200}]}),
        ("instances", {"data": [{**INSTANCE, "created_at": "yesterday"}]}),
        ("instances", {"data": [{**INSTANCE, "created_at": "2026-03-01"}]}),
        ("instances", {"data": [None]}),
        ("instances", {"data": [["inst_1"]]}),
        ("status_history", {"instances": [{"instance_fid": "inst_1"}]}),
        ("status_history", {"instances": [{"instance_fid": "inst_1", "events": None}]}),
        ("status_history", status_page({"timestamp": "2026-03-01T00:00:00Z"})),
        ("price_history", {"instances": [{"instance_fid": "i", "events": [{"start_time": "2026-03-01T00:00:00Z"}]}]}),
        ("instance_types", [{"fid": "it_1", "name": "h", "num_gpus": "8"}]),
        ("reservations", {"data": [{**RESERVATION, "unit_price": 1.99}]}),
        ("reservation_usage", {"summary": {**SUMMARY, "reserved_instance_hours": "P1M"}}),
        ("reservation_usage", {"summary": {**SUMMARY, "reserved_instance_hours": 36}}),
        ("reservation_usage", {"summary": {**SUMMARY, "net_cost_cents": 12.5}}),
        ("reservation_usage", {"grants": []}),
    ],
)
@pytest.mark.shows(29)
def test_a_missing_required_field_or_another_type_is_a_breach(name: str, answer: Any) -> None:
    """Nothing that a figure hangs on is guessed, and no decimal point comes in through a binary fraction."""
    with pytest.raises(ContractError, match="another shape than documented"):
        decoded(name, answer)


@pytest.mark.parametrize("price", [1300.0, 1300.5, "1300", True, None])
def test_a_price_is_whole_cents_or_a_breach(price: Any) -> None:
    """Cents are integers on the wire; anything else is not rounded into one."""
    period = {"start_time": "2026-03-01T00:00:00Z", "end_time": None, "price_cents": price}
    with pytest.raises(ContractError, match="price_cents"):
        decoded("price_history", {"instances": [{"instance_fid": "inst_1", "events": [period]}]})


@pytest.mark.shows(9, 29)
def test_new_fields_load_with_one_warning_each_and_are_kept() -> None:
    """However many rows have them; each row keeps its own, in `others`."""
    novelties = Novelties()
    rows = [{**INSTANCE, "rack": n, "zone": "a"} for n in range(3)]
    for _ in range(2):
        page = decoded("instances", {"data": [*rows, INSTANCE]}, novelties)
    assert page.others == [{"rack": 0, "zone": "a"}, {"rack": 1, "zone": "a"}, {"rack": 2, "zone": "a"}, {}]
    assert len(novelties.warnings) == 2
    assert "rack" in novelties.warnings[0]
    assert "zone" in novelties.warnings[1]


def test_new_fields_deep_inside_load_with_one_warning() -> None:
    """Those of events and grants are named by where they are."""
    assert warnings_of("status_history", status_page({**EVENT, "why": "x"}, {**EVENT, "why": "y"})) == [
        "field why of status_history.events is new: kept in other_fields where the table has it"
    ]
    usage = {"summary": {**SUMMARY, "tax_cents": 1}, "grants": [], "pricing_events": []}
    [warning] = warnings_of("reservation_usage", usage)
    assert "tax_cents of reservation_usage.summary" in warning


def test_new_fields_beside_the_rows_load_with_one_warning() -> None:
    """What the envelope has besides rows and cursor is named once and not used."""
    novelties = Novelties()
    for _ in range(2):
        decoded("instances", {"data": [], "total": 0, "next_cursor": None}, novelties)
        decoded("instances", {"data": [], "previous_cursor": "c0", "next_cursor": None}, novelties)
    assert len(novelties.warnings) == 2
    assert "total" in novelties.warnings[0]
    assert "previous_cursor" in novelties.warnings[1]


@pytest.mark.parametrize("status", ["STATUS_SCHEDULED", "STATUS_FAILED", "running", "RUNNING", ""])
@pytest.mark.shows(9, 29)
def test_a_new_status_loads_with_one_warning(status: str) -> None:
    """Whatever it looks like, and wherever it shows: in the list, the live status or the history."""
    novelties = Novelties()
    page = decoded("instances", {"data": [{**INSTANCE, "status": status}] * 2}, novelties)
    decoded("status_history", status_page({**EVENT, "status": status}), novelties)
    state = {"fid": "inst_1", "name": "n", "status": status, "bid": None, "reservation": None, "end_time": None}
    decoded("instance_state", state, novelties)
    assert page.rows[0].status == status
    assert novelties.warnings == [
        f"status {status!r} is new: loaded, and counted in a phase of its own (unknown)",
    ]


@pytest.mark.shows(9)
def test_known_statuses_load_in_silence() -> None:
    """All thirteen of them."""
    assert len(KNOWN_STATUSES) == 13
    assert warnings_of("status_history", status_page(*({**EVENT, "status": s} for s in KNOWN_STATUSES))) == []


def test_a_new_status_or_event_of_a_reservation_loads_with_one_warning() -> None:
    """Reservations have words of their own."""
    [warning] = warnings_of("reservations", {"data": [{**RESERVATION, "status": "Frozen"}] * 2})
    assert "'Frozen'" in warning
    event = {"event_type": "Merged", "timestamp": "2026-03-01T00:00:00Z"}
    [warning] = warnings_of("reservation_events", {"events": [event, event]})
    assert "'Merged'" in warning
    for known in ("Pending", "Active", "Paused", "Canceled", "Ended"):
        assert warnings_of("reservations", {"data": [{**RESERVATION, "status": known}]}) == []


@pytest.mark.parametrize(
    ("name", "answer", "field"),
    [
        ("instances", {"data": [{k: v for k, v in INSTANCE.items() if k != "created_at"}] * 2}, "created_at"),
        ("reservations", {"data": [{k: v for k, v in RESERVATION.items() if k != "end_time"}] * 2}, "end_time"),
        ("instance_types", [{"fid": "it_1", "name": "h100"}] * 2, "num_gpus"),
        (
            "price_history",
            {
                "instances": [
                    {"instance_fid": "i", "events": [{"start_time": "2026-03-01T00:00:00Z", "price_cents": 1}] * 2}
                ]
            },
            "end_time",
        ),
        ("reservation_usage", {"summary": SUMMARY, "pricing_events": []}, "grants"),
    ],
)
@pytest.mark.shows(9, 29)
def test_a_missing_optional_field_loads_with_one_warning(name: str, answer: Any, field: str) -> None:
    """It is null from then on, and that is said once."""
    [warning] = warnings_of(name, answer)
    assert f"field {field} of {name}" in warning
    assert "missing" in warning


def test_fields_that_may_be_absent_are_not_warned_of() -> None:
    """What the API's description lets be absent: owner, region and addresses of an instance, terms of an event."""
    assert warnings_of("instances", {"data": [INSTANCE]}) == []
    assert warnings_of("status_history", status_page(EVENT)) == []
    assert warnings_of("me", {}) == []
    assert warnings_of("reservations", {"data": [RESERVATION]}) == []
    event = {"event_type": "Placed", "timestamp": "2026-03-01T00:00:00Z"}
    assert warnings_of("reservation_events", {"events": [event]}) == []


def test_a_warning_is_logged_once_for_a_run(caplog: pytest.LogCaptureFixture) -> None:
    """The log has it where it arose, and the run keeps it for its report."""
    novelties = Novelties()
    with caplog.at_level(logging.WARNING, "mithril_elt"):
        novelties.warn("100 % new")
        novelties.warn("100 % new")
    assert caplog.messages == novelties.warnings == ["100 % new"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00+00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00-00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T14:00:00+02:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-02-28T23:59:59.999999-05:30", datetime(2026, 3, 1, 5, 29, 59, 999_999, tzinfo=UTC)),
        ("2026-03-01T12:00:00.1Z", datetime(2026, 3, 1, 12, 0, 0, 100_000, tzinfo=UTC)),
        ("2026-03-01T12:00:00.123456Z", datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-03-01 12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
    ],
)
def test_instants_are_read_in_every_spelling(written: str, expected: datetime) -> None:
    """Z, zero offsets, other offsets and fractions all become the same UTC."""
    novelties = Novelties()
    page = decoded("status_history", status_page({**EVENT, "timestamp": written}), novelties)
    read = utc(page.rows[0].events[0].timestamp, novelties)
    assert read == expected
    assert read.utcoffset() == timedelta()
    assert novelties.warnings == []


def test_a_time_without_a_zone_is_taken_for_utc_with_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never for the zone of this machine."""
    novelties = Novelties()
    page = decoded("status_history", status_page({**EVENT, "timestamp": "2026-03-01T12:00:00"}), novelties)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        read = {utc(page.rows[0].events[0].timestamp, novelties) for _ in range(2)}
    time.tzset()
    assert read == {datetime(2026, 3, 1, 12, tzinfo=UTC)}
    assert len(novelties.warnings) == 1


def test_an_instant_before_the_year_1_is_a_breach() -> None:
    """An offset can lead there; it is no crash."""
    page = decoded("status_history", status_page({**EVENT, "timestamp": "0001-01-01T00:00:00+14:00"}))
    with pytest.raises(ContractError, match="0001-01-01"):
        utc(page.rows[0].events[0].timestamp)


@pytest.mark.parametrize(
    ("spelt", "usd", "cents"),
    [
        ("$1,047.76", Decimal("1047.76"), 104_776),
        ("$1.99", Decimal("1.99"), 199),
        ("$0.00", Decimal(0), 0),
        ("47.76", Decimal("47.76"), 4_776),
        ("$1,234,567.89", Decimal("1234567.89"), 123_456_789),
        ("1234567.8", Decimal("1234567.8"), 123_456_780),
        (" $5 ", Decimal(5), 500),
        ("-$3.20", Decimal("-3.2"), -320),
        ("$-3.20", Decimal("-3.2"), -320),
        (1300, Decimal(13), 1_300),
        (0, Decimal(0), 0),
        (-1, Decimal("-0.01"), -1),
        (None, None, None),
    ],
)
def test_each_spelling_of_money_is_exact(spelt: str | int | None, usd: Decimal | None, cents: int | None) -> None:
    """Text is dollars, a bare integer is cents, nothing is nothing."""
    assert money_usd(spelt) == usd
    assert money_cents(spelt) == cents


@pytest.mark.parametrize(
    "spelt",
    ["", "$", "free", "NaN", "Infinity", "1e5", "1,99", "1,2,3", "1_000", "$1.99.1", "€5", "1.0000000001", "--1"],
)
def test_what_is_no_amount_is_a_breach(spelt: str) -> None:
    """Neither words nor a comma for the decimal point nor ten places are guessed at."""
    with pytest.raises(ContractError, match="amount"):
        money_usd(spelt)


@pytest.mark.parametrize("spelt", ["$1.995", "0.001", "$0.000000001"])
def test_less_than_a_cent_is_kept_in_dollars_and_never_rounded_to_cents(spelt: str) -> None:
    """Dollars keep nine places; where whole cents are needed it is a breach."""
    assert money_usd(spelt) == Decimal(spelt.removeprefix("$"))
    with pytest.raises(ContractError, match="amount"):
        money_cents(spelt)


def test_one_amount_has_one_form_however_it_was_spelt() -> None:
    """`"$19.90"`, `"19.9"` and 1990 are the same to the last digit of their text, so they hash alike."""
    assert {str(money_usd(spelt)) for spelt in ("$19.90", "19.9", 1990)} == {"19.900000000"}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(st.integers(-(10**24), 10**24))
def test_cents_survive_every_spelling(cents: int) -> None:
    """To dollars and back, as text or as an integer, whatever the precision of the program around."""
    sign, whole, part = "-" if cents < 0 else "", abs(cents) // 100, abs(cents) % 100
    with decimal.localcontext(decimal.Context(prec=3)):
        assert money_cents(f"{sign}${whole:,}.{part:02}") == cents
        assert money_cents(cents) == cents
