"""The extract of accounts that nobody has to have: planned by the project's own code, by a clock that is simulated.

Stands on `plans`, `sizing`, `packing` and `limits` of the project; `python -m bench.scale` prints the table of
`docs/scale.md`. Windows, slices and packages are those that a load of such an account would choose; how near a load
comes to a server's limit is found by letting its pace run against one, without waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

from bench.served import Allowance
from bench.tables import table
from mithril_elt import limits
from mithril_elt.endpoints import PAGE_LIMIT
from mithril_elt.histories import HISTORIES
from mithril_elt.limits import Pace
from mithril_elt.packing import Package, Took
from mithril_elt.plans import Pending
from mithril_elt.sizing import Sizing
from mithril_elt.windows import Span, Wish, plan

__all__ = ["Account", "Plan", "Reached", "extract_plan", "reached"]

START = datetime(2023, 1, 1, tzinfo=UTC)
AT_A_TIME = 16
ROW_BYTES = 260  # of an answer, about, unpacked
_DAY = timedelta(days=1)
_REFUSED_S = 1  # how long a server that refuses asks to wait


@dataclass(frozen=True)
class Account:
    """Instances spread evenly over projects, each with so many events a day of each history, evenly over the time."""

    instances: int
    days: int
    projects: int
    events_a_day: int = 20
    pages_count: str = "events"

    def rows(self, span: Span) -> int:
        """Of one history of one project in that time."""
        seconds = (span.end - span.start) // timedelta(seconds=1)
        return self.instances // self.projects * self.events_a_day * seconds // 86_400

    def requests(self, span: Span) -> int:
        """That such a span takes: one at least."""
        rows = self.rows(span)
        counted = rows if self.pages_count == "events" else min(rows, self.instances // self.projects)
        return max(1, -(-counted // PAGE_LIMIT))


@dataclass
class Plan:
    """What an extract asks for. `rounds`: pages that wait for each other, if all windows are read one by one."""

    windows: int = 0
    packages: int = 0
    requests: int = 0
    rows: int = 0
    rounds: int = 0


def extract_plan(account: Account, covered: Span | None = None) -> Plan:
    """What the first run of an account asks for; or one that goes on from what is covered to the account's end."""
    end = START + account.days * _DAY
    spans = plan([covered] if covered else [], Wish(end, oldest=START))
    pending = Pending({f"proj_{number}": list(spans) for number in range(account.projects)})
    sizing, told = Sizing({}, AT_A_TIME), Plan()
    if covered:
        for project in pending.spans:
            for history in HISTORIES:
                took = account.requests(covered), account.rows(covered)
                sizing.note(project, history.name, covered, *took, pages_count=account.pages_count)
    while any(pending.spans.values()):
        package = Package(pending, sizing)
        told.packages += 1
        for windows in package.each():
            told.windows += len(windows)
            told.rounds += _read(account, package, windows, told)
    return told


def _read(account: Account, package: Package, windows: dict[str, Span], told: Plan) -> int:
    """Reads the windows of one time; how many pages one after the other that takes at least."""
    walks: list[int] = []
    for project, span in windows.items():
        for history in HISTORIES:
            slices = package.sizing.slices(project, history.name, span)
            pages = [account.requests(each) for each in slices.spans]
            walks += pages
            rows, requests = account.rows(span), sum(pages)
            page_bytes = rows * ROW_BYTES // requests
            shows = account.pages_count if rows > PAGE_LIMIT else None
            package.note(project, history.name, span, Took(requests, rows, page_bytes, shows))
            told.rows += rows
            told.requests += requests
    return max(*walks, -(-sum(walks) // AT_A_TIME))


@dataclass(frozen=True)
class Reached:
    """How a load's pace fares under a server's limit: good answers a second, and how many of all were refusals."""

    per_second: float  # exact-ok: a pace
    refused: float  # exact-ok: a share


class _Clock(asyncio.SelectorEventLoop):
    """An event loop whose time passes only where all would wait, and then at once."""

    now_s = 0.0

    def time(self) -> float:
        return self.now_s

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]  # asyncio's own
            self.now_s = max(self.now_s, self._scheduled[0].when())  # type: ignore[attr-defined]  # as above
        super()._run_once()  # type: ignore[misc]  # as above


def reached(limit: int, latency_s: float, requests: int = 5_000) -> Reached:
    """Lets so many requests leave by the project's own pace against a server that allows `limit` a second."""
    clock = _Clock()
    try:
        with patch.object(limits, "time", SimpleNamespace(monotonic=clock.time)):
            refused = clock.run_until_complete(_asked(clock, limit, latency_s, requests))
    finally:
        clock.close()
    return Reached(requests / clock.now_s, refused / (requests + refused))


async def _asked(clock: _Clock, limit: int, latency_s: float, requests: int) -> int:
    pace, allowance, refused = Pace(None), Allowance(limit, 0), 0
    left = iter(range(requests))

    async def walk() -> None:
        nonlocal refused
        for _ in left:
            while True:
                left_at_s = await pace.wait()
                await asyncio.sleep(latency_s)
                if allowance.take(int(clock.now_s * 1_000_000_000)):
                    pace.speed_up(left_at_s)
                    break
                refused += 1
                pace.slow_down(_REFUSED_S, left_at_s)

    await asyncio.gather(*(walk() for _ in range(AT_A_TIME)))
    return refused


ACCOUNTS = (
    Account(100, 90, 1),
    Account(1_000, 365, 10),
    Account(10_000, 1_095, 100),
    Account(10_000, 1_095, 100, pages_count="instances"),
)
LIMITS = (10, 50, 200)
LATENCY_S = 0.05


def _hours(plan: Plan, limit: Reached) -> str:
    seconds = max(plan.requests / limit.per_second, plan.rounds * LATENCY_S)
    return f"{seconds / 3600:,.1f} h"


def parts() -> Iterator[str]:
    """The table of the extract, and that of the pace."""
    found = {limit: reached(limit, LATENCY_S) for limit in LIMITS}
    rows = []
    for account in ACCOUNTS:
        end = START + account.days * _DAY
        day = extract_plan(account, Span(START, end - _DAY))
        first = extract_plan(account)
        size = f"{account.instances:,} x {account.days:,} days, {account.projects} projects"
        what = f"{size}, pages of {account.pages_count}"
        times = [_hours(first, found[limit]) for limit in LIMITS]
        counts = [f"{n:,}" for n in (first.rows, first.windows, first.packages, first.requests)]
        rows.append([what, *counts, *times, f"{day.requests:,}", *(_hours(day, found[limit]) for limit in LIMITS)])
    names = ["account", "rows", "windows", "packages", "requests", *(f"at {limit}/s" for limit in LIMITS)]
    yield table("The extract", [*names, "a day's requests", *(f"at {limit}/s" for limit in LIMITS)], rows)
    pace = [[f"{k}/s", f"{v.per_second:,.1f}/s", f"{100 * v.refused:.2f} %"] for k, v in found.items()]
    yield table("The pace", ["the server allows", "a load reaches", "of all requests refused"], pace)


if __name__ == "__main__":
    for part in parts():
        print(part, end="\n\n")
