"""Hours by status and the cost of spot instances, worked out in Python from the raw rows: not as the models do it.

Stands in `acceptance` beside `transform`. Exact: microseconds and cent-microseconds are whole numbers.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from mithril_elt.instants import naive_utc
from mithril_elt.transform import sql_folder
from mithril_elt.warehouse import open_read_only

__all__ = ["Figures", "calculated", "modelled"]

_US = timedelta(microseconds=1)
_EVENTS = "select instance_fid, timestamp, status from raw.instance_status_events where withdrawn_at is null"
_PERIODS = (
    "select instance_fid, start_time, end_time, price_cents, read_at"
    " from raw.instance_price_periods where withdrawn_at is null"
)
_LISTED = (
    "select fid, bid, reservation from raw.instances"
    " qualify row_number() over (partition by fid order by _dlt_valid_from desc) = 1"
)
_NAMED = (
    "select instance_fid, max(bid_fid) from (select instance_fid, bid_fid from raw.instance_status_events union all"
    " select instance_fid, bid_fid from raw.instance_price_periods) group by all"
)
_OURS_US = "select instance_id, status, cast(sum(duration_us) as hugeint) from marts.fct_status_spells group by all"
_OURS_COST = "select instance_id, sum(spot_cost_cent_us), sum(unpriced_us) from marts.fct_instance_hours group by all"


@dataclass(frozen=True)
class Figures:
    """Microseconds of each instance and status, and cent-microseconds of each instance that cost any."""

    status_us: Mapping[tuple[str, str], int]
    cost_cent_us: Mapping[str, int]
    unpriced_us: Mapping[str, int]

    def differences(self, other: Figures) -> list[str]:
        """What is not the same in both, a line each."""
        found = []
        for name, ours in vars(self).items():
            theirs = getattr(other, name)
            found += [f"{name} {key}: {ours.get(key, 0)}, {theirs.get(key, 0)}" for key in ours.keys() | theirs.keys()
                if ours.get(key, 0) != theirs.get(key, 0)]  # fmt: skip
        return sorted(found)


@dataclass(frozen=True)
class _Policy:
    """What a status means, from the seed that its owner may edit."""

    order: int
    is_billed: bool
    is_end: bool


def modelled(db: Path) -> Figures:
    """As the marts have them."""
    with open_read_only(db) as connection:
        times = connection.execute(_OURS_US).fetchall()
        costs = connection.execute(_OURS_COST).fetchall()
    return Figures(
        {(fid, status): int(us) for fid, status, us in times if us},
        {fid: int(cost) for fid, cost, _ in costs if cost},
        {fid: int(us) for fid, _, us in costs if us},
    )


def calculated(db: Path, until: datetime) -> Figures:
    """As they follow from the raw rows, up to an instant."""
    end = naive_utc(until)
    policy = _policy()
    with open_read_only(db) as connection:
        spot = _spot(connection)
        lives = _by_instance(connection, _EVENTS, end)
        prices = _by_instance(connection, _PERIODS, end)
    figures = Figures(defaultdict(int), defaultdict(int), defaultdict(int))
    for fid, events in lives.items():
        periods = list(_periods(prices.get(fid, []), end))
        for status, start, stop in _stretches(events, policy, end):
            _add(figures.status_us, (fid, status), (stop - start) // _US)
            if fid in spot and policy(status).is_billed:
                priced_us, cost = _cost(periods, start, stop)
                _add(figures.cost_cent_us, fid, cost)
                _add(figures.unpriced_us, fid, (stop - start) // _US - priced_us)
    return figures


def _add(sums: Any, key: Any, more: int) -> None:
    if more:
        sums[key] += more


def _policy() -> Any:
    """What a status means: the seed's line, or the one for any other."""
    with (sql_folder() / "seeds" / "status_policy.csv").open(encoding="utf-8") as file:
        read = {row["status"]: row for row in csv.DictReader(file)}
    known = {
        name: _Policy(int(row["lifecycle_order"]), row["is_billed_on_spot"] == "true", row["ends_story"] == "true")
        for name, row in read.items()
    }
    return lambda status: known.get(status, known["*"])


def _by_instance(connection: duckdb.DuckDBPyConnection, query: str, end: datetime) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for fid, start, *rest in connection.execute(query).fetchall():
        if start < end:
            found[fid].append((start, *rest))
    return found


def _spot(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The instances that are paid for by a bid: as listed, or where the list names no order, as the histories do."""
    orders = {fid: (bid, reservation) for fid, bid, reservation in connection.execute(_LISTED).fetchall()}
    named = {fid for fid, bid in connection.execute(_NAMED).fetchall() if bid}
    listed = {fid for fid, (bid, _) in orders.items() if bid}
    return listed | {fid for fid in named if orders.get(fid, (None, None)) == (None, None)}


def _stretches(events: list[tuple[Any, ...]], policy: Any, end: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Between one event and the next the status of the one; of those at one instant the latest in life has the time."""
    bare = [(at, status.removeprefix("STATUS_")) for at, status in events]
    ordered = sorted(bare, key=lambda event: (event[0], policy(event[1]).order, event[1]))
    for (start, status), (stop, _) in pairwise([*ordered, (end, "")]):
        if start < stop and not policy(status).is_end:
            yield status, start, stop


def _periods(told: Iterable[tuple[Any, ...]], end: datetime) -> Iterator[tuple[datetime, datetime, int]]:
    """The prices in order, each until the next begins at the latest; of two that begin at once the newer reading."""
    ordered = sorted(told, key=lambda period: (period[0], period[3], period[1] or period[0]))
    for (start, stop, cents, _), (following, *_) in pairwise([*ordered, (end, None, 0, None)]):
        last = min(stop or end, following, end)
        if start < last:
            yield start, last, cents


def _cost(periods: list[tuple[datetime, datetime, int]], start: datetime, stop: datetime) -> tuple[int, int]:
    """How much of the stretch has a price, and the sum of price times time."""
    priced_us = cost = 0
    first = max(0, bisect_right(periods, start, key=lambda period: period[0]) - 1)
    for begins, ends, cents in periods[first:]:
        if begins >= stop:
            break
        us = max(0, (min(ends, stop) - max(begins, start)) // _US)
        priced_us += us
        cost += us * cents
    return priced_us, cost
