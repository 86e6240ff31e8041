"""The first page: which figures its headlines and sections have, from what was asked.

Stands on `figures` and `compared`, beside `over_time` and `ranked`, under `pages`.
"""

from __future__ import annotations

from mithril_elt.dashboard.compared import Line, line, section
from mithril_elt.dashboard.figures import Overview
from mithril_elt.dashboard.links import Links

__all__ = ["HEADLINES", "headlines", "sections"]

# Headline figures, and the sections with theirs: report, figure, and by what its rows are shown.
HEADLINES = (
    ("cost", "net_cost_usd", "order"),
    ("cost", "usd_per_gpu_hour", "order"),
    ("reservations", "utilisation_pct", "reservation"),
    ("pause-credits", "unclaimed_credit_usd", "reservation"),
    ("uptime", "uptime_pct", "order"),
)
_SECTIONS = {
    "cost": (
        ("cost", "spot_cost_usd", "order"),
        ("cost", "allocated_cost_usd", "reservation"),
        ("cost", "pause_credit_usd", "reservation"),
        ("cost", "net_cost_usd", "order"),
        ("cost", "usd_per_gpu_hour", "order"),
        ("usage", "gpu_hours", "order"),
        ("cost", "unpriced_hours", "order"),
    ),
    "reservations": (
        ("reservations", "reserved_hours", "reservation"),
        ("reservations", "used_hours", "reservation"),
        ("reservations", "utilisation_pct", "reservation"),
        ("reservations", "idle_cost_gross_usd", "reservation"),
        ("reservations", "idle_cost_net_usd", "reservation"),
        ("reservations", "committed_cost_usd", "reservation"),
    ),
    "credits": (
        ("usage", "paused_hours", "order"),
        ("pause-credits", "credited_hours", "reservation"),
        ("cost", "pause_credit_usd", "reservation"),
        ("pause-credits", "short_pause_loss_usd", "reservation"),
        ("pause-credits", "unclaimed_credit_usd", "reservation"),
        ("pause-credits", "next_expiry", "reservation"),
    ),
    "uptime": (
        ("uptime", "uptime_pct", "order"),
        ("uptime", "interruptions", "order"),
        ("uptime", "mtbf_hours", "order"),
        ("uptime", "mttr_hours", "order"),
        ("uptime", "time_to_start_p50_s", "order"),
        ("uptime", "time_to_start_p90_s", "order"),
    ),
}


def headlines(overview: Overview, links: Links) -> list[Line]:
    """The figures at the top."""
    return [line(overview, links, *each) for each in HEADLINES]


def sections(overview: Overview, links: Links) -> dict[str, list[Line]]:
    """The comparisons of each section."""
    return {name: section(overview, links, wanted) for name, wanted in _SECTIONS.items()}
