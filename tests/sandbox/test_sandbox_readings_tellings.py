"""Readings of what is told of an instance: rows that are added, come late, are withdrawn, corrected, cut otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from asked import PRICING, STATUS, Api

from mithril_elt.sandbox.account import HOUR_US, Account, PricePeriod
from mithril_elt.sandbox.readings import Readings
from sandbox_by_hand import account, hours, instance, iso

Under = Callable[..., Api]
Served = Callable[[Account, Readings], Api]
MINUTE = 1 / 60
FALSE = 61 / 3600  # a false row comes 61 seconds in
MANY = 240


def crowd(changes: list[tuple[float, str]], prices: list[tuple[float, float | None, int]] | None = None) -> Account:
    """An account of many spot instances that all live the same life."""
    one = account()
    periods = [PricePeriod(hours(at), None if end is None else hours(end), cents) for at, end, cents in prices or []]
    one.instances[:] = [
        instance(f"inst_{number}", changes[0][0], changes, bid="bid_1", prices=periods) for number in range(MANY)
    ]
    return one


def fleet(api: Api, path: str, **params: Any) -> list[list[tuple[Any, ...]]]:
    """What is told of each instance, as times and statuses, or as periods."""
    found: dict[str, Any] = api.periods(**params) if path == PRICING else api.told(path, **params)
    return list(found.values())


def is_about(count: int, share: int) -> bool:
    """Whether it is about one in so many of the crowd."""
    return MANY // share * 2 // 3 < count < MANY // share * 3 // 2


# --- rows that change nothing ---


def test_an_earlier_stage_at_the_same_instant(under: Under) -> None:
    """NEW beside some events, told before them; never beside itself, and not where a story begins."""
    plain, equal = under().told(STATUS), under(equal_times=True).told(STATUS)
    added = {fid: [event for event in events if event not in plain[fid]] for fid, events in equal.items()}
    assert any(added.values())
    for fid, events in plain.items():
        later = {at for at, status in events[1:] if status != "NEW"}
        assert {status for _, status in added[fid]} <= {"NEW"}
        assert {at for at, _ in added[fid]} <= later
        assert equal[fid] == sorted([*events, *added[fid]], key=lambda event: (event[0], event[1] != "NEW"))


def test_about_half_of_the_events_have_one(served: Served) -> None:
    """Of many, the same ones each time."""
    one = crowd([(-3, "NEW"), (-2, "RUNNING")])
    api = served(one, Readings(equal_times=True))
    told_of = fleet(api, STATUS)
    assert is_about(sum(len(events) == 3 for events in told_of), 2)
    assert {tuple(events) for events in told_of} == {
        ((iso(-3), "NEW"), (iso(-2), "RUNNING")),
        ((iso(-3), "NEW"), (iso(-2), "NEW"), (iso(-2), "RUNNING")),
    }
    assert fleet(served(one, Readings(equal_times=True)), STATUS) == told_of


def test_nothing_is_beside_what_is_new_itself(served: Served) -> None:
    """A second NEW stays alone, with another status or without."""
    api = served(crowd([(-3, "RUNNING"), (-2, "NEW"), (-1, "NEW"), (-1, "STARTING")]), Readings(equal_times=True))
    assert {len(events) for events in fleet(api, STATUS)} == {4}


def test_what_is_beside_a_late_event_is_late_with_it(served: Served) -> None:
    """An earlier stage is never told alone."""
    api = served(crowd([(-3, "NEW"), (-2, "RUNNING")]), Readings(equal_times=True, late_hours=2)).at(-2)
    told_at = [[status for at, status in events if at == iso(-2)] for events in fleet(api, STATUS)]
    assert {tuple(statuses) for statuses in told_at} == {(), ("RUNNING",), ("NEW", "RUNNING")}


def test_a_status_is_said_again(under: Under) -> None:
    """Five minutes into each spell; an ending opens no spell."""
    again = under(repeated_statuses=True).told(STATUS)
    for fid, events in under().told(STATUS).items():
        said = [(at, status) for at, status in events if status not in {"TERMINATED", "REPLACED"}]
        later = [(at.replace(":00:00Z", ":05:00Z").replace(":30:00Z", ":35:00Z"), status) for at, status in said]
        assert again[fid] == sorted([*events, *later])


def test_only_long_spells_are_said_again(served: Served) -> None:
    """Those of more than ten minutes, when five of them are over; a status that is told twice is one spell."""
    hair = 1 / HOUR_US
    changes = [(-1, "NEW"), (-1 + 10 * MINUTE, "STARTING"), (-1 + 20 * MINUTE + hair, "RUNNING"), (-0.5, "RUNNING")]
    api = served(crowd([*changes, (-0.25, "PAUSED"), (4 * MINUTE, "RUNNING")]), Readings(repeated_statuses=True))
    [events] = {tuple(events) for events in fleet(api.at(-0.25), STATUS)}
    assert [at[11:16] for at, status in events if status == "NEW"] == ["23:00"]
    assert [at[11:16] for at, status in events if status == "STARTING"] == ["23:10", "23:15"]
    assert [at[11:16] for at, status in events if status == "RUNNING"] == ["23:20", "23:25", "23:30"]
    before, after = (fleet(api.at(-0.25 + 5 * MINUTE, more_us=more), STATUS)[0] for more in (-1, 0))
    assert [event for event in after if event not in before] == [(iso(-0.25 + 5 * MINUTE), "PAUSED")]


# --- rows that come late ---


def test_a_third_of_the_events_come_late(served: Served) -> None:
    """None before its time, two in three then, the others one by one, all when the hours are over."""
    api = served(crowd([(-9, "NEW"), (-3, "RUNNING")]), Readings(late_hours=2))

    def running(at: float, more_us: int = 0) -> int:
        return sum(events[-1] == (iso(-3), "RUNNING") for events in fleet(api.at(at, more_us=more_us), STATUS))

    assert running(-3, -1) == 0
    assert is_about(MANY - running(-3), 3)
    assert running(-3) < running(-2.5) < running(-2) < running(-1.5) < MANY
    assert running(-1) == MANY
    assert running(-3) < running(-2)


def test_a_third_of_the_prices_and_of_their_ends_come_late(served: Served) -> None:
    """A period is told as open until its end is known, and not at all until it is itself."""
    api = served(crowd([(-9, "RUNNING")], [(-9, -3, 7), (-3, None, 8)]), Readings(late_hours=2))

    def count(at: float, row: tuple[str, str | None, int], more_us: int = 0) -> int:
        return sum(row in periods for periods in fleet(api.at(at, more_us=more_us), PRICING))

    open_, ended, following = (iso(-9), None, 7), (iso(-9), iso(-3), 7), (iso(-3), None, 8)
    assert count(-3, open_, -1) == MANY
    assert is_about(count(-3, open_), 3)
    assert count(-3, open_) + count(-3, ended) == MANY
    assert is_about(MANY - count(-3, following), 3)
    assert 0 < count(-2, open_) < count(-3, open_)
    assert count(-1, ended) == count(-1, following) == MANY


def test_what_is_late_in_a_history_is_not_in_the_list(served: Served) -> None:
    """The list of instances knows each status at once."""
    api = served(crowd([(-9, "NEW"), (-3, "RUNNING")]), Readings(late_hours=2)).at(-3)
    assert {row["status"] for row in api.json("/v2/instances")["data"]} == {"STATUS_RUNNING"}


# --- rows that were never true ---


def test_false_errors_are_withdrawn(served: Served) -> None:
    """In one spell of eight, 61 seconds in, for two hours."""
    life = [(-9, "RUNNING"), (-5, "PAUSED"), (-5 + 3 * MINUTE, "TERMINATED")]
    api = served(crowd(life), Readings(withdrawn_hours=2))

    def false(at: float, begins: float, more_us: int = 0) -> int:
        return sum((iso(begins + FALSE), "ERROR") in events for events in fleet(api.at(at, more_us=more_us), STATUS))

    for begins in (-9, -5):
        assert false(begins + FALSE, begins, -1) == 0
        assert is_about(false(begins + FALSE, begins), 8)
        assert false(begins + FALSE + 2, begins, -1) == false(begins + FALSE, begins)
        assert false(begins + FALSE + 2, begins) == 0
    assert {tuple(events) for events in fleet(api.at(0), STATUS)} == {tuple((iso(at), status) for at, status in life)}


def test_short_spells_and_errors_have_no_false_ones(served: Served) -> None:
    """Nor has what is over."""
    life = [(-9, "ERROR"), (-8, "RUNNING"), (-8 + 179 / 3600, "TERMINATED")]
    api = served(crowd(life), Readings(withdrawn_hours=20))
    assert {len(events) for events in fleet(api.at(0), STATUS)} == {3}


def test_false_prices_are_withdrawn(served: Served) -> None:
    """In one period of eight that is long enough: ten dollars more from 61 seconds in, to the same end."""
    api = served(
        crowd([(-9, "RUNNING")], [(-9, -5, 7), (-5, -5 + 179 / 3600, 8), (-3, None, 9)]), Readings(withdrawn_hours=2)
    )

    def added(at: float, more_us: int = 0) -> list[tuple[Any, ...]]:
        true = {iso(-9), iso(-5), iso(-3)}
        every = [period for periods in fleet(api.at(at, more_us=more_us), PRICING) for period in periods]
        return [period for period in every if period[0] not in true]

    assert added(-9 + FALSE, -1) == []
    assert is_about(len(added(-9 + FALSE)), 8)
    assert set(added(-9 + FALSE)) == {(iso(-9 + FALSE), None, 1007)}
    assert len(added(-7 + FALSE, -1)) == len(added(-9 + FALSE))
    assert added(-7 + FALSE) == []
    assert added(-4) == []
    assert set(added(0)) == set()
    assert set(added(-2)) == {(iso(-3 + FALSE), None, 1009)}


def test_a_false_price_has_the_end_of_the_true_one(served: Served) -> None:
    """When it has come."""
    api = served(crowd([(-9, "RUNNING")], [(-9, -8, 7)]), Readings(withdrawn_hours=5))
    every = {period for periods in fleet(api.at(-8), PRICING) for period in periods}
    assert every == {(iso(-9), iso(-8), 7), (iso(-9 + FALSE), iso(-8), 1007)}
    holding = served(api.sandbox.account, Readings(withdrawn_hours=5, start_selects="in_force")).at(-7)
    assert fleet(holding, PRICING, start_time=iso(-7.5)) == []


def test_some_prices_are_corrected(served: Served) -> None:
    """One in eight is 13 cents too high for the first two hours."""
    api = served(crowd([(-9, "RUNNING")], [(-9, -8, 700)]), Readings(corrected_hours=2))

    def prices(at: float, more_us: int = 0) -> list[int]:
        return [price for periods in fleet(api.at(at, more_us=more_us), PRICING) for _, _, price in periods]

    assert set(prices(-9)) == {700, 713}
    assert is_about(prices(-9).count(713), 8)
    assert prices(-7, -1) == prices(-9)
    assert set(prices(-7)) == {700}
    assert {end for periods in fleet(api.at(-8), PRICING) for _, end, _ in periods} == {iso(-8)}


@pytest.mark.parametrize("selects", ["in_force", "clipped"])
def test_what_is_in_force_at_a_start_is_so_as_far_as_is_told(served: Served, selects: Any) -> None:
    """A change that is not known yet is not in force, nor is an error that was withdrawn."""
    life = [(-9, "RUNNING"), (-3, "PAUSED")]
    api = served(crowd(life), Readings(start_selects=selects, late_hours=2, withdrawn_hours=1))

    def in_force(at: float) -> dict[str, int]:
        [events] = zip(*fleet(api.at(at, more_us=1), STATUS, start_time=iso(at)), strict=True)
        return dict(Counter(status for _, status in events))

    before, between, after = in_force(-8.5), in_force(-3), in_force(-0.5)
    assert is_about(before.pop("ERROR"), 8)
    assert set(before) == {"RUNNING"}
    assert is_about(between["RUNNING"], 3)
    assert set(between) == {"RUNNING", "PAUSED"}
    assert after == {"PAUSED": MANY}


# --- periods that are cut otherwise ---


def test_periods_split_at_the_hours(under: Under) -> None:
    """Each piece ends with its hour; the one that goes past now is open, and none that is to come is told."""
    api = under(price_periods="split")
    pieces = [(iso(at), iso(at + 1), 1300 if at < -2 else 1301) for at in range(-9, 0)]
    assert api.periods() == {
        "spot1": [*pieces, (iso(0), None, 1301)],
        "spot2": [(iso(at), iso(at + 1), 1300) for at in range(-8, -4)],
    }
    assert api.at(0, more_us=-1).periods()["spot1"] == [*pieces[:-1], (iso(-1), None, 1301)]
    assert api.at(1.25).periods()["spot1"] == [*pieces, (iso(0), iso(1), 1301), (iso(1), None, 1400)]


def test_an_open_period_is_split_for_ever(served: Served) -> None:
    """However far the clock goes on, and back again."""
    api = served(account(), Readings(price_periods="split"))
    for at in (0, 22.5, 23, 23.5, 24, 24.5, 24 * 40 + 0.5, 0):
        pieces = api.at(at).periods()["spot1"][10:]
        hour = int(at)
        ended = [(iso(begins), iso(begins + 1), 1400) for begins in range(1, hour)]
        assert pieces == ([*ended, (iso(hour), None, 1400)] if hour else [])


def test_periods_that_begin_and_end_inside_an_hour(served: Served) -> None:
    """The first piece begins where the period does, the last ends where it does."""
    one = crowd([(-9, "RUNNING")], [(-4.75, -4.25, 1), (-4.25, -2.5, 2), (-2, -1, 3)])
    [periods] = {tuple(periods) for periods in fleet(served(one, Readings(price_periods="split")), PRICING)}
    assert periods == (
        (iso(-4.75), iso(-4.25), 1),
        (iso(-4.25), iso(-4), 2),
        (iso(-4), iso(-3), 2),
        (iso(-3), iso(-2.5), 2),
        (iso(-2), iso(-1), 3),
    )


def test_neighbours_of_one_price_are_merged(served: Served) -> None:
    """Where one ends as the next begins, and only then; the open one too."""
    lives = [(-9, -8, 7), (-8, -7, 7), (-7, -6, 8), (-5, -4, 8), (-4, -3, 7), (-3, 1, 7), (1, None, 7)]
    api = served(crowd([(-9, "RUNNING")], lives), Readings(price_periods="merged"))
    [periods] = {tuple(periods) for periods in fleet(api, PRICING)}
    assert periods == ((iso(-9), iso(-7), 7), (iso(-7), iso(-6), 8), (iso(-5), iso(-4), 8), (iso(-4), None, 7))


def test_reserved_instances_can_have_prices(under: Under) -> None:
    """One period for each of their reservation's terms, from their first RUNNING on, to its end."""
    assert under(reserved_prices=True).periods() == under().periods() | {
        "dropped": [(iso(-48), iso(-30), 1600)],
        "cpu": [(iso(-30), None, 1600)],
        "res1": [(iso(-24), iso(-10), 1600), (iso(-10), None, 1700)],
        "res2": [(iso(-23), iso(-10), 1600), (iso(-10), None, 1700)],
        "back": [(iso(-20), iso(-10), 1600)],
    }
    later = under(reserved_prices=True).at(13).periods()
    assert later["res2"] == [(iso(-23), iso(-10), 1600), (iso(-10), iso(2), 1700), (iso(2), iso(12), 1800)]


def test_a_reserved_instance_has_prices_from_its_first_running_on(served: Served) -> None:
    """None of terms that were over by then, and none at all if it never ran."""
    one = account()
    one.instances[:] = [
        instance("inst_late", -24, [(-24, "STARTING"), (-5, "RUNNING"), (-4, "ERROR"), (-3, "RUNNING")]),
        instance("inst_never", -24, [(-24, "STARTING"), (-5, "ERROR")]),
    ]
    for each in one.instances:
        each.reservation = "res_1"
    api = served(one, Readings(reserved_prices=True))
    assert api.periods() == {"late": [(iso(-5), None, 1700)]}


def test_a_spot_instance_that_names_a_reservation_pays_its_own_price(served: Served) -> None:
    """And no other."""
    one = crowd([(-9, "RUNNING")], [(-9, None, 7)])
    for each in one.instances:
        each.reservation = "res_1"
    [periods] = {tuple(periods) for periods in fleet(served(one, Readings(reserved_prices=True)), PRICING)}
    assert periods == ((iso(-9), None, 7),)


# --- stories that are rewritten ---


@pytest.mark.parametrize("repeated", [False, True])
def test_a_story_that_is_rewritten_is_told_anew(served: Served, *, repeated: bool) -> None:
    """A pause that was asked for shows, with what the readings add to it; what was to come instead does not."""
    api = served(account(), Readings(repeated_statuses=repeated, reserved_prices=True))
    assert len(api.told(STATUS)["res2"]) == (6 if repeated else 3)
    assert api.periods()["res2"]
    body = {"instances": ["inst_res2"], "status": "STATUS_PAUSED"}
    headers = {"Authorization": f"Bearer {api.sandbox.key}"}
    api.client.patch(api.sandbox.url + "/v2/instances", json=body, headers=headers).raise_for_status()
    events = api.at(1).told(STATUS)["res2"][6 if repeated else 3 :]
    paused = iso(45 / 3600)
    again = [(iso(45 / 3600 + 5 * MINUTE), "PAUSED")] if repeated else []
    assert events == [(iso(0), "STOPPING"), (paused, "PAUSED"), *again]
