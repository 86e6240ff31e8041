"""What is not known of a report's figures, each as a sentence with the hours concerned: nothing is silently zero.

Stands between marts and `notices`, which says which report is told of what.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import reduce

from mithril_elt.reports.apportion import as_decimal, divide
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.span import Span

__all__ = [
    "counted",
    "on_no_order",
    "on_unknown_commitment",
    "on_unknown_gpus",
    "on_unknown_limit",
    "on_unknown_loss_rate",
    "on_unknown_market_price",
    "on_unknown_pause_rate",
    "on_unknown_return_rate",
    "on_unknown_statuses",
    "on_unknown_unit_price",
    "on_unpriced",
    "on_unrated_credits",
    "on_unrated_returns",
]

_HOUR_US = 3_600_000_000
_UNKNOWN_STATUSES = """
    select status, to_at - from_at from (
        select status, greatest(started_at, {from}) as from_at, least(ended_at, {to}) as to_at
        from {marts}.fct_status_spells where not is_known_status and {within}
    ) as clipped
    where from_at < to_at order by status
"""


def on_unknown_statuses(marts: Marts, span: Span) -> str | None:
    """Time in statuses that nobody has said the meaning of."""
    asked = {"{from}": span.sql_from, "{to}": span.sql_to, "{within}": span.within("instance")}
    found = marts.rows(reduce(lambda sql, mark: sql.replace(mark, asked[mark]), asked, _UNKNOWN_STATUSES))
    if not found:
        return None
    times_us: dict[str, int] = {}
    for status, time in found:
        times_us[status] = times_us.get(status, 0) + time // timedelta(microseconds=1)
    statuses = ", ".join(f"{status} ({_hours(time_us)})" for status, time_us in times_us.items())
    return f"Statuses that status_policy does not know: {statuses}: counted as unknown_hours, neither up nor billed."


def on_unknown_gpus(marts: Marts, span: Span) -> str | None:
    """Time up of instances whose number of GPUs is not known."""
    found = _missing(
        marts, span, "fct_instance_hours", where="gpu_us is null and up_us > 0", time_us="up_us", of="instance_id"
    )
    if not found:
        return None
    return (
        f"The number of GPUs is not known for {counted(found[1], 'instance')} with {_hours(found[0])} up:"
        " left out of GPU-hours, but not of cost, so dollars per GPU-hour are too high."
    )


def on_no_order(marts: Marts, span: Span) -> str | None:
    """Time up of instances of neither a bid nor a reservation."""
    no_order = "select instance_id from {marts}.dim_instances where order_id is null"
    found = _missing(
        marts,
        span,
        "fct_instance_hours",
        where=f"up_us > 0 and instance_id in ({no_order})",
        time_us="up_us",
        of="instance_id",
    )
    if not found:
        return None
    return (
        f"Neither a bid nor a reservation is known for {counted(found[1], 'instance')} with {_hours(found[0])} up:"
        " in no cost."
    )


def on_unpriced(marts: Marts, span: Span) -> str | None:
    """Billed time that no price covers."""
    found = _missing(
        marts, span, "fct_instance_hours", where="unpriced_us > 0", time_us="unpriced_us", of="instance_id"
    )
    if not found:
        return None
    return (
        f"No price is known for {_hours(found[0])} billed on spot, of {counted(found[1], 'instance')}:"
        " counted as unpriced_hours, and left out of spot_cost_usd."
    )


def on_unknown_market_price(marts: Marts, span: Span) -> str | None:
    """Spot time that cannot be compared with the market's reserved price."""
    found = _missing(
        marts, span, "fct_spot_hours", where="uncompared_us > 0", time_us="uncompared_us", of="instance_id"
    )
    if not found:
        return None
    return (
        f"The market's reserved price is not known for {_hours(found[0])} paid on spot, of"
        f" {counted(found[1], 'instance')}: counted as unknown_market_hours, and left out of the saving."
    )


def on_unknown_limit(marts: Marts, span: Span) -> str | None:
    """Spot time of bids whose limit is not known."""
    found = _missing(marts, span, "fct_spot_hours", where="unlimited_us > 0", time_us="unlimited_us", of="instance_id")
    if not found:
        return None
    return (
        f"The bid's limit is not known for {_hours(found[0])} paid on spot, of {counted(found[1], 'instance')}:"
        " counted as unknown_limit_hours, and left out of headroom_pct and near_limit_hours."
    )


def on_unknown_unit_price(marts: Marts, span: Span) -> str | None:
    """Reserved time without a unit price."""
    used = _missing(
        marts,
        span,
        "fct_instance_hours",
        where="allocated_cost_cent_us is null and reserved_used_us > 0",
        time_us="reserved_used_us",
        of="instance_id",
    )
    unused = _missing(
        marts,
        span,
        "fct_reservation_hours",
        where="allocated_unused_cent_us is null and unused_us > 0",
        time_us="unused_us",
        of="reservation_id",
    )
    if not used and not unused:
        return None
    return (
        f"No unit price is known for {_hours((used or (0,))[0])} of reserved time used and"
        f" {_hours((unused or (0,))[0])} unused: left out of allocated and idle cost, and of net cost."
    )


def on_unknown_commitment(marts: Marts, span: Span) -> str | None:
    """Commitments without a unit price."""
    found = _missing(
        marts,
        span,
        "fct_commitments",
        where="committed_cost_cent_us is null and committed_us > 0",
        time_us="committed_us",
        of="reservation_id",
        hour_at="date_trunc('hour', placed_at)",
    )
    if not found:
        return None
    return (
        f"No unit price is known for {_hours(found[0])} committed, of {counted(found[1], 'reservation')}:"
        " left out of committed_cost_usd."
    )


def on_unknown_pause_rate(marts: Marts, span: Span) -> str | None:
    """Credited pauses without a pause rate."""
    found = _missing(
        marts,
        span,
        "fct_instance_hours",
        where="pause_credit_cent_us is null and credited_us > 0",
        time_us="credited_us",
        of="instance_id",
    )
    if not found:
        return None
    return (
        f"No pause rate is known for {_hours(found[0])} of credited pauses, of {counted(found[1], 'instance')}:"
        " left out of pause_credit_usd."
    )


def on_unrated_credits(marts: Marts, span: Span) -> str | None:
    """Credited pauses for some of which no rate is known, by the day on which they ended."""
    found = _missing(
        marts,
        span,
        "fct_credit_ledger",
        where="unrated_us > 0",
        time_us="unrated_us",
        of="reservation_id",
        hour_at="day + interval '0 hours'",
    )
    if not found:
        return None
    return (
        f"No pause rate is known for some of {_hours(found[0])} of credited pauses, of"
        f" {counted(found[1], 'reservation')}: their credit is left out."
    )


def on_unknown_return_rate(marts: Marts, span: Span) -> str | None:
    """Hours given back without a return rate."""
    found = _missing(
        marts,
        span,
        "fct_opportunities",
        where="opportunity = 'given_back' and return_credit_cent_us is null",
        time_us="idle_us",
        of="reservation_id",
    )
    if not found:
        return None
    return (
        f"No return rate is known for {_hours(found[0])} given back, of {counted(found[1], 'reservation')}:"
        " left out of return_credit_usd and at_stake_usd."
    )


def on_unrated_returns(marts: Marts, span: Span) -> str | None:
    """Instances given back without a return rate."""
    found = _missing(
        marts,
        span,
        "fct_return_credits",
        where="return_credit_cent_us is null and hours_left_us > 0",
        time_us="hours_left_us",
        of="instance_id",
    )
    if not found:
        return None
    return (
        f"No return rate is known for {_hours(found[0])} given back, of {counted(found[1], 'instance')}:"
        " left out of return_credit_usd."
    )


def on_unknown_loss_rate(marts: Marts, span: Span) -> str | None:
    """Time that would have earned credit, without a pause rate."""
    unknown = {
        "short_pause_loss_usd": ("short_pause_loss_cent_us is null and short_paused_us > 0", "short_paused_us"),
        "unclaimed_credit_usd": ("unclaimed_credit_cent_us is null and unclaimed_us > 0", "unclaimed_us"),
    }
    missing = [
        f"{_hours(found[0])} of {column}"
        for column, (condition, time_us) in unknown.items()
        if (found := _missing(marts, span, "fct_instance_hours", where=condition, time_us=time_us, of="instance_id"))
    ]
    return f"No pause rate is known for {' and '.join(missing)}: left out." if missing else None


def _missing(
    marts: Marts, span: Span, mart: str, *, where: str, time_us: str, of: str, hour_at: str = "hour_at"
) -> tuple[int, int] | None:
    """The microseconds in the span to which the condition applies, and how many `of` they are of; None if none."""
    select = " ".join(
        (
            f"select sum({time_us}), count(distinct {of})",
            f"from {{marts}}.{mart} where {where}",
            f"and {hour_at} >= {span.sql_from} and {hour_at} < {span.sql_to}",
            f"and {span.within('reservation' if of == 'reservation_id' else 'instance')}",
        )
    )
    [row] = marts.rows(select)
    return row if row[1] else None


def _hours(time_us: int) -> str:
    hours: Decimal = round(as_decimal(divide(time_us, _HOUR_US)), 2)
    return f"{hours:,} h"


def counted(number: int, noun: str) -> str:
    """A number and what is counted: `1 pause`, `3 pauses`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
