"""The servers that the tests of this folder talk to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import administering, url_of
from postgres import Postgres, started
from s3 import served

from mithril_elt.postgres import Postgres as Place


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL, one for each process that runs tests; a test leaves it as it likes, and begins by filling it."""
    with started(tmp_path_factory.mktemp("pg")) as server:
        yield server


@pytest.fixture
def place(postgres: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Place]:
    """A database of its own on the server, named by dlt's variable, as a user would."""
    name = f"db_{time.monotonic_ns()}"
    with administering(postgres) as cursor:
        cursor.execute(f"create database {name}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", url_of(postgres, name))
    yield Place.configured()
    with administering(postgres) as cursor:
        cursor.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of S3, one for each process that runs tests."""
    with served() as endpoint:
        yield endpoint
