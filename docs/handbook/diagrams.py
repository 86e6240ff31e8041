"""Drawings of tables and what joins them: one box in the middle, others to its left and right, as SVG inside a page.

Stands under `tables`. Nothing crosses, so nothing needs to be laid out; signs and words tell what lines mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Box", "drawn"]

_WIDTH, _LINE, _GAP, _SPACE, _TOP = 320, 18, 14, 110, 60


@dataclass(frozen=True)
class Box:
    """A table: its name, where it leads, what stands under the name, and whether its line to the middle is dashed."""

    name: str
    link: str
    lines: tuple[str, ...] = ()
    is_dashed: bool = False

    @property
    def height(self) -> int:
        """Its height in the drawing."""
        return _LINE * (1 + len(self.lines)) + 10


def drawn(middle: Box, left: Sequence[Box] = (), right: Sequence[Box] = (), *, title: str) -> str:
    """The drawing as one line of SVG, whose title says what it shows to those who hear it."""
    height = max(_tall(left), _tall(right), middle.height)
    x = (_WIDTH + _SPACE) if left else 0
    width = x + _WIDTH + ((_WIDTH + _SPACE) if right else 0)
    top = min((height - middle.height) // 2, _TOP)  # where it is seen, however many the others are
    parts = [_box(middle, x, top)]
    for boxes, at in ((left, 0), (right, x + _WIDTH + _SPACE)):
        y = (height - _tall(boxes)) // 2
        for each in boxes:
            parts += [_box(each, at, y), _line(each, at, y + each.height // 2, x, top + middle.height // 2)]
            y += each.height + _GAP
    head = f'<svg class="tables" viewBox="-2 -2 {width + 4} {height + 4}" role="img" aria-label="{escape(title)}">'
    return f"{head}<title>{escape(title)}</title>{''.join(parts)}</svg>"


def _tall(boxes: Sequence[Box]) -> int:
    return sum(box.height + _GAP for box in boxes) - _GAP if boxes else 0


def _box(box: Box, x: int, y: int) -> str:
    lines = "".join(
        f'<text x="{x + 10}" y="{y + _LINE * (n + 2)}">{escape(line)}</text>' for n, line in enumerate(box.lines)
    )
    name = f'<a href="{escape(box.link)}"><text class="name" x="{x + 10}" y="{y + _LINE}">{escape(box.name)}</text></a>'
    return f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{box.height}" rx="4"/>{name}{lines}'


def _line(box: Box, x: int, y: int, middle_x: int, middle_y: int) -> str:
    """From the edge of a box to the edge of the middle one that faces it."""
    start, end = (x + _WIDTH, middle_x) if x < middle_x else (x, middle_x + _WIDTH)
    bend = (start + end) // 2
    dashed = ' class="dashed"' if box.is_dashed else ""
    return f'<path{dashed} d="M{start} {y} C{bend} {y} {bend} {middle_y} {end} {middle_y}"/>'
