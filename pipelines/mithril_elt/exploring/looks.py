"""How charts look: colours that everybody can tell apart, plain axes, and room for the words.

Stands under the notebooks. A colour never stands alone: each has a pattern of its own on a page, see `page`.
"""

from __future__ import annotations

from typing import Any

import altair as alt

__all__ = ["PATTERNS", "WORDS", "Looks", "dressed"]

WORDS = "#757575"  # readable on white and on black; on a page it is the colour of the text around

# The palette of Okabe and Ito, which is told apart by people who see no red or no green, as patterns by all others.
_BLUE, _ORANGE, _GREEN, _PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
_SKY, _VERMILION, _YELLOW, _GREY = "#56B4E9", "#D55E00", "#F0E442", "#999999"

_RISING = '<path d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2" stroke="#000" stroke-width="1" stroke-opacity=".55"/>'
_FALLING = '<path d="M-1,5 l2,2 M0,0 l6,6 M5,-1 l2,2" stroke="#fff" stroke-width="1" stroke-opacity=".8"/>'
# What is drawn over a colour on a page, where nobody can point at a bar to be told what it is; None leaves it plain.
PATTERNS = {
    _BLUE: None,
    _GREEN: _FALLING,
    _ORANGE: '<circle cx="3" cy="3" r="1.2" fill="#000" fill-opacity=".6"/>',
    _PURPLE: _RISING,
    _SKY: '<path d="M0,3 h6" stroke="#000" stroke-width="1" stroke-opacity=".5"/>',
    _VERMILION: '<path d="M3,0 v6 M0,3 h6" stroke="#fff" stroke-width=".8" stroke-opacity=".8"/>',
    _YELLOW: '<path d="M3,0 v6" stroke="#000" stroke-width="1" stroke-opacity=".5"/>',
    _GREY: None,
}
_ROOM = {"left": 24, "right": 28, "top": 4, "bottom": 4}  # readers' fonts may be wider than those it is drawn with


class Looks:
    """The colours of what the charts show, by name, in the order in which they are stacked and told."""

    WORDS = WORDS
    MAIN = _BLUE
    LIMIT = _VERMILION
    ORDERS = {  # noqa: RUF012  # read only
        "spot": _BLUE,
        "reserved, used": _GREEN,
        "reserved, unused": _ORANGE,
        "pause credit": _PURPLE,
    }
    PHASES = {  # noqa: RUF012  # as above
        "running": _BLUE,
        "noticed": _SKY,
        "paused": _PURPLE,
        "interrupted": _VERMILION,
        "starting": _GREEN,
        "waiting": _ORANGE,
        "stopping": _YELLOW,
        "unknown": _GREY,
    }
    PAUSES = {  # noqa: RUF012  # as above
        "earns credit": _BLUE,
        "too short": _VERMILION,
        "earns, at a rate not known": _ORANGE,
        "earns nothing: no terms": _GREY,
    }
    CREDITS = {"earned": _BLUE, "lost to short pauses": _VERMILION, "left unclaimed": _ORANGE}  # noqa: RUF012  # as above

    @staticmethod
    def color(of: dict[str, str], field: str, title: str | None = None) -> Any:
        """A colour for each name, in their order; names that are not there take no room in the legend."""
        return alt.Color(
            f"{field}:N",
            title=title,
            sort=list(of),
            scale=alt.Scale(domain=list(of), range=list(of.values())),
        )


def dressed(chart: Any, title: str, *, height: int = 260) -> Any:
    """The chart with a title, as wide as its place, with axes and words that can be read on white and on black."""
    wide = chart.properties(title=title, width="container", height=height)
    return (
        wide.configure(background="transparent", font="system-ui, sans-serif", padding=_ROOM)
        .configure_title(anchor="start", color=WORDS, fontSize=14, fontWeight="bold", offset=10)
        .configure_axis(
            labelColor=WORDS,
            titleColor=WORDS,
            domainColor=WORDS,
            tickColor=WORDS,
            gridColor=WORDS,
            gridOpacity=0.2,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
        .configure_legend(
            labelColor=WORDS,
            titleColor=WORDS,
            titleFontWeight="normal",
            titleFontSize=12,
            orient="bottom",
            labelFontSize=12,
            labelLimit=260,
            titleLimit=600,
            columns=4,
            columnPadding=36,
        )
        .configure_view(stroke=None)
    )
