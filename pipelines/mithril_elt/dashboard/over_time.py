"""Figures by month, day or hour as charts: each place leads to its rows, and a time without rows is zero.

Stands on `figures` and `charts`, under `pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from mithril_elt.dashboard.charts import Drawing, Series
from mithril_elt.dashboard.figures import Overview
from mithril_elt.dashboard.links import Links
from mithril_elt.dashboard.periods import Period
from mithril_elt.instants import iso
from mithril_elt.reports import Report
from mithril_elt.reports.figures import Cell

__all__ = ["costs", "cumulated", "downtime", "one_figure"]

_HOUR = timedelta(hours=1)
_US = timedelta(microseconds=1)


def costs(overview: Overview, links: Links) -> Drawing:
    """What this time cost, by its parts; pause credit is less than nothing."""
    return _drawing(
        overview.cost_by_time,
        overview.periods.this,
        overview.as_of,
        links,
        name="costs",
        title=f"Cost by {overview.grain}",
        unit="USD",
        series=(
            ("spot", "spot_cost_usd", "s1", 1),
            ("reserved", "allocated_cost_usd", "s2", 1),
            ("pause credit", "pause_credit_usd", "s3", -1),
        ),
    )


def downtime(overview: Overview, links: Links) -> Drawing:
    """How long machines were down that should have been up."""
    return _drawing(
        overview.uptime_by_time,
        overview.periods.this,
        overview.as_of,
        links,
        name="down",
        title=f"Hours down by {overview.grain}",
        unit="hours",
        series=(("down", "down_hours", "s2", 1),),
    )


def one_figure(report: Report, period: Period, links: Links, *, figure: str, title: str, unit: str) -> Drawing:
    """One figure of a report by time."""
    return _drawing(
        report, period, report.as_of, links, name="rows", title=title, unit=unit, series=((title, figure, "s1", 1),)
    )


def cumulated(overview: Overview) -> Drawing | None:
    """Net cost from the first day on, this month and the last; None where the two are not whole months with days."""
    before, last = overview.cost_by_time_before, overview.periods.whole
    if before is None or last is None or overview.grain != "day" or overview.whole is None:
        return None
    this = _running(overview.cost_by_time, overview.periods.this, overview.as_of)
    past = _running(before, last, None)
    days = max(len(this), len(past))
    return Drawing(
        "cumulated",
        "Net cost from the first of the month on",
        "USD",
        tuple(f"day {number + 1}" for number in range(days)),
        (
            Series(overview.periods.this.words, _filled(this, days), "s1"),
            Series(last.words, _filled(past, days), "s2"),
        ),
        short=tuple(str(number + 1) for number in range(days)),
    )


def _running(report: Report, period: Period, as_of: datetime | None) -> list[Decimal]:
    by_day = _by_time(report, "net_cost_usd")
    return list(accumulate(_number(by_day.get(day, Decimal(0))) or Decimal(0) for day in _times("day", period, as_of)))


def _filled(values: Sequence[Decimal], length: int) -> tuple[Decimal | None, ...]:
    return (*values, *[None] * (length - len(values)))


def _drawing(
    report: Report,
    period: Period,
    as_of: datetime | None,
    links: Links,
    *,
    name: str,
    title: str,
    unit: str,
    series: Sequence[tuple[str, str, str, int]],
) -> Drawing:
    [grain] = report.by
    columns = {figure: _by_time(report, figure) for _, figure, _, _ in series}
    times = sorted({*next(iter(columns.values())), *_times(grain, period, as_of)})
    return Drawing(
        name,
        title,
        unit,
        tuple(_label(time, grain) for time in times),
        tuple(
            Series(words, tuple(_signed(columns[figure].get(time, Decimal(0)), sign) for time in times), style)
            for words, figure, style, sign in series
        ),
        tuple(_leads(links, report.name, grain, time, series[0][1] if len(series) == 1 else None) for time in times),
        tuple(_short(time, grain) for time in times),
    )


def _leads(links: Links, report: str, grain: str, time: str, figure: str | None) -> str | None:
    if links.is_file:
        return None
    inside = links.inside(grain, time)
    if grain == "month":
        return links.overview(inside)
    return links.rows(report, "order" if report != "pause-credits" else "reservation", figure, inside)


def _by_time(report: Report, figure: str) -> dict[str, Cell]:
    place = report.columns.index(figure)
    return {str(row[0]): row[place] for row in report.rows}


def _times(grain: str, period: Period, as_of: datetime | None) -> list[str]:
    """Each day or hour of a period that figures can be of."""
    if grain not in ("day", "hour") or period.from_at is None:
        return []
    ends = [at for at in (period.to_at, as_of) if at is not None]
    if not ends:
        return []
    at, end = period.from_at, min(ends)
    if grain == "hour":
        return [str(iso(at + number * _HOUR)) for number in range(-((at - end) // _HOUR))]
    first, last = period.day_of(at), period.day_of(end - _US)
    return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


def _number(cell: Cell) -> Decimal | None:
    return Decimal(cell) if isinstance(cell, (Decimal, int)) else None


def _signed(cell: Cell, sign: int) -> Decimal | None:
    number = _number(cell)
    return None if number is None else number * sign


def _label(time: str, grain: str) -> str:
    return time[:16].replace("T", " ") if grain == "hour" else time


def _short(time: str, grain: str) -> str:
    return {"hour": time[11:13], "day": str(int(time[8:10] or 0)), "month": time}[grain] if len(time) > 7 else time
