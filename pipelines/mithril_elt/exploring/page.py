"""A notebook as one HTML file that needs no network: words, tables and charts, in light and dark, on any width.

Stands on the notebooks' own outputs: marts → reports → DataFrames → notebooks → here. Controls are left out, since a
page answers nothing; what they were set to is said by the notebook.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import altair as alt
import marimo as mo
import pandas as pd

from mithril_elt.exploring.looks import PATTERNS, WORDS
from mithril_elt.exploring.tables import html_table

__all__ = ["page"]

_WIDE = 760  # as wide as a chart is on a desk, without its axis
_NARROW = 300  # as wide as a chart is on a phone, without its axis
_OUTSIDE = re.compile(
    r"<(?:script|link|iframe|object|embed|marimo-)|(?:src|href)\s*=\s*[\"']?(?!#|data:)", re.IGNORECASE
)
_MARK = re.compile(r'<path\b(?P<before>[^>]*?) aria-label="(?P<told>[^"]*)"(?P<after>[^>]*?)(?:/>|></path>)')
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #d0d7de; --soft: #f3f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --paper: #14171c; --line: #3a424d; --soft: #1d2229; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem 1.25rem 3rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.7rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .8125rem; margin: .5rem 0; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { background: var(--soft); vertical-align: bottom; }
td { white-space: nowrap; } td small { opacity: .75; } td.words { white-space: normal; min-width: 18rem; }
code, pre { background: var(--soft); border-radius: 4px; font-size: .875em; } code { padding: .1em .3em; }
pre { padding: .75rem; overflow-x: auto; } pre code { padding: 0; }
figure { margin: 1rem 0; overflow-x: auto; } svg { display: block; height: auto; max-width: 100%; }
.narrow { display: none; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .5rem; font-size: .875rem; }
@media (max-width: 52rem) { .wide { display: none; } .narrow { display: block; } body { padding: .75rem; } }
@media print { body { max-width: none; } figure, tr { break-inside: avoid; } }
"""


def page(title: str, outputs: Iterable[Any], footer: str) -> str:
    """The outputs of a notebook's cells in their order, as one HTML document.

    Raises:
        ValueError: an output would need something from outside the file.
    """
    parts = [part for number, output in enumerate(outputs) for part in _parts(output, number)]
    body = "\n".join(parts)
    outside = _OUTSIDE.search(body)
    if outside:
        raise ValueError(f"an output needs something from outside the page: {outside[0]!r}")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        f"<footer>{escape(footer)}</footer>\n</body>\n</html>\n"
    )


def _parts(output: Any, number: int) -> list[str]:
    """One output as HTML: nothing of what is no picture, no table and no text."""
    if isinstance(output, alt.TopLevelMixin):
        return [_figure(output.to_dict(), number)]
    if isinstance(output, pd.DataFrame):
        return [html_table(output)]
    if isinstance(output, mo.Html):
        return [_without_controls(output.text)]
    return []


def _without_controls(text: str) -> str:
    """What marimo would draw by scripts, its controls above all, is taken out with all that is in it, and its style."""
    return re.sub(r"<(marimo-[\w-]+|style)\b.*?</\1>", "", text, flags=re.DOTALL)


def _figure(spec: Mapping[str, Any], number: int) -> str:
    """A chart in two widths, if it is as wide as its place; the page shows the one that fits."""
    if spec.get("width") != "container":
        return f"<figure>{_svg(spec, f'c{number}w')}</figure>"
    wide = _svg({**spec, "width": _WIDE}, f"c{number}w")
    narrow = _svg(_for_phones(spec), f"c{number}n")
    return f'<figure><div class="wide">{wide}</div><div class="narrow">{narrow}</div></figure>'


def _for_phones(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The same chart as wide as a phone: its title broken into lines, its legend in one column, fewer ticks."""
    config = spec.get("config", {})
    axis = {**config.get("axis", {}), "labelLimit": 90}
    legend = {**config.get("legend", {}), "columns": 1, "gradientLength": 160}
    return {
        **spec,
        "width": _NARROW - 20,
        "title": _lines(str(spec.get("title", ""))),
        "config": {**config, "axis": axis, "legend": legend, "axisX": {"tickCount": 4}},
    }


def _lines(title: str, longest: int = 38) -> list[str]:
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + len(word) >= longest:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _svg(spec: Mapping[str, Any], name: str) -> str:
    """A chart as SVG that stands beside others: names of its own, patterns for colours, words in the page's colour."""
    drawn = io.StringIO()
    alt.Chart.from_dict(dict(spec)).save(drawn, format="svg")
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>", "", drawn.getvalue()).strip()
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = svg.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    svg = _MARK.sub(_pointed_at, svg)
    for colour, pattern in PATTERNS.items():
        svg = svg.replace(f'fill="{colour}"', f'fill="url(#{name}-{colour[1:]})"') if pattern else svg
    return re.sub(r"(<svg\b[^>]*>)", lambda tag: f"{tag[0]}<defs>{_patterns(name, svg)}</defs>", svg, count=1).replace(
        WORDS, "currentColor"
    )


def _pointed_at(mark: re.Match[str]) -> str:
    """What a reader is told of a mark, when it is pointed at or read aloud."""
    return f"<path{mark['before']}{mark['after']}><title>{mark['told']}</title></path>"


def _patterns(name: str, svg: str) -> str:
    """Those that are used: the colour with something drawn on it, which is told apart where colours are not."""
    return "".join(
        f'<pattern id="{name}-{colour[1:]}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="6" height="6" fill="{colour}"/>{drawn}</pattern>'
        for colour, drawn in PATTERNS.items()
        if drawn and f"#{name}-{colour[1:]})" in svg
    )
