"""The same marts, row for row, and the true figures, under every combination of the main readings."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from worlds import Comparison, Way, World

from mithril_elt.sandbox.readings import Readings

MAIN = list(
    product(
        ("instances", "events"),
        ("inside", "in_force", "clipped"),
        ("accepted", "400"),
        ("sorted", "reversed", "shuffled"),
    )
)
PAGE = Path(__file__).parents[2] / "docs" / "api-readings.md"
TWICE = Way("over time", 2, timedelta(days=4), timedelta(days=2))
OVER_TIME = Way("over time", 3, lookback=timedelta(days=2))


@pytest.mark.parametrize(("unit", "selects", "alone", "order"), MAIN)
@pytest.mark.shows(23, 25, 40)
def test_every_combination_of_the_main_readings(
    unit: str, selects: str, alone: str, order: str, *, comparison: Comparison, tmp_path: Path
) -> None:
    """In two runs as time goes on, under each of the 36: no difference from one plain load, nor from the truth."""
    readings = Readings(limit_counts=unit, start_selects=selects, project_alone=alone, order=order)  # type: ignore[arg-type]  # one of each
    assert comparison.differences(World(readings=readings, way=TWICE), tmp_path / "a.duckdb") == []


def test_the_page_shows_the_matrix() -> None:
    """Its table has a cell for each combination that is tested above, and in each the differences that are allowed."""
    columns = list(dict.fromkeys((alone, order) for _, _, alone, order in MAIN))
    rows = list(dict.fromkeys((unit, selects) for unit, selects, _, _ in MAIN))
    words = {"accepted": "by project", "400": "by order", "in_force": "in force"}
    heads = ["`limit` counts", "a window tells", *(f"{words[alone]}, {order}" for alone, order in columns)]
    lines = [heads, ["---"] * 2 + ["---:"] * len(columns)]
    lines += [[unit, words.get(selects, selects), *["0"] * len(columns)] for unit, selects in rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    assert f"<!-- matrix -->\n{table}\n<!-- /matrix -->" in PAGE.read_text()


OTHERS: dict[str, dict[str, Any]] = {
    "exclusive start, inclusive end": {"start_bound": "exclusive", "end_bound": "inclusive"},
    "exclusive start in force": {"start_bound": "exclusive", "start_selects": "in_force"},
    "rows come twice": {"repeated_rows": True},
    "rows come twice, split": {"repeated_rows": True, "limit_counts": "events"},
    "equal times": {"equal_times": True, "order": "shuffled"},
    "statuses said again": {"repeated_statuses": True},
    "times mixed": {"times": "mixed", "fractions": "always"},
    "times with -00:00": {"times": "-00:00"},
    "no last cursor": {"last_cursor": "absent"},
    "empty pages": {"empty_pages": True, "limit_counts": "events"},
    "keys absent": {"optional_keys": "absent"},
    "keys null": {"optional_keys": "null"},
    "small default page": {"default_limit": 7},
    "prices split": {"price_periods": "split"},
    "prices merged": {"price_periods": "merged"},
    "prices split and clipped": {"price_periods": "split", "start_selects": "clipped"},
    "prices of reserved instances": {"reserved_prices": True, "optional_keys": "absent"},
    "late": {"late_hours": 30},
    "late and in force": {"late_hours": 30, "start_selects": "in_force"},
    "withdrawn": {"withdrawn_hours": 20},
    "withdrawn by order": {"withdrawn_hours": 20, "project_alone": "422"},
    "corrected": {"corrected_hours": 20},
    "leaves the list": {"leaves_list_hours": 2},
    "leaves the list, by order": {"leaves_list_hours": 2, "project_alone": "400"},
    "cursors expire": {"cursors_expire": True, "limit_counts": "events"},
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.shows(23, 28, 30, 40)
def test_each_other_reading(name: str, comparison: Comparison, tmp_path: Path) -> None:
    """Each of the others by itself, or with what it might meet badly."""
    world = World(readings=Readings(**OTHERS[name]), way=OVER_TIME)
    assert comparison.differences(world, tmp_path / "a.duckdb") == []


WAYS = {
    "by what is in them": Way("over time", 3, window=None),
    "by what is in them, deep": Way("deep", 2, window=None),
    "one window": Way("once", window=timedelta(days=400)),
    "windows of half a day": Way("once", window=timedelta(hours=12)),
    "five runs": Way("over time", 5),
    "broken off": Way("broken off", 2, timedelta(days=2)),
    "again": Way("again", 2),
    "deep": Way("deep", 2, timedelta(days=3), timedelta(0)),
    "backfilled": Way("backfilled", window=timedelta(days=3)),
    "before a gap": Way("before a gap", lookback=timedelta(0)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.shows(17, 22, 24, 25)
def test_each_way_to_load(way: str, comparison: Comparison, tmp_path: Path) -> None:
    """In windows of any size, in many runs, broken off, again, deep, the last days first: the same marts."""
    readings = Readings(limit_counts="events", start_selects="clipped", project_alone="422", order="shuffled")
    assert comparison.differences(World(readings=readings, way=WAYS[way]), tmp_path / "a.duckdb") == []
