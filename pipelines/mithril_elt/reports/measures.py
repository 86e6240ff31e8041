"""What the reports add up: the facts of the marts, and the integers on them.

Stands between marts and reports: `query` turns measures into SQL, `catalog` makes figures of their sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["AGEING", "MEASURES", "PHASES", "SOURCES", "Measure", "Source"]


@dataclass(frozen=True)
class Source:
    """Facts to add up: a mart, read as `f` with an `hour_at`, and what its rows are of."""

    of: Literal["instance", "reservation"]
    relation: str


def _of_spot(mart: str) -> str:
    """The rows of a mart that are of an instance with a bid."""
    of_bids = "select instance_id from {marts}.dim_instances where bid_id is not null"
    return f"(select * from {{marts}}.{mart} where instance_id in ({of_bids}))"  # noqa: S608  # own names


# `{marts}` stands for the schema of the marts.
SOURCES = {
    "instance_hours": Source("instance", "{marts}.fct_instance_hours"),
    "reservation_hours": Source("reservation", "{marts}.fct_reservation_hours"),
    "spot_hours": Source("instance", "{marts}.fct_spot_hours"),
    "opportunities": Source("reservation", "{marts}.fct_opportunities"),
    # A day begins at its first hour; DuckDB cannot compare a day that is merely cast with infinity.
    "ledger": Source("reservation", "(select *, day + interval '0 hours' as hour_at from {marts}.fct_credit_ledger)"),
    "interruptions": Source("instance", "{marts}.fct_interruptions"),
    # Those of spot instances alone.
    "spot_interruptions": Source("instance", _of_spot("fct_interruptions")),
    "spot_instance_hours": Source("instance", _of_spot("fct_instance_hours")),
    "returns": Source("instance", "{marts}.fct_return_credits"),
    "starts": Source("instance", "{marts}.fct_starts"),
    "commitments": Source(
        "reservation", "(select *, date_trunc('hour', placed_at) as hour_at from {marts}.fct_commitments)"
    ),
    # The credit of a reservation, by hour and with the time it is for, is on its instances' hours.
    "reserved_instance_hours": Source(
        "reservation",
        "(select hours.*, instances.reservation_id from {marts}.fct_instance_hours as hours"
        " inner join {marts}.dim_instances as instances on hours.instance_id = instances.instance_id"
        " where instances.reservation_id is not null)",
    ),
    # A credited pause, once for each hour it touches, while it can still expire.
    "credited_hours": Source(
        "instance",
        "(select hours.*, pauses.expires_at from {marts}.fct_instance_hours as hours"
        " inner join {marts}.dim_instances as instances on hours.instance_id = instances.instance_id"
        " inner join {marts}.fct_pause_credits as pauses"
        " on hours.instance_id = pauses.instance_id"
        " and pauses.started_at < hours.hour_at + interval '1 hour' and pauses.ended_at > hours.hour_at"
        " where hours.credited_us > 0 and pauses.is_credited and pauses.expires_at > instances.as_of)",
    ),
}


@dataclass(frozen=True)
class Measure:
    """An integer to add up over the rows of a source; measures of one name are added together.

    `weight` is set where the number can be unknown (null): the microseconds it stands for. Where they are
    zero, nothing is missing. `how` is "sum", or an aggregate with `{}` for the number, of one source only.
    """

    name: str
    source: str
    number: str
    weight: str | None = None
    how: str = "sum"


PHASES = ("waiting", "starting", "running", "noticed", "stopping", "paused", "interrupted", "unknown")

# How a credit stands, in the order in which it grows old.
AGEING = ("accruing", "later", "within_90_days", "within_60_days", "within_30_days", "expired")

MEASURES = (
    *(Measure(phase, "instance_hours", f"f.{phase}_us") for phase in PHASES),
    Measure("up", "instance_hours", "f.up_us"),
    # Microseconds by which up time is not running and noticed time: zero unless status_policy was edited.
    Measure("up_elsewhere", "instance_hours", "abs(f.up_us - f.running_us - f.noticed_us)"),
    Measure("down", "instance_hours", "f.down_us"),
    Measure("gpu", "instance_hours", "f.gpu_us", weight="f.total_us"),
    Measure("billed", "instance_hours", "f.billed_us"),
    Measure("unpriced", "instance_hours", "f.unpriced_us"),
    Measure("spot_cost", "instance_hours", "f.spot_cost_cent_us"),
    Measure("allocated_cost", "instance_hours", "f.allocated_cost_cent_us", weight="f.reserved_used_us"),
    Measure("allocated_cost", "reservation_hours", "f.allocated_unused_cent_us", weight="f.unused_us"),
    Measure("reserved_used", "instance_hours", "f.reserved_used_us"),
    Measure("used_cost", "instance_hours", "f.allocated_cost_cent_us", weight="f.reserved_used_us"),
    *(
        Measure(name, source, f"case when {amount} is null then 0 else {time} end")
        for name, source, amount, time in (
            ("priced_used", "instance_hours", "f.allocated_cost_cent_us", "f.reserved_used_us"),
            ("priced_unused", "reservation_hours", "f.allocated_unused_cent_us", "f.unused_us"),
            ("rated_credited", "instance_hours", "f.pause_credit_cent_us", "f.credited_us"),
        )
    ),
    Measure("credited", "instance_hours", "f.credited_us"),
    Measure("pause_credit", "instance_hours", "f.pause_credit_cent_us", weight="f.credited_us"),
    Measure("short_pause_loss", "instance_hours", "f.short_pause_loss_cent_us", weight="f.short_paused_us"),
    Measure("unclaimed_credit", "instance_hours", "f.unclaimed_credit_cent_us", weight="f.unclaimed_us"),
    Measure("spot_billed", "spot_hours", "f.billed_us"),
    Measure("spot_unpriced", "spot_hours", "f.unpriced_us"),
    Measure("spot_paid", "spot_hours", "f.spot_cost_cent_us"),
    Measure("compared", "spot_hours", "f.compared_us"),
    Measure("uncompared", "spot_hours", "f.uncompared_us"),
    Measure("compared_cost", "spot_hours", "f.compared_cost_cent_us", weight="f.priced_us"),
    Measure("reserved_market_cost", "spot_hours", "f.reserved_market_cost_cent_us", weight="f.priced_us"),
    Measure("unlimited", "spot_hours", "f.unlimited_us"),
    Measure("limited_cost", "spot_hours", "f.limited_cost_cent_us", weight="f.priced_us"),
    Measure("limit_cost", "spot_hours", "f.limit_cost_cent_us", weight="f.priced_us"),
    Measure("near_limit", "spot_hours", "f.near_limit_us", weight="f.priced_us"),
    Measure("next_expiry", "credited_hours", "f.expires_at", how="min({})"),
    Measure("ledger_time", "ledger", "f.credited_us"),
    Measure("ledger_credit", "ledger", "f.credit_cent_us", weight="f.credited_us"),
    *(
        Measure(
            f"ledger_{ageing}",
            "ledger",
            f"case when f.ageing = '{ageing}' then f.credit_cent_us else 0 end",
            weight=f"case when f.ageing = '{ageing}' then f.credited_us else 0 end",
        )
        for ageing in AGEING
    ),
    Measure("ledger_expiry", "ledger", "case when f.ageing <> 'expired' then f.expires_at end", how="min({})"),
    Measure("returned", "returns", "1"),
    Measure("returned_time", "returns", "f.hours_left_us"),
    Measure("return_credit", "returns", "f.return_credit_cent_us", weight="f.hours_left_us"),
    Measure("idle_time", "opportunities", "f.idle_us"),
    Measure("idle_time_cost", "opportunities", "f.idle_cost_cent_us", weight="f.idle_us"),
    Measure("idle_time_credit", "opportunities", "f.pause_credit_cent_us", weight="f.idle_us"),
    Measure(
        "idle_time_return_credit",
        "opportunities",
        "case when f.opportunity = 'given_back' then f.return_credit_cent_us else 0 end",
        weight="f.idle_us",
    ),
    Measure("at_stake", "opportunities", "f.at_stake_cent_us", weight="f.idle_us"),
    Measure("interruptions", "interruptions", "1"),
    Measure("recoveries", "interruptions", "case when f.left_up and f.recovery_us is not null then 1 else 0 end"),
    Measure("recovery", "interruptions", "case when f.left_up then coalesce(f.recovery_us, 0) else 0 end"),
    Measure("spot_up", "spot_instance_hours", "f.up_us"),
    *(
        Measure(name, "spot_interruptions", f"case when f.to_status = 'PREEMPTED' and {left} then 1 else 0 end")
        for name, left in (("preemptions", "f.left_up"), ("preempted_starts", "not f.left_up"))
    ),
    # The discrete quantile is the nearest rank: a time that was measured. The literals are exact decimals.
    Measure("time_to_start_p50", "starts", "f.time_to_start_us", how="percentile_disc(0.5) within group (order by {})"),
    Measure("time_to_start_p90", "starts", "f.time_to_start_us", how="percentile_disc(0.9) within group (order by {})"),
    Measure("reserved", "reservation_hours", "f.reserved_us"),
    Measure("used", "reservation_hours", "f.used_us"),
    Measure("unused", "reservation_hours", "f.unused_us"),
    Measure("idle_cost", "reservation_hours", "f.allocated_unused_cent_us", weight="f.unused_us"),
    Measure("committed_cost", "commitments", "f.committed_cost_cent_us", weight="f.committed_us"),
    Measure("reservation_credit", "reserved_instance_hours", "f.pause_credit_cent_us", weight="f.credited_us"),
)
