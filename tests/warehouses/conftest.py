"""The servers that the tests of this folder talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres import Postgres, started
from s3 import served


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL, one for each process that runs tests; a test leaves it as it likes, and begins by filling it."""
    with started(tmp_path_factory.mktemp("pg")) as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of S3, one for each process that runs tests."""
    with served() as endpoint:
        yield endpoint
