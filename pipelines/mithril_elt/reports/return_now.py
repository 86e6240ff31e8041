"""Whether to keep each open reservation, to pause what of it is not used, or to give it back and use spot instead.

Stands between the marts and `compose`. Per instance-hour that is left: U is its price, which is paid already, P what a
pause earns, T what giving back earns, s the price of spot, u the expected use. Keeping costs U, pausing while idle
U - P(1 - u), returning U - T + s u; returning beats pausing where u is below (T - P) / (s - P).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from mithril_elt.errors import UsageError
from mithril_elt.instants import iso
from mithril_elt.reports.apportion import as_decimal, divide
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.kinds import HOURS, USD
from mithril_elt.reports.marts import Marts

__all__ = ["Assumptions", "Open", "return_now_rows"]

_TRAILING = timedelta(days=7)
_US = timedelta(microseconds=1)
_OPEN = """
    select r.reservation_id, r.as_of, r.ends_at, r.instance_type_id, r.region
    from {marts}.dim_reservations as r
    where r.has_terms and r.as_of is not null and r.starts_at <= r.as_of and r.as_of < r.ends_at
    order by r.reservation_id
"""
_GRANTS = "select reservation_id, starts_at, ends_at, quantity, unit_price_cents from {marts}.fct_commitments"
_RATES = """
    select reservation_id, rate_kind, rate_cents from {marts}.fct_reservation_rates
    where is_in_force and rate_kind <> 'unit_price'
"""
_USE = """
    select reservation_id, sum(used_us), sum(reserved_us) from {marts}.fct_reservation_hours group by reservation_id
"""
_SPOT = """
    select i.instance_type_id, i.region, f.hour_at, f.priced_us, f.spot_cost_cent_us, f.compared_us,
        f.reserved_market_cost_cent_us
    from {marts}.fct_spot_hours as f
    inner join {marts}.dim_instances as i on f.instance_id = i.instance_id
    where f.priced_us > 0
"""
# What the market asked for an instance-hour at the beginning of the hours of that week, of each open reservation.
_MARKET = """
    select r.reservation_id, sum(m.spot_price_usd), count(m.spot_price_usd),
        sum(m.reserved_price_usd), count(m.reserved_price_usd)
    from {marts}.dim_reservations as r
    inner join {marts}.fct_market_hours as m on r.instance_type_id = m.instance_type_id and r.region = m.region
    where r.starts_at <= r.as_of and r.as_of < r.ends_at
        and m.hour_at >= r.as_of - interval '7 days' and m.hour_at < r.as_of
    group by r.reservation_id
"""
_ADVICE = {
    "keep": "Keep it: neither pausing nor giving it back brings anything.",
    "pause": "Keep it, and pause each instance whenever it stands idle for an hour or more.",
    "return": "Give it back, and run what is left to do on spot.",
    "unknown": "Not to be said yet: give --expected-use or --spot-price, or wait for the reservation's rates.",
}


@dataclass(frozen=True)
class Assumptions:
    """What a user expects; None is what the account showed.

    `expected_use`: the share of the hours left that will be used. `spot_price_usd`: for an instance-hour.
    """

    expected_use: Fraction | None = None
    spot_price_usd: Fraction | None = None

    @classmethod
    def asked(cls, expected_use: str | None, spot_price: str | None) -> Assumptions:
        """The same from what a user wrote: per cent and dollars. Raises UsageError for what is neither."""
        use, price = _number(expected_use, "--expected-use"), _number(spot_price, "--spot-price")
        if use is not None and use > 100:
            raise UsageError(f"--expected-use {expected_use!r} is no percentage: 0 to 100")
        return cls(None if use is None else use / 100, price)


def _number(text: str | None, option: str) -> Fraction | None:
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0:
        raise UsageError(f"{option} {text!r} is no number of 0 or more")
    return Fraction(number)


@dataclass(frozen=True)
class Open:
    """An open reservation: instance-microseconds left, and cents for an instance-hour; None where nobody knows.

    `cost_cent_us`: what the time left has been paid. `use`: a share of 1. `market`: what the market asks for reserved.
    """

    left_us: int
    cost_cent_us: int | None
    pause: Fraction | None
    back: Fraction | None
    use: Fraction | None
    spot: Fraction | None
    market: Fraction | None

    @property
    def pause_gain(self) -> Fraction | None:
        """What pausing while idle brings over keeping, cent-microseconds."""
        return None if self.pause is None or self.use is None else self.pause * (1 - self.use) * self.left_us

    @property
    def return_gain(self) -> Fraction | None:
        """What returning brings over keeping; without any use the price of spot does not matter."""
        if self.back is None or self.use is None or (self.spot is None and self.use):
            return None
        return (self.back - (self.spot or 0) * self.use) * self.left_us

    @property
    def break_even(self) -> Fraction | None:
        """The use below which returning beats pausing; None where spot costs no more than a pause earns."""
        if self.pause is None or self.back is None or self.spot is None or self.spot <= self.pause:
            return None
        return min(max((self.back - self.pause) / (self.spot - self.pause), Fraction(0)), Fraction(1))

    @property
    def advice(self) -> str:
        """keep, pause or return: what brings most of what is known; unknown if one of them is not known."""
        gains = {"keep": Fraction(0), "pause": self.pause_gain, "return": self.return_gain}
        known = {name: gain for name, gain in gains.items() if gain is not None}
        return max(known, key=lambda name: known[name]) if len(known) == len(gains) else "unknown"

    @property
    def flexibility(self) -> Fraction | None:
        """What being able to pause and to return is worth: the best over keeping, as far as it is known."""
        known = [gain for gain in (self.pause_gain, self.return_gain) if gain is not None]
        return max(*known, Fraction(0)) if known else None

    @property
    def premium(self) -> Fraction | None:
        """What was paid for it over the market's reserved price; below nothing if it was cheaper."""
        if self.cost_cent_us is None or self.market is None:
            return None
        return self.cost_cent_us - self.market * self.left_us


def return_now_rows(marts: Marts, assumptions: Assumptions) -> tuple[tuple[tuple[Cell, ...], ...], list[str]]:
    """A row for each open reservation, its id first and then the figures of the report; and what was assumed, in words.

    What keeping costs and its alternatives are of all instance-hours that are left. The most to be had comes first.
    """
    grants, rates, use = _by_reservation(marts)
    spot_hours = marts.rows(_SPOT)
    asked = {key: (_asked(*prices[:2]), _asked(*prices[2:])) for key, *prices in marts.rows(_MARKET)}
    found = []
    for key, as_of, ends_at, kind, region in marts.rows(_OPEN):
        here = [row[2:] for row in spot_hours if row[:2] == (kind, region) and row[2] >= as_of - _TRAILING]
        left_us, cost = _left(grants.get(key, []), as_of, ends_at)
        of_account = Fraction(use[key][0], use[key][1]) if key in use and use[key][1] else None
        expected = assumptions.expected_use if assumptions.expected_use is not None else of_account
        paid = _mean(here, 2, 1) if assumptions.spot_price_usd is None else assumptions.spot_price_usd * 100
        spot_asked, reserved_asked = asked.get(key, (None, None))
        compared = _mean(here, 4, 3)
        each = Open(
            left_us,
            cost,
            rates.get((key, "pause_credit")),
            rates.get((key, "return_credit")),
            None if expected is None else min(expected, Fraction(1)),
            spot_asked if paid is None else paid,
            reserved_asked if compared is None else compared,
        )
        found.append((key, ends_at, each))
    found.sort(key=lambda one: (-(one[2].flexibility or 0), one[0]))
    return tuple((key, *_cells(ends_at, each)) for key, ends_at, each in found), _assumed(assumptions)


def _by_reservation(
    marts: Marts,
) -> tuple[
    Mapping[str, list[tuple[datetime, datetime, int, int | None]]],
    Mapping[tuple[str, str], Fraction | None],
    Mapping[str, tuple[int, int]],
]:
    grants: dict[str, list[tuple[datetime, datetime, int, int | None]]] = {}
    for key, starts_at, ends_at, quantity, cents in marts.rows(_GRANTS):
        grants.setdefault(key, []).append((starts_at, ends_at, quantity, cents))
    rates = {(key, kind): None if cents is None else Fraction(cents) for key, kind, cents in marts.rows(_RATES)}
    return grants, rates, {key: (int(used), int(reserved)) for key, used, reserved in marts.rows(_USE)}


def _left(
    grants: list[tuple[datetime, datetime, int, int | None]], as_of: datetime, ends_at: datetime
) -> tuple[int, int | None]:
    """Instance-microseconds that are left of the grants, and what they cost; None if a price is not known."""
    spans = [
        (max((min(ended_at, ends_at) - max(began_at, as_of)) // _US, 0) * quantity, cents)
        for began_at, ended_at, quantity, cents in grants
    ]
    left = [(us, cents) for us, cents in spans if us]
    known = [us * cents for us, cents in left if cents is not None]
    return sum(us for us, _ in left), sum(known) if len(known) == len(left) else None


def _mean(hours: list[tuple[Any, ...]], cost: int, time: int) -> Fraction | None:
    """Cents for an hour over those hours: all cost by all time; None of nothing."""
    known = [(int(row[cost]), int(row[time])) for row in hours if row[cost] is not None and row[time]]
    return Fraction(sum(each for each, _ in known), sum(us for _, us in known)) if known else None


def _asked(sum_usd: Decimal | None, hours: int) -> Fraction | None:
    """Cents for an hour, the mean of so many; None of none."""
    return None if sum_usd is None or not hours else Fraction(sum_usd) * 100 / hours


def _cells(ends_at: datetime, each: Open) -> tuple[Cell, ...]:
    cost = None if each.cost_cent_us is None else Fraction(each.cost_cent_us)
    gains = (Fraction(0), each.pause_gain, each.return_gain)
    costs = [None if cost is None or gain is None else cost - gain for gain in gains]
    unit = None if cost is None or not each.left_us else cost / each.left_us
    return (
        iso(ends_at.replace(tzinfo=UTC)),
        _exact(Fraction(each.left_us), HOURS.per),
        _exact(None if each.use is None else each.use * 100, 1),
        *(_exact(price, 100) for price in (unit, each.pause, each.back, each.spot)),
        _exact(None if each.break_even is None else each.break_even * 100, 1),
        *(_exact(amount, USD.per) for amount in (*costs, each.flexibility, each.premium)),
        each.advice,
        _ADVICE[each.advice],
    )


def _exact(number: Fraction | None, per: int) -> Cell:
    return None if number is None else as_decimal(divide(number.numerator, number.denominator * per))


def _assumed(assumptions: Assumptions) -> list[str]:
    use = "what was used of the reserved hours so far" if assumptions.expected_use is None else "as was asked"
    spot = (
        f"what the account paid for the same type and region in the {_TRAILING.days} days before as_of, or, where it"
        " paid nothing there, what the market asked at the beginning of each of these hours"
        if assumptions.spot_price_usd is None
        else "as was asked"
    )
    return [f"Assumed: expected use is {use}; spot costs {spot}; rates stay as they are; idle time can be paused."]
