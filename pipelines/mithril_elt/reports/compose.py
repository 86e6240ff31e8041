"""One report: checked, asked of the marts, and put together with what a reader must know beside it.

Stands at the end of the flow: marts → `query` → `figures` → here; `render` shows what this returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from mithril_elt.errors import UsageError
from mithril_elt.instants import iso
from mithril_elt.place import Place
from mithril_elt.reports.catalog import DEFINITIONS, REPORTS, SUMMARY
from mithril_elt.reports.figures import Cell, Columns, measures_of
from mithril_elt.reports.groupings import EVERY_GROUPING, Grouping, shown_key
from mithril_elt.reports.kinds import Definition, Figure
from mithril_elt.reports.list_catalog import CHARGEBACK, RATES, RECONCILIATION, RETURN_NOW, VARIANCE
from mithril_elt.reports.listed import LISTED, Asked, Listed
from mithril_elt.reports.marts import Marts, Project, read_marts
from mithril_elt.reports.names import names_of
from mithril_elt.reports.notices import notices
from mithril_elt.reports.part import PARTS, Part, checked_part, known_ids
from mithril_elt.reports.query import Gathered, gather
from mithril_elt.reports.return_now import Assumptions
from mithril_elt.reports.rules import Rule
from mithril_elt.reports.span import Span
from mithril_elt.reports.use import UseTable
from mithril_elt.reports.variance import compared_spans

if TYPE_CHECKING:
    import duckdb

__all__ = ["REPORT_NAMES", "Report", "days_of", "known_up_to", "report"]

REPORT_NAMES = (*DEFINITIONS, "summary")
# By what rows are where nothing is asked for, of reports that have no ungrouped one.
_BY = {
    CHARGEBACK.name: ("project", "user", "label"),
    RATES.name: ("instance-type", "region"),
    VARIANCE.name: ("instance-type",),
}


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
    against: Span | None = None

    @property
    def head(self) -> dict[str, Any]:
        """What the report is, up to when, of which time, and what a reader must know: as texts."""
        told = {"report": self.name, "as_of": iso(self.as_of), "from": iso(self.from_at), "to": iso(self.to_at)}
        told["timezone"] = self.timezone
        part = {"only": dict(self.part)} if self.part else {}
        other = self.against
        against = {"against": {"from": iso(other.from_at), "to": iso(other.to_at)}} if other else {}
        return {**told, "warnings": list(self.warnings), **part, **against}


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
    against: datetime | date | None = None,
) -> Report:
    """The report of that name from the marts of a DuckDB file (opened read-only) or connection, or from open marts.

    `by` are values of `--by`; `only` has groupings and the id of one group of each, as `--only` does; `from_at` and
    `to_at` are whole UTC hours with a zone, or dates, which begin where the marts cut days. Rows are in order of time,
    otherwise of the report's main figure, largest first; of a reconciliation what differs comes first. `limit` cuts
    them after that, and changes no figure. `rules` give the names of instances their labels, for a chargeback; `use`:
    how much GPUs were used, for the opportunities alone; `assumptions`: for return-now alone; `against`: where the
    span begins that a variance compares with. Raises UsageError for what has no meaning, WarehouseError for a
    database that cannot be read.
    """
    part = checked_part(only or {}, _parts_of(name), name)
    groupings = _checked(name, by, is_of_all=(from_at, to_at, part) == (None, None, ()))
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} shows nothing: it is 1 or more")
    with read_marts(db, marts_schema) as marts:
        timezone = marts.timezone
        span = Span.told(from_at, to_at, part, timezone)
        projects = _projects(marts, span)
        as_of = min((project.as_of for project in projects if project.as_of is not None), default=None)
        span, other = _spans(name, span, against, as_of, timezone)
        empty = Report(
            name,
            as_of,
            span.from_at,
            span.to_at,
            _warnings(marts, name, projects, span, other),
            columns=(),
            rows=(),
            by=tuple(dict.fromkeys(by)),
            timezone=timezone,
            part=span.part,
            against=other,
        )
        if name in LISTED:
            asked = Asked(groupings, span, other, rules, use, assumptions)
            whole = _around(marts, LISTED[name](marts, asked), empty)
        elif name == "summary":
            whole = _summary(marts, span, empty)
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
    return DEFINITIONS[name].groupings if name in DEFINITIONS and name != RECONCILIATION.name else ()


def _projects(marts: Marts, span: Span) -> list[Project]:
    """The projects of which figures are asked for. Raises UsageError for a part that is not there."""
    for option, identity in span.part:
        if identity not in known_ids(marts, option):
            raise UsageError(f"--only {option}={identity}: the marts have no such {option.replace('-', ' ')}")
    one = dict(span.part).get("project")
    return [project for project in marts.projects() if one in (None, project.project_id)]


def _spans(
    name: str, span: Span, against: datetime | date | None, as_of: datetime | None, timezone: str
) -> tuple[Span, Span | None]:
    """The span that is reported, and that with which it is compared, if it is."""
    if name == VARIANCE.name:
        return compared_spans(span, against, as_of, timezone)
    if against is not None:
        raise UsageError(f"the report {name} takes no --against: {VARIANCE.name} does")
    return span, None


def _warnings(marts: Marts, name: str, projects: list[Project], span: Span, other: Span | None) -> tuple[str, ...]:
    """What a reader must know of the span, and then what of the other one alone."""
    told = notices(marts, name, projects, span)
    before = notices(marts, name, projects, other) if other else []
    return (*told, *(f"Of the span before: {sentence}" for sentence in before if sentence not in told))


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
    keys = [shown_key(key, groupings) for key in groups.keys]
    rows = tuple((*key, *row) for key, row in zip(keys, zip(*cells, strict=True), strict=True))
    group_columns = tuple(grouping.column for grouping in groupings)
    return replace(
        empty,
        columns=(*group_columns, *(figure.name for figure in definition.figures)),
        rows=rows,
        group_columns=group_columns,
        total=tuple(Columns(whole, whole).cells(figure)[0] for figure in definition.figures),
        row_count=len(rows),
        names=_names(marts, groupings),
    )


def _around(marts: Marts, found: Listed, empty: Report) -> Report:
    """The report around the rows of a list."""
    group_columns = tuple(grouping.column for grouping in found.groupings)
    return replace(
        empty,
        warnings=(*empty.warnings, *found.warnings),
        columns=(*group_columns, *(figure.name for figure in DEFINITIONS[empty.name].figures)),
        rows=found.rows,
        by=tuple(grouping.option for grouping in found.groupings),
        group_columns=group_columns,
        total=found.total,
        row_count=len(found.rows),
        names=_names(marts, found.groupings),
    )


def _names(marts: Marts, groupings: Sequence[Grouping]) -> dict[str, dict[str, str]]:
    return {grouping.column: names_of(marts, grouping) for grouping in groupings if grouping.names}


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


def _cut(whole: Report, limit: int) -> Report:
    left_out = len(whole.rows) - limit
    if left_out <= 0:
        return whole
    sentence = f"{left_out:,} of {len(whole.rows):,} rows are left out by --limit {limit}."
    return replace(whole, rows=whole.rows[:limit], warnings=(*whole.warnings, sentence))
