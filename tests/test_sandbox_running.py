"""The sandbox as a server: limits, faults, delays, threads, ports, and the command in the foreground."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from statistics import median

import httpx
import pytest

from mithril_elt.cli.sandbox import sandbox_command
from mithril_elt.errors import UsageError
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import listen, serve
from sandbox_by_hand import account, asking

KEY = {"Authorization": "Bearer fkey_sandbox"}


def test_too_many_requests_are_told_when_to_come_back() -> None:
    """429 with Retry-After in whole seconds, dated by the sandbox's clock, and no later than it says."""
    with serve(account(), rate_limit=0.5) as running, asking(running) as client:
        assert client.get("/v2/me").status_code == 200
        refused = client.get("/v2/me")
        assert (refused.status_code, refused.json()) == (429, {"detail": "Too many requests"})
        assert refused.headers["retry-after"] in {"1", "2"}
        assert refused.headers["date"] == "Tue, 31 Mar 2026 00:00:00 GMT"
        assert [asked.status for asked in running.requests] == [200, 429]


def _outcomes(count: int) -> list[int]:
    with serve(account(), faults=0.5) as running, asking(running) as client:
        for _ in range(count):
            try:
                answer = client.get("/v2/me")
            except httpx.TransportError:
                assert running.requests[-1].status == 0
            else:
                assert answer.status_code == running.requests[-1].status
                assert set(answer.json()) == ({"fid", "email"} if answer.status_code == 200 else {"detail"})
                assert ("retry-after" in answer.headers) == (answer.status_code in {429, 503})
        return [asked.status for asked in running.requests]


def test_faults_come_in_every_kind_and_in_the_same_order() -> None:
    """Half of the requests fail, by status or by a connection that breaks off, the same ones each time."""
    outcomes = _outcomes(60)
    assert set(outcomes) == {0, 200, 429, 500, 502, 503}
    assert outcomes == _outcomes(60)


def test_every_request_fails_if_it_shall() -> None:
    """With a share of 1 nothing passes, and a PATCH that failed has changed nothing."""
    with serve(account(), faults=1) as running, httpx.Client(base_url=running.url, headers=KEY) as client:
        before = [list(one.changes) for one in running.account.instances]
        for _ in range(20):
            try:
                client.patch("/v2/instances", json={"instances": ["inst_res1"], "status": "STATUS_PAUSED"})
            except httpx.TransportError:
                continue
        assert 200 not in {asked.status for asked in running.requests}
        assert len(running.requests) == 20
        assert [one.changes for one in running.account.instances] == before


def test_each_answer_is_delayed_and_none_waits_for_another() -> None:
    """Eight requests at once take one delay, not eight."""
    with serve(account(), latency_ms=300) as running, asking(running) as client, ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        answers = list(pool.map(lambda _: client.get("/v2/me").status_code, range(8)))
        took_s = time.monotonic() - began
    assert answers == [200] * 8
    assert 0.3 <= took_s < 1.5


def test_it_ends_with_its_context() -> None:
    """After the context the port is free and no thread is left, also when a connection was still open."""
    with serve(account()) as running, asking(running) as client:
        client.get("/v2/me")
        port = httpx.URL(running.url).port
        assert "mithril-sandbox" in {thread.name for thread in threading.enumerate()}
    assert "mithril-sandbox" not in {thread.name for thread in threading.enumerate()}
    assert port is not None
    with listen(port) as again:
        assert again.getsockname()[1] == port


def test_it_ends_when_its_user_fails() -> None:
    """An error inside the context comes out of it, and the server is gone."""
    with pytest.raises(RuntimeError, match="mine"), serve(account()):
        raise RuntimeError("mine")
    assert "mithril-sandbox" not in {thread.name for thread in threading.enumerate()}


def test_two_sandboxes_side_by_side() -> None:
    """Each has its own port, clock and account."""
    with serve(account()) as one, serve(make_account()) as other, asking(one) as first, asking(other) as second:
        assert one.url != other.url
        assert len(first.get("/v2/projects").json()) == len(second.get("/v2/projects").json()) == 2
        assert first.get("/v2/projects").json() != second.get("/v2/projects").json()


def test_a_port_in_use_is_one_sentence() -> None:
    """It says which port, why, and what to do."""
    with listen() as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(UsageError, match=f"127.0.0.1:{port} .*in use.*choose another port"),
            serve(account(), port=port),
        ):
            pytest.fail("served on a port that another has")


def test_small_answers_do_not_wait_for_the_network_stack() -> None:
    """Accepted connections send at once: with Nagle's algorithm each small answer would take 40 ms."""
    with serve(account()) as running, asking(running) as client:
        client.get("/v2/me")
        moments = []
        for _ in range(26):
            client.get("/v2/me")
            moments.append(time.monotonic())
    assert median(later - earlier for earlier, later in pairwise(moments)) < 0.030


@contextmanager
def foreground(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and its URL once it is ready."""
    command = [sys.executable, "-c", "from mithril_elt.cli import main; main()", "sandbox", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            heading = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+$", heading.strip())
            assert found, heading + process.communicate(timeout=20)[1]
            yield process, found[0]
        finally:
            process.kill()


def _accepts(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


def test_sigterm_ends_the_command_after_what_is_under_way() -> None:
    """It says where it is and what to try; a request that has begun is answered; then it ends with status 0."""
    body = b'{"instances": [], "status": "STATUS_PAUSED"}'
    with foreground("--port", "0", "--instances", "15", "--days", "8") as (process, url):
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=20) as begun:
            headers = f"Host: x\r\nAuthorization: {KEY['Authorization']}\r\n"
            headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            begun.sendall(f"PATCH /v2/instances HTTP/1.1\r\n{headers}Expect: 100-continue\r\n\r\n".encode())
            assert begun.recv(1000).startswith(b"HTTP/1.1 100")  # from here on the server waits for the body
            process.send_signal(signal.SIGTERM)
            while _accepts(address):
                pass
            begun.sendall(body)
            answer = begun.recv(1000)
            assert answer.startswith(b"HTTP/1.1 200"), answer
        assert process.wait(timeout=20) == 0
        assert process.stdout is not None
        assert process.stderr is not None
        out, errors = process.stdout.read(), process.stderr.read()
    assert errors == "The sandbox has ended.\n"
    assert f"export MITHRIL_API_URL={url}\n" in out
    assert "export MITHRIL_API_KEY=fkey_sandbox\n" in out
    assert "mithril-elt run\n" in out


def test_sigint_ends_the_command() -> None:
    """Its clock runs; a second one cannot have its port; Ctrl-C ends it with status 0."""
    with foreground("--port", "0") as (process, url), httpx.Client(base_url=url, headers=KEY) as client:
        project = client.get("/v2/projects").json()[0]["fid"]
        reservation = client.get("/v2/reservation", params={"project": project}).json()["data"][0]["fid"]
        path = f"/v2/reservation/{reservation}/usage"
        first, second = (client.get(path).json()["summary"]["as_of"] for _ in range(2))
        assert "2026-03-31T00:00:00" < first < second
        port = url.rpartition(":")[2]
        with pytest.raises(UsageError, match=f"cannot serve on 127.0.0.1:{port}"):
            sandbox_command.main(["--port", port], standalone_mode=False)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
