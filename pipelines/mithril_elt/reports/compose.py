"""One report: checked, asked of the marts, and put together with what a reader must know beside it.

Stands at the end of the flow: marts → `query` → `figures` → here; `render` shows what this returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from mithril_elt.errors import UsageError
from mithril_elt.instants import iso
from mithril_elt.place import Place
from mithril_elt.reports.catalog import (
    CHARGEBACK,
    DEFINITIONS,
    OPPORTUNITIES,
    RATES,
    RECONCILIATION,
    REPORTS,
    RETURN_NOW,
    SUMMARY,
    Definition,
)
from mithril_elt.reports.chargeback import charged_lines, rule_notices
from mithril_elt.reports.figures import Cell, Columns, measures_of
from mithril_elt.reports.groupings import EVERY_GROUPING, GROUPINGS, LABEL, LINE, REGIME, Grouping
from mithril_elt.reports.kinds import Figure
from mithril_elt.reports.low_use import unused_lines
from mithril_elt.reports.marts import Marts, Project, read_marts
from mithril_elt.reports.names import names_of
from mithril_elt.reports.notices import notices
from mithril_elt.reports.opportunities import opportunity_rows
from mithril_elt.reports.part import PARTS, Part, checked_part, known_ids
from mithril_elt.reports.query import Gathered, gather
from mithril_elt.reports.rates import rate_notices, rate_rows
from mithril_elt.reports.reconciliation import reconciled_rows
from mithril_elt.reports.return_now import Assumptions, return_now_rows
from mithril_elt.reports.rules import Rule
from mithril_elt.reports.span import Span
from mithril_elt.reports.use import UseTable, read_use

if TYPE_CHECKING:
    import duckdb

__all__ = ["REPORT_NAMES", "Report", "days_of", "known_up_to", "report"]

REPORT_NAMES = (*DEFINITIONS, "summary")
# By what rows are where nothing is asked for, of reports that have no ungrouped one.
_BY = {CHARGEBACK.name: ("project", "user", "label"), RATES.name: ("instance-type", "region")}


@dataclass(frozen=True)
class Report:
    """A report: `rows` under `columns`, the groups first, each cell a Decimal, a count, a text or None.

    Decimals have 12 places and, but for a reconciliation, add up: over the rows of any grouping to the row of the
    ungrouped report, which is `total`. `by` are the groupings asked for, `group_columns` all that the rows have;
    `row_count` counts the rows before `--limit`; `names` has, by column, the names of its ids. `part` says of
    what it is, if not of all: groupings and the id of one group of each. `timezone` is that
    of its days and months.
    """

    name: str
    as_of: datetime | None
    from_at: datetime | None
    to_at: datetime | None
    warnings: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    by: tuple[str, ...] = ()
    group_columns: tuple[str, ...] = ()
    total: tuple[Cell, ...] = ()
    row_count: int = 0
    timezone: str = "UTC"
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    part: Part = ()

    @property
    def head(self) -> dict[str, Any]:
        """What the report is, up to when, of which time, and what a reader must know: as texts."""
        told = {"report": self.name, "as_of": iso(self.as_of), "from": iso(self.from_at), "to": iso(self.to_at)}
        told["timezone"] = self.timezone
        part = {"only": dict(self.part)} if self.part else {}
        return {**told, "warnings": list(self.warnings), **part}


def report(
    db: Place | duckdb.DuckDBPyConnection | Marts,
    name: str,
    *,
    by: Sequence[str] = (),
    only: Mapping[str, str] | None = None,
    from_at: datetime | date | None = None,
    to_at: datetime | date | None = None,
    limit: int | None = None,
    rules: Sequence[Rule] = (),
    marts_schema: str = "marts",
    use: UseTable | None = None,
    assumptions: Assumptions | None = None,
) -> Report:
    """The report of that name from the marts of a DuckDB file (opened read-only) or connection, or from open marts.

    `by` are values of `--by`; `only` has groupings and the id of one group of each, as `--only` does; `from_at` and
    `to_at` are whole UTC hours with a zone, or dates, which begin where the marts cut days. Rows are in order of time,
    otherwise of the report's main figure, largest first; of a reconciliation what differs comes first. `limit` cuts
    them after that, and changes no figure. `rules` give the names of instances their labels, for a chargeback; `use`:
    how much GPUs were used, for the opportunities alone; `assumptions`: for return-now alone. Raises UsageError for
    what has no meaning, WarehouseError for a database that cannot be read.
    """
    part = checked_part(only or {}, _parts_of(name), name)
    groupings = _checked(name, by, is_of_all=(from_at, to_at, part) == (None, None, ()))
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} shows nothing: it is 1 or more")
    with read_marts(db, marts_schema) as marts:
        timezone = marts.timezone
        span = Span.told(from_at, to_at, part, timezone)
        projects = _projects(marts, span)
        empty = Report(
            name,
            min((project.as_of for project in projects if project.as_of is not None), default=None),
            span.from_at,
            span.to_at,
            tuple(notices(marts, name, projects, span)),
            columns=(),
            rows=(),
            by=tuple(dict.fromkeys(by)),
            timezone=timezone,
            part=span.part,
        )
        if name == "summary":
            whole = _summary(marts, span, empty)
        elif name == OPPORTUNITIES.name:
            whole = _lines(marts, span, empty, use)
        elif name == RETURN_NOW.name:
            whole = _ways_on(marts, empty, assumptions or Assumptions())
        elif name == CHARGEBACK.name:
            whole = _charged(marts, groupings, span, empty, rules)
        elif name == RATES.name:
            whole = _rated(marts, groupings, span, empty)
        elif name == RECONCILIATION.name:
            whole = _reconciled(marts, empty)
        else:
            whole = _grouped(marts, groupings, span, empty)
    return whole if limit is None else _cut(whole, limit)


def known_up_to(db: Place | duckdb.DuckDBPyConnection, *, marts_schema: str = "marts") -> list[datetime]:
    """The as_of of each project in the marts that has one, in UTC. Raises as `report` does."""
    with read_marts(db, marts_schema) as marts:
        return [project.as_of for project in marts.projects() if project.as_of is not None]


def days_of(db: Place | duckdb.DuckDBPyConnection, *, marts_schema: str = "marts") -> str:
    """The zone of the days and months in the marts. Raises as `report` does."""
    with read_marts(db, marts_schema) as marts:
        return marts.timezone


def _parts_of(name: str) -> tuple[str, ...]:
    """The groupings for one group of which a report has a meaning; of a summary all its figures must have one."""
    if name == "summary":
        return tuple(part for part in PARTS if all(part in REPORTS[each].groupings for each, _ in SUMMARY))
    takes = {**REPORTS, CHARGEBACK.name: CHARGEBACK, RATES.name: RATES}
    return takes[name].groupings if name in takes else ()


def _projects(marts: Marts, span: Span) -> list[Project]:
    """The projects of which figures are asked for. Raises UsageError for a part that is not there."""
    for option, identity in span.part:
        if identity not in known_ids(marts, option):
            raise UsageError(f"--only {option}={identity}: the marts have no such {option.replace('-', ' ')}")
    one = dict(span.part).get("project")
    return [project for project in marts.projects() if one in (None, project.project_id)]


def _checked(name: str, by: Sequence[str], *, is_of_all: bool) -> list[Grouping]:
    if name not in REPORT_NAMES:
        raise UsageError(f"there is no report {name!r}: there are {', '.join(REPORT_NAMES)}")
    if name == RETURN_NOW.name and not is_of_all:
        raise UsageError(f"the report {name} takes neither --from nor --to: it is of the time that is left at as_of")
    if name == RECONCILIATION.name and not is_of_all:
        raise UsageError(
            f"the report {name} takes neither --from nor --to: the vendor sums up each reservation from its beginning"
            " to one instant (--as-of sets a latest one)"
        )
    known = DEFINITIONS[name].groupings if name in DEFINITIONS else ()
    by = by or _BY.get(name, ())
    for option in by:
        if option not in EVERY_GROUPING:
            raise UsageError(f"--by {option!r} is no grouping: there are {', '.join(EVERY_GROUPING)}")
        if not known:
            raise UsageError(f"the report {name} takes no --by: it is one list")
        if option not in known:
            raise UsageError(f"the report {name} has no meaning by {option}: it has by {', '.join(known)}")
    together = [second for first, second in DEFINITIONS[name].together if first in by] if known else []
    return [EVERY_GROUPING[option] for option in dict.fromkeys([*by, *together])]


def _grouped(marts: Marts, groupings: list[Grouping], span: Span, empty: Report) -> Report:
    definition = REPORTS[empty.name]
    measures = measures_of(definition.figures)
    whole = gather(marts, measures, (), span)
    groups = gather(marts, measures, groupings, span) if groupings else whole
    groups = groups.ordered(_order(groups, whole, definition, groupings))
    columns = Columns(groups, whole)
    cells = [columns.cells(figure) for figure in definition.figures]
    keys = [_shown_key(key, groupings) for key in groups.keys]
    rows = tuple((*key, *row) for key, row in zip(keys, zip(*cells, strict=True), strict=True))
    group_columns = tuple(grouping.column for grouping in groupings)
    return replace(
        empty,
        columns=(*group_columns, *(figure.name for figure in definition.figures)),
        rows=rows,
        group_columns=group_columns,
        total=tuple(Columns(whole, whole).cells(figure)[0] for figure in definition.figures),
        row_count=len(rows),
        names={grouping.column: names_of(marts, grouping) for grouping in groupings if grouping.names},
    )


def _charged(marts: Marts, groupings: list[Grouping], span: Span, empty: Report, rules: Sequence[Rule]) -> Report:
    rows, total = charged_lines(marts, groupings, span, rules, lambda key: _shown_key(key, groupings))
    told = rule_notices(marts, rules) if LABEL in groupings else []
    return _listed(marts, [*groupings, LINE], replace(empty, rows=rows, total=total), told)


def _rated(marts: Marts, groupings: list[Grouping], span: Span, empty: Report) -> Report:
    rows, total = rate_rows(marts, groupings, span, lambda key: _shown_key(key, groupings))
    return _listed(marts, [*groupings, REGIME], replace(empty, rows=rows, total=total), rate_notices(total))


def _listed(marts: Marts, groupings: Sequence[Grouping], found: Report, told: Sequence[str]) -> Report:
    """The report around rows of these groupings."""
    group_columns = tuple(grouping.column for grouping in groupings)
    return replace(
        found,
        warnings=(*found.warnings, *told),
        columns=(*group_columns, *(figure.name for figure in DEFINITIONS[found.name].figures)),
        by=tuple(grouping.option for grouping in groupings),
        group_columns=group_columns,
        row_count=len(found.rows),
        names={grouping.column: names_of(marts, grouping) for grouping in groupings if grouping.names},
    )


def _reconciled(marts: Marts, empty: Report) -> Report:
    [by] = (GROUPINGS[option] for option in RECONCILIATION.groupings)
    names = [figure.name for figure in RECONCILIATION.figures]
    rows = reconciled_rows(marts, (by.column, *names))
    return replace(
        empty,
        columns=(by.column, *names),
        rows=rows,
        by=RECONCILIATION.groupings,
        group_columns=(by.column,),
        row_count=len(rows),
        names={by.column: names_of(marts, by)},
    )


def _lines(marts: Marts, span: Span, empty: Report, use: UseTable | None) -> Report:
    of = [GROUPINGS["reservation"], GROUPINGS["instance"]]
    group_columns = tuple(grouping.column for grouping in of)
    unused, left_open = unused_lines(marts, read_use(marts, use), span) if use else ([], [])
    rows, total = opportunity_rows(marts, span, unused)
    return replace(
        empty,
        warnings=(*empty.warnings, *left_open),
        columns=(*group_columns, *(figure.name for figure in OPPORTUNITIES.figures)),
        rows=rows,
        by=tuple(grouping.option for grouping in of),
        group_columns=group_columns,
        total=total,
        row_count=len(rows),
        names={grouping.column: names_of(marts, grouping) for grouping in of if grouping.names},
    )


def _ways_on(marts: Marts, empty: Report, assumptions: Assumptions) -> Report:
    of = GROUPINGS["reservation"]
    rows, assumed = return_now_rows(marts, assumptions)
    return replace(
        empty,
        columns=(of.column, *(figure.name for figure in RETURN_NOW.figures)),
        rows=rows,
        by=(of.option,),
        group_columns=(of.column,),
        row_count=len(rows),
        names={of.column: names_of(marts, of)},
        warnings=(*empty.warnings, *assumed),
    )


def _summary(marts: Marts, span: Span, empty: Report) -> Report:
    rows: list[tuple[Cell, ...]] = []
    for name, figure_names in SUMMARY:
        figures = _figures(name, figure_names)
        whole = gather(marts, measures_of(figures), (), span)
        columns = Columns(whole, whole)
        rows += [(figure.name, columns.cells(figure)[0], figure.unit.name) for figure in figures]
    return replace(empty, columns=("metric", "value", "unit"), rows=tuple(rows), row_count=len(rows))


def _figures(report_name: str, names: Sequence[str]) -> list[Figure]:
    by_name = {figure.name: figure for figure in REPORTS[report_name].figures}
    return [by_name[name] for name in names]


def _order(groups: Gathered, whole: Gathered, definition: Definition, groupings: Sequence[Grouping]) -> list[int]:
    """Positions of the groups by time, then by the main figure (largest first, unknown last), then by id."""
    [main] = _figures(definition.name, [definition.sorted_by])
    numbers = Columns(groups, whole).exact(main)

    def rank(position: int) -> tuple[Any, ...]:
        number = numbers[position]
        parts = list(zip(groupings, groups.keys[position], strict=True))
        times = [part for grouping, part in parts if grouping.is_time]
        ids = [(part is None, part or "") for grouping, part in parts if not grouping.is_time]
        return (*times, number is None, -(number or 0), *ids)

    return sorted(range(len(groups.keys)), key=rank)


def _shown_key(key: tuple[Any, ...], groupings: Sequence[Grouping]) -> tuple[str | None, ...]:
    return tuple(_shown(part, grouping.column) for part, grouping in zip(key, groupings, strict=True))


def _shown(part: object, column: str) -> str | None:
    if isinstance(part, datetime):
        return iso(part.replace(tzinfo=UTC))
    if isinstance(part, date):
        return part.isoformat()[:7] if column == "month" else part.isoformat()
    return None if part is None else str(part)


def _cut(whole: Report, limit: int) -> Report:
    left_out = len(whole.rows) - limit
    if left_out <= 0:
        return whole
    sentence = f"{left_out:,} of {len(whole.rows):,} rows are left out by --limit {limit}."
    return replace(whole, rows=whole.rows[:limit], warnings=(*whole.warnings, sentence))
