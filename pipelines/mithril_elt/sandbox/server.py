"""Serves the sandbox over HTTP: in a thread for tests and the demo, or in the foreground for the command.

Stands before `endpoints`, in the place of the real API. `app` says what it answers.
"""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, TypedDict, Unpack

import uvicorn

from mithril_elt.errors import UsageError
from mithril_elt.sandbox.app import KEY, create_app
from mithril_elt.sandbox.clock import Clock, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from types import FrameType

    from fastapi import FastAPI

    from mithril_elt.sandbox.account import Account
    from mithril_elt.sandbox.gateway import Asked
    from mithril_elt.sandbox.readings import Readings

__all__ = ["Options", "Sandbox", "listen", "run_forever", "serve"]


class Options(TypedDict, total=False):
    """What makes the sandbox harder to live with, or another reading of the API: see `create_app`."""

    expired_keys: Collection[str]
    latency_ms: int
    rate_limit: float | None  # exact-ok: a pace, neither money nor a stored time
    faults: float  # exact-ok: a share of requests
    readings: Readings


@dataclass
class Sandbox:
    """A running sandbox: where it is, the key it takes, its clock, and what it was asked so far."""

    url: str
    key: str
    clock: Clock
    account: Account
    requests: list[Asked] = field(default_factory=list)


def listen(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    """A socket that accepts connections; port 0 takes a free one. Raises UsageError if it cannot be had."""
    # Without the protocol's name asyncio leaves Nagle's algorithm on, and each small answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise UsageError(
            f"cannot serve on {host}:{port} ({reason}): choose another port, or 0 for a free one"
        ) from error
    return listener


@contextmanager
def serve(
    account: Account,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    clock: Clock | None = None,
    key: str = KEY,
    **options: Unpack[Options],
) -> Iterator[Sandbox]:
    """The account over HTTP while the context lasts; without a clock, one that stands still at the account's now.

    `options` are those of `create_app`. Raises UsageError if the port cannot be had.
    """
    clock = clock or Clock(utc(account.now_us))
    with listen(port, host) as listener:
        sandbox = Sandbox(_url(listener), key, clock, account)
        app = create_app(account, clock=clock, keys=(key,), record=sandbox.requests.append, **options)
        server = _server(app, quiet=bool(options.get("faults")))
        # Connections that come before the thread runs wait on the listening socket.
        thread = Thread(target=server.run, args=([listener],), name="mithril-sandbox", daemon=True)
        thread.start()
        try:
            yield sandbox
        finally:
            server.should_exit = True
            thread.join()


def run_forever(
    account: Account,
    listener: socket.socket,
    *,
    clock: Clock,
    key: str = KEY,
    on_ready: Callable[[str], object] = lambda _: None,
    **options: Unpack[Options],
) -> None:
    """Serves on `listener` until SIGINT or SIGTERM, then ends what is under way and returns.

    To be called from the main thread. `on_ready` is called with the URL once a signal ends it cleanly.
    `options` are those of `create_app`.
    """
    server = _server(create_app(account, clock=clock, keys=(key,), **options), quiet=bool(options.get("faults")))

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn catches both signals while it runs, and raises them again when it has ended: into `stop`.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        on_ready(_url(listener))
        server.run([listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


def _server(app: FastAPI, *, quiet: bool) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            # Answers that are broken off on purpose would each be logged as an error.
            log_level="critical" if quiet else "error",
            access_log=False,
            date_header=False,  # the sandbox's own clock dates the answers
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=5,
        )
    )
