"""A rate card: what a GPU-hour cost, by type, region and regime, as the rates under which so much of the time was paid.

Stands between marts and `compose`. The rate of an hour is its mean: what it cost over the time paid for and the GPUs in
it. Rates weigh by GPU-time, so that one that held for a minute weighs a minute. On spot time with a price counts;
reserved, all that is reserved, whether it was used or not, as all of it is paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mithril_elt.reports.apportion import apportion, as_decimal, divide
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.groupings import Grouping
from mithril_elt.reports.kinds import HOURS
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.part import Of, condition
from mithril_elt.reports.span import Span

__all__ = ["PERCENTILES", "rate_notices", "rate_rows"]

PERCENTILES = (25, 50, 75, 95)
_PER_USD = 100  # cents
Key = tuple[Any, ...]


@dataclass(frozen=True)
class _Regime:
    """Where the hours of a regime are: of what, their mart, the time paid for, its cost, and which of them count."""

    name: str
    of: Of
    mart: str
    time_us: str
    cost_cent_us: str
    unpriced_us: str
    counts: str


_REGIMES = (
    _Regime(
        "spot",
        "instance",
        "fct_instance_hours",
        "f.billed_us - f.unpriced_us",
        "f.spot_cost_cent_us",
        "f.unpriced_us",
        "i.bid_id is not null and f.billed_us > 0",
    ),
    _Regime(
        "reserved",
        "reservation",
        "fct_reservation_hours",
        "f.reserved_us",
        "f.allocated_used_cent_us + f.allocated_unused_cent_us",
        "cast(0 as bigint)",  # a bare number would be the place of a column
        "f.reserved_us > 0",
    ),
)


@dataclass
class _Rates:
    """The hours of one group in one regime: GPU-time by rate (1e-12 dollars a GPU-hour), and time without a rate."""

    gpu_us: dict[int, int] = field(default_factory=dict)
    time_us: int = 0
    unrated_us: int = 0

    def add(self, cost_cent_us: int | None, time_us: int, unpriced_us: int, gpus: int | None, hours: int) -> None:
        """Add so many hours that are alike."""
        self.unrated_us += unpriced_us * hours
        if not time_us:
            return
        if cost_cent_us is None or not gpus:
            self.unrated_us += time_us * hours
            return
        rate = divide(cost_cent_us, time_us * gpus * _PER_USD)
        self.gpu_us[rate] = self.gpu_us.get(rate, 0) + time_us * gpus * hours
        self.time_us += time_us * hours

    def percentile(self, per_cent: int) -> Cell:
        """The lowest rate up to which so much of the GPU-time was paid: one that was paid, and none in between."""
        whole, reached = sum(self.gpu_us.values()), 0
        for rate in sorted(self.gpu_us):
            reached += self.gpu_us[rate]
            if reached * 100 >= whole * per_cent:
                return as_decimal(rate)
        return None


def rate_rows(
    marts: Marts, groupings: Sequence[Grouping], span: Span, shown: Callable[[Key], Key]
) -> tuple[tuple[tuple[Cell, ...], ...], tuple[Cell, ...]]:
    """The groups, the regime, hours, GPU-hours, the percentiles in dollars a GPU-hour and hours without a rate.

    In order of time, then most GPU-hours first; the total has hours alone. `shown` makes texts of a group's key.
    """
    found = {
        (*key, regime.name): rates
        for regime in _REGIMES
        for key, rates in _of_regime(marts, regime, groupings, span).items()
    }
    keys = sorted(found, key=_order(found, groupings))
    times = [
        ([found[key].time_us for key in keys]),
        ([sum(found[key].gpu_us.values()) for key in keys]),
        ([found[key].unrated_us for key in keys]),
    ]
    hours, gpu_hours, unrated = ([as_decimal(units or 0) for units in apportion(each, HOURS.per)] for each in times)
    rows = tuple(
        (*shown(key[:-1]), key[-1], hours[n], gpu_hours[n], *map(found[key].percentile, PERCENTILES), unrated[n])
        for n, key in enumerate(keys)
    )
    whole = [as_decimal(divide(sum(each), HOURS.per)) for each in times]
    return rows, (*whole[:2], *[None] * len(PERCENTILES), whole[2])


def rate_notices(total: Sequence[Cell]) -> list[str]:
    """What a reader must know: hours without a rate."""
    unrated = total[-1]
    if not unrated:
        return []
    why = "whose price or number of GPUs is not known"
    return [f"No rate is known for {unrated:,.2f} h, {why}: counted as unrated_hours, and left out of the rates."]


def _of_regime(marts: Marts, regime: _Regime, groupings: Sequence[Grouping], span: Span) -> dict[Key, _Rates]:
    """Hours that are alike come as one row: of most there are many."""
    found: dict[Key, _Rates] = {}
    for row in marts.rows(_select(regime, groupings, span)):
        *key, cost_cent_us, time_us, unpriced_us, gpus, hours = row
        cost = None if cost_cent_us is None else int(cost_cent_us)
        found.setdefault(tuple(key), _Rates()).add(cost, int(time_us), int(unpriced_us), gpus, int(hours))
    return found


def _select(regime: _Regime, groupings: Sequence[Grouping], span: Span) -> str:
    alias = regime.of[0]
    groups = [(each.of_instance if alias == "i" else each.of_reservation) or "" for each in groupings]
    measures = [regime.cost_cent_us, regime.time_us, regime.unpriced_us, "t.num_gpus"]
    columns = ", ".join([*groups, *measures])
    return "\n".join(
        (
            f"select {columns}, count(*)",
            f"from {{marts}}.{regime.mart} as f",
            f"inner join {{marts}}.dim_{regime.of}s as {alias} on f.{regime.of}_id = {alias}.{regime.of}_id",
            f"left join {{marts}}.dim_instance_types as t on {alias}.instance_type_id = t.instance_type_id",
            f"where {regime.counts} and f.hour_at >= {span.sql_from} and f.hour_at < {span.sql_to}",
            f"and {condition(span.part, regime.of)}",
            f"group by {columns}",
        )
    )


def _order(found: dict[Key, _Rates], groupings: Sequence[Grouping]) -> Callable[[Key], tuple[Any, ...]]:
    def rank(key: Key) -> tuple[Any, ...]:
        parts = list(zip(groupings, key[:-1], strict=True))
        times = [part for grouping, part in parts if grouping.is_time]
        ids = [(part is None, part or "") for grouping, part in parts if not grouping.is_time]
        return (*times, -sum(found[key].gpu_us.values()), *ids, key[-1])

    return rank
