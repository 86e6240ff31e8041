"""Tables for people: figures rounded as `report` prints them, names beside ids, headings with their unit.

Stands under the notebooks and `page`, on `reports`. What others wrote, such as names, is text and never markup.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from html import escape
from numbers import Integral, Real
from typing import Any

import marimo as mo
import pandas as pd

from mithril_elt.instants import iso
from mithril_elt.reports import GROUPINGS
from mithril_elt.reports.catalog import DEFINITIONS
from mithril_elt.reports.shown import number_text
from mithril_elt.visible import shortened, visible

__all__ = ["as_table", "facts", "html_facts", "html_table"]

_MOST = 50
_LONGEST = 2000
_HEADINGS = {
    figure.name: ", ".join(word for word in (figure.heading, figure.unit.heading) if word)
    for definition in DEFINITIONS.values()
    for figure in definition.figures
}
_MISSING = {grouping.column: grouping.missing for grouping in GROUPINGS.values()}
_GROUPS = {"hour": "hour (UTC)", "value_at": "value (UTC)"}
# marimo takes a table's lines and room away; a page has a style of its own, and leaves this one out.
_LIVE = """<style>
.mithril table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .8125rem; margin: .5rem 0; }
.mithril th, .mithril td { padding: .3rem .6rem; border-bottom: 1px solid #8884; text-align: left; }
.mithril td { vertical-align: top; }
.mithril th { background: #8882; vertical-align: bottom; } .mithril td { white-space: nowrap; }
.mithril td.words { white-space: normal; min-width: 18rem; } .mithril td small { opacity: .75; }
.mithril ul { list-style: disc; padding-left: 1.5rem; }
</style>"""


def as_table(found: pd.DataFrame, most: int = _MOST) -> mo.Html:
    """The first rows as a table; how many there are in all is said below it."""
    return _live(html_table(found, most))


def facts(found: pd.DataFrame) -> mo.Html:
    """Of a report: up to when it is complete, of which time and part it is, and what a reader must know."""
    return _live(html_facts(found.attrs))


def _live(text: str) -> mo.Html:
    return mo.Html(f'{_LIVE}<div class="mithril">{text}</div>')


def html_table(found: pd.DataFrame, most: int = _MOST) -> str:
    """The same as HTML."""
    names = found.attrs.get("names", {})
    numeric = [_is_numeric(found.iloc[:, place]) for place in range(found.shape[1])]
    head = "".join(
        f'<th scope="col"{_aligned(right)}>{escape(_heading(column))}</th>'
        for column, right in zip(found.columns, numeric, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{_aligned(right) or _worded(column)}>{_cell(value, column, names)}</td>"
            for value, column, right in zip(row, found.columns, numeric, strict=True)
        )
        + "</tr>"
        for row in found.head(most).itertuples(index=False, name=None)
    )
    left = f"<p>{most} of {len(found):,} rows.</p>" if len(found) > most else ""
    empty = "<p>No rows.</p>" if found.empty else ""
    return (
        f'<div style="overflow-x: auto"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"{left}{empty}"
    )


def html_facts(told: dict[Any, Any]) -> str:
    """The facts of a report as HTML."""
    ends = [f"from {_day(told['from'])}" if told["from"] else "", f"to {_day(told['to'])}" if told["to"] else ""]
    span = " ".join(end for end in ends if end) or "all time"
    part = "".join(f", {option} {identity} alone" for option, identity in told.get("only", {}).items())
    said = f"{told['report'].replace('-', ' ').capitalize()}: {span}{part}. Complete up to {_day(told['as_of'])} UTC."
    items = "".join(f"<li>{escape(visible(warning))}</li>" for warning in told["warnings"])
    warnings = f"<p><strong>To know beside the figures</strong></p><ul>{items}</ul>" if items else ""
    return f"<p>{escape(said)}</p>{warnings}"


def _day(at: str) -> str:
    return at[:16].replace("T", " ").removesuffix(" 00:00")


def _is_numeric(column: pd.Series[Any]) -> bool:
    if pd.api.types.is_bool_dtype(column):
        return False
    return pd.api.types.is_numeric_dtype(column) or any(isinstance(value, Decimal) for value in column)


def _aligned(right: bool) -> str:
    return ' style="text-align: right"' if right else ""


def _worded(column: Any) -> str:
    return ' class="words"' if column == "description" else ""


def _heading(column: Any) -> str:
    name = str(column)
    plain = name.removesuffix("_id").replace("_", " ")
    return _HEADINGS.get(name) or _GROUPS.get(name) or (f"{plain} (UTC)" if name.endswith("_at") else plain)


def _cell(value: Any, column: Any, names: dict[str, dict[str, str]]) -> str:
    text = _MISSING[column] if column in _MISSING and pd.isna(value) else _text(value)
    name = names.get(str(column), {}).get(text)
    shown = escape(shortened(visible(text), _LONGEST))
    return f"{escape(shortened(visible(name)))}<br><small>{shown}</small>" if name else shown


def _text(value: Any) -> str:
    if not isinstance(value, (list, dict)) and pd.isna(value):
        return "–"
    if pd.api.types.is_bool(value):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, Integral):
        return f"{value:,}"
    return f"{value:,.2f}" if isinstance(value, Real) else str(value)


def _instant(at: datetime) -> str:
    if at.tzinfo is None:  # a day
        return at.strftime("%Y-%m-%d")
    return f"{(iso(at) or '')[:16].replace('T', ' ')}"
