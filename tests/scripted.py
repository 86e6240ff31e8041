"""An HTTP server that answers from a script, over real sockets, and remembers what it was asked.

It misbehaves where a script says so: resets the connection, stalls, cuts a body, says nonsense.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

__all__ = ["KEY", "Answer", "Asked", "Scripted", "page", "scripted"]

KEY = "fkey_canary_0123456789abcdef"
STALL_S = 20  # longer than any test waits; the end of the test ends it


@dataclass(frozen=True)
class Answer:
    """One answer. `body`: bytes as they are, anything else as JSON; `how`: what goes wrong with it.

    `reset`: the connection is torn down at once, or after half the body (`reset_within`); `stall`: nothing
    comes, or only half the body (`stall_within`); `cut`: the connection ends properly after half the body;
    `drip`: a byte now and then, without end; `raw`: the body is all that is sent, no status line before it.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    how: Literal["whole", "reset", "reset_within", "stall", "stall_within", "cut", "drip", "raw"] = "whole"
    after_s: float = 0.0  # exact-ok: a wait

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """One request, when it came, and how many were being answered then, with it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at_s: float  # exact-ok: of a steady clock
    at_once: int


Script = Callable[[Asked], Answer]


@dataclass
class Scripted:
    """The server while it runs."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    connections: int = 0
    open_connections: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def all_closed(self) -> bool:
        """Whether the client has closed each connection; waits a little for the news to arrive."""
        with self.changed:
            return self.changed.wait_for(lambda: self.open_connections == 0, timeout=2)

    @property
    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [each.path for each in self.asked]


def page(rows: Sequence[Any], cursor: str | None = None) -> Answer:
    """A page of a list, and where the next one is."""
    return Answer(body={"data": list(rows), "next_cursor": cursor})


@contextmanager
def scripted(*answers: Answer | Script, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Serves these answers in turn, the last one for ever; a function is asked for the answer each time.

    `tls`: what shows the server's certificate, for https.
    """
    lock = threading.Lock()
    served = Scripted("")
    running = [0]

    class Handler(_Handler):
        over = served.over

        def setup(self) -> None:
            super().setup()
            with served.changed:
                served.connections += 1
                served.open_connections += 1

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()
            with served.changed:
                served.open_connections -= 1
                served.changed.notify_all()

        def reply(self, asked_at_s: float, body: bytes) -> None:
            address = urlsplit(self.path)
            with lock:
                running[0] += 1
                number = len(served.asked)
                headers = {name.lower(): value for name, value in self.headers.items()}
                query = dict(parse_qsl(address.query, keep_blank_values=True))
                asked = Asked(self.command, address.path, query, headers, body, asked_at_s, running[0])
                served.asked.append(asked)
            script = answers[min(number, len(answers) - 1)]
            answer = script if isinstance(script, Answer) else script(asked)
            served.over.wait(answer.after_s)
            with lock:
                running[0] -= 1
            self.send(answer)

    server = _Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    served.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        served.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    over: threading.Event

    def log_message(self, *_: object) -> None:
        """Tests keep their output to themselves."""

    def handle_one_request(self) -> None:
        """A client that goes away is no failure of the server's."""
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        self._read()

    def do_PATCH(self) -> None:
        self._read()

    def do_POST(self) -> None:
        self._read()

    def _read(self) -> None:
        at_s = time.monotonic()
        self.reply(at_s, self.rfile.read(int(self.headers.get("content-length", 0))))

    def reply(self, asked_at_s: float, body: bytes) -> None:
        raise NotImplementedError

    def send(self, answer: Answer) -> None:
        if answer.how == "stall":
            self.over.wait(STALL_S)
        if answer.how in ("reset", "stall"):
            self._tear()
            return
        if answer.how == "raw":
            self.wfile.write(answer.content)
            self.close_connection = True
            return
        whole = answer.how == "whole"
        self._send_head(answer)
        self.wfile.write(answer.content if whole else answer.content[: len(answer.content) // 2])
        if whole:
            return
        while answer.how == "drip" and not self.over.wait(0.02):
            self.wfile.write(b" ")
        if answer.how == "stall_within":
            self.over.wait(STALL_S)
        if answer.how == "reset_within":
            self._tear()
        self.close_connection = True

    def _send_head(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        length = 10**9 if answer.how == "drip" else len(answer.content)
        usual = {"Content-Type": "application/json", "Content-Length": str(length), "Date": self.date_time_string()}
        for name, value in {**usual, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _tear(self) -> None:
        """An RST instead of an orderly end."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
