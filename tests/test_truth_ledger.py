"""The ledger of true credits, worked by hand: days, ages, and months that are shorter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mithril_elt.sandbox.account import HOUR_US
from mithril_elt.sandbox.figures import PauseTruth
from mithril_elt.sandbox.ledger import Entry, credit_ledger

_MICROSECOND = timedelta(microseconds=1)


def _us(text: str) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // _MICROSECOND


def _pause(ended: str, cents: int | None = 500, *, is_open: bool = False, is_credited: bool = True) -> PauseTruth:
    worth = None if cents is None else cents * HOUR_US
    return PauseTruth(
        instance_fid="inst_1",
        reservation_fid="res_1",
        started_at_us=_us(ended) - HOUR_US,
        ended_at_us=_us(ended),
        is_open=is_open,
        has_terms=True,
        is_credited=is_credited,
        credited_us=HOUR_US if is_credited else 0,
        pause_credit_cent_us=worth if is_credited else 0,
        short_pause_loss_cent_us=0,
    )


def _found(*pauses: PauseTruth) -> dict[tuple[str, str], Entry]:
    entries = credit_ledger(pauses, _us("2026-03-01T00:00"))
    return {(day, ageing): entry for (_, day, ageing), entry in entries.items()}


def test_a_credit_lapses_six_months_after_its_pause() -> None:
    """At that very moment it has; a microsecond before, it is about to; the 31st becomes the last of February."""
    found = _found(_pause("2025-09-01T00:00"), _pause("2025-09-01T00:00:00.000001"), _pause("2025-08-31T12:00"))
    assert set(found) == {("2025-09-01", "expired"), ("2025-09-01", "within_30_days"), ("2025-08-31", "expired")}


def test_ages_meet_without_a_gap() -> None:
    """30, 60 and 90 days belong to the younger side."""
    ends = ("2025-09-30T00:00", "2025-10-01T00:00", "2025-10-30T00:00", "2025-11-30T00:00", "2025-11-30T00:00:01")
    ages = [ageing for _, ageing in _found(*map(_pause, ends))]
    assert ages == ["within_30_days", "within_60_days", "within_60_days", "within_90_days", "later"]


def test_an_entry_adds_up_a_day() -> None:
    """An unknown credit counts its time; what is open is accruing; what earned nothing is not there."""
    found = _found(
        _pause("2026-02-01T00:00"), _pause("2026-02-01T05:00", None), _pause("2026-02-01T06:00", is_credited=False)
    )
    assert found == {("2026-02-01", "later"): Entry(2, 2 * HOUR_US, HOUR_US, 500 * HOUR_US)}
    assert list(_found(_pause("2026-03-01T00:00", is_open=True))) == [("2026-03-01", "accruing")]
