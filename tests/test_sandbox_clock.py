"""The sandbox's clock, and how times, spans and money are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from threading import Thread

import pytest

from mithril_elt.sandbox.account import HOUR_US
from mithril_elt.sandbox.clock import Clock, microseconds, utc
from mithril_elt.sandbox.gateway import Faults, RateLimit
from mithril_elt.sandbox.rendering import dollars, hours, http_date, instants, rounded_cents
from sandbox_by_hand import NOW, NOW_US


def test_a_clock_without_speed_stands_still() -> None:
    """A frozen clock shows the same instant however much real time passes."""
    ticks = iter(range(0, 10**12, 10**9))
    clock = Clock(NOW, monotonic_ns=lambda: next(ticks))
    assert [clock.now_us() for _ in range(3)] == [NOW_US] * 3


def test_a_running_clock_keeps_its_speed_exactly() -> None:
    """At speed 60 a real second is a minute, to the microsecond even after a hundred years."""
    real_ns = [5]
    clock = Clock(NOW, 60, monotonic_ns=lambda: real_ns[0])
    real_ns[0] += 10**9
    assert clock.now_us() == NOW_US + 60_000_000
    century_s = 100 * 365 * 86_400
    real_ns[0] += century_s * 10**9 + 1_000
    assert clock.now_us() == NOW_US + 60_000_000 * (century_s + 1) + 60


def test_a_clock_is_set_and_moved() -> None:
    """`set` shows that instant, in whatever zone it is given; `advance` moves on and back."""
    clock = Clock(NOW)
    clock.advance(timedelta(hours=1, microseconds=1))
    assert clock.now_us() == NOW_US + HOUR_US + 1
    clock.advance(timedelta(hours=-2))
    assert clock.now_us() == NOW_US - HOUR_US + 1
    clock.set(datetime(2026, 3, 31, 2, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now_us() == NOW_US


def test_a_running_clock_runs_on_from_where_it_is_set() -> None:
    """After `set` only the real time since then counts."""
    real_ns = [0]
    clock = Clock(NOW, 1, monotonic_ns=lambda: real_ns[0])
    real_ns[0] = 9 * 10**9
    clock.set(NOW)
    real_ns[0] += 10**9
    assert clock.now_us() == NOW_US + 1_000_000


def test_a_clock_loses_no_move_between_threads() -> None:
    """Moves from several threads all count."""
    clock = Clock(NOW)

    def move() -> None:
        for _ in range(2_000):
            clock.advance(timedelta(microseconds=1))

    threads = [Thread(target=move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now_us() == NOW_US + 8_000


def test_a_clock_refuses_what_has_no_meaning() -> None:
    """An instant without a zone, and a clock that runs backwards, are errors."""
    with pytest.raises(ValueError, match="names no time zone"):
        Clock(datetime(2026, 3, 31))  # noqa: DTZ001  # the case under test
    with pytest.raises(ValueError, match="backwards"):
        Clock(NOW, -1)


def test_microseconds_and_back() -> None:
    """Instants go to microseconds since 1970 and back without loss."""
    at = datetime(2026, 3, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert utc(microseconds(at)) == at
    assert microseconds(NOW) == NOW_US


@pytest.mark.parametrize(
    ("after_us", "written"),
    [
        (0, "2026-03-31T00:00:00Z"),
        (1, "2026-03-31T00:00:00.000001Z"),
        (250_000, "2026-03-31T00:00:00.250000Z"),
        (-1, "2026-03-30T23:59:59.999999Z"),
    ],
)
def test_instants_are_written_in_utc(after_us: int, written: str) -> None:
    """An instant ends with Z and has a fraction only where there is one."""
    assert instants("Z", "needed")(NOW_US + after_us) == written


@pytest.mark.parametrize(
    ("times", "fractions", "written"),
    [
        ("+00:00", "needed", "2026-03-31T00:00:00+00:00"),
        ("-00:00", "needed", "2026-03-31T00:00:00-00:00"),
        ("-00:00", "always", "2026-03-31T00:00:00.000000-00:00"),
        ("Z", "always", "2026-03-31T00:00:00.000000Z"),
    ],
)
def test_instants_can_be_written_otherwise(times: str, fractions: str, written: str) -> None:
    """With another name for UTC, and with a fraction always."""
    assert instants(times, fractions)(NOW_US) == written


def test_instants_of_mixed_times_are_the_same_instants() -> None:
    """Each of the four spellings comes, each instant has always the same, and each is that instant."""
    first, second = instants("mixed", "needed"), instants("mixed", "needed")
    moments = [NOW_US + number * HOUR_US for number in range(60)]
    assert [first(at_us) for at_us in moments] == [second(at_us) for at_us in moments]
    assert {first(at_us)[19:] for at_us in moments} == {"Z", "+00:00", "-00:00", "+02:00"}
    assert [microseconds(datetime.fromisoformat(first(at_us))) for at_us in moments] == moments


def test_the_date_header_is_cut_down_to_the_second() -> None:
    """The HTTP date is never later than the instant."""
    assert http_date(NOW_US) == "Tue, 31 Mar 2026 00:00:00 GMT"
    assert http_date(NOW_US + 999_999) == "Tue, 31 Mar 2026 00:00:00 GMT"
    assert http_date(NOW_US - 1) == "Mon, 30 Mar 2026 23:59:59 GMT"


@pytest.mark.parametrize(
    ("cents", "written"),
    [
        (0, "$0.00"),
        (5, "$0.05"),
        (199, "$1.99"),
        (104_776, "$1,047.76"),
        (-150, "-$1.50"),
        (123_456_789, "$1,234,567.89"),
    ],
)
def test_money_is_written_in_dollars(cents: int, written: str) -> None:
    """Cents become dollars with a thousands separator and two places."""
    assert dollars(cents) == written


@pytest.mark.parametrize(
    ("span_us", "written"),
    [
        (0, "PT0S"),
        (36 * HOUR_US, "PT36H"),
        (HOUR_US - 1_000, "PT59M59.999S"),
        (HOUR_US + 1, "PT1H0.000001S"),
        (90 * 60_000_000, "PT1H30M"),
        (10_000_000, "PT10S"),
    ],
)
def test_spans_are_written_as_iso_durations(span_us: int, written: str) -> None:
    """A span is hours, minutes and seconds, each only where there is any; hours are not made days."""
    assert hours(span_us) == written


@pytest.mark.parametrize(
    ("half_cents", "cents"), [(0, 0), (1, 0), (2, 1), (3, 2), (5, 2), (7, 4), (5201, 2600), (-1, 0), (-3, -2)]
)
def test_cents_are_rounded_half_to_even(half_cents: int, cents: int) -> None:
    """Half a cent goes to the even neighbour, and any more or less to the nearest."""
    assert rounded_cents(half_cents * HOUR_US // 2) == cents
    assert rounded_cents(cents * HOUR_US + HOUR_US // 2 - 1) == cents
    assert rounded_cents(cents * HOUR_US - HOUR_US // 2 + 1) == cents


def test_the_rate_limit_lets_a_second_of_requests_through_at_once() -> None:
    """Five a second: five pass at once, the sixth waits a fifth of a second, and then one more passes."""
    limit = RateLimit(5)
    start_ns = 10**12
    assert [limit.wait_ns(start_ns) for _ in range(6)] == [0, 0, 0, 0, 0, 200_000_000]
    assert limit.wait_ns(start_ns + 199_999_999) == 1
    assert limit.wait_ns(start_ns + 200_000_000) == 0
    assert limit.wait_ns(start_ns + 200_000_000) == 200_000_000


def test_a_rate_below_one_a_second_is_kept() -> None:
    """A request every four seconds: the second one waits for four seconds."""
    limit = RateLimit(0.25)
    assert [limit.wait_ns(10**12), limit.wait_ns(10**12)] == [0, 4 * 10**9]


def test_faults_are_the_same_for_the_same_seed() -> None:
    """The series of faults follows from the seed alone, has every kind, and has about the share asked for."""
    first, second, other = (
        [faults.next() for _ in range(1_000)] for faults in (Faults(0.2, 7), Faults(0.2, 7), Faults(0.2, 8))
    )
    assert first == second != other
    assert set(first) == {None, 0, 429, 500, 502, 503}
    assert 150 < sum(fault is not None for fault in first) < 250
