"""The account that is tried: its key and address, how hard it may be worked, and how often it was asked.

Stands in `acceptance` on `api`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mithril_elt.api import Mithril
from mithril_elt.client import Limits

__all__ = ["Account"]


@dataclass
class Account:
    """An account; each session with it adds to the requests that were sent."""

    key: str = field(repr=False)
    url: str
    concurrency: int = 16
    requests_per_second: float | None = None  # exact-ok: a pace
    requests: int = 0
    retries: int = 0

    @contextmanager
    def session(self, *, requests_per_second: float | None = None) -> Iterator[Mithril]:  # exact-ok: a pace
        """A session with the API, at a pace of its own if given."""
        limits = Limits(self.concurrency, requests_per_second or self.requests_per_second)
        api = Mithril(self.key, self.url, limits=limits)
        with api:
            try:
                yield api
            finally:
                self.requests += api.traffic.requests
                self.retries += api.traffic.retries
