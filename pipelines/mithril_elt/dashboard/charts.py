"""Charts as SVG, made here: columns that are stacked, lines, and the bar in a cell of a table.

Stands on `scales`. Each is one picture for a screen reader, with a title and what it says in words; the page has the
same numbers in a table. Series are told apart by a pattern as well as by a colour, and no colour is said here: the
page's style has them, by the classes `s1`, `s2`, `s3`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from mithril_elt.dashboard.scales import Axis, place
from mithril_elt.reports.shown import number_text
from mithril_elt.visible import visible

__all__ = ["PATTERNS", "Drawing", "Series", "bar", "columns", "key", "lines"]

_HEIGHT = 220
_TOP, _BOTTOM, _LEFT, _RIGHT = 26, 192, 60, 10
# Every page has this once: a pattern inside a picture that is not shown would not be drawn elsewhere.
PATTERNS = Markup(
    '<svg class="away" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="5" height="5"'
    ' patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch" width="2" height="5"/></pattern>'
    "</defs></svg>"
)


@dataclass(frozen=True)
class Series:
    """Numbers of one kind, one for each label; None where it is not known. `style`: s1, s2 or s3."""

    name: str
    values: tuple[Decimal | None, ...]
    style: str


@dataclass(frozen=True)
class Drawing:
    """What a chart is of: its own name in the page, its title, its unit, a label for each place from left to right.

    `links`: where a place leads, if anywhere.
    """

    name: str
    title: str
    unit: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    links: tuple[str | None, ...] = ()
    short: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What a reader who does not see it is told."""
        known = [value for each in self.series for value in each.values if value is not None]
        if not known or not self.labels:
            return "Nothing to show."
        kinds = ", ".join(each.name for each in self.series)
        return (
            f"{kinds}, in {self.unit}, from {self.labels[0]} to {self.labels[-1]};"
            f" at least {number_text(min(known))}, at most {number_text(max(known))}. The table has all numbers."
        )


def columns(drawing: Drawing, width: int) -> Markup:
    """A column for each label, the series on top of each other; what is less than zero hangs under the line."""
    heights = [_stacked([each.values[at] for each in drawing.series]) for at in range(len(drawing.labels))]
    axis = Axis.over((end for stack in heights for span in stack if span for end in span), bottom=_BOTTOM, top=_TOP)
    step = Decimal(width - _LEFT - _RIGHT) / max(len(drawing.labels), 1)
    drawn = [_column(drawing, at, stack, axis, (_LEFT + step * at, step)) for at, stack in enumerate(heights)]
    return _picture(drawing, width, axis, Markup("").join([*drawn, _labels(drawing, step)]))


def lines(drawing: Drawing, width: int) -> Markup:
    """A line for each series; it ends where a number is not known."""
    known = [value for each in drawing.series for value in each.values if value is not None]
    axis = Axis.over(known, bottom=_BOTTOM, top=_TOP)
    step = Decimal(width - _LEFT - _RIGHT) / max(len(drawing.labels), 1)
    drawn = []
    for each in drawing.series:
        points = [
            f"{place(_LEFT + step * at + step / 2)} {place(axis.at(value))}"
            for at, value in enumerate(each.values)
            if value is not None
        ]
        if points:
            x, y = points[-1].split()
            drawn.append(Markup('<path class="{} line" d="M{}"/>').format(each.style, "L".join(points)))
            drawn.append(Markup('<circle class="{} dot" cx="{}" cy="{}" r="3.5"/>').format(each.style, x, y))
    return _picture(drawing, width, axis, Markup("").join([*drawn, _labels(drawing, step)]))


def bar(parts: Sequence[tuple[Decimal | None, str]], whole: Decimal, *, width: int = 120) -> Markup:
    """A bar in a cell, beside its number: parts of the longest bar of the table, each with a style."""
    if whole <= 0:
        return Markup("")
    drawn, left = [], Decimal(0)
    for value, style in parts:
        if value is not None and value > 0:
            length = value * width / whole
            drawn.append(_area(style, (place(left), "1", place(length), "10")))
            left += length
    return Markup('<svg class="bar" viewBox="0 0 {0} 12" width="{0}" height="12" aria-hidden="true">{1}</svg>').format(
        width, Markup("").join(drawn)
    )


def key(series: Sequence[Series], *, is_line: bool = False) -> Markup:
    """Which colour and pattern is which series."""
    return Markup("").join(
        Markup('<span class="key"><svg width="22" height="12" aria-hidden="true">{}</svg>{}</span>').format(
            Markup('<path class="{} line" d="M0 6H22"/>').format(each.style)
            if is_line
            else _area(each.style, ("0", "1", "22", "10")),
            each.name,
        )
        for each in series
    )


def _stacked(values: Sequence[Decimal | None]) -> list[tuple[Decimal, Decimal] | None]:
    """From where to where each value reaches: above zero on top of each other, below it likewise."""
    up, down = Decimal(0), Decimal(0)
    spans: list[tuple[Decimal, Decimal] | None] = []
    for value in values:
        if value is None:
            spans.append(None)
        elif value >= 0:
            spans.append((up, up + value))
            up += value
        else:
            spans.append((down + value, down))
            down += value
    return spans


def _column(
    drawing: Drawing,
    at: int,
    spans: Sequence[tuple[Decimal, Decimal] | None],
    axis: Axis,
    room: tuple[Decimal, Decimal],
) -> Markup:
    left, step = room
    gap = step / 6
    drawn = []
    for each, span in zip(drawing.series, spans, strict=True):
        if span is None:
            mark = Markup('<text class="unknown" x="{}" y="{}">?</text>')
            drawn.append(mark.format(place(left + step / 2), place(axis.at(Decimal(0)) - 3)))
        elif span[0] != span[1]:
            top, bottom = axis.at(span[1]), axis.at(span[0])
            box = (place(left + gap), place(top), place(step - 2 * gap), place(bottom - top))
            drawn.append(_area(each.style, box))
    # A rectangle over the whole height is what a finger or a mouse finds.
    target = Markup('<rect class="hit" x="{}" y="{}" width="{}" height="{}"/>').format(
        place(left), _TOP, place(step), _BOTTOM - _TOP
    )
    inside = Markup("<title>{}</title>{}").format(_told(drawing, at), Markup("").join([*drawn, target]))
    link = drawing.links[at] if drawing.links else None
    # The table has the same links, in words: here they are for who points.
    return (
        Markup('<a href="{}" tabindex="-1">{}</a>').format(link, inside) if link else Markup("<g>{}</g>").format(inside)
    )


def _told(drawing: Drawing, at: int) -> str:
    numbers = ", ".join(f"{each.name} {number_text(each.values[at])}" for each in drawing.series)
    return visible(f"{drawing.labels[at]}: {numbers} {drawing.unit}")


def _area(style: str, box: tuple[str, str, str, str]) -> Markup:
    """A filled box; the second series is hatched, so that it is another one in grey as well."""
    x, y, width, height = box
    shape = Markup('x="{}" y="{}" width="{}" height="{}"').format(x, y, width, height)
    plain = Markup('<rect class="{}" {}/>').format(style, shape)
    return plain + Markup('<rect fill="url(#hatch)" {}/>').format(shape) if style == "s2" else plain


def _labels(drawing: Drawing, step: Decimal) -> Markup:
    """As many labels under the places as have room."""
    texts = drawing.short or drawing.labels
    each = max(1, -(-int(7 * max(map(len, texts), default=1) + 8) // max(int(step), 1)))
    return Markup("").join(
        Markup('<text class="x" x="{}" y="{}">{}</text>').format(
            place(_LEFT + step * at + step / 2), _BOTTOM + 16, visible(text)
        )
        for at, text in enumerate(texts)
        if at % each == 0
    )


def _picture(drawing: Drawing, width: int, axis: Axis, inside: Markup) -> Markup:
    grid = Markup("").join(
        Markup('<path class="{}" d="M{} {}H{}"/><text class="y" x="{}" y="{}">{}</text>').format(
            "zero" if mark == 0 else "grid",
            _LEFT,
            place(axis.at(mark)),
            width - _RIGHT,
            _LEFT - 6,
            place(axis.at(mark) + 4),
            axis.text(mark).replace("-", "−"),
        )
        for mark in axis.marks
    )
    name = f"{drawing.name}-{width}"
    return Markup(
        '<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-t {name}-d">'
        '<title id="{name}-t">{title}</title><desc id="{name}-d">{said}</desc>'
        '<text class="unit" x="0" y="12">{unit}</text>{grid}{inside}</svg>'
    ).format(
        width=width,
        height=_HEIGHT - 6,
        name=name,
        title=visible(drawing.title),
        said=visible(drawing.said),
        unit=drawing.unit,
        grid=grid,
        inside=inside,
    )
