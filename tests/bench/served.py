"""The made-up API in a process of its own, on loopback, at a port that the system chooses: `python -m bench.served`.

Stands on `answers`. It must not be what the benchmark measures: requests are read from the raw stream, answers are
kept packed, so that it gives some ten thousand a second; it prints its port, and `served()` starts and ends it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from urllib.request import urlopen

from bench.answers import Account
from bench.fleet import fleet_of
from bench.measured import HERE

__all__ = ["Allowance", "Api", "Counts", "Served", "account_of", "served"]

_ONE = 10**9
_COUNTS, _BE = "/bench/counts", "/bench/be?"


@dataclass
class Allowance:
    """A bucket of as many requests as a second may have, filled at that pace; counted in billionths, exactly."""

    per_second: int
    at_ns: int = field(default_factory=time.monotonic_ns)

    def __post_init__(self) -> None:
        """Begins full."""
        self._left = self._whole = self.per_second * _ONE

    def take(self, now_ns: int) -> bool:
        """Takes one, if there is one."""
        self._left = min(self._whole, self._left + (now_ns - self.at_ns) * self.per_second)
        self.at_ns = now_ns
        if self._left < _ONE:
            return False
        self._left -= _ONE
        return True


@dataclass
class Api:
    """What all connections share: the account, how slow and how patient it is, and what it has answered."""

    account: Account
    latency_s: float = 0
    allowance: Allowance | None = None
    counts: Counter[int] = field(default_factory=Counter)
    first_ns: int | None = None
    last_ns: int = 0

    def __post_init__(self) -> None:
        """The clock of the server stands still: at the end of what happened."""
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.account.fleet.end_us)
        self.date = format_datetime(at, usegmt=True)

    def be(self, latency_ms: int, rate_limit: int) -> None:
        """How slow and how patient it is from now on."""
        self.latency_s = latency_ms / 1000
        self.allowance = Allowance(rate_limit) if rate_limit else None

    def told(self, target: str) -> bytes:
        """The answer to the benchmark's own questions, which count nowhere and do not wait."""
        if target.startswith(_BE):
            self.be(*(int(value) for _, value in parse_qsl(target.removeprefix(_BE))))
        return self._whole(200, json.dumps(self._told()).encode(), packed=False)

    def answer(self, target: str, *, packed: bool) -> bytes:
        """The whole answer to a GET."""
        now_ns = time.monotonic_ns()
        self.first_ns = now_ns if self.first_ns is None else self.first_ns
        if self.allowance and not self.allowance.take(now_ns):
            self.counts[429] += 1
            return self._whole(429, b'{"detail":"Too Many Requests"}', packed=False)
        body = self.account.answer(target)
        self.counts[body.status] += 1
        self.last_ns = now_ns
        return self._whole(body.status, body.packed if packed else body.plain, packed=packed)

    def _told(self) -> dict[str, Any]:
        """What was answered since this was last asked."""
        seconds = 0 if self.first_ns is None else (self.last_ns - self.first_ns) / _ONE
        told = {"by_status": {str(status): count for status, count in self.counts.items()}, "seconds": seconds}
        self.counts.clear()
        self.first_ns = None
        return told

    def _whole(self, status: int, body: bytes, *, packed: bool) -> bytes:
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
            f"Date: {self.date}\r\nContent-Length: {len(body)}\r\n"
            f"{'Content-Encoding: gzip' if packed else 'X-Encoding: none'}\r\n"
            f"{'Retry-After: 1' if status == 429 else 'X-Wait: none'}\r\n\r\n"
        )
        return head.encode() + body


class _Connection(asyncio.Protocol):
    """Requests without a body, as they come; each is answered after the latency, one connection's in order."""

    def __init__(self, api: Api) -> None:
        self.api, self.unread = api, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self.unread = (self.unread + data).split(b"\r\n\r\n")
        for head in heads:
            target = head.split(b" ", 2)[1].decode()
            if target.startswith("/bench/"):
                self.transport.write(self.api.told(target))
                continue
            answer = self.api.answer(target, packed=b"gzip" in head)
            if self.api.latency_s:
                asyncio.get_running_loop().call_later(self.api.latency_s, self._write, answer)
            else:
                self.transport.write(answer)

    def _write(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


@dataclass(frozen=True)
class Counts:
    """What a server answered: `seconds` from the first request to the last that was not refused."""

    good: int
    refused: int
    other: int
    seconds: float

    @property
    def requests(self) -> int:
        """All of them."""
        return self.good + self.refused + self.other

    def reached(self, per_second: int) -> float:
        """The share of what was allowed in that time that was asked for: the bucket, and what flowed into it."""
        return self.good / (per_second * (1 + self.seconds))


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    url: str
    account: Account

    def be(self, *, latency_ms: int = 0, rate_limit: int = 0) -> None:
        """Makes it answer so much later, and refuse what is more than so many a second; 0: all at once."""
        self._ask(f"{_BE}latency_ms={latency_ms}&rate_limit={rate_limit}")

    def counts(self) -> Counts:
        """What it answered since this or `be` was last asked."""
        told = self._ask(_COUNTS)
        by_status = {int(status): count for status, count in told["by_status"].items()}
        good, refused = by_status.pop(200, 0), by_status.pop(429, 0)
        return Counts(good, refused, sum(by_status.values()), told["seconds"])

    def _ask(self, target: str) -> Any:
        with urlopen(self.url + target, timeout=10) as answer:  # noqa: S310  # loopback
            return json.load(answer)


@contextmanager
def served(rows: int, **options: Any) -> Iterator[Served]:
    """A server of an account with so many rows, in a process of its own; `options` as on its command line."""
    given = _given(rows, options)
    command = [sys.executable, "-m", "bench.served", *given]
    account = _account(_parser().parse_args(given))
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--watched=1"], env=HERE.environ(), **pipes) as process:
        try:
            assert process.stdout
            port = process.stdout.readline().strip()
            if not port:
                raise RuntimeError("the server of the benchmark did not start")
            yield Served(f"http://127.0.0.1:{port}", account)
        finally:
            process.terminate()


def account_of(rows: int, **options: Any) -> Account:
    """The account that a server of those options serves."""
    return _account(_parser().parse_args(_given(rows, options)))


def _given(rows: int, options: Mapping[str, Any]) -> list[str]:
    given = [f"--{name.replace('_', '-')}={int(value)}" for name, value in options.items() if value]
    return [f"--rows={rows}", *given]


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m bench.served", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="of both histories together, in each project")
    parser.add_argument("--projects", type=int, default=1)
    parser.add_argument("--bursty", type=int, default=0, help="four fifths of all happens on one day in fourteen")
    parser.add_argument("--counts-events", type=int, default=0, help="a page has 100 events, not 100 instances")
    parser.add_argument("--later-days", type=int, default=0, help="so many days follow, 5,000 rows in each")
    parser.add_argument("--latency-ms", type=int, default=0, help="so much later each answer comes")
    parser.add_argument("--rate-limit", type=int, default=0, help="requests a second; beyond it 429")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--watched", type=int, default=0, help="it ends with what started it: when its stdin does")
    return parser


def _account(wanted: Namespace) -> Account:
    later = [(1, 5000)] * wanted.later_days
    fleet = fleet_of(wanted.rows, bursty=bool(wanted.bursty), later=later)
    return Account(fleet, wanted.projects, bool(wanted.counts_events))


async def _serve(wanted: Namespace) -> None:
    api = Api(_account(wanted))
    api.be(wanted.latency_ms, wanted.rate_limit)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(api), "127.0.0.1", wanted.port)
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    if wanted.watched:
        loop.add_reader(sys.stdin.fileno(), over.set)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await over.wait()


if __name__ == "__main__":
    asyncio.run(_serve(_parser().parse_args()))
