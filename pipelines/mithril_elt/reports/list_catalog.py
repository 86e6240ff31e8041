"""The reports that are lists: what their columns are; their rows are no sums by `--by` alone.

Stands between marts and reports, on `groupings` and `kinds`, beside `catalog`. Only data: `listed` has the rows.
"""

from __future__ import annotations

from mithril_elt.reports.groupings import GROUPINGS
from mithril_elt.reports.kinds import (
    AMOUNT,
    HOURS,
    INSTANT,
    PERCENT,
    TEXT,
    USD,
    USD_PER_GPU_HOUR,
    USD_PER_HOUR,
    Combined,
    Definition,
    Figure,
    Sum,
)

__all__ = ["CHARGEBACK", "LISTS", "OPPORTUNITIES", "RATES", "RECONCILIATION", "RETURN_NOW", "VARIANCE"]

# Columns of fct_reconciliation as they stand: nothing here adds up.
RECONCILIATION = Definition(
    "reconciliation",
    (
        Figure("field", TEXT, "field"),
        Figure("ours", AMOUNT, "ours"),
        Figure("vendors", AMOUNT, "vendor's"),
        Figure("difference", AMOUNT, "difference"),
        Figure("agrees", TEXT, "agrees"),
        Figure("likely_cause", TEXT, "likely cause"),
    ),
    "agrees",
    ("reservation",),
    is_estimate=True,
)
# Lines of fct_opportunities, added up over their hours; each is of a reservation or an instance, as the line says.
OPPORTUNITIES = Definition(
    "opportunities",
    (
        Figure("opportunity", TEXT, "opportunity"),
        Sum("idle_hours", HOURS, "idle", "idle_time"),
        Sum("idle_cost_gross_usd", USD, "idle cost, gross", "idle_time_cost"),
        Combined("idle_cost_net_usd", USD, "idle cost, net", ((1, "idle_time_cost"), (-1, "idle_time_credit"))),
        Sum("pause_credit_usd", USD, "pause credit", "idle_time_credit"),
        Sum("at_stake_usd", USD, "at stake", "at_stake"),
        Figure("what_to_do", TEXT, "what to do"),
        Sum("return_credit_usd", USD, "return credit", "idle_time_return_credit"),
        Figure("is_over", TEXT, "over"),
    ),
    "at_stake_usd",
    (),
    is_estimate=True,
)
# What is left of each open reservation, and three ways to go on; nothing here adds up.
RETURN_NOW = Definition(
    "return-now",
    (
        Figure("ends_at", INSTANT, "ends"),
        Figure("left_hours", HOURS, "left"),
        Figure("expected_use_pct", PERCENT, "expected use"),
        Figure("unit_usd_per_hour", USD, "an hour"),
        Figure("pause_usd_per_hour", USD, "an hour's pause"),
        Figure("return_usd_per_hour", USD, "an hour given back"),
        Figure("spot_usd_per_hour", USD, "an hour of spot"),
        Figure("break_even_use_pct", PERCENT, "break-even use"),
        Figure("keep_cost_usd", USD, "keeping costs"),
        Figure("pause_cost_usd", USD, "pausing costs"),
        Figure("return_cost_usd", USD, "returning costs"),
        Figure("flexibility_value_usd", USD, "flexibility is worth"),
        Figure("flexibility_premium_usd", USD, "paid over the market"),
        Figure("advice", TEXT, "advice"),
        Figure("what_to_do", TEXT, "what to do"),
    ),
    "flexibility_value_usd",
    (),
    is_estimate=True,
)
# Lines that add up to the net cost of `cost`: spot, reserved time used and idle, and credits, each on its own.
CHARGEBACK = Definition(
    "chargeback",
    (Figure("hours", HOURS, "time"), Figure("cost_usd", USD, "cost")),
    "cost_usd",
    ("project", "user", "label", *(option for option in GROUPINGS if option not in {"project", "user", "hour"})),
    is_estimate=True,
)
# The net cost of one span less that of another, line by line, and what made the difference.
VARIANCE = Definition(
    "variance",
    (
        Figure("hours_before", HOURS, "before"),
        Figure("hours_after", HOURS, "after"),
        Figure("usd_per_hour_before", USD_PER_HOUR, "rate before"),
        Figure("usd_per_hour_after", USD_PER_HOUR, "rate after"),
        Figure("cost_before_usd", USD, "cost before"),
        Figure("cost_after_usd", USD, "cost after"),
        Figure("change_usd", USD, "change"),
        Figure("volume_usd", USD, "by volume"),
        Figure("mix_usd", USD, "by mix"),
        Figure("price_usd", USD, "by price"),
    ),
    "change_usd",
    ("instance-type", "region", "project", "user", "order", "reservation", "bid", "instance"),
    is_estimate=True,
)
# What a GPU-hour cost: percentiles do not add up, and are of each regime apart.
RATES = Definition(
    "rates",
    (
        Figure("hours", HOURS, "paid for"),
        Figure("gpu_hours", HOURS, "GPU"),
        *(
            Figure(f"usd_per_gpu_hour_p{per_cent}", USD_PER_GPU_HOUR, f"per GPU-hour, p{per_cent}")
            for per_cent in (25, 50, 75, 95)
        ),
        Figure("unrated_hours", HOURS, "rate unknown"),
    ),
    "gpu_hours",
    ("instance-type", "region", "project", "user", "order", "day", "month"),
    is_estimate=True,
)
LISTS = {each.name: each for each in (CHARGEBACK, VARIANCE, RATES, OPPORTUNITIES, RETURN_NOW, RECONCILIATION)}
