"""How a reader sees a report's parts: dollars to the cent, hours to two places, names beside ids, notes below.

Part of the last step of the flow, under `table` and `render`. Machines get exact strings instead (`render`).
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from mithril_elt.instants import iso
from mithril_elt.reports.catalog import DEFINITIONS, REPORTS, SUMMARY
from mithril_elt.reports.compose import Report
from mithril_elt.reports.figures import Cell
from mithril_elt.reports.groupings import EVERY_GROUPING, LINE, REGIME, Grouping
from mithril_elt.reports.kinds import Figure
from mithril_elt.reports.list_catalog import RECONCILIATION
from mithril_elt.visible import shortened, visible

__all__ = [
    "amount_text",
    "cell_texts",
    "figures_of",
    "footnotes",
    "group_headings",
    "group_texts",
    "listed_texts",
    "number_text",
    "summary_sections",
    "title",
]

_ABSENT = "–"
_CENTS = Decimal("0.01")
_LONGEST_LABEL = 100  # names are whatever their owners typed, ids have 21 signs; JSON and CSV have all of them
_THOUSANDTHS = Decimal("0.001")
_WIDE = Context(prec=120, rounding=ROUND_HALF_EVEN)


def number_text(cell: Cell, places: Decimal = _CENTS) -> str:
    """A figure: half-even to two places, thousands apart; `–` where it is not known."""
    if cell is None:
        return _ABSENT
    if isinstance(cell, Decimal):
        # `plus` takes the sign from a negative number that rounds to nothing.
        return f"{_WIDE.plus(cell.quantize(places, context=_WIDE)):,}"
    return f"{cell:,}" if isinstance(cell, int) else _instant(cell)


def amount_text(field: str, cell: Cell) -> str:
    """A figure of a field of the vendor's summary: hours to three places, which is where they cease to agree."""
    return number_text(cell, _THOUSANDTHS if field.endswith("_hours") else _CENTS)


def cell_texts(report: Report, row: tuple[Cell, ...]) -> list[str]:
    """The figures of a row."""
    cells = row[len(report.group_columns) :]
    if report.name != RECONCILIATION.name:
        figures = zip(figures_of(report), cells, strict=True)
        return [_words(cell) if figure.unit.is_text else number_text(cell) for figure, cell in figures]
    field, ours, vendors, difference, agrees, cause = cells
    amounts = [amount_text(str(field), cell) for cell in (ours, vendors, difference)]
    return [str(field), *amounts, _ABSENT if agrees is None else _words(agrees), str(cause or "")]


def _words(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return str(cell or "")


def title(report: Report) -> str:
    """What the report is and for which time: `Cost by day, 2026-03-01 00:00 to 2026-04-01 00:00 UTC`."""
    words = report.name.replace("-", " ").capitalize()
    # A line is no grouping that was asked for.
    asked = [option.replace("-", " ") for option in report.by if option != LINE.option]
    by = f" by {' and '.join(asked)}" if asked else ""
    if report.name == RECONCILIATION.name:
        return f"{words}{by}"
    by += "".join(f", {option.replace('-', ' ')} {_label(identity)}" for option, identity in report.part)
    if report.from_at is None and report.to_at is None:
        return f"{words}{by}, all time"
    begin = f"from {_instant(iso(report.from_at))} " if report.from_at is not None else ""
    end = f"to {_instant(iso(report.to_at))} " if report.to_at is not None else ""
    return f"{words}{by}, {begin}{end}UTC"


def footnotes(report: Report) -> list[str]:
    """What stands under the figures: up to when they are complete, that they are estimates, the warnings."""
    notes = [] if report.as_of is None else [f"Complete up to {_instant(iso(report.as_of))} UTC."]
    if report.against:
        ends = (_instant(iso(at)) for at in (report.against.from_at, report.against.to_at))
        notes.append(f"Before is {' to '.join(ends)} UTC.")
    if report.timezone != "UTC":
        notes.append(f"Days and months are those of {report.timezone}.")
    if report.name == "summary" or DEFINITIONS[report.name].is_estimate:
        notes.append("Dollars are estimated from the API's histories; this is not an invoice.")
    return [" ".join(notes), *(f"Warning: {visible(warning)}" for warning in report.warnings)]


def figures_of(report: Report) -> tuple[Figure, ...]:
    """The figures of the report's columns after the groups."""
    return DEFINITIONS[report.name].figures


def listed_texts(figure: Figure, cell: Cell) -> tuple[str, str, str]:
    """A figure on a line of its own: the words, the value and the unit's sign."""
    if figure.unit.name == "instant":
        return f"{figure.heading} ({figure.unit.sign})", number_text(cell), ""
    return figure.heading, number_text(cell), figure.unit.sign


def group_headings(report: Report) -> list[str]:
    """The headings over the texts of `group_texts`: for each grouping the name, if any is known, and the id."""
    headings = []
    for grouping in _groupings(report):
        words = grouping.option.replace("-", " ")
        headings += [words, ""] if _has_names(report, grouping) else [words]
    return headings


def group_texts(report: Report, row: tuple[Cell, ...]) -> list[str]:
    """What a row is of: for each grouping asked for, the name, if any is known, and the id."""
    ids = dict(zip(report.group_columns, row, strict=False))
    texts = []
    for grouping in _groupings(report):
        name, identity = _name_and_id(report, grouping, ids)
        texts += [name, identity] if _has_names(report, grouping) else [identity or name]
    return [_label(text) for text in texts]


def summary_sections(report: Report) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """The summary by report: its name, and of each figure the words, the value and the unit's sign."""
    cells = iter(report.rows)
    sections = []
    for name, figure_names in SUMMARY:
        figures = {figure.name: figure for figure in REPORTS[name].figures}
        lines = []
        # Rows that --limit left out are not there to be shown.
        for figure_name, (_, value, _unit) in zip(figure_names, cells, strict=False):
            lines.append(listed_texts(figures[figure_name], value))
        sections.append((name.replace("-", " ").capitalize(), lines))
    return sections


def _label(text: str) -> str:
    return shortened(visible(text), _LONGEST_LABEL)


def _groupings(report: Report) -> list[Grouping]:
    known = {**EVERY_GROUPING, LINE.option: LINE, REGIME.option: REGIME}
    return [known[option] for option in report.by]


def _has_names(report: Report, grouping: Grouping) -> bool:
    return bool(report.names.get(grouping.column))


def _name_and_id(report: Report, grouping: Grouping, ids: dict[str, Cell]) -> tuple[str, str]:
    identity = ids[grouping.column]
    if identity is not None:
        text = _instant(str(identity)) if grouping.option == "hour" else str(identity)
        return report.names.get(grouping.column, {}).get(str(identity), ""), text
    reservation = ids.get("reservation_id")
    if grouping.option == "instance" and reservation is not None:
        name = report.names.get("reservation_id", {}).get(str(reservation), "")
        return f"(unused) {name}".rstrip(), str(reservation)
    return grouping.missing, ""


def _instant(text: str | None) -> str:
    """`2026-03-31T12:00:59Z` as `2026-03-31 12:00`: cut to the minute, so never later than it is."""
    return "" if text is None else text[:16].replace("T", " ")
