"""Any account under any combination of readings, loaded any way: the same marts, and the true figures."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from worlds import PATTERNS, Comparison, Way, World

from mithril_elt.sandbox.readings import Readings

EXAMPLES = int(os.environ.get("READINGS_EXAMPLES", "12"))
AT_ONCE = 12  # so many are a test by itself: processes share the tests, and what was done is seen

LOOKBACK_HOURS = 72
NUMBERS: dict[str, st.SearchStrategy[Any]] = {
    "default_limit": st.integers(1, 100),
    "late_hours": st.sampled_from((0, 0, 5, LOOKBACK_HOURS)),
    "withdrawn_hours": st.sampled_from((0, 0, 5, LOOKBACK_HOURS)),
    "corrected_hours": st.sampled_from((0, 0, 5, LOOKBACK_HOURS)),
    "leaves_list_hours": st.sampled_from((None, None, 0, 24)),
}


# An instance that begins after the last settled instant, and that no list has when it is first looked at.
BEGUN_AFTER_AS_OF = World(
    seed=234,
    instances=18,
    days=11,
    readings=Readings(project_alone="400", default_limit=76, late_hours=LOOKBACK_HOURS, leaves_list_hours=0),
)


def _values(name: str, kind: Any) -> st.SearchStrategy[Any]:
    if name in NUMBERS:
        return NUMBERS[name]
    return st.sampled_from(get_args(kind)) if get_origin(kind) is not None else st.booleans()


def readings() -> st.SearchStrategy[Readings]:
    """Any combination of all switches."""
    return st.builds(Readings, **{name: _values(name, kind) for name, kind in get_type_hints(Readings).items()})


def ways() -> st.SearchStrategy[Way]:
    """Any way to load, with a look-back as long as rows take to settle."""
    hours = st.integers(6, 24 * 12).map(lambda count: timedelta(hours=count))
    back = timedelta(hours=LOOKBACK_HOURS)
    windows = st.none() | hours  # half of all as a user loads: by what is in them
    return st.builds(Way, st.sampled_from(sorted(PATTERNS)), st.integers(1, 5), windows, st.just(back))


@pytest.mark.parametrize("part", range(-(-EXAMPLES // AT_ONCE)))
@pytest.mark.timeout(180 + 60 * AT_ONCE)  # the models are compiled first
@settings(
    max_examples=AT_ONCE,
    deadline=None,
    database=None,
    derandomize="READINGS_EXAMPLES" not in os.environ,  # the same worlds at every change; others in the long test
    phases=(Phase.generate,),  # an example takes ten seconds: the one that fails is small enough
    suppress_health_check=list(HealthCheck),
)
@given(
    st.builds(
        World,
        seed=st.integers(0, 2**32),
        instances=st.integers(12, 24),
        days=st.integers(8, 11),
        readings=readings(),
        way=ways(),
    )
)
@pytest.mark.shows(22, 23, 40)
def test_any_account_under_any_readings_loaded_any_way(comparison: Comparison, part: int, world: World) -> None:  # noqa: ARG001  # it parts the worlds into tests
    """No difference from one plain load of the same account, nor from its true figures."""
    agrees(comparison, world)


@pytest.mark.timeout(240)  # the models are compiled first
def test_an_instance_that_began_after_what_is_settled(comparison: Comparison) -> None:
    """The one world of hundreds that once differed."""
    agrees(comparison, BEGUN_AFTER_AS_OF)


def agrees(comparison: Comparison, world: World) -> None:
    """Compares a world with its twin and with the truth."""
    with TemporaryDirectory() as folder:
        assert comparison.differences(world, Path(folder) / "a.duckdb") == [], world
