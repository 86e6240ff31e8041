"""The servers that the tests of this folder talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres import Postgres, started


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL, one for each process that runs tests; a test leaves it as it likes, and begins by filling it."""
    with started(tmp_path_factory.mktemp("pg")) as server:
        yield server
