"""How the sandbox writes instants, money and spans of time.

Stands under the sandbox's answers: every time and every amount in them passes through here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta, timezone
from email.utils import formatdate
from functools import lru_cache

from mithril_elt.sandbox.account import HOUR_US, MINUTE_US
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.lots import lot

__all__ = ["Instants", "dollars", "hours", "http_date", "instants", "rounded_cents"]

Instants = Callable[[int], str]

_SECOND_US = 1_000_000
_AHEAD = "+02:00"
_TWO_HOURS_AHEAD = timezone(timedelta(hours=2))
_ZONES = ("Z", "+00:00", "-00:00", _AHEAD)


def instants(times: str, fractions: str) -> Instants:
    """What writes an instant, in microseconds since 1970, as ISO 8601 in those `times` and `fractions` of the readings.

    Of mixed times each instant has always the same.
    """
    timespec = "microseconds" if fractions == "always" else "auto"

    def instant(at_us: int) -> str:
        zone = _ZONES[lot("zone", at_us) % len(_ZONES)] if times == "mixed" else times
        if zone == _AHEAD:
            return utc(at_us).astimezone(_TWO_HOURS_AHEAD).isoformat(timespec=timespec)
        return utc(at_us).isoformat(timespec=timespec).replace("+00:00", zone)

    # The instances of one market share the instants at which its price changed.
    return lru_cache(maxsize=1 << 18)(instant)


def http_date(at_us: int) -> str:
    """The instant as an HTTP `Date`, cut down to the second."""
    return formatdate(at_us // _SECOND_US, usegmt=True)


def dollars(cents: int) -> str:
    """Cents as the API spells money: 104776 is `$1,047.76`."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}${whole:,}.{rest:02}"


def hours(span_us: int) -> str:
    """A span as an ISO 8601 duration whose largest unit is the hour: `PT36H`, `PT59M59.999S`, `PT0S`."""
    whole_hours, rest_us = divmod(span_us, HOUR_US)
    whole_minutes, rest_us = divmod(rest_us, MINUTE_US)
    seconds, fraction_us = divmod(rest_us, _SECOND_US)
    fraction = f".{fraction_us:06}".rstrip("0") if fraction_us else ""
    parts = [
        f"{whole_hours}H" if whole_hours else "",
        f"{whole_minutes}M" if whole_minutes else "",
        f"{seconds}{fraction}S" if seconds or fraction else "",
    ]
    return "PT" + ("".join(parts) or "0S")


def rounded_cents(cent_us: int) -> int:
    """Cent-microseconds as whole cents, half to even."""
    cents, rest = divmod(cent_us, HOUR_US)
    return cents + (2 * rest > HOUR_US or (2 * rest == HOUR_US and cents % 2 == 1))
