"""Charges as files that FinOps tools read, in the words of FOCUS: rows of the marts `focus_…`, written as they come.

Stands at the end of the flow, on `reports`, which open the marts: marts → here. DuckDB writes the files, so that
memory does not grow with the rows; from PostgreSQL they come as CSV.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mithril_elt.errors import UsageError, WarehouseError
from mithril_elt.place import Place
from mithril_elt.postgres import Session
from mithril_elt.quoting import quoted_text
from mithril_elt.reports.marts import Marts, read_marts
from mithril_elt.reports.notices import on_the_whole
from mithril_elt.reports.span import Span
from mithril_elt.whole_files import whole_file

if TYPE_CHECKING:
    import duckdb

__all__ = ["KINDS", "VERSIONS", "Exported", "FocusPlan", "export_focus"]

VERSIONS = ("1.2", "1.4")
KINDS = ("cost-and-usage", "contract-commitment")
_MARTS = {
    ("1.2", "cost-and-usage"): "focus_1_2",
    ("1.4", "cost-and-usage"): "focus_1_4",
    ("1.4", "contract-commitment"): "focus_1_4_contract_commitment",
}
_PROJECT = {"cost-and-usage": "SubAccountId", "contract-commitment": "x_ProjectId"}
_BOOKED = {"cost-and-usage": "x_BookedAt", "contract-commitment": "ContractCommitmentCreated"}
_TIMES = ("timestamp", "timestamp without time zone")
# A spreadsheet takes a text with such a start for a formula, and runs it; an apostrophe makes it text again.
_FORMULA = r"'^[=+@\t\r\n＝＋－＠-]'"


@dataclass(frozen=True)
class FocusPlan:
    """What to write: of which version and dataset, of which projects (all, if none is named) and when booked."""

    version: str
    kind: str = "cost-and-usage"
    span: Span = field(default_factory=Span)
    projects: tuple[str, ...] = ()
    billing_account: str | None = None

    @property
    def mart(self) -> str:
        """The mart that has the rows; raises UsageError if there is no such dataset in that version."""
        if (self.version, self.kind) not in _MARTS:
            raise UsageError(f"FOCUS {self.version} has no dataset {self.kind}: --version 1.4 has")
        return _MARTS[self.version, self.kind]


@dataclass(frozen=True)
class Exported:
    """What was written: the number of rows, and what the rows lack, one sentence for each kind of charge and lack."""

    rows: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Column:
    name: str
    type: str

    @property
    def quoted(self) -> str:
        return f'"{self.name}"'


def export_focus(
    db: Place | duckdb.DuckDBPyConnection, out: Path, plan: FocusPlan, *, marts_schema: str = "marts"
) -> Exported:
    """Writes rows of the marts to a `.csv` or `.parquet` file, which is there whole or not at all.

    Costs are decimals of 12 places, instants UTC. Raises UsageError for another ending and where the file
    cannot be written, WarehouseError if the marts cannot be read.
    """
    ending = out.suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise UsageError(f"--out {out}: the name of the file ends in .csv or .parquet")
    # The file takes its name once the marts are known to be of one build.
    with whole_file(out) as partial, read_marts(db, marts_schema) as marts:
        _check_projects(marts, plan)
        rows = _write(marts, plan, _columns(marts, plan.mart), partial, ending)
        projects = [each for each in marts.projects() if not plan.projects or each.project_id in plan.projects]
        return Exported(rows, (*on_the_whole(marts, projects, plan.span), *_gaps(marts, plan)))


def _check_projects(marts: Marts, plan: FocusPlan) -> None:
    known = {project.project_id for project in marts.projects()}
    unknown = [project for project in plan.projects if project not in known]
    if unknown:
        raise UsageError(f"there is no project {', '.join(unknown)} in the marts: there are {', '.join(sorted(known))}")


def _columns(marts: Marts, mart: str) -> list[_Column]:
    """The columns of a mart, in order; raises WarehouseError if it is not there."""
    found = marts.rows(
        "select column_name, data_type from information_schema.columns where table_catalog = current_database()"
        f" and table_schema = '{marts.schema}' and table_name = '{mart}' order by ordinal_position"
    )
    if not found:
        raise WarehouseError(f"there is no mart {mart} in schema {marts.schema!r}: `mithril-elt build --full` makes it")
    return [_Column(str(name), str(kind).lower()) for name, kind in found]


def _write(marts: Marts, plan: FocusPlan, columns: Sequence[_Column], file: Path, ending: str) -> int:
    """Writes the file, and returns the number of its rows."""
    connection = marts.connection
    if isinstance(connection, Session):
        return _write_from_postgres(marts, plan, columns, file, ending)
    to_csv = ending == ".csv"
    said = ", ".join(_in_csv(plan, column) if to_csv else _in_parquet(plan, column) for column in columns)
    return _copied(connection, marts.inside(_query(plan, said)), file, to_csv=to_csv)


def _copied(connection: Any, query: str, file: Path, *, to_csv: bool) -> int:
    import duckdb  # noqa: PLC0415  # takes longer to load than the rest

    form = "format csv, header true" if to_csv else "format parquet, compression zstd"
    try:
        [rows] = connection.execute(f"copy ({query}) to {quoted_text(str(file))} ({form})").fetchone()
    except duckdb.Error as error:
        what = (
            f"{file.parent} cannot be written to"
            if isinstance(error, duckdb.IOException)
            else "the marts cannot be read"
        )
        raise WarehouseError(f"{what}: {str(error).partition(chr(10))[0]}") from error
    return int(rows)


def _write_from_postgres(marts: Marts, plan: FocusPlan, columns: Sequence[_Column], file: Path, ending: str) -> int:
    """The server sends CSV: the file itself, or what DuckDB makes Parquet of."""
    to_csv = ending == ".csv"
    said = ", ".join(_in_csv(plan, column, postgres=True) if to_csv else _renamed(plan, column) for column in columns)
    query = marts.inside(_query(plan, said))
    if to_csv:
        with file.open("wb") as rows:
            marts.connection.copy_out(f"copy ({query}) to stdout (format csv, header true)", rows)
        [(count,)] = marts.rows(_query(plan, "count(*)"))
        return int(count)
    import duckdb  # noqa: PLC0415  # as above

    with tempfile.TemporaryDirectory(prefix="mithril-elt-") as folder, duckdb.connect() as connection:
        sent = Path(folder) / "rows.csv"
        with sent.open("wb") as rows:
            marts.connection.copy_out(f"copy ({query}) to stdout (format csv, header true)", rows)
        types = ", ".join(f"{quoted_text(column.name)}: {quoted_text(_duckdb_type(column))}" for column in columns)
        read = f"read_csv({quoted_text(str(sent))}, header = true, columns = {{{types}}})"
        said = ", ".join(_in_parquet(plan, column) for column in columns)
        return _copied(connection, f"select {said} from {read}", file, to_csv=False)


def _duckdb_type(column: _Column) -> str:
    if column.type in _TIMES:
        return "timestamp"
    return "decimal(38, 12)" if column.type == "numeric" else "varchar"


def _query(plan: FocusPlan, said: str) -> str:
    """The rows of the plan, in which `{marts}` stands for the schema."""
    span, booked = plan.span, f'"{_BOOKED[plan.kind]}"'
    conditions = [f"{booked} >= {span.sql_from}", f"{booked} < {span.sql_to}"]
    if plan.projects:
        listed = ", ".join(map(quoted_text, plan.projects))
        conditions.append(f'"{_PROJECT[plan.kind]}" in ({listed})')
    return f"select {said} from {{marts}}.{plan.mart} where {' and '.join(conditions)}"


def _value(plan: FocusPlan, column: _Column) -> str:
    if column.name == "BillingAccountId" and plan.billing_account:
        return quoted_text(plan.billing_account)
    return column.quoted


def _renamed(plan: FocusPlan, column: _Column) -> str:
    return f"{_value(plan, column)} as {column.quoted}"


def _in_parquet(plan: FocusPlan, column: _Column) -> str:
    if column.type in _TIMES:
        return f"timezone('UTC', {column.quoted}) as {column.quoted}"
    return _renamed(plan, column)


def _in_csv(plan: FocusPlan, column: _Column, *, postgres: bool = False) -> str:
    """Instants in ISO 8601 with a Z, fractions only where there are any; decimals plain; no text is a formula."""
    value = _value(plan, column)
    if column.type in _TIMES:
        told = 'to_char({}, \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')' if postgres else "strftime({}, '%Y-%m-%dT%H:%M:%S.%fZ')"
        value = f"replace({told.format(value)}, '.000000Z', 'Z')"
    elif column.type.startswith(("varchar", "character", "text")):
        starts = f"{value} ~ {_FORMULA}" if postgres else f"regexp_matches({value}, {_FORMULA})"
        value = f"case when {starts} then '''' || {value} else {value} end"
    return f"{value} as {column.quoted}"


def _gaps(marts: Marts, plan: FocusPlan) -> Iterator[str]:
    """What the rows lack, a sentence each."""
    conditions = [f"month >= date_trunc('month', {plan.span.sql_from})"] if plan.span.from_at else []
    conditions += [f"month < {plan.span.sql_to}"] if plan.span.to_at else []
    conditions += [f"project_id in ({', '.join(map(quoted_text, plan.projects))})"] if plan.projects else []
    where = f" where {' and '.join(conditions)}" if conditions else ""
    found = marts.rows(
        "select charge_kind, lacks, is_in_file, cast(sum(charges) as bigint), sum(lacking_hours)"
        f" from {{marts}}.fct_charge_gaps{where} group by 1, 2, 3 order by 1, 2"
    )
    for kind, lacks, is_in_file, charges, hours in found:
        counted = f"{charges:,} charge{'' if charges == 1 else 's'} of {kind} ({hours:,.2f} h)"
        what = (
            "in the file without it" if is_in_file else "not in the file, but for a part of the hour that may have one"
        )
        yield f"No {lacks.removeprefix('no ')} is known for {counted}: {what}."
