"""What the made-up API answers: its lists, and pages of both histories, encoded once and kept.

Stands between `fleet` and `served`; shapes are those of the API's public description.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from bench.fleet import Excerpt, Fleet, as_instant, as_us, instance_fid, instance_number

__all__ = ["Account", "Body", "project_fid"]

STATUSES = ("STATUS_STARTING", "STATUS_RUNNING", "STATUS_PREEMPTING", "STATUS_PREEMPTED")
INSTANCES_OF_A_BID = 100
_HISTORIES = {"/v2/instances/status/history": False, "/v2/instances/pricing/history": True}
_LISTS = ("/v2/instances", "/v2/spot/bids", "/v2/reservation")
_UNKNOWN = {"detail": "Not Found"}


@dataclass(frozen=True)
class Body:
    """An answer: its status, and its JSON as it is and packed."""

    status: int
    plain: bytes
    packed: bytes


@dataclass
class Account:
    """One or more projects with the same fleet each, as the API tells of them."""

    fleet: Fleet
    projects: int = 1
    counts_events: bool = False
    _kept: dict[str, Body] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Of both histories of all projects."""
        return self.projects * self.fleet.rows

    @property
    def _bids_each(self) -> int:
        return -(-self.fleet.instances // INSTANCES_OF_A_BID)

    def least_requests(self) -> int:
        """The fewest that a load by the week takes, lists included."""
        instances, bids = (-(-count // 100) for count in (self.fleet.instances, self._bids_each))
        histories = self.fleet.least_requests(counts_events=self.counts_events)
        return 3 + self.projects * (histories + instances + bids + 1)

    def answer(self, target: str) -> Body:
        """The answer to a GET; it is made when it is first asked for."""
        body = self._kept.get(target)
        if body is None:
            body = self._kept[target] = self._made(target)
        return body

    def _made(self, target: str) -> Body:
        parts = urlsplit(target)
        asked = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        try:
            status, answer = self._said(parts.path, asked)
        except ValueError as error:
            status, answer = 422, {"detail": str(error)}
        plain = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
        return Body(status, plain, gzip.compress(plain, 1, mtime=0))

    def _said(self, path: str, asked: dict[str, str]) -> tuple[int, Any]:
        bare = {
            "/v2/me": {"fid": "user_0000000000000000", "email": "someone@bench.example"},
            "/v2/projects": [self._project(n) for n in range(self.projects)],
            "/v2/instance-types": [{"fid": "it_0000000000000000", "name": "h100-80gb.sxm.8x", "num_gpus": 8}],
            "/v2/pricing/history": [],
        }
        if path in bare:
            return 200, bare[path]
        if path not in _HISTORIES and path not in _LISTS:
            return 404, _UNKNOWN
        project = _project_number(asked.get("project", ""))
        if project is None or project >= self.projects:
            return 404, {"detail": "Project not found"}
        offset, limit = _place(asked)
        if path in _HISTORIES:
            return 200, self._history(project, asked, offset, limit, prices=_HISTORIES[path])
        rows = self._bids(project) if path == "/v2/spot/bids" else self._instances(project)
        rows = [] if path == "/v2/reservation" else islice(rows, offset, offset + limit + 1)
        found = list(rows)
        more = len(found) > limit
        return 200, {"data": found[:limit], "next_cursor": _cursor(offset + limit) if more else None}

    def _history(self, project: int, asked: dict[str, str], offset: int, limit: int, *, prices: bool) -> bytes:
        strange = set(asked) - {"project", "limit", "start_time", "end_time", "next_cursor", "instance_fid"}
        if strange:
            raise ValueError(f"not served here: {sorted(strange)}")
        bounds = (as_us(datetime.fromisoformat(asked[name])) if name in asked else None for name in _BOUNDS)
        excerpt = self.fleet.excerpt(*bounds)
        if "instance_fid" in asked:
            groups, more = self._of_one(excerpt, asked["instance_fid"], offset, limit)
        elif self.counts_events:
            groups, more = excerpt.by_events(offset, limit), offset + limit < excerpt.events
        else:
            groups, more = excerpt.by_instances(offset, limit), offset + limit < excerpt.told
        return self._page(project, groups, _cursor(offset + limit) if more else None, prices=prices)

    def _of_one(self, excerpt: Excerpt, fid: str, offset: int, limit: int) -> tuple[Iterable[range], bool]:
        number = instance_number(fid)
        if number is None or number >= self.fleet.instances:
            raise ValueError(f"no such instance: {fid}")
        events = excerpt.of_instance(number)
        cut = events[offset : offset + limit] if self.counts_events else events[:] if offset == 0 else events[:0]
        return [cut] if cut else [], self.counts_events and offset + limit < len(events)

    def _page(self, project: int, groups: Iterable[range], cursor: str | None, *, prices: bool) -> bytes:
        told = self._price if prices else self._status
        rows = (
            f'{{"instance_fid":"{instance_fid(project, number)}","events":[{",".join(map(told, events))}],'
            f'"bid_fid":"{_bid_fid(project, number)}","reservation_fid":null}}'
            for events in groups
            if (number := events[0] % self.fleet.instances) is not None
        )
        return f'{{"instances":[{",".join(rows)}],"next_cursor":{_quoted(cursor)}}}'.encode()

    def _status(self, event: int) -> str:
        status = STATUSES[event // self.fleet.instances % len(STATUSES)]
        return f'{{"timestamp":"{as_instant(self.fleet.at_us(event))}","status":"{status}"}}'

    def _price(self, event: int) -> str:
        end = event + self.fleet.instances
        end_time = as_instant(self.fleet.at_us(end)) if end < self.fleet.events else None
        start_time = as_instant(self.fleet.at_us(event))
        price = f'"price_cents":{1000 + event * 7919 % 500}'
        return f'{{{price},"start_time":"{start_time}","end_time":{_quoted(end_time)}}}'

    def _project(self, number: int) -> dict[str, Any]:
        return {"fid": project_fid(number), "name": f"bench-{number}", "created_at": self._since}

    @property
    def _since(self) -> str:
        return as_instant(self.fleet.start_us)

    def _bids(self, project: int) -> Iterable[dict[str, Any]]:
        for first in range(0, self.fleet.instances, INSTANCES_OF_A_BID):
            yield {
                "fid": _bid_fid(project, first),
                "project": project_fid(project),
                "name": f"bid-{first}",
                "created_by": "user_0000000000000000",
                "created_at": self._since,
                "limit_price": "$32.00",
                "instance_type": "it_0000000000000000",
                "region": "us-central1-a",
                "status": "Open",
                "instance_quantity": INSTANCES_OF_A_BID,
                "instances": [],
            }

    def _instances(self, project: int) -> Iterable[dict[str, Any]]:
        for number in range(self.fleet.instances):
            yield {
                "fid": instance_fid(project, number),
                "project": project_fid(project),
                "name": f"machine-{number}",
                "created_by": "user_0000000000000000",
                "created_at": self._since,
                "status": "STATUS_RUNNING",
                "instance_type": "it_0000000000000000",
                "region": "us-central1-a",
                "bid": _bid_fid(project, number),
                "reservation": None,
                "ssh_destination": None,
                "private_ip": None,
            }


_BOUNDS = ("start_time", "end_time")


def project_fid(number: int) -> str:
    """The id of a project."""
    return f"proj_{number:016d}"


def _project_number(fid: str) -> int | None:
    digits = fid.removeprefix("proj_")
    return int(digits) if len(digits) == 16 and digits.isdecimal() else None


def _bid_fid(project: int, instance: int) -> str:
    return f"bid_{project:04d}{instance // INSTANCES_OF_A_BID:012d}"


def _cursor(offset: int) -> str:
    return f"at-{offset}"


def _place(asked: dict[str, str]) -> tuple[int, int]:
    """Where a page begins, and how much it may have."""
    offset, limit = int(asked.get("next_cursor", "at-0").removeprefix("at-")), int(asked.get("limit", "100"))
    if offset < 0 or not 1 <= limit <= 100:
        raise ValueError("limit is 1 to 100")
    return offset, limit


def _quoted(text: str | None) -> str:
    return "null" if text is None else f'"{text}"'
