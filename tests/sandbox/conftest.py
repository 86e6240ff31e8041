"""The small account, served once for each file of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from mithril_elt.sandbox.clock import Clock
from mithril_elt.sandbox.server import Sandbox, serve
from sandbox_by_hand import NOW, account, asking


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The small account with a clock that stands at NOW."""
    with serve(account()) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client of it."""
    with asking(sandbox) as client:
        yield client


@pytest.fixture
def clock(sandbox: Sandbox) -> Iterator[Clock]:
    """Its clock, which stands at NOW again after the test."""
    yield sandbox.clock
    sandbox.clock.set(NOW)
