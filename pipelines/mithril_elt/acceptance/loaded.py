"""Points 7 to 15: what the first load left in each table, beside what the API told.

Stands in `acceptance` on `trial`; the database is only read.
"""

from __future__ import annotations

from typing import Any

from mithril_elt.acceptance.outcomes import Found, cannot_tell, failed, passed
from mithril_elt.acceptance.steps import same
from mithril_elt.acceptance.trial import Trial
from mithril_elt.tables import RAW_TABLES, SQL_TYPES, RawTable
from mithril_elt.warehouse import loaded_from

__all__ = [
    "columns_are_seen",
    "described",
    "earlier_release",
    "empty_account",
    "filled",
    "golden",
    "keys",
    "novelties",
    "types",
]

_SHOWN = 5


def described(trial: Trial) -> Found:
    """Each table that is declared is there, and says what it means to its last column."""
    listed = {name for (name,) in _asked(trial, "select table_name from duckdb_tables() where schema_name = 'raw'")}
    missing = {table.name for table in RAW_TABLES} - listed
    silent = [f"{t.name}.{c.name}" for t in RAW_TABLES for c in t.columns if not c.description]
    if missing or silent or not all(table.key for table in RAW_TABLES):
        return failed(f"not there: {', '.join(sorted(missing)) or 'none'}; without a meaning: {', '.join(silent)}")
    columns = sum(len(table.columns) for table in RAW_TABLES)
    by_version = sum(table.history == "versions" for table in RAW_TABLES)
    return passed(f"{len(RAW_TABLES)} tables, {columns} columns; {by_version} keep versions, the others replace by key")


def earlier_release(_: Trial) -> Found:
    """A scratch database has no past."""
    return cannot_tell("a scratch database was made by no earlier release: the tests load one that was")


def novelties(trial: Trial) -> Found:
    """What was warned of is news, and was loaded."""
    told = [each.partition(":")[0] for each in trial.sight.novelties]
    if not told:
        return passed(f"nothing that is not documented, in {trial.sight.told.count:,} rows of histories and all lists")
    return passed(f"{len(told)} things loaded and told of: {_short(told)}")


def filled(trial: Trial) -> Found:
    """Each table has what the API told, row for row; one that is empty has nothing to have."""
    counts = {name: len(rows) for name, rows in trial.loaded.rows.items()}
    empty = [name for name, count in counts.items() if not count]
    reason = f"; nothing is told of {_short(empty)}" if empty else ""
    return same(trial, ("as told",), f"{sum(counts.values()):,} rows, as told by the API read without dlt{reason}")


def types(trial: Trial) -> Found:
    """In the database as declared."""
    found = {
        (table, column): kind
        for table, column, kind in _asked(
            trial, "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'raw'"
        )
    }
    wrong = [
        f"{t.name}.{c.name} is {found.get((t.name, c.name), 'not there')}"
        for t in RAW_TABLES
        for c in t.columns
        if found.get((t.name, c.name)) != SQL_TYPES[c.kind]
    ]
    if wrong:
        return failed(f"{len(wrong)} columns: {_short(wrong)}")
    return passed(f"{sum(len(table.columns) for table in RAW_TABLES)} columns have the type that they declare")


def keys(trial: Trial) -> Found:
    """Of versions those that hold; and no null where a column must not be null."""
    wrong, rows = [], 0
    for table in RAW_TABLES:
        count, different, nulls = _asked(trial, _key_query(table))[0]
        rows += count
        if count != different:
            wrong.append(f"{table.name} has {count - different:,} rows of {count:,} twice")
        if nulls:
            wrong.append(f"{table.name} has {nulls:,} rows with a null that must not be")
    if wrong:
        return failed("; ".join(wrong))
    return passed(f"{rows:,} rows of {len(RAW_TABLES)} tables: no key twice, none null")


def _key_query(table: RawTable) -> str:
    key = ", ".join(f'"{name}"' for name in table.key)
    required = {c.name for c in table.columns if not c.nullable} | set(table.key)
    nulls = " or ".join(f'"{name}" is null' for name in sorted(required))
    current = " where _dlt_valid_to is null" if table.history == "versions" else ""
    counts = f"count(*), count(distinct ({key})), count(*) filter (where {nulls})"
    return f"select {counts} from raw.{table.name}{current}"  # noqa: S608  # own names


def columns_are_seen(trial: Trial) -> Found:
    """A column without a value may be one that this account has no use for."""
    unseen, seen = [], 0
    for table in RAW_TABLES:
        names = [column.name for column in table.columns]
        counts = ", ".join(f'count("{name}")' for name in names)
        found = _asked(trial, f"select {counts} from raw.{table.name}")[0]  # noqa: S608  # own names
        unseen += [f"{table.name}.{name}" for name, count in zip(names, found, strict=True) if not count]
        seen += sum(map(bool, found))
    if unseen:
        return cannot_tell(f"{seen} columns are seen; this account has no value of {_short(unseen)}")
    return passed(f"all {seen} columns have a value in some row")


def golden(_: Trial) -> Found:
    """From outside nobody knows the true rows of an account."""
    return cannot_tell("nobody worked out this account's rows by hand: the tests have an account of which it was done")


def empty_account(trial: Trial) -> Found:
    """Only an account that has nothing shows it."""
    rows = sum(map(len, trial.loaded.rows.values()))
    if trial.sight.told.count or trial.sight.rows["instances"]:
        return cannot_tell(f"the account is not empty: {rows:,} rows")
    return passed(f"nothing is told of instances, and all {len(RAW_TABLES)} tables are there")


def _asked(trial: Trial, query: str) -> list[tuple[Any, ...]]:
    with loaded_from(trial.db, "raw") as connection:
        found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    return found


def _short(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
