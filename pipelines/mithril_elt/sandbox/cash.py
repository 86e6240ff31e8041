"""The true account's cost by cash and by accrual, month by month: what `report cash` has to say.

Stands after `truth` in the sandbox; `audit` holds the marts and the report against it. Of reserved time it reads the
grants themselves, cut at the ends of months, and not the hours that the marts are made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mithril_elt.sandbox.clock import microseconds, utc
from mithril_elt.sandbox.grants import grants

if TYPE_CHECKING:
    from mithril_elt.sandbox.account import Account
    from mithril_elt.sandbox.figures import Truth

__all__ = ["CashMonth", "cash_months"]


@dataclass
class CashMonth:
    """Cent-microseconds of one project and UTC month: spot, booked, accrued of what was booked in it and before."""

    spot_cost_cent_us: int = 0
    booked_cent_us: int = 0
    accrued_now_cent_us: int = 0
    accrued_earlier_cent_us: int = 0


def cash_months(account: Account, truth: Truth) -> dict[tuple[str, str], CashMonth]:
    """The months in which anything cost anything, by project and first day (`2026-03-01`)."""
    months: dict[tuple[str, str], CashMonth] = defaultdict(CashMonth)
    projects = {each.fid: each.project for each in account.instances}
    for fid, instance in truth.instances.items():
        for day, figures in instance.by_day.items():
            months[projects[fid], f"{day[:7]}-01"].spot_cost_cent_us += figures.spot_cost_cent_us
    for reservation in account.reservations:
        if reservation.fid not in truth.reservations:
            continue
        placed = _month(reservation.placed_at_us)
        for grant in grants(reservation, truth.as_of_us):
            cents = grant.quantity * grant.unit_price_cents
            months[reservation.project, placed].booked_cent_us += cents * (grant.ends_us - grant.starts_us)
            for month, lasts_us in _by_month(grant.starts_us, min(grant.ends_us, truth.as_of_us)):
                found = months[reservation.project, month]
                if month == placed:
                    found.accrued_now_cent_us += cents * lasts_us
                else:
                    found.accrued_earlier_cent_us += cents * lasts_us
    return {key: month for key, month in months.items() if month != CashMonth()}


def _by_month(from_us: int, to_us: int) -> Iterator[tuple[str, int]]:
    """The months that a span touches, and how much of it is in each; nothing of one that has not begun."""
    while from_us < to_us:
        at = utc(from_us)
        following = at.replace(
            year=at.year + at.month // 12,
            month=at.month % 12 + 1,
            day=1,
            hour=0,
            minute=0,
            second=0,
            microsecond=0,
        )
        until_us = min(to_us, microseconds(following))
        yield _month(from_us), until_us - from_us
        from_us = until_us


def _month(at_us: int) -> str:
    return utc(at_us).strftime("%Y-%m-01")
