"""The probe names every reading that a sandbox is set to, or says that it cannot tell: it is never wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cache
from itertools import product
from random import Random
from typing import Any

import pytest

from mithril_elt.probe import MOST_REQUESTS, Probed, probe
from mithril_elt.sandbox.account import Account
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve

NAMES = [field.name for field in fields(Readings)]
# What an account cannot show at a moment, whatever it has: nothing is ever said of these.
UNTOLD = {
    "late_hours",
    "withdrawn_hours",
    "corrected_hours",
    "leaves_list_hours",
    "pause_clock",
    "active_hours",
}
MAIN = ("project_alone", "limit_counts", "start_selects", "order")
CHOICES: dict[str, tuple[Any, ...]] = {
    "start_bound": ("inclusive", "exclusive"),
    "end_bound": ("inclusive", "exclusive"),
    "repeated_rows": (False, True),
    "equal_times": (False, True),
    "repeated_statuses": (False, True),
    "times": ("Z", "+00:00", "-00:00", "mixed"),
    "fractions": ("needed", "always"),
    "last_cursor": ("null", "absent"),
    "empty_pages": (False, True),
    "optional_keys": ("mixed", "null", "absent"),
    "default_limit": (100, 7),
    "price_periods": ("told", "split", "merged"),
    "reserved_prices": (False, True),
    "late_hours": (0, 30),
    "withdrawn_hours": (0, 48),
    "corrected_hours": (0, 48),
    "leaves_list_hours": (None, 24),
    "cursors_expire": (False, True),
}
COMBINATIONS = list(
    product(
        ("accepted", "400", "422"),
        ("instances", "events"),
        ("inside", "in_force", "clipped"),
        ("sorted", "reversed", "shuffled"),
    )
)


@cache
def _made() -> Account:
    return make_account(instances=30, days=20)


def account() -> Account:
    """An account in which no instance comes to a status that it has: that would be told under any reading."""
    made = _made()
    for instance in made.instances:
        instance.changes[:] = [
            change
            for number, change in enumerate(instance.changes)
            if number == 0 or change.status != instance.changes[number - 1].status
        ]
    return made


@contextmanager
def serving(**readings: Any) -> Iterator[Sandbox]:
    """A sandbox with these readings."""
    with serve(account(), readings=Readings(**readings)) as sandbox:
        yield sandbox


def probed(**readings: Any) -> dict[str, str | None]:
    """What a probe sees of a sandbox with these readings, by name; that none of it is wrong is seen to here."""
    with serving(**readings) as sandbox:
        found = probe(sandbox.key, sandbox.url)
    assert len(sandbox.requests) == found.requests <= MOST_REQUESTS
    assert {request.method for request in sandbox.requests} == {"GET"}
    return right(found, Readings(**readings))


def right(found: Probed, true: Readings) -> dict[str, str | None]:
    """What was seen, by name, after a look at each that it is so."""
    seen = {finding.reading: finding.seen for finding in found.findings}
    assert list(seen) == NAMES
    told = {name: value for name, value in seen.items() if value is not None}
    assert told == {name: text(getattr(true, name)) for name in told}
    assert not UNTOLD & told.keys()
    assert all(finding.why for finding in found.findings)
    return seen


def text(value: Any) -> str:
    """A reading's value as findings write it, and as `--reading name=value` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(("alone", "counts", "selects", "order"), COMBINATIONS)
def test_the_main_four_in_every_combination(alone: str, counts: str, selects: str, order: str) -> None:
    """Each is seen, whatever the others are, and the end bound with them; the start's where it makes a difference."""
    seen = probed(project_alone=alone, limit_counts=counts, start_selects=selects, order=order)
    assert [seen[name] for name in MAIN] == [alone, counts, selects, order]
    assert seen["end_bound"] == "exclusive"
    assert seen["start_bound"] == ("inclusive" if selects == "inside" else None)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in CHOICES.items() for value in values if value != getattr(Readings(), name)],
)
def test_each_of_the_others_alone(name: str, value: Any) -> None:
    """Each is seen, but for what a moment cannot show."""
    seen = probed(**{name: value})
    if name not in UNTOLD | {"cursors_expire", "price_periods"}:
        assert seen[name] == text(value)


def test_the_plainest_readings() -> None:
    """What is seen where everything is as it is by default; what is not seen has its reason."""
    seen = probed()
    unseen = {name for name, value in seen.items() if value is None}
    assert unseen == UNTOLD | {"cursors_expire", "default_limit", "price_periods"}


def test_prices_split_at_the_hours() -> None:
    """Seen by neighbours of one price; merged ones look like prices that never have any."""
    assert probed(price_periods="split")["price_periods"] == "split"
    assert probed(price_periods="merged")["price_periods"] is None


def test_a_cursor_that_is_refused_is_seen_by_chance() -> None:
    """Where one of those used is refused, it is told; the walk goes on all the same."""
    seen = probed(cursors_expire=True, empty_pages=True)
    assert seen["cursors_expire"] == "true"
    assert seen["limit_counts"] == "instances"


@pytest.mark.parametrize("bounds", [*product(("inclusive", "exclusive"), repeat=2)])
@pytest.mark.parametrize("selects", ["inside", "in_force", "clipped"])
def test_both_bounds_under_each_selection(bounds: tuple[str, str], selects: str) -> None:
    """The end's is always seen; the start's only if the event at it is not told anyway."""
    start, end = bounds
    seen = probed(start_selects=selects, start_bound=start, end_bound=end)
    assert seen["end_bound"] == end
    assert seen["start_bound"] == (start if selects == "inside" else None)


@pytest.mark.parametrize("seed", range(30))
def test_random_combinations(seed: int) -> None:
    """Whatever comes together: nothing wrong is told, and whether a project alone is accepted is always seen."""
    random = Random(f"probe/{seed}")
    every = {
        **CHOICES,
        "project_alone": ("accepted", "400", "422"),
        "limit_counts": ("instances", "events"),
        "start_selects": ("inside", "in_force", "clipped"),
        "order": ("sorted", "reversed", "shuffled"),
    }
    chosen = {name: random.choice(values) for name, values in every.items()}
    seen = probed(**chosen)
    assert seen["project_alone"] == chosen["project_alone"]


def test_a_sandbox_that_tells_otherwise_is_told_otherwise() -> None:
    """The tests' own check of findings sees a wrong one."""
    with serving(order="reversed") as sandbox:
        found = probe(sandbox.key, sandbox.url)
    with pytest.raises(AssertionError):
        right(found, Readings())
    assert right(found, replace(Readings(), order="reversed"))["order"] == "reversed"
