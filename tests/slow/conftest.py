"""The models, compiled once for each process that runs these tests, and the comparison that keeps its twins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from worlds import PINNED, Comparison, Models

from sql_project import compiled


@pytest.fixture(scope="session")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparison]:
    """The comparison of worlds; at the end it says how many it made."""
    plain, pinned = tmp_path_factory.mktemp("plain"), tmp_path_factory.mktemp("pinned")
    models = Models(compiled(plain), compiled(pinned, as_of=PINNED))
    made = Comparison(models, tmp_path_factory.mktemp("twins"))
    yield made
    print(f"\n{made.worlds} worlds compared, {made.rows:,} rows of marts")  # noqa: T201  # the figure of the proof
