"""The reports as one table: the figures of each, their units and names, and the groupings they take.

Stands between marts and reports, on `measures` and `groupings`. Only data: `figures` computes from it.
A figure that two reports show is one figure here, so that the two cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from mithril_elt.reports.groupings import GROUPINGS
from mithril_elt.reports.measures import PHASES

__all__ = [
    "DEFINITIONS",
    "RECONCILIATION",
    "REPORTS",
    "SUMMARY",
    "Combined",
    "Definition",
    "Figure",
    "Pick",
    "Ratio",
    "Sum",
    "Unit",
]


@dataclass(frozen=True)
class Unit:
    """A unit of figures: its name, how many of the marts' integers make one, and how it reads over and beside them."""

    name: str
    per: int
    heading: str
    sign: str


_HOURS = Unit("hours", 3_600_000_000, "hours", "h")
_USD = Unit("USD", 360_000_000_000, "USD", "USD")
_USD_PER_GPU_HOUR = Unit("USD per GPU-hour", 100, "USD", "USD")
_PERCENT = Unit("percent", 1, "%", "%")
_SECONDS = Unit("seconds", 1_000_000, "seconds", "s")
_COUNT = Unit("count", 1, "", " ")
_INSTANT = Unit("instant", 1, "UTC", "UTC")
_AMOUNT = Unit("amount", 1, "", " ")  # dollars or hours, as the row says
_TEXT = Unit("text", 1, "", " ")


@dataclass(frozen=True)
class Figure:
    """A column of a report: its name for machines, its unit, and what a reader sees above it."""

    name: str
    unit: Unit
    heading: str


@dataclass(frozen=True)
class Sum(Figure):
    """A measure, added up: its rows add up to the whole."""

    measure: str


@dataclass(frozen=True)
class Combined(Figure):
    """A sum of measures with signs; their rounded values are added, so that rows add up across and down.

    `unless`: a measure that, where it is not zero, says that the parts do not make the whole; the measure
    `whole` then stands for itself.
    """

    parts: tuple[tuple[int, str], ...]
    whole: str | None = None
    unless: str | None = None


@dataclass(frozen=True)
class Ratio(Figure):
    """Sums of measures divided, times `times`, over the unit; null where there is nothing to divide by."""

    above: tuple[tuple[int, str], ...]
    below: tuple[str, ...]
    times: int = 1


@dataclass(frozen=True)
class Pick(Figure):
    """One of the values, such as a percentile or the earliest: it does not add up, and may be absent."""

    measure: str


_NET = ((1, "spot_cost"), (1, "allocated_cost"), (-1, "pause_credit"))
_UP = Combined("up_hours", _HOURS, "up", ((1, "running"), (1, "noticed")), whole="up", unless="up_elsewhere")
_PHASE_FIGURES = tuple(Sum(f"{phase}_hours", _HOURS, phase, phase) for phase in PHASES)
_PAUSE_CREDIT = Sum("pause_credit_usd", _USD, "pause credit", "pause_credit")


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
        Combined("total_hours", _HOURS, "total", tuple((1, phase) for phase in PHASES)),
        Sum("gpu_hours", _HOURS, "GPU", "gpu"),
    ),
    "up_hours",
    _ALL,
)
_UPTIME = Definition(
    "uptime",
    (
        _UP,
        Sum("down_hours", _HOURS, "down", "down"),
        Ratio("uptime_pct", _PERCENT, "uptime", ((1, "up"),), ("up", "down"), times=100),
        Sum("interruptions", _COUNT, "interruptions", "interruptions"),
        Ratio("mtbf_hours", _HOURS, "time between failures", ((1, "up"),), ("interruptions",)),
        Ratio("mttr_hours", _HOURS, "time to recover", ((1, "recovery"),), ("recoveries",)),
        Pick("time_to_start_p50_s", _SECONDS, "time to start, p50", "time_to_start_p50"),
        Pick("time_to_start_p90_s", _SECONDS, "time to start, p90", "time_to_start_p90"),
    ),
    "down_hours",
    _ALL,
)
_COST = Definition(
    "cost",
    (
        Sum("billed_hours", _HOURS, "spot billed", "billed"),
        Sum("unpriced_hours", _HOURS, "spot unpriced", "unpriced"),
        Sum("spot_cost_usd", _USD, "spot cost", "spot_cost"),
        Sum("allocated_cost_usd", _USD, "allocated cost", "allocated_cost"),
        _PAUSE_CREDIT,
        Combined("net_cost_usd", _USD, "net cost", _NET),
        Ratio("usd_per_gpu_hour", _USD_PER_GPU_HOUR, "per GPU-hour", _NET, ("gpu",)),
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
        Sum("paused_hours", _HOURS, "paused", "paused"),
        Sum("credited_hours", _HOURS, "credited", "credited"),
        _PAUSE_CREDIT,
        Sum("short_pause_loss_usd", _USD, "lost to short pauses", "short_pause_loss"),
        Sum("unclaimed_credit_usd", _USD, "unclaimed credit", "unclaimed_credit"),
        Pick("next_expiry", _INSTANT, "next expiry", "next_expiry"),
    ),
    "pause_credit_usd",
    tuple(option for option in GROUPINGS if option != "bid"),
    is_estimate=True,
)
_RESERVATIONS = Definition(
    "reservations",
    (
        Sum("reserved_hours", _HOURS, "reserved", "reserved"),
        Sum("used_hours", _HOURS, "used", "used"),
        Sum("unused_hours", _HOURS, "unused", "unused"),
        Ratio("utilisation_pct", _PERCENT, "utilisation", ((1, "used"),), ("reserved",), times=100),
        Sum("committed_cost_usd", _USD, "committed cost", "committed_cost"),
        Sum("idle_cost_gross_usd", _USD, "idle cost, gross", "idle_cost"),
        Combined("idle_cost_net_usd", _USD, "idle cost, net", ((1, "idle_cost"), (-1, "reservation_credit"))),
        Sum("pause_credit_usd", _USD, "pause credit", "reservation_credit"),
    ),
    "reserved_hours",
    tuple(option for option in GROUPINGS if option not in {"instance", "bid"}),
    is_estimate=True,
)
REPORTS = {definition.name: definition for definition in (_USAGE, _UPTIME, _COST, _PAUSE_CREDITS, _RESERVATIONS)}

# Columns of fct_reconciliation as they stand: nothing here adds up.
RECONCILIATION = Definition(
    "reconciliation",
    (
        Figure("field", _TEXT, "field"),
        Figure("ours", _AMOUNT, "ours"),
        Figure("vendors", _AMOUNT, "vendor's"),
        Figure("difference", _AMOUNT, "difference"),
        Figure("agrees", _TEXT, "agrees"),
        Figure("likely_cause", _TEXT, "likely cause"),
    ),
    "agrees",
    ("reservation",),
    is_estimate=True,
)
DEFINITIONS = {**REPORTS, RECONCILIATION.name: RECONCILIATION}

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
