"""What stands between a client and a sandbox, over real sockets, and spoils some of the answers on their way.

The sandbox answers every request; the answers to requests about histories are counted, and from the one after `spare`
on so many (`strikes`) are made into something else. A cursor that begins with `AGAIN` is the one behind it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

import httpx

from mithril_elt.sandbox.server import Sandbox
from scripted import Answer, Asked, Scripted, scripted

__all__ = ["AGAIN", "Between", "Spoil", "between", "is_history"]

AGAIN = "again:"
Spoil = Callable[[Asked, Answer], Answer]


def is_history(asked: Asked) -> bool:
    """Whether it asks for one of the two histories."""
    return asked.path.startswith("/v2/instances/") and asked.path.endswith("/history")


@dataclass
class Between:
    """Passes on what the sandbox says, but for the answers that it spoils; `struck`: how many it has spoilt."""

    sandbox: httpx.Client
    spoil: Spoil = lambda _, answer: answer
    spare: int = 0
    strikes: float = inf  # exact-ok: a number of answers, or for ever
    concerns: Callable[[Asked], bool] = is_history
    seen: int = 0
    struck: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> Answer:
        """The answer to one request."""
        key = {"Authorization": asked.headers["authorization"]}
        query = {name: value.removeprefix(AGAIN) for name, value in asked.query.items() if value != AGAIN}
        said = self.sandbox.request(asked.method, asked.path, params=query, headers=key, content=asked.body)
        kept = {name: said.headers[name] for name in ("Date", "Content-Type", "Retry-After") if name in said.headers}
        answer = Answer(said.status_code, said.content, kept)
        if not self.concerns(asked):
            return answer
        with self._lock:
            self.seen += 1
            if self.seen > self.spare and self.struck < self.strikes:
                spoilt = self.spoil(asked, answer)
                self.struck += spoilt != answer
                return spoilt
        return answer


@contextmanager
def between(sandbox: Sandbox, **how: object) -> Iterator[tuple[Scripted, Between]]:
    """Serves the sandbox through one that spoils answers."""
    with httpx.Client(base_url=sandbox.url, trust_env=False) as client:
        spoiler = Between(client, **how)  # type: ignore[arg-type]  # its own fields
        with scripted(spoiler) as server:
            yield server, spoiler
