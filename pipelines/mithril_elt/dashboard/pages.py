"""Pages as HTML: the overview, the rows behind a figure, and what went wrong. All that others wrote is escaped.

Stands on `overview`, `over_time`, `ranked`, `row_table` and `charts`; the only module that knows the templates.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mithril_elt.dashboard import charts
from mithril_elt.dashboard.figures import CHOICES, Overview, Rows
from mithril_elt.dashboard.links import Links
from mithril_elt.dashboard.over_time import costs, cumulated, downtime
from mithril_elt.dashboard.overview import headlines, sections
from mithril_elt.dashboard.periods import month_words
from mithril_elt.dashboard.ranked import ranking
from mithril_elt.dashboard.row_table import row_table
from mithril_elt.dashboard.state import State
from mithril_elt.reports import Report
from mithril_elt.reports.shown import number_text
from mithril_elt.visible import shortened, visible

__all__ = ["Look", "overview_page", "policy", "problem_page", "rows_page"]

_WIDE, _NARROW = 700, 340  # pixels of a chart beside others and on a phone
_LONGEST = 100  # signs of a name
_MOST_CHOICES = 200


@dataclass(frozen=True)
class Look:
    """What pages are made for: the clock's now, from what age on figures are called old, and whether it is one file.

    `note`: a sentence over the figures. `place`: the options that choose the same database on a terminal.
    """

    now: datetime
    stale_after: timedelta
    is_file: bool = False
    note: str | None = None
    place: tuple[str, ...] = ()


def overview_page(found: Overview, look: Look, tables: Mapping[tuple[str, str], Report] | None = None) -> str:
    """The first page. `tables`: reports that stand below the figures, where the page is one file."""
    links = Links(found.state, look.is_file, tuple(tables or ()), look.place)
    by = {
        each: ranking(
            report,
            links,
            ("net_cost_usd", "usd_per_gpu_hour"),
            (("spot_cost_usd", "s1"), ("allocated_cost_usd", "s2")),
            lambda identity, option=each: links.group(option, identity),  # type: ignore[misc]
        )
        for each, report in found.cost_by.items()
    }
    return _page(
        "overview.html",
        look,
        found.state,
        **_around(found, links),
        found=found,
        headlines=headlines(found, links),
        sections=sections(found, links),
        costs=costs(found, links),
        cumulated=cumulated(found),
        downtime=downtime(found, links),
        by_tables=by,
        spot_reserved=_keys("spot", "reserved"),
        used_idle=_keys("used", "idle"),
        earned_unclaimed=_keys("earned", "unclaimed"),
        reservations=ranking(
            found.reservations,
            links,
            ("used_hours", "unused_hours", "utilisation_pct", "idle_cost_net_usd"),
            (("used_hours", "s1"), ("unused_hours", "s2")),
            lambda identity: links.rows("reservations", "day", state=found.state.of(reservation=identity)),
        ),
        pauses=ranking(
            found.pauses,
            links,
            ("credited_hours", "pause_credit_usd", "short_pause_loss_usd", "unclaimed_credit_usd"),
            (("pause_credit_usd", "s1"), ("unclaimed_credit_usd", "s2")),
            lambda identity: links.rows("pause-credits", "instance", state=found.state.of(reservation=identity)),
        ),
        downs=ranking(
            found.uptime_by_order,
            links,
            ("down_hours", "uptime_pct", "interruptions"),
            (("down_hours", "s2"),),
            lambda identity: links.rows("uptime", "instance", state=found.state.of(order=identity)),
            by_figure="down_hours",
        ),
        tables=[
            (f"{name}-{by}", row_table(report, links, None, None)) for (name, by), report in (tables or {}).items()
        ],
    )


def rows_page(found: Rows, look: Look) -> str:
    """The rows behind a figure."""
    links = Links(found.state, look.is_file, place=look.place)
    table = row_table(found.report, links, found.state.figure, found.periods.this)
    return _page("rows.html", look, found.state, **_around(found, links), found=found, table=table)


def problem_page(sentence: str, *, status: int, look: Look, refresh_s: int | None = None, asks: bool = False) -> str:
    """What went wrong and what to do. `refresh_s`: the browser asks again by itself. `asks`: for a token."""
    return _page(
        "problem.html",
        look,
        State(),
        title=_TITLES.get(status, "Something is wrong"),
        sentence=sentence,
        refresh_s=refresh_s,
        asks=asks,
    )


_TITLES = {
    400: "This cannot be shown",
    401: "A token is needed",
    404: "There is no such page",
    405: "This page can only be read",
    421: "This address is not served",
    503: "The figures cannot be read now",
}


def policy() -> str:
    """The content security policy of every page: nothing but its own style, by its hash, and its own forms."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'"


def _around(found: Overview | Rows, links: Links) -> dict[str, Any]:
    """What stands around the figures: filters, links."""
    return {
        "links": links,
        "periods": found.periods,
        "months": [(month, month_words(month)) for month in found.months],
        "choices": [(option, _listed(found.choices[option], found.state.only.get(option))) for option in CHOICES]
        if found.choices
        else [],
        "others": [(option, identity) for option, identity in found.state.part if option not in CHOICES],
    }


def _keys(first: str, second: str) -> tuple[charts.Series, ...]:
    """What the two parts of the bars in a table are."""
    return charts.Series(first, (), "s1"), charts.Series(second, (), "s2")


def _listed(ids: Mapping[str, str | None], chosen: str | None) -> tuple[list[tuple[str, str]], int]:
    """Ids to choose from with what is shown of each, as many as one looks through, and how many are left out."""
    shown = [each for number, each in enumerate(ids) if number < _MOST_CHOICES or each == chosen]
    texts = [(identity, f"{name} · {identity}" if (name := ids[identity]) else identity) for identity in shown]
    return texts, len(ids) - len(shown)


def _page(template: str, look: Look, state: State, **values: Any) -> str:
    environment = _environment()
    return environment.get_template(template).render(
        look=look,
        state=state,
        style=Markup(_style()),  # noqa: S704  # our own file
        policy=policy(),
        **values,
    )


@cache
def _style() -> str:
    return resources.files("mithril_elt.dashboard").joinpath("templates/style.css").read_text()


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("mithril_elt.dashboard"),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"exact": lambda text: Markup(escape(text)), "instant": _instant, "age": _age}  # noqa: S704
    made.globals |= {"chart": _chart, "key": charts.key, "number": number_text, "patterns": charts.PATTERNS}
    return made


def _harmless(value: Any) -> Any:
    """What a template prints: names of others without signs that hide or turn text, and not without end."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return shortened(visible(value), 4000)
    return "" if value is None else value


def _chart(drawing: charts.Drawing, *, is_line: bool = False) -> Markup:
    """A chart twice: as wide as a page, and as wide as a phone. The page's style shows one of them."""
    draw = charts.lines if is_line else charts.columns
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
        draw(drawing, _WIDE), draw(drawing, _NARROW)
    )


def _instant(at: datetime | None) -> str:
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _age(at: datetime, now: datetime) -> str:
    """How long ago: minutes, hours or days, as one says it."""
    minutes = max((now - at) // timedelta(minutes=1), 0)
    for unit, length in (("day", 2880), ("hour", 120)):
        if minutes >= length:
            number = minutes // (1440 if unit == "day" else 60)
            return f"{number:,} {unit}s ago"
    return f"{minutes} min ago"
