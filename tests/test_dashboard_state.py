"""What an address says is what a page shows: read, written, refused; and which time is held against which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mithril_elt.dashboard.links import FINER, Links
from mithril_elt.dashboard.periods import Period, month_words, periods
from mithril_elt.dashboard.state import State
from mithril_elt.errors import UsageError
from mithril_elt.reports import GROUPINGS, PARTS


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(query: str) -> State:
    """The state of an address."""
    return State.told(parse_qsl(query.removeprefix("?"), keep_blank_values=True))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?month=2026-03",
        "?from=2026-03-01&to=2026-03-08&user=user_1&theme=dark",
        "?from=2026-03-01T05%3A00%3A00Z",
        "?month=2026-03&order=o&instance-type=t&project=p&report=cost&by=day&figure=net_cost_usd",
    ],
)
def test_an_address_comes_back_as_it_was(query: str) -> None:
    """A link that is passed on shows the same."""
    assert told(query).query() == query


@given(identity=st.text(min_size=1, max_size=40), option=st.sampled_from(PARTS))
def test_any_id_survives_an_address(identity: str, option: str) -> None:
    """Whatever it is made of, as far as UTF-8 has it."""
    state = State().of(**{option: identity})
    try:
        query = state.query()
    except UnicodeEncodeError:
        return
    assert query.isascii()
    assert told(query).only == {option: identity}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("usr=x", "'usr' is nothing"),
        ("user=a&user=b", "user is told twice"),
        ("month=2026-13", "'2026-13' is no month"),
        ("month=march", "'march' is no month"),
        ("month=٢٠٢٦-03", "is no month"),
        ("from=soon", "from 'soon' is no instant"),
        ("to=2026-03-01T10:00:00", "names no time zone"),
        ("from=0001-01-01", "of a year without any figures"),
        ("month=2026-03&from=2026-03-01", "exclude each other"),
        ("theme=pink", "theme 'pink' is none"),
        ("by=colour", "by 'colour' is none"),
        ("user=" + "x" * 501, "longer than 500"),
    ],
)
def test_an_address_without_meaning_is_refused(query: str, words: str) -> None:
    """A filter that is misspelt would show everything as if it were filtered."""
    with pytest.raises(UsageError, match=words):
        told(query)


def test_empty_values_are_none() -> None:
    """Forms send what was not chosen as empty."""
    assert told("month=&from=&to=&user=&project=") == State()


def test_a_month_that_goes_on_is_held_against_as_much_of_the_last() -> None:
    """To the hour, and against all of it; February has fewer days than March has had."""
    now = periods(told("month=2026-03"), at("2026-03-17 05:40"))
    assert now.this == Period(at("2026-03-01"), at("2026-04-01"))
    assert now.same == Period(at("2026-02-01"), at("2026-02-17 05:00"))
    assert now.whole == Period(at("2026-02-01"), at("2026-03-01"))
    assert now.against == now.same
    late = periods(told("month=2026-03"), at("2026-03-30"))
    assert (late.same, late.against) == (None, Period(at("2026-02-01"), at("2026-03-01")))


def test_a_month_that_is_over_is_held_against_all_of_the_last() -> None:
    """Also over the turn of a year."""
    over = periods(told("month=2026-01"), at("2026-02-01"))
    assert (over.same, over.whole) == (None, Period(at("2025-12-01"), at("2026-01-01")))


@pytest.mark.parametrize(("as_of", "month"), [("2026-03-31 23:59", "2026-03"), ("2026-04-01", "2026-03")])
def test_without_a_month_the_newest_is_shown(as_of: str, month: str) -> None:
    """At midnight of the first nothing of the new month is known yet."""
    assert periods(State(), at(as_of)).this.words == month_words(month)


def test_days_are_held_against_as_many_before() -> None:
    """As many as are known, where the last are still to come; an open beginning has nothing before it."""
    week = periods(told("from=2026-03-08&to=2026-03-15"), at("2026-03-31"))
    assert week.same == Period(at("2026-03-01"), at("2026-03-08"))
    half = periods(told("from=2026-03-08&to=2026-03-15"), at("2026-03-10 12:30"))
    assert half.same == Period(at("2026-03-05 12:00"), at("2026-03-08"))
    assert periods(told("to=2026-03-15"), at("2026-03-31")).against is None


@pytest.mark.parametrize("query", ["month=2026-04", "from=2026-03-20"])
def test_a_time_without_figures_yet_is_refused(query: str) -> None:
    """Zeros of the future would be believed."""
    with pytest.raises(UsageError, match="complete up to 2026-03-17T05:00:00Z"):
        periods(told(query), at("2026-03-17 05:00"))


@pytest.mark.parametrize(
    ("days", "grain"), [(1, "hour"), (3, "hour"), (4, "day"), (31, "day"), (100, "day"), (101, "month")]
)
def test_a_chart_has_some_ten_to_a_hundred_places(days: int, grain: str) -> None:
    """Hours of a few days, days of some weeks, else months."""
    assert Period(at("2026-01-01"), at("2026-01-01") + timedelta(days=days)).grain(at("2027-01-01")) == grain
    assert Period(None, None).grain(at("2027-01-01")) == "month"


def test_each_group_leads_to_what_it_is_made_of() -> None:
    """From months to hours of an instance, whatever one begins with: no row of a figure is a dead end but the last."""
    assert set(FINER) == set(GROUPINGS)
    links = Links(told("month=2026-03&user=u"))
    takes = tuple(GROUPINGS)
    assert links.finer("order", "o1", takes) == "rows?month=2026-03&order=o1&user=u&by=instance"
    assert links.finer("day", "2026-03-05", takes) == "rows?from=2026-03-05&to=2026-03-06&user=u&by=order"
    assert links.finer("month", "2026-02", takes) == "rows?month=2026-02&user=u&by=day"
    hour = links.finer("hour", "2026-03-05T23:00:00Z", takes)
    assert hour == "rows?from=2026-03-05T23%3A00%3A00Z&to=2026-03-06T00%3A00%3A00Z&user=u&by=instance"
    assert links.finer("order", None, takes) is None
    assert links.finer("hour", "2026-03-05T23:00:00Z", ("day", "hour")) is None
    assert links.finer("reservation", "r1", ("reservation", "day")) == "rows?month=2026-03&reservation=r1&user=u&by=day"
    assert links.finer("day", "2026-03-05", ("user", "day")) is None
