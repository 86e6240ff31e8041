"""What an HTTP answer means: the error it stands for, and the wait it asks for."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mithril_elt.errors import ApiError, ContractError, KeyRefusedError, MithrilError, NotFoundError
from mithril_elt.wire import Refused, RetryableError, judge, retry_after_s, server_clock

WHAT = "GET /v2/instances"
DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
HEADER = st.text(st.characters(max_codepoint=255), max_size=40)
DATE_LIKE = st.from_regex(
    r"(Mon, )?\d{0,12}[ -](Oct|13)[ -]\d{0,12} \d{0,3}:?\d{0,3}:?\d{0,9} (GMT|[+-]\d{0,12}|)", fullmatch=True
)


def judged(status: int, body: bytes = b"", **headers: str) -> MithrilError:
    """The error that such an answer stands for."""
    error = judge(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, what=WHAT)
    assert error is not None
    return error


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", "application/x+json"])
def test_json_with_a_good_status_is_no_error(content_type: str) -> None:
    """However the content type is spelt."""
    assert judge(200, {"content-type": content_type}, b"{}", what=WHAT) is None


def test_an_answer_without_a_content_type_is_taken_for_json() -> None:
    """The decoder says if it is not."""
    assert judge(200, {}, b"[]", what=WHAT) is None


@pytest.mark.parametrize(
    ("status", "kind", "exit_status"),
    [
        (400, Refused, 2),
        (401, KeyRefusedError, 3),
        (403, KeyRefusedError, 3),
        (404, NotFoundError, 4),
        (405, Refused, 2),
        (409, Refused, 2),
        (422, Refused, 2),
        (501, Refused, 2),
        (418, ApiError, 5),
        (505, ApiError, 5),
    ],
)
def test_each_status_has_its_error_with_the_apis_own_words(
    status: int, kind: type[MithrilError], exit_status: int
) -> None:
    """The class and its exit status, the endpoint, the HTTP status, and what the API said of it."""
    error = judged(status, b'{"detail": "Project not found"}')
    assert type(error) is kind
    assert error.exit_status == exit_status
    assert str(status) in str(error)
    assert WHAT in str(error)
    assert str(error).endswith("(the API says: Project not found)")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
@pytest.mark.shows(27)
def test_what_may_pass_is_worth_another_try(status: int) -> None:
    """Overload and failures of the server are retryable; they count as errors of the API if they last."""
    error = judged(status, b"<html>Bad Gateway</html>", content_type="text/html")
    assert isinstance(error, RetryableError)
    assert error.exit_status == 5
    assert error.http_status == status
    assert error.detail is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_breach_and_not_followed(status: int) -> None:
    """The key goes to no other place than the one it was given for."""
    error = judged(status, location="https://elsewhere.example/")
    assert isinstance(error, ContractError)
    assert "redirect" in str(error)


@pytest.mark.shows(27)
def test_html_with_a_good_status_is_a_breach() -> None:
    """A login page of something between is not taken for an answer."""
    error = judged(200, b"<html>", content_type="text/html")
    assert isinstance(error, ContractError)
    assert "text/html" in str(error)


@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_body_is_a_breach(status: int) -> None:
    """Nothing is not an empty list."""
    assert isinstance(judged(status), ContractError)


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        (
            [{"loc": ["query", "limit"], "msg": "Input should be at most 100"}],
            "query.limit: Input should be at most 100",
        ),
        ([{"loc": ["a"], "msg": "x"}, {"loc": ["b", 0], "msg": "y"}], "a: x; b.0: y"),
        ([{"loc": None, "msg": 1}], ": 1"),
        (["too many", 3], "too many; 3"),
        ({"code": 7}, "{'code': 7}"),
        ("two\n  lines", "two lines"),
        ("x" * 500, "x" * 300),
    ],
)
def test_the_apis_words_are_read_in_every_shape(detail: object, words: str) -> None:
    """Text, FastAPI's list of places and messages, or whatever else: one line of at most 300 characters."""
    assert judged(422, json.dumps({"detail": detail}).encode()).detail == words


@pytest.mark.parametrize("body", [b"", b"\xff", b'{"detail": "\xff"}', b"[" * 100_000, b"[]", b"null", b"{}", b"{"])
def test_an_error_without_readable_words_is_still_that_error(body: bytes) -> None:
    """No body can turn a refusal into a crash."""
    error = judged(422, body)
    assert isinstance(error, Refused)
    assert error.detail is None


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("86400", 86_400),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2026 09:28:30 +0200", 30),
        ("Wed, 21 Oct 2026 07:28:30 -0000", 30),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("\u00b2", 0),
    ],
)
@pytest.mark.shows(27)
def test_retry_after_is_seconds_or_a_date_by_the_servers_clock(value: str, wait_s: int) -> None:
    """Whole seconds, never negative; 0 where it says nothing that can be read."""
    assert retry_after_s({"retry-after": value, "date": DATE}) == wait_s


def test_a_fraction_of_a_second_is_waited_out_in_full() -> None:
    """A wait is never shorter than what was asked."""
    assert retry_after_s({"retry-after": "1.2"}) == 2


@pytest.mark.parametrize("value", ["9" * 5_000, "99999999999", "Wed, 21 Oct 9999 07:28:00 GMT"])
def test_an_absurd_retry_after_stays_absurd(value: str) -> None:
    """It is beyond any budget, not zero: who asks for years is not asked again at once."""
    assert retry_after_s({"retry-after": value, "date": DATE}) > 1_000_000


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(st.one_of(HEADER, DATE_LIKE))
def test_no_header_can_crash_the_client(value: str) -> None:
    """Any text gives a wait that is not negative, and a clock in UTC."""
    assert retry_after_s({"retry-after": value, "date": DATE}) >= 0
    assert server_clock({"date": value}).utcoffset() == timedelta()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
@pytest.mark.parametrize("written", [DATE, "Wed, 21 Oct 2026 07:28:00 -0000", "Wed, 21 Oct 2026 12:58:00 +0530"])
def test_the_servers_clock_does_not_hang_on_this_machines_zone(
    written: str, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The `Date` header is the same instant everywhere, also where it names no zone."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", zone)
        time.tzset()
        read = server_clock({"date": written})
    time.tzset()
    assert read == datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


def test_without_a_date_header_this_machines_clock_serves() -> None:
    """In whole seconds, as the header would be."""
    before = datetime.now(UTC).replace(microsecond=0)
    read = server_clock({})
    assert before <= read <= datetime.now(UTC)
    assert read.microsecond == 0
