"""Instants and durations as users, the API and the reports write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from mithril_elt.errors import UsageError
from mithril_elt.instants import iso, parse_duration, parse_instant, parse_iso_duration

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES)  # noqa: DTZ001  # bounds, zones follow
AS_THE_API = TypeAdapter(timedelta)
DURATIONS = st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        (" 2026-03-01 ", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T02:00:00+02:00", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T00:00:00-00:00", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T00:00:00.000001Z", datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_a_user_may_write_an_instant_with_a_zone_or_a_date(written: str, expected: datetime) -> None:
    """A date is its midnight in UTC; an instant with any offset becomes UTC."""
    read = parse_instant(written, option="--since")
    assert read == expected
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "written",
    ["", "yesterday", "2026-02-30", "2026-03-01T12:00:00", "2026-13-01", "1772323200", "0001-01-01T00:00:00+05:00"],
)
def test_what_is_no_instant_is_refused_by_the_name_of_its_option(written: str) -> None:
    """Nonsense, a time of day without a zone, or a year that does not exist: one sentence that names the option."""
    with pytest.raises(UsageError, match="--since") as refused:
        parse_instant(written, option="--since")
    assert "\n" not in str(refused.value)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(INSTANTS)
def test_an_instant_survives_being_written(instant: datetime) -> None:
    """What `iso` writes, `parse_instant` reads as the same instant, to the microsecond."""
    written = iso(instant)
    assert written is not None
    assert written.endswith("Z")
    assert parse_instant(written, option="--to") == instant


def test_iso_writes_fractions_only_where_there_are_any() -> None:
    """Whole seconds have no fraction; nothing stays nothing."""
    assert iso(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00Z"
    assert iso(datetime(2026, 3, 1, 0, 0, 0, 120_000, tzinfo=UTC)) == "2026-03-01T00:00:00.120000Z"
    assert iso(None) is None


def test_iso_refuses_an_instant_without_a_zone() -> None:
    """A naive datetime is never taken for the machine's local time."""
    with pytest.raises(UsageError, match="time zone"):
        iso(datetime(2026, 3, 1))  # noqa: DTZ001  # that is what is tested


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("3d", timedelta(days=3)),
        (" 2w ", timedelta(weeks=2)),
        ("0d", timedelta()),
    ],
)
def test_a_user_may_write_a_duration_in_minutes_hours_days_or_weeks(written: str, expected: timedelta) -> None:
    """A number and a unit."""
    assert parse_duration(written, option="--lookback") == expected


@pytest.mark.parametrize("written", ["", "d", "3", "3s", "-3d", "1.5d", "3 d", "100000d", "P3D"])
def test_what_is_no_duration_is_refused_by_the_name_of_its_option(written: str) -> None:
    """Anything else is one sentence that names the option."""
    with pytest.raises(UsageError, match="--lookback"):
        parse_duration(written, option="--lookback")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("PT36H", timedelta(hours=36)),
        ("P1DT12H", timedelta(hours=36)),
        ("PT0S", timedelta()),
        ("P7D", timedelta(days=7)),
        ("P1W", timedelta(days=7)),
        ("P1Y", timedelta(days=365)),
        ("P2Y166DT1H", timedelta(days=896, hours=1)),
        ("PT1.5H", timedelta(minutes=90)),
        ("PT90M", timedelta(minutes=90)),
        ("PT876000H0.123457S", timedelta(hours=876_000, microseconds=123_457)),
        ("-P1DT1S", -timedelta(days=1, seconds=1)),
    ],
)
def test_the_api_writes_durations_in_iso_8601(written: str, expected: timedelta) -> None:
    """To the microsecond, and in years of 365 days above that, as FastAPI writes them."""
    assert parse_iso_duration(written) == expected


@pytest.mark.parametrize("written", ["", "P", "PT", "36H", "P1M", "PT1H1D", "PT0.0000001S", "PT1e3S", "P9999999Y", "1"])
def test_a_duration_that_cannot_be_kept_exactly_is_refused(written: str) -> None:
    """Months have no length, and nothing finer than a microsecond is rounded away."""
    with pytest.raises(ValueError, match="duration"):
        parse_iso_duration(written)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(DURATIONS)
def test_any_duration_that_fastapi_writes_is_read_exactly(duration: timedelta) -> None:
    """Whatever the API's own framework makes of a duration comes back as the same microseconds."""
    assert parse_iso_duration(AS_THE_API.dump_python(duration, mode="json")) == duration
