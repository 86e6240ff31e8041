"""Serves the dashboard over HTTP, in the foreground, until it is stopped.

Stands around `app`, under the command `dashboard`.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from mithril_elt.errors import UsageError

__all__ = ["listen", "serve_forever", "url_of"]


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections; port 0 takes a free one. Raises UsageError if it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"--host {host!r} is no address of this machine ({error.strerror or error})") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        said = error.strerror or str(error)
        raise UsageError(
            f"cannot serve on {host}:{port} ({said}): choose another --port, or 0 for a free one"
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of a listening socket, as a browser takes it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve_forever(app: ASGIApp, listener: socket.socket, *, on_ready: Callable[[], object] = lambda: None) -> None:
    """Serves until SIGINT or SIGTERM, then ends what is under way and returns. To be called from the main thread."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="error",
            access_log=False,  # an address has a token once, and names of users
            server_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=64,
            timeout_graceful_shutdown=5,
        )
    )

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn catches both signals while it runs, and raises them again when it has ended: into `stop`.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        on_ready()
        server.run([listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
