"""How fast the server of the benchmark is by itself: asked by a raw client that looks at no answer.

Stands on `served`. Where this is not far above what a load asks for, the load was not what was measured.
"""

from __future__ import annotations

import socket
import time
from itertools import cycle, islice
from urllib.parse import urlsplit

from bench.limits import targets
from bench.served import Served

__all__ = ["top_speed"]

_AT_A_TIME, _BATCHES, _MOST = 20, 60, 40


def top_speed(server: Served) -> tuple[float, float]:
    """Requests a second, and megabytes a second, on one connection with many requests on their way."""
    paths = list(islice(targets(server.account), _MOST))
    asked = [_head(path) for path in paths]
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0)) as connection:
        sizes = {head: _read_one(connection, head) for head in asked}  # so that each page is made and its size known
        heads, count, size_bytes = cycle(asked), 0, 0
        began_s = time.perf_counter()
        for _ in range(_BATCHES):
            batch = list(islice(heads, _AT_A_TIME))
            connection.sendall(b"".join(batch))
            left = sum(sizes[head] for head in batch)
            count, size_bytes = count + len(batch), size_bytes + left
            while left:
                left -= len(connection.recv(min(left, 2**20)))
        seconds = time.perf_counter() - began_s
    return count / seconds, size_bytes / 2**20 / seconds


def _head(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n\r\n".encode()


def _read_one(connection: socket.socket, head: bytes) -> int:
    """Asks for one answer, and tells how long it is in all."""
    connection.sendall(head)
    read = b""
    while b"\r\n\r\n" not in read:
        read += connection.recv(2**16)
    headers, _, _ = read.partition(b"\r\n\r\n")
    length = int(headers.partition(b"Content-Length: ")[2].split(b"\r\n", 1)[0])
    whole = len(headers) + 4 + length
    while len(read) < whole:
        read += connection.recv(2**20)
    return whole
