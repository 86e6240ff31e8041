"""The reports as one table: the figures of each, their units and names, and the groupings they take.

Stands between marts and reports, on `measures`, `groupings` and `kinds`. Only data: `figures` computes from it.
A figure that two reports show is one figure here, so that the two cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from mithril_elt.reports.groupings import GROUPINGS
from mithril_elt.reports.kinds import (
    AMOUNT,
    COUNT,
    HOURS,
    INSTANT,
    PER_1000_HOURS,
    PERCENT,
    SECONDS,
    TEXT,
    USD,
    USD_PER_GPU_HOUR,
    Bound,
    Combined,
    Figure,
    Pick,
    Ratio,
    Sum,
)
from mithril_elt.reports.measures import AGEING, PHASES

__all__ = [
    "CHARGEBACK",
    "DEFINITIONS",
    "OPPORTUNITIES",
    "RATES",
    "RECONCILIATION",
    "REPORTS",
    "RETURN_NOW",
    "SUMMARY",
    "Definition",
]


_NET = ((1, "spot_cost"), (1, "allocated_cost"), (-1, "pause_credit"))
_UP = Combined("up_hours", HOURS, "up", ((1, "running"), (1, "noticed")), whole="up", unless="up_elsewhere")
_PHASE_FIGURES = tuple(Sum(f"{phase}_hours", HOURS, phase, phase) for phase in PHASES)
_PAUSE_CREDIT = Sum("pause_credit_usd", USD, "pause credit", "pause_credit")


@dataclass(frozen=True)
class Definition:
    """A report: its figures in order, the one its rows are sorted by (largest first), and its groupings."""

    name: str
    figures: tuple[Figure, ...]
    sorted_by: str
    groupings: tuple[str, ...]
    is_estimate: bool = False
    # Groupings that bring another one with them, for the rows that have no value of the first.
    together: tuple[tuple[str, str], ...] = ()


_ALL = tuple(GROUPINGS)
_USAGE = Definition(
    "usage",
    (
        *_PHASE_FIGURES,
        _UP,
        Combined("total_hours", HOURS, "total", tuple((1, phase) for phase in PHASES)),
        Sum("gpu_hours", HOURS, "GPU", "gpu"),
    ),
    "up_hours",
    _ALL,
)
_UPTIME = Definition(
    "uptime",
    (
        _UP,
        Sum("down_hours", HOURS, "down", "down"),
        Ratio("uptime_pct", PERCENT, "uptime", ((1, "up"),), ("up", "down"), times=100),
        Sum("interruptions", COUNT, "interruptions", "interruptions"),
        Ratio("mtbf_hours", HOURS, "time between failures", ((1, "up"),), ("interruptions",)),
        Ratio("mttr_hours", HOURS, "time to recover", ((1, "recovery"),), ("recoveries",)),
        Pick("time_to_start_p50_s", SECONDS, "time to start, p50", "time_to_start_p50"),
        Pick("time_to_start_p90_s", SECONDS, "time to start, p90", "time_to_start_p90"),
    ),
    "down_hours",
    _ALL,
)
_COST = Definition(
    "cost",
    (
        Sum("billed_hours", HOURS, "spot billed", "billed"),
        Sum("unpriced_hours", HOURS, "spot unpriced", "unpriced"),
        Sum("spot_cost_usd", USD, "spot cost", "spot_cost"),
        Sum("allocated_cost_usd", USD, "allocated cost", "allocated_cost"),
        _PAUSE_CREDIT,
        Combined("net_cost_usd", USD, "net cost", _NET),
        Ratio("usd_per_gpu_hour", USD_PER_GPU_HOUR, "per GPU-hour", _NET, ("gpu",)),
    ),
    "net_cost_usd",
    _ALL,
    is_estimate=True,
    # Unused reserved time has no instance, but a reservation.
    together=(("instance", "reservation"),),
)
_PAUSE_CREDITS = Definition(
    "pause-credits",
    (
        Sum("paused_hours", HOURS, "paused", "paused"),
        Sum("credited_hours", HOURS, "credited", "credited"),
        _PAUSE_CREDIT,
        Sum("short_pause_loss_usd", USD, "lost to short pauses", "short_pause_loss"),
        Sum("unclaimed_credit_usd", USD, "unclaimed credit", "unclaimed_credit"),
        Pick("next_expiry", INSTANT, "next expiry", "next_expiry"),
    ),
    "pause_credit_usd",
    tuple(option for option in GROUPINGS if option != "bid"),
    is_estimate=True,
)
_RESERVATIONS = Definition(
    "reservations",
    (
        Sum("reserved_hours", HOURS, "reserved", "reserved"),
        Sum("used_hours", HOURS, "used", "used"),
        Sum("unused_hours", HOURS, "unused", "unused"),
        Ratio("utilisation_pct", PERCENT, "utilisation", ((1, "used"),), ("reserved",), times=100),
        Sum("committed_cost_usd", USD, "committed cost", "committed_cost"),
        Sum("idle_cost_gross_usd", USD, "idle cost, gross", "idle_cost"),
        Combined("idle_cost_net_usd", USD, "idle cost, net", ((1, "idle_cost"), (-1, "reservation_credit"))),
        Sum("pause_credit_usd", USD, "pause credit", "reservation_credit"),
    ),
    "reserved_hours",
    tuple(option for option in GROUPINGS if option not in {"instance", "bid"}),
    is_estimate=True,
)
_CASH = Definition(
    "cash",
    (
        Sum("spot_cost_usd", USD, "spot cost", "spot_cost"),
        Sum("booked_usd", USD, "booked", "committed_cost"),
        Combined("cash_cost_usd", USD, "cash", ((1, "spot_cost"), (1, "committed_cost"))),
        Sum("allocated_cost_usd", USD, "reserved hours", "allocated_cost"),
        Combined("accrued_cost_usd", USD, "accrued", ((1, "spot_cost"), (1, "allocated_cost"))),
        Combined("booked_ahead_usd", USD, "booked ahead", ((1, "committed_cost"), (-1, "allocated_cost"))),
    ),
    "cash_cost_usd",
    tuple(option for option in GROUPINGS if option not in {"instance", "bid"}),
    is_estimate=True,
)
_CREDITS = Definition(
    "credits",
    (
        Sum("credited_hours", HOURS, "credited", "ledger_time"),
        Sum("credit_usd", USD, "credit", "ledger_credit"),
        *(Sum(f"{ageing}_usd", USD, ageing.replace("_", " "), f"ledger_{ageing}") for ageing in AGEING),
        Pick("next_expiry", INSTANT, "next expiry", "ledger_expiry"),
    ),
    "credit_usd",
    tuple(option for option in GROUPINGS if option not in {"instance", "bid", "hour"}),
    is_estimate=True,
)
_SAVING = ((1, "reserved_market_cost"), (-1, "compared_cost"))
_SAVINGS = Definition(
    "savings",
    (
        Sum("billed_hours", HOURS, "spot billed", "spot_billed"),
        Sum("unpriced_hours", HOURS, "spot unpriced", "spot_unpriced"),
        Sum("spot_cost_usd", USD, "spot cost", "spot_paid"),
        Sum("compared_hours", HOURS, "compared", "compared"),
        Sum("unknown_market_hours", HOURS, "market price unknown", "uncompared"),
        Sum("compared_cost_usd", USD, "paid for what is compared", "compared_cost"),
        Sum("reserved_market_cost_usd", USD, "the same reserved", "reserved_market_cost"),
        Combined("saving_usd", USD, "saving", _SAVING),
        Ratio("saving_pct", PERCENT, "saving", _SAVING, ("reserved_market_cost",), times=100),
        Ratio(
            "headroom_pct",
            PERCENT,
            "headroom to the limit",
            ((1, "limit_cost"), (-1, "limited_cost")),
            ("limit_cost",),
            times=100,
        ),
        Sum("near_limit_hours", HOURS, "above 90 % of the limit", "near_limit"),
        Sum("unknown_limit_hours", HOURS, "limit unknown", "unlimited"),
    ),
    "saving_usd",
    tuple(option for option in GROUPINGS if option != "reservation"),
    is_estimate=True,
)
_PREEMPTIONS = Definition(
    "preemptions",
    (
        Sum("spot_up_hours", HOURS, "spot up", "spot_up"),
        Sum("preemptions", COUNT, "preemptions", "preemptions"),
        Sum("preempted_starts", COUNT, "preempted before up", "preempted_starts"),
        Ratio(
            "preemptions_per_1000_hours",
            PER_1000_HOURS,
            "rate",
            ((1, "preemptions"),),
            ("spot_up",),
            times=1000 * HOURS.per,
        ),
        Bound("preemptions_per_1000_hours_low", PER_1000_HOURS, "95 % from", "preemptions", "spot_up", is_upper=False),
        Bound("preemptions_per_1000_hours_high", PER_1000_HOURS, "to", "preemptions", "spot_up", is_upper=True),
    ),
    "preemptions",
    tuple(option for option in GROUPINGS if option != "reservation"),
)
REPORTS = {
    definition.name: definition
    for definition in (_USAGE, _UPTIME, _COST, _PAUSE_CREDITS, _RESERVATIONS, _SAVINGS, _PREEMPTIONS, _CREDITS, _CASH)
}

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
DEFINITIONS = {
    **REPORTS,
    **{each.name: each for each in (CHARGEBACK, RATES, OPPORTUNITIES, RETURN_NOW, RECONCILIATION)},
}

# The summary shows these figures of these reports, one a row.
SUMMARY = (
    ("usage", ("up_hours", "paused_hours", "interrupted_hours", "unknown_hours", "total_hours", "gpu_hours")),
    (
        "uptime",
        ("uptime_pct", "interruptions", "mtbf_hours", "mttr_hours", "time_to_start_p50_s", "time_to_start_p90_s"),
    ),
    (
        "cost",
        tuple(figure.name for figure in _COST.figures),
    ),
    ("pause-credits", ("credited_hours", "short_pause_loss_usd", "unclaimed_credit_usd", "next_expiry")),
    (
        "reservations",
        (
            "reserved_hours",
            "used_hours",
            "utilisation_pct",
            "committed_cost_usd",
            "idle_cost_gross_usd",
            "idle_cost_net_usd",
        ),
    ),
)
