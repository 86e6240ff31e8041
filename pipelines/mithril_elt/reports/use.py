"""How much GPUs were used, from a table of the user's own: when they were not, and what the table leaves open.

Stands between marts and `low_use`, on `marts`: read when a report is asked for, and never written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from mithril_elt.errors import UsageError
from mithril_elt.postgres import Session
from mithril_elt.quoting import quoted_name, quoted_text
from mithril_elt.reports.marts import Marts

__all__ = ["COLUMNS", "LowUse", "UseSpell", "UseTable", "read_use"]

COLUMNS = ("timestamp", "instance", "gpu_utilisation")
_READERS = {
    ".csv": "read_csv({}, all_varchar = true, header = true)",
    ".parquet": "read_parquet({})",
}
_LARGEST_PCT = 100
# Of several rows of one instant, as one for each GPU, the highest counts. The time between two rows is of low use if
# both are, and unknown if one says nothing or they are too far apart.
_SPELLS = """
    with told as (
        select
            {cast}("instance" as varchar) as instance_id,
            {cast}("timestamp" as timestamptz) at time zone 'UTC' as told_at,
            {cast}("gpu_utilisation" as decimal(18, 6)) as used_pct
        from {source}
    ),
    samples as (
        select
            instance_id,
            told_at,
            case
                when count(*) = count(case when used_pct between 0 and 100 then 1 end) then max(used_pct)
            end as used_pct
        from told
        where instance_id is not null and told_at is not null
        group by instance_id, told_at
    ),
    pairs as (
        select
            *,
            lead(told_at) over (partition by instance_id order by told_at) as next_at,
            lead(used_pct) over (partition by instance_id order by told_at) as next_pct
        from samples
    ),
    steps as (
        select
            *,
            case
                when used_pct is null or next_pct is null then 'unknown'
                when next_at - told_at > interval '{gap_s} seconds' then 'unknown'
                when used_pct < {threshold} and next_pct < {threshold} then 'low'
                else 'used'
            end as kind
        from pairs
        where next_at is not null
    ),
    islands as (
        select
            *,
            row_number() over (partition by instance_id order by told_at)
            - row_number() over (partition by instance_id, kind order by told_at) as island
        from steps
    )
    select instance_id, kind, min(told_at), max(next_at)
    from islands
    group by instance_id, kind, island
    union all
    select instance_id, 'told', min(told_at), max(told_at) from samples group by instance_id
    union all
    select null, 'unreadable', null, null from told where instance_id is null or told_at is null
    order by 1, 3, 4
"""


@dataclass(frozen=True)
class UseTable:
    """Where the table is and how it is read.

    `source`: a .csv or .parquet file, or a table of the database as `schema.table`. `threshold_pct`: below it GPUs are
    not in use. `longest_gap`: between two rows that are further apart nothing is known.
    """

    source: str
    threshold_pct: Decimal = Decimal(5)
    longest_gap: timedelta = timedelta(minutes=15)

    @classmethod
    def asked(cls, source: str, threshold: str, longest_gap: timedelta) -> UseTable:
        """The same from what a user wrote. Raises UsageError for what is no percentage, or no gap."""
        try:
            pct = Decimal(threshold)
        except InvalidOperation:
            pct = Decimal(-1)
        if not pct.is_finite() or not 0 < pct <= _LARGEST_PCT:
            raise UsageError(f"--threshold {threshold!r} is no percentage: more than 0, at most 100")
        if not longest_gap:
            raise UsageError("--longest-gap has no meaning without a length: write 15m")
        return cls(source, pct, longest_gap)


@dataclass(frozen=True)
class UseSpell:
    """Time of one instance of low use, or of which the table tells nothing; UTC without a zone, as in the marts."""

    instance_id: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True)
class LowUse:
    """What a table of use says: spells of low use, gaps, from when to when it has each instance, unreadable rows."""

    low: tuple[UseSpell, ...]
    gaps: tuple[UseSpell, ...]
    told: dict[str, tuple[datetime, datetime]]
    unreadable_rows: int = 0
    longest_gap: timedelta = timedelta(0)

    @cached_property
    def _low_of(self) -> dict[str, list[UseSpell]]:
        found: dict[str, list[UseSpell]] = {}
        for spell in self.low:
            found.setdefault(spell.instance_id, []).append(spell)
        return found

    def low_since(self, instance_id: str, at: datetime) -> datetime | None:
        """Since when its GPUs have been out of use up to that instant; None where they have not, or nobody knows.

        The table has to reach up to it, but for its longest gap.
        """
        if not self._reaches(instance_id, at):
            return None
        latest = self._low_of.get(instance_id, [])[-1:]
        return latest[0].from_at if latest and latest[0].to_at == self.told[instance_id][1] else None

    def is_known(self, instance_id: str, at: datetime) -> bool:
        """Whether the table tells of that instance up to that instant, but for its longest gap."""
        return self._reaches(instance_id, at) and not any(
            gap.instance_id == instance_id and gap.to_at == self.told[instance_id][1] for gap in self.gaps
        )

    def _reaches(self, instance_id: str, at: datetime) -> bool:
        return instance_id in self.told and at - self.told[instance_id][1] <= self.longest_gap


def read_use(marts: Marts, table: UseTable) -> LowUse:
    """What the table says, of every instance in it.

    Raises:
        UsageError: there is no such file or table, or it lacks a column.
    """
    rows = _asked(marts, table)
    spells = {
        kind: tuple(UseSpell(row[0], *row[2:]) for row in rows if row[1] == kind) for kind in ("low", "unknown", "told")
    }
    return LowUse(
        spells["low"],
        spells["unknown"],
        {spell.instance_id: (spell.from_at, spell.to_at) for spell in spells["told"]},
        sum(row[1] == "unreadable" for row in rows),
        table.longest_gap,
    )


def _asked(marts: Marts, table: UseTable) -> list[tuple[Any, ...]]:
    import duckdb  # noqa: PLC0415  # takes longer to load than all of the reports

    ending = next((each for each in _READERS if table.source.lower().endswith(each)), None)
    is_session = isinstance(marts.connection, Session) and ending is None
    sql = _SPELLS.format(
        cast="cast" if is_session else "try_cast",
        source=_READERS[ending].format(quoted_text(table.source)) if ending else _table(table.source),
        gap_s=table.longest_gap // timedelta(seconds=1),
        threshold=f"{table.threshold_pct:f}",
    )
    try:
        if ending is None:
            return _rows(marts.connection, sql)
        with duckdb.connect() as connection:
            return _rows(connection, sql)
    except Exception as error:
        if isinstance(error, duckdb.Error) or type(error).__module__.startswith("psycopg2"):
            said = " ".join(str(error).partition("\nLINE ")[0].split())[:300]
            raise UsageError(
                f"the utilisation in {table.source} cannot be read ({said}): it is a .csv or .parquet file, or a table"
                f" of the database as schema.table, with the columns {', '.join(COLUMNS)}"
            ) from None
        raise


def _rows(connection: Any, sql: str) -> list[tuple[Any, ...]]:
    connection.execute("set timezone = 'UTC'")
    found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
    return found


def _table(source: str) -> str:
    return ".".join(map(quoted_name, source.split(".")))
