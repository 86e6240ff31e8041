"""The reports as one table: the figures of each, their units and names, and the groupings they take.

Stands between marts and reports, on `measures`, `groupings` and `kinds`. Only data: `figures` computes from it. Reports
that are lists are in `list_catalog`.
A figure that two reports show is one figure here, so that the two cannot differ.
"""

from __future__ import annotations

from mithril_elt.reports.groupings import GROUPINGS
from mithril_elt.reports.kinds import (
    COUNT,
    HOURS,
    INSTANT,
    PER_1000_HOURS,
    PERCENT,
    SECONDS,
    USD,
    USD_PER_GPU_HOUR,
    Bound,
    Combined,
    Definition,
    Pick,
    Ratio,
    Sum,
)
from mithril_elt.reports.list_catalog import LISTS
from mithril_elt.reports.measures import AGEING, PHASES

__all__ = ["DEFINITIONS", "REPORTS", "SUMMARY"]


_NET = ((1, "spot_cost"), (1, "allocated_cost"), (-1, "pause_credit"))
_UP = Combined("up_hours", HOURS, "up", ((1, "running"), (1, "noticed")), whole="up", unless="up_elsewhere")
_PHASE_FIGURES = tuple(Sum(f"{phase}_hours", HOURS, phase, phase) for phase in PHASES)
_PAUSE_CREDIT = Sum("pause_credit_usd", USD, "pause credit", "pause_credit")


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
_RETURN_CREDITS = Definition(
    "return-credits",
    (
        Sum("returned_instances", COUNT, "given back", "returned"),
        Sum("returned_hours", HOURS, "left then", "returned_time"),
        Sum("return_credit_usd", USD, "return credit", "return_credit"),
    ),
    "return_credit_usd",
    tuple(option for option in GROUPINGS if option != "bid"),
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
    for definition in (
        _USAGE,
        _UPTIME,
        _COST,
        _PAUSE_CREDITS,
        _RESERVATIONS,
        _SAVINGS,
        _PREEMPTIONS,
        _CREDITS,
        _RETURN_CREDITS,
        _CASH,
    )
}

DEFINITIONS = {**REPORTS, **LISTS}

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
