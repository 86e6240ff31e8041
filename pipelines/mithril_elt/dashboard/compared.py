"""Figures of this time beside those of the time before: as a reader sees them, with the change in words.

Stands on `figures`, under `overview`. A change is told of exact figures and rounded last, like everything printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from mithril_elt.dashboard.figures import Overview
from mithril_elt.dashboard.links import Links
from mithril_elt.reports.catalog import REPORTS
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.kinds import Figure
from mithril_elt.reports.shown import number_text

__all__ = ["Line", "change_text", "figure_named", "line", "section"]

_WIDE = Context(prec=120, rounding=ROUND_HALF_EVEN)
_HEADINGS = {  # where a heading of a report needs the columns beside it
    "gpu_hours": "GPU-hours",
    "usd_per_gpu_hour": "Cost per GPU-hour",
    "unpriced_hours": "Spot time without a price",
    "utilisation_pct": "Reserved time used",
    "unclaimed_credit_usd": "Pause credit unclaimed",
}
_NOTES = {
    "allocated_cost_usd": "reserved time, used and idle",
    "net_cost_usd": "spot and allocated cost, less pause credit",
    "usd_per_gpu_hour": "net cost by GPU-hour up",
    "unpriced_hours": "billed, but in no cost",
    "gpu_hours": "time up × GPUs",
    "idle_cost_gross_usd": "of reserved time that was not used",
    "idle_cost_net_usd": "less pause credit",
    "committed_cost_usd": "orders placed in this time, in full",
    "short_pause_loss_usd": "pauses of less than an hour earn nothing",
    "unclaimed_credit_usd": "what pausing idle machines would have earned",
    "next_expiry": "when the first of these credits lapses",
    "uptime_pct": "up, of the time up or down",
}


@dataclass(frozen=True)
class Line:
    """A figure in a comparison: what it is, its unit, its texts; `href` leads to its rows."""

    name: str
    heading: str
    unit: str
    note: str
    this: str
    change: str
    same: str
    whole: str
    href: str | None


def figure_named(report: str, name: str) -> Figure:
    """A figure of a report, by its name."""
    return next(figure for figure in REPORTS[report].figures if figure.name == name)


def section(overview: Overview, links: Links, wanted: Sequence[tuple[str, str, str]]) -> list[Line]:
    """Lines for figures that the summary has, each with its report and the grouping that its rows are shown by."""
    return [line(overview, links, *each) for each in wanted]


def line(overview: Overview, links: Links, report: str, name: str, by: str) -> Line:
    """One line of it."""
    figure = figure_named(report, name)
    against = overview.same if overview.same is not None else overview.whole
    return Line(
        name,
        _HEADINGS.get(name, figure.heading[:1].upper() + figure.heading[1:]),
        figure.unit.sign.strip(),
        _NOTES.get(name, ""),
        number_text(overview.this[name]),
        change_text(figure, overview.this[name], None if against is None else against[name]),
        _told(overview.same, name),
        _told(overview.whole, name),
        links.rows(report, by, name),
    )


def _told(figures: Mapping[str, Cell] | None, name: str) -> str:
    return "" if figures is None else number_text(figures[name])


def change_text(figure: Figure, this: Cell, before: Cell) -> str:
    """How much more or less this is than before: `+12.30 (+4.1 %)`; of a percentage, by points.

    Empty where one of the two is not known; of what was nothing before there is no part.
    """
    if not isinstance(this, (Decimal, int)) or not isinstance(before, (Decimal, int)):
        return ""
    more = Decimal(this) - Decimal(before)
    told = _signed(number_text(more if isinstance(this, Decimal) else int(more)))
    if figure.unit.name == "percent":
        return f"{told} points"
    if not before or not more:
        return told
    part = _WIDE.divide(more * 100, abs(Decimal(before))).quantize(Decimal("0.1"), context=_WIDE)
    return f"{told} ({_signed(f'{_WIDE.plus(part):,}')} %)"


def _signed(text: str) -> str:
    """With its sign, also where it is more: a minus as wide as a plus."""
    if not text.strip("0.,-"):
        return "±0"
    return f"−{text[1:]}" if text.startswith("-") else f"+{text}"
