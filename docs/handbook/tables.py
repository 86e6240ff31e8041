"""The pages of tables and columns: marts one by one, layers, what joins them, and the columns of reports.

Stands at the end of the flow, beside `commands` and `written`, on `models` and `diagrams`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from handbook.diagrams import Box, drawn
from handbook.models import Table, all_tables
from handbook.words import cell, table
from mithril_elt.reports.catalog import DEFINITIONS

__all__ = ["table_pages"]

_LAYERS = {
    "raw": ("Raw tables", "What the API said, as dlt's schema has it. Analysts do not read these."),
    "seeds": ("Seeds", "Tables of rules, as CSV beside the models: they may be edited."),
    "staging": ("Staging", "Renamed and cast, nothing else: one model a raw table."),
    "intermediate": ("Intermediate models", "One step each. [The models](models.md) has the way through them."),
}
_RAW_KEYS = {
    "projects": ("project",),
    "instance_types": ("instance_type",),
    "instances": ("instance_fid",),
    "reservations": ("reservation", "reservation_fid"),
    "spot_bids": ("bid", "bid_fid"),
}

_JOINS = (
    "A line goes from a dimension, which has a key once, to each table that has it. Solid, `tested`: a data test holds"
    " on each build that every id is in the dimension. Dashed: the same column, which may also name what no list has."
)
_UNITS = (
    "As JSON, CSV and DataFrames have them. `…_hours` and `…_usd` are exact decimals; `…_pct` percent; `…_s` seconds."
    " Null is what is unknown."
)


def table_pages() -> dict[str, str]:
    """All pages by their place on the site, as Markdown."""
    tables = all_tables()
    marts = _of_layer("marts", tables)
    pages = {each.page: _mart(each, tables) for each in marts}
    for layer, (title, words) in _LAYERS.items():
        sections = (line for each in _of_layer(layer, tables) for line in _section(each, tables))
        pages[f"{layer}.md"] = _page(title, words, *sections)
    pages["tables.md"] = _page("Marts", "Analysts, notebooks and reports read these, and nothing else.", *_list(marts))
    pages["erd.md"] = _page("What joins the tables", _JOINS, *_stars(tables))
    pages["report-columns.md"] = _page("Columns of reports", _UNITS, *_reports())
    return pages


def _of_layer(layer: str, tables: Mapping[str, Table]) -> list[Table]:
    return sorted((each for each in tables.values() if each.layer == layer), key=lambda each: each.name)


def _page(title: str, words: str, *lines: str) -> str:
    return "\n".join([f"# {title}", "", words, "", *lines, ""])


def _list(marts: Sequence[Table]) -> Iterator[str]:
    yield "[What joins them](erd.md) draws their keys."
    yield ""
    rows = [(f"[`{each.name}`]({each.page})", cell(each.description), each.kept_as) for each in marts]
    yield from table(("mart", "what it has", "kept as"), rows)


def _mart(mart: Table, tables: Mapping[str, Table]) -> str:
    """The page of a mart: what it has, its columns, and what it is made from and read by."""
    above, below = ([tables[name] for name in names] for names in (mart.made_from, mart.read_by))
    lineage = drawn(
        Box(mart.name, f"{mart.name}.html"),
        [Box(each.shown, _html(each)) for each in above],
        [Box(each.name, _html(each)) for each in below],
        title=f"{mart.name} is made from {_names(above)} and read by {_names(below)}",
    )
    heads = ", ".join(f"[`{each.shown}`](../{each.page})" for each in _raw_above(mart, tables))
    return _page(
        mart.name,
        cell(mart.description),
        *_columns(mart, tables, "../"),
        "",
        "## Lineage",
        "",
        lineage,
        "",
        f"All of it comes from {heads}.",
    )


def _html(of: Table) -> str:
    """Where a drawing on the page of a mart leads: drawings are HTML already."""
    return f"{of.name}.html" if of.layer == "marts" else f"../{of.page.replace('.md', '.html')}"


def _names(of: Sequence[Table]) -> str:
    return ", ".join(each.name for each in of) or "nothing"


def _raw_above(of: Table, tables: Mapping[str, Table]) -> list[Table]:
    """The raw tables that a table comes from, by whatever steps."""
    waiting, seen = [*of.made_from], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += tables[name].made_from
    return [tables[name] for name in sorted(seen) if tables[name].layer == "raw"]


def _section(of: Table, tables: Mapping[str, Table]) -> Iterator[str]:
    """A table among others of its layer."""
    yield from (f"## {of.name}", "", cell(of.description), "")
    yield from (
        f"Kept as: {of.kept_as}." + (f" Key: {', '.join(f'`{each}`' for each in of.key)}." if of.key else ""),
        "",
    )
    for words, names in (("Made from", of.made_from), ("Read by", of.read_by)):
        if names:
            yield f"{words} {', '.join(f'[`{tables[name].shown}`]({tables[name].page})' for name in names)}."
            yield ""
    yield from _columns(of, tables, "")
    yield ""


def _columns(of: Table, tables: Mapping[str, Table], up: str) -> Iterator[str]:
    rows = []
    for name, kind, meaning in of.columns:
        parent = of.references.get(name)
        joins = f" Is in [`{parent}`]({up}{tables[parent].page})." if parent else ""
        mark = " (key)" if (name,) == of.key else ""
        rows.append((f"`{name}`{mark}", kind.lower(), cell(meaning).rstrip(".") + "." + joins))
    if rows:
        yield from table(("column", "type", "meaning"), rows)


def _stars(tables: Mapping[str, Table]) -> Iterator[str]:
    """A drawing for each dimension of marts, and for each list of raw."""
    marts, raw = (_of_layer(layer, tables) for layer in ("marts", "raw"))
    for dimension in (each for each in marts if each.name.startswith("dim_")):
        (key,) = dimension.key
        boxes = [_having(each, key) for each in marts if key in _column_names(each) and each != dimension]
        yield from _star(dimension, key, f"tables/{dimension.name}.html", boxes)
    for name, columns in _RAW_KEYS.items():
        listed = tables[f"raw_{name}"]
        found = [
            (each, [column for column in columns if column in _column_names(each)]) for each in raw if each != listed
        ]
        boxes = [Box(each.shown, f"raw.html#{each.name}", (has[0],), is_dashed=True) for each, has in found if has]
        yield from _star(listed, "fid", f"raw.html#{name}", boxes)


def _having(mart: Table, key: str) -> Box:
    """A mart that has the key of a dimension."""
    is_tested = key in mart.references
    own = (f"{', '.join(mart.key)} (key)" if mart.key else "no key of one column") + (", tested" if is_tested else "")
    return Box(mart.name, f"tables/{mart.name}.html", (own,), is_dashed=not is_tested)


def _star(middle: Table, key: str, link: str, boxes: Sequence[Box]) -> Iterator[str]:
    title = f"{middle.shown} has {key} once; many rows of {', '.join(box.name for box in boxes)} have it"
    yield from (f"## {middle.shown}", "", drawn(Box(middle.shown, link, (f"{key} (key)",)), (), boxes, title=title), "")


def _column_names(of: Table) -> set[str]:
    return {name for name, *_ in of.columns}


def _reports() -> Iterator[str]:
    for name, report in DEFINITIONS.items():
        yield from (
            f"## {name}",
            "",
            f"By {', '.join(f'`{each}`' for each in report.groupings) or 'nothing else'}.",
            "",
        )
        rows = [(f"`{each.name}`", each.unit.name, cell(each.heading)) for each in report.figures]
        yield from table(("column", "kind", "in a table it is called"), rows)
        yield ""
