"""A session with a scripted server, as most tests of the client need it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

from mithril_elt.client import Client
from mithril_elt.decode import Page
from mithril_elt.limits import Limits
from scripted import KEY, Answer, Scripted

T = TypeVar("T")
QUICK = Limits(backoff_s=0.001, timeout_s=1, budget_s=5)
ROW = {
    "fid": "inst_1",
    "name": "one",
    "project": "proj_a",
    "created_at": "2026-03-01T00:00:00Z",
    "created_by": "user_1",
    "instance_type": "it_1",
    "status": "STATUS_RUNNING",
}
ME = Answer(body={"fid": "user_1"})
BUSY = Answer(503, {"detail": "try later"})


def in_session(server: Scripted, work: Callable[[Client], Awaitable[T]], limits: Limits = QUICK, key: str = KEY) -> T:
    """What `work` makes of a session with that server."""

    async def session() -> T:
        async with Client(key, server.url, limits=limits) as client:
            return await work(client)

    return anyio.run(session)


def get(server: Scripted, limits: Limits = QUICK) -> Page:
    """One plain GET."""
    return in_session(server, lambda client: client.rows("me"), limits)


def get_projects(server: Scripted, limits: Limits = QUICK) -> Page:
    """A GET that is answered with a bare list."""
    return in_session(server, lambda client: client.rows("projects"), limits)


def walk(server: Scripted, name: str = "instances", **params: Any) -> list[Page]:
    """Every page of a list."""

    async def work(client: Client) -> list[Page]:
        return [each async for each in client.pages(name, {"project": "proj_a", **params})]

    return in_session(server, work)


def patch(server: Scripted, limits: Limits = QUICK) -> dict[str, str]:
    """One PATCH of two instances."""
    return in_session(server, lambda client: client.set_status(["inst_1", "inst_2"], "STATUS_PAUSED"), limits)


def traffic_of(server: Scripted, limits: Limits = QUICK) -> tuple[int, int]:
    """Requests and retries that a GET took, by the client's own count."""

    async def work(client: Client) -> tuple[int, int]:
        await client.rows("me")
        return client.traffic.requests, client.traffic.retries

    return in_session(server, work, limits)


def many(server: Scripted, requests: int, limits: Limits) -> None:
    """So many plain GETs at a time."""

    async def work(client: Client) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(requests):
                group.start_soon(client.rows, "me")

    in_session(server, work, limits)
