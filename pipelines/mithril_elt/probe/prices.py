"""What the price history told: how periods are cut, and whether reserved instances have any.

Stands in `probe` on `plan`; pure: from what was heard to a finding.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from mithril_elt.findings import Finding
from mithril_elt.probe.events import by_instance, events_of, in_time_order
from mithril_elt.probe.plan import Notes, has_all_prices, reserved_among, reserved_that_ran

__all__ = ["price_periods", "reserved_prices"]

_HOUR = timedelta(hours=1)
_FEWEST_HOURS = 3


def price_periods(notes: Notes) -> Finding:
    """Whether periods end at each full hour, so that neighbours have one price.

    Else nobody can tell: periods as they happened look like merged ones if no neighbours have one price, and
    where some have, one of them may be wrong for now.
    """
    base, events = notes.base("price_history"), notes.events("price_history")
    if base is None:
        return Finding("price_periods", None, "no price was seen")
    stories = [in_time_order(told) for told in by_instance(events).values()]
    meeting = [(a, b) for story in stories for a, b in pairwise(story) if a.end == b.at and a.said == b.said]
    over_hour = next((event for event in events if event.end and _has_hour_inside(event.at, event.end)), None)
    at_hour = [pair for pair in meeting if _is_hour(pair[1].at)]
    if len(at_hour) >= _FEWEST_HOURS and over_hour is None:
        why = "neighbours of one price meet at a full hour, and no period goes past one"
        return Finding("price_periods", "split", why, base.evidence(*(event.told for event in at_hour[0])))
    if over_hour is None:
        return Finding("price_periods", None, "no closed period goes past a full hour")
    if meeting:
        why = "not split at the hours; neighbours have one price, but a price may still be corrected"
        return Finding("price_periods", None, why, base.evidence(*(event.told for event in meeting[0])))
    why = "not split at the hours; no neighbours have one price, which may be so or may have been merged"
    return Finding("price_periods", None, why, base.evidence(over_hour.told))


def _has_hour_inside(start: datetime, end: datetime) -> bool:
    return start.replace(minute=0, second=0, microsecond=0) + _HOUR < end


def _is_hour(at: datetime) -> bool:
    return at == at.replace(minute=0, second=0, microsecond=0)


def reserved_prices(notes: Notes) -> Finding:
    """Whether the history has prices of a reserved instance; no only of one that has run."""
    told, base = reserved_among(notes), notes.base("price_history")
    if told and base:
        return Finding("reserved_prices", "true", "a reserved instance has a price", base.evidence(told.told))
    heard, fid = base if has_all_prices(notes) else notes.reserved, reserved_that_ran(notes)
    if fid is None:
        return Finding("reserved_prices", None, "no reserved instance was seen running")
    if heard is None or not heard.accepted:
        return Finding(
            "reserved_prices", None, "nobody answered for a reserved instance", heard.evidence() if heard else {}
        )
    price = next((event for event in events_of(heard) if event.fid == fid), None)
    if price:
        return Finding("reserved_prices", "true", "a reserved instance has a price", heard.evidence(price.told))
    if heard.cursor is not None:
        return Finding("reserved_prices", None, "the answer has more than one page", heard.evidence())
    return Finding(
        "reserved_prices", "false", f"the reserved instance {fid} has run, and has no price", heard.evidence()
    )
