"""The periods that the price history tells of an instance: its prices, cut and told as the readings have it.

Stands between `tellings` and `chronicle` in the sandbox. Whatever the cut, each moment has the price
that it truly had, but for wrong prices and false periods, as long as they are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import HOUR_US, MINUTE_US, PricePeriod
from mithril_elt.sandbox.grants import grants
from mithril_elt.sandbox.lifecycle import NEVER_US
from mithril_elt.sandbox.lots import delay_us, one_in
from mithril_elt.sandbox.tellings import PriceEvent, PriceTelling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mithril_elt.sandbox.account import Instance, Reservation
    from mithril_elt.sandbox.tellings import Wording

__all__ = ["price_tellings"]

_FALSE_AFTER_US = MINUTE_US + 1_000_000
_FALSE_CENTS = 1_000
_LONG_US = 3 * MINUTE_US


def price_tellings(
    instance: Instance, reservation: Reservation | None, wording: Wording, until_us: int
) -> list[PriceTelling]:
    """In order of time; at least those that begin by `until_us`. `reservation` is the instance's own, if any."""
    periods = _periods(instance, reservation, wording)
    if wording.readings.price_periods == "split":
        periods = list(_split(periods, until_us))
    elif wording.readings.price_periods == "merged":
        periods = _merged(periods)
    tellings = [_telling(instance, period, wording) for period in periods]
    if wording.readings.withdrawn_hours:
        tellings += list(_withdrawn(instance, tellings, wording))
        tellings.sort(key=lambda telling: telling.at_us)
    return tellings


def _periods(instance: Instance, reservation: Reservation | None, wording: Wording) -> Sequence[PricePeriod]:
    """The prices that the instance pays; a reserved one, where it has prices at all, its reservation's."""
    if instance.bid is not None:
        return instance.prices
    if reservation is None or not wording.readings.reserved_prices:
        return ()
    running = [change.at_us for change in instance.changes if change.status == "STATUS_RUNNING"]
    first_us = min(running, default=NEVER_US)
    return [
        PricePeriod(max(first_us, grant.starts_us), grant.ends_us, grant.unit_price_cents)
        for grant in grants(reservation, NEVER_US)
        if first_us < grant.ends_us
    ]


def _split(periods: Sequence[PricePeriod], until_us: int) -> Iterator[PricePeriod]:
    """Each period in pieces that end with the UTC hour; none begins once the next period holds, or after `until_us`."""
    nexts_us = (*(period.start_us for period in periods[1:]), NEVER_US)
    for period, next_us in zip(periods, nexts_us, strict=False):  # of no periods there is no last
        # The last piece made begins after `until_us`, so that those before it all have the end of their hour.
        over_us = min(next_us, until_us + HOUR_US, NEVER_US if period.end_us is None else period.end_us)
        cuts_us = range((period.start_us // HOUR_US + 1) * HOUR_US, over_us, HOUR_US)
        pieces = zip((period.start_us, *cuts_us), (*cuts_us, period.end_us), strict=True)
        yield from (PricePeriod(start_us, end_us, period.price_cents) for start_us, end_us in pieces)


def _merged(periods: Sequence[PricePeriod]) -> list[PricePeriod]:
    """Periods of one price that follow each other made one."""
    merged: list[PricePeriod] = []
    for period in periods:
        last = merged[-1] if merged else None
        if last and last.end_us == period.start_us and last.price_cents == period.price_cents:
            merged[-1] = PricePeriod(last.start_us, period.end_us, last.price_cents)
        else:
            merged.append(period)
    return merged


def _telling(instance: Instance, period: PricePeriod, wording: Wording) -> PriceTelling:
    """Until its end is known a period is open, though the story knows its end."""
    readings, start_us = wording.readings, period.start_us
    end_us = NEVER_US if period.end_us is None else period.end_us
    known_us, end_known_us, right_us = start_us, end_us, start_us
    if readings.late_hours:
        most_us = readings.late_hours * HOUR_US
        known_us += delay_us(most_us, "price", instance.fid, start_us)
        end_known_us += delay_us(most_us, "price's end", instance.fid, start_us)
    if readings.corrected_hours and one_in(8, "corrected", instance.fid, start_us):
        right_us += readings.corrected_hours * HOUR_US
    end = wording.no_end if period.end_us is None else wording.instant(end_us)
    event = PriceEvent(period.price_cents, wording.instant(start_us), end)
    # An open period is settled once its price is right: there is no end to be learned.
    settled_us = right_us if end_us == NEVER_US else max(end_known_us, right_us)
    return PriceTelling(start_us, event, known_us, end_us, end_known_us, right_us, settled_us)


def _withdrawn(instance: Instance, tellings: Sequence[PriceTelling], wording: Wording) -> Iterator[PriceTelling]:
    """A higher price that never was, in one in eight periods that are long enough, to the end of each."""
    for true in tellings:
        if true.end_us - true.at_us >= _LONG_US and one_in(8, "false price", instance.fid, true.at_us):
            at_us = true.at_us + _FALSE_AFTER_US
            yield PriceTelling(
                at_us,
                PriceEvent(true.event.price_cents + _FALSE_CENTS, wording.instant(at_us), true.event.end_time),
                known_us=at_us,
                end_us=true.end_us,
                end_known_us=true.end_known_us,
                right_us=at_us,
                settled_us=at_us if true.end_us == NEVER_US else true.end_known_us,
                gone_us=at_us + wording.readings.withdrawn_hours * HOUR_US,
            )
