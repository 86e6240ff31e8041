"""The small account, served once for each file of this folder, under the usual readings or others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from asked import Api

from mithril_elt.sandbox.account import Account
from mithril_elt.sandbox.clock import Clock
from mithril_elt.sandbox.readings import Readings
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


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[[Account, Readings], Api]]:
    """Serves an account under readings until the file's tests have ended."""
    with ExitStack() as stack, httpx.Client(timeout=20) as client:

        def serving(one: Account, readings: Readings) -> Api:
            return Api(stack.enter_context(serve(one, readings=readings)), client)

        yield serving


@pytest.fixture(scope="module")
def _by_readings() -> dict[Readings, Api]:
    return {}


@pytest.fixture
def under(served: Callable[[Account, Readings], Api], _by_readings: dict[Readings, Api]) -> Callable[..., Api]:
    """The small account under those readings, its clock at NOW; served once for a file, and not to be changed."""

    def small(**readings: Any) -> Api:
        chosen = Readings(**readings)
        if chosen not in _by_readings:
            _by_readings[chosen] = served(account(), chosen)
        return _by_readings[chosen].at(0)

    return small
