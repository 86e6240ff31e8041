"""When garbage is looked for while a load runs, and that the program around has its own way again after it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest

from mithril_elt.memory import SELDOM, seldom_collected


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_garbage_is_looked_for_seldom_and_then_as_before() -> None:
    """Python's own thresholds are back afterwards, also where a load failed."""
    gc.set_threshold(700, 10, 10)
    with suppress(RuntimeError), seldom_collected():
        assert gc.get_threshold() == SELDOM
        raise RuntimeError
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("chosen", [(1_000_000, 500, 500), (0, 10, 10)])
def test_a_program_that_wants_it_more_seldom_still_has_its_way(chosen: tuple[int, int, int]) -> None:
    """One that has it looked for even more seldom, or never, is left alone."""
    gc.set_threshold(*chosen)
    with seldom_collected():
        assert gc.get_threshold() == chosen
