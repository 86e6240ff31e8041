"""The true account by cash and by accrual, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from mithril_elt.sandbox.account import HOUR_US
from mithril_elt.sandbox.cash import CashMonth, cash_months
from mithril_elt.sandbox.clock import microseconds
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.truth import true_figures
from truth_by_hand import make_reservation


def _at(text: str) -> int:
    return microseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_grants_are_booked_when_placed_and_pass_by_the_month() -> None:
    """2 instances at 1,600 c for 2 days around New Year, placed in December, half a day of January gone.

    Booked are 96 instance-hours; 48 passed in December, and 24 of January by its noon.
    """
    reservation = replace(
        make_reservation((0, 1600, 500)),
        placed_at_us=_at("2026-12-30T09:00"),
        start_us=_at("2026-12-31T00:00"),
        end_us=_at("2027-01-02T00:00"),
        instance_quantity=2,
        project="proj_a",
    )
    account = replace(make_account(instances=12, days=9), instances=[], bids=[], reservations=[reservation])
    hour = 1600 * HOUR_US
    truth = true_figures(account, _at("2027-01-01T12:00"))
    assert cash_months(account, truth) == {
        ("proj_a", "2026-12-01"): CashMonth(booked_cent_us=96 * hour, accrued_now_cent_us=48 * hour),
        ("proj_a", "2027-01-01"): CashMonth(accrued_earlier_cent_us=24 * hour),
    }
    assert cash_months(account, true_figures(account, _at("2026-12-30T08:59"))) == {}
