"""What a month has cost so far and what is to come of it: reserved hours that are paid for, and spot as it was of late.

Stands between the reports' measures and `check`. All amounts are cent-microseconds, whole; the only roundings are those
of the spot forecast, which is a guess anyway.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from mithril_elt.budgets.plan import EVERYTHING, Budget
from mithril_elt.reports.groupings import GROUPINGS, Grouping
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.query import gather
from mithril_elt.reports.span import Span

__all__ = ["TRAILING_DAYS", "Grant", "Outlook", "Outlooks"]

TRAILING_DAYS = 7
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_US = timedelta(microseconds=1)
# Reserved time that ends when its reservation was cut, if it was, and whose it is, in the order of `_OWNERS`.
_GRANTS = """
    select
        f.starts_at, least(f.ends_at, coalesce(r.ends_at, f.ends_at)), f.quantity * f.unit_price_cents,
        f.project_id, r.user_id, r.instance_type_id, r.region, f.reservation_id
    from {marts}.fct_commitments as f
    left join {marts}.dim_reservations as r on f.reservation_id = r.reservation_id
    where f.unit_price_cents is not null
"""
_OWNERS = ("project", "user", "instance-type", "region", "reservation")


@dataclass(frozen=True)
class Grant:
    """Reserved time that is paid for whether it is used or not, at so many cents an hour for all its instances."""

    starts_at: datetime
    ends_at: datetime
    cents: int

    def cost_cent_us(self, from_at: datetime, to_at: datetime) -> int:
        """What of it falls into a span."""
        return max(min(self.ends_at, to_at) - max(self.starts_at, from_at), timedelta()) // _US * self.cents


@dataclass(frozen=True)
class Outlook:
    """A scope in a month as of `at`: what was spent, what is committed, and what spot cost on each of the last days."""

    at: datetime
    ends_at: datetime
    spent_cent_us: int
    grants: tuple[Grant, ...]
    spot_days: tuple[int, ...]

    def forecast_cent_us(self, spot_day_cent_us: int) -> int:
        """The whole month, if each day still to come costs so much on spot."""
        return self._until(self.ends_at, spot_day_cent_us, 1)

    @property
    def mean_cent_us(self) -> int:
        """The whole month, if spot goes on as it was on the mean of the last days."""
        return self._until(self.ends_at, sum(self.spot_days), len(self.spot_days))

    def passes_at(self, amount_cent_us: int) -> datetime | None:
        """The whole hour by the end of which more than that will have been spent, on the mean; None if it will not."""
        hour = self.at
        while hour < self.ends_at:
            hour += _HOUR
            if self._until(hour, sum(self.spot_days), len(self.spot_days)) > amount_cent_us:
                return hour
        return None

    def _until(self, to_at: datetime, spot_cent_us: int, days: int) -> int:
        spot = max(to_at - self.at, timedelta()) // _US * spot_cent_us // (days * (_DAY // _US)) if days else 0
        return self.spent_cent_us + sum(grant.cost_cent_us(self.at, to_at) for grant in self.grants) + spot


class Outlooks:
    """The outlook of each budget, from the marts as of a whole hour: what lies after it is foreseen, not counted."""

    def __init__(self, marts: Marts, at: datetime) -> None:
        self._marts = marts
        self._at = at
        self._spent: dict[tuple[str, date], dict[str, int]] = {}
        self._days: dict[str, list[dict[str, int]]] = {}

    def of(self, budget: Budget) -> Outlook:
        """The outlook of one budget."""
        # Of a month that has not begun all is to come.
        at = max(self._at, budget.begins_at(self._marts.timezone))
        days = self._spot_days(budget.scope_kind)
        return Outlook(
            at,
            max(at, budget.ends_at(self._marts.timezone)),
            self._spent_by(budget).get(budget.scope_id, 0),
            tuple(self._grants_of(budget)),
            tuple(day.get(budget.scope_id, 0) for day in days),
        )

    def known_scopes(self, kind: str) -> set[str]:
        """The ids of a kind that the marts have."""
        if kind == EVERYTHING:
            return {""}
        grouping = GROUPINGS[kind]
        asked = [_select(grouping.of_instance.replace("f.", "i."), "dim_instances as i")]
        if grouping.of_reservation:
            asked.append(_select(grouping.of_reservation.replace("f.", "r."), "dim_reservations as r"))
        if kind == "project":
            asked.append(_select("project_id", "dim_projects"))
        return {identity for (identity,) in self._marts.rows(" union ".join(asked)) if identity is not None}

    def _spent_by(self, budget: Budget) -> dict[str, int]:
        """The net cost of the month by scope, up to the whole hour."""
        key = budget.scope_kind, budget.month
        if key not in self._spent:
            begin = budget.begins_at(self._marts.timezone)
            until = min(budget.ends_at(self._marts.timezone), self._at)
            span = Span(begin, until) if begin < until else None
            self._spent[key] = self._net(budget.scope_kind, span) if span else {}
        return self._spent[key]

    def _net(self, kind: str, span: Span) -> dict[str, int]:
        gathered = gather(self._marts, ("spot_cost", "allocated_cost", "pause_credit"), _by(kind), span)
        parts = (gathered.values[name] for name in ("spot_cost", "allocated_cost", "pause_credit"))
        net = [(spot or 0) + (reserved or 0) - (credit or 0) for spot, reserved, credit in zip(*parts, strict=True)]
        return dict(zip((_id(key) for key in gathered.keys), net, strict=True))

    def _spot_days(self, kind: str) -> list[dict[str, int]]:
        """Spot cost by scope in each whole day of 24 hours before the hour, the latest first."""
        if kind not in self._days:
            span = Span(self._at - TRAILING_DAYS * _DAY, self._at)
            by_hour = gather(self._marts, ("spot_cost",), (*_by(kind), GROUPINGS["hour"]), span)
            days: list[dict[str, int]] = [defaultdict(int) for _ in range(self._days_known)]
            for key, cost in zip(by_hour.keys, by_hour.values["spot_cost"], strict=True):
                ago = (self._at - _HOUR - key[-1].replace(tzinfo=UTC)) // _DAY
                if ago < len(days):
                    days[ago][_id(key[:-1])] += cost or 0
            self._days[kind] = days
        return self._days[kind]

    @cached_property
    def _days_known(self) -> int:
        [(first,)] = self._marts.rows("select min(hour_at) from {marts}.fct_instance_hours")
        return 0 if first is None else min(TRAILING_DAYS, max(0, (self._at - first.replace(tzinfo=UTC)) // _DAY))

    @cached_property
    def _grants(self) -> list[tuple[Grant, tuple[str | None, ...]]]:
        rows = self._marts.rows(_GRANTS)
        return [
            (Grant(starts_at.replace(tzinfo=UTC), ends_at.replace(tzinfo=UTC), cents), tuple(owners))
            for starts_at, ends_at, cents, *owners in rows
        ]

    def _grants_of(self, budget: Budget) -> list[Grant]:
        if budget.scope_kind == EVERYTHING:
            return [grant for grant, _ in self._grants]
        if budget.scope_kind not in _OWNERS:
            return []
        place = _OWNERS.index(budget.scope_kind)
        return [grant for grant, owners in self._grants if owners[place] == budget.scope_id]


def _select(column: str, relation: str) -> str:
    return " ".join(("select", column, "from {marts}." + relation))


def _by(kind: str) -> tuple[Grouping, ...]:
    return () if kind == EVERYTHING else (GROUPINGS[kind],)


def _id(key: tuple[object, ...]) -> str:
    """The scope of a group; what belongs to none is under None, which no budget has."""
    return str(key[0]) if key else ""
