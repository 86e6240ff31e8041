"""The marts and the reports as DataFrames, for notebooks and programs: `mithril_elt.open(…)`.

Stands at the end of the flow, beside the command line: marts → reports → here. Reads, and never writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from mithril_elt.errors import UsageError
from mithril_elt.frames import frame, table_of_rows
from mithril_elt.instants import iso, parse_end, parse_instant
from mithril_elt.mart_docs import described_marts
from mithril_elt.place import Place, place_of
from mithril_elt.postgres import Session
from mithril_elt.quoting import quoted_text
from mithril_elt.reports import Assumptions, UseTable, days_of, known_up_to, marts_as_of, read_rules, report
from mithril_elt.reports.marts import Marts, read_marts
from mithril_elt.reports.typed import typed
from mithril_elt.warehouse import schema_name

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["OpenMarts", "When", "open_marts"]

When = str | date | datetime | None


def open_marts(
    db: str | Path = "mithril.duckdb",
    *,
    destination: str = "duckdb",
    dataset: str | None = None,
    as_of: When = None,
) -> OpenMarts:
    """The marts of a database, to be read: `mithril_elt.open("mithril.duckdb").cost(by="day")`.

    `destination` and `dataset` are those of the command line: `postgres` is the database that dlt's configuration
    names, `filesystem` models its files in `db`. `as_of`: as it was then; it is built in a scratch database, which
    `close` removes, or the end of a `with`. Otherwise nothing is held open between two questions, so that runs go on.

    Raises:
        UsageError: there is no such file, or no marts in it; `as_of` is later than they are.
        WarehouseError: it is no database, another process writes to it, or its last build was cut short.
    """
    place = place_of(destination, Path(db), dataset)
    pinned = _instant(as_of, "as_of")
    with ExitStack() as stack:
        source = stack.enter_context(marts_as_of(place, pinned, dataset=dataset))
        found = OpenMarts(source, schema_name("marts", dataset), pinned, stack.pop_all().close)
    try:
        _ = found.as_of
    except BaseException:
        found.close()
        raise
    return found


class OpenMarts:
    """The reports and marts of one database as DataFrames. Each question opens it anew, and closes it.

    Each report takes `by` (a grouping or several: "day", "project", …), `from_` and `to` (whole UTC hours: text, a
    date or an instant with a zone), `only` (the id of one project, order … as in {"project": "proj_…"}), `limit`, and
    `exact`: True for Python's decimals, to the last digit, False for float64. What a reader must know is in `attrs`:
    `warnings`, `as_of`, `from`, `to`, and `names` of ids.
    """

    def __init__(self, place: Place, schema: str, pinned: datetime | None, close: Callable[[], None]) -> None:
        self._place = place
        self._schema = schema
        self._pinned = pinned
        self._close = close

    def __enter__(self) -> OpenMarts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{self._place}: {self._schema} as of {iso(self.as_of) or 'never'}>"

    def close(self) -> None:
        """Removes what `as_of` built; nothing else is held."""
        self._close()

    @property
    def as_of(self) -> datetime | None:
        """The instant up to which all projects are complete, in UTC; None while there is none."""
        instants = known_up_to(self._place, marts_schema=self._schema)
        return min(instants, default=None)

    @property
    def timezone(self) -> str:
        """The zone of the days and months."""
        return days_of(self._place, marts_schema=self._schema)

    def report(
        self,
        name: str,
        by: str | Sequence[str] = (),
        from_: When = None,
        to: When = None,
        *,
        only: Mapping[str, str] | None = None,
        limit: int | None = None,
        rules: str | Path | None = None,
        exact: bool = True,
        use: UseTable | None = None,
        assumptions: Assumptions | None = None,
        against: When = None,
    ) -> pd.DataFrame:
        """The report of that name: the rows and columns that `mithril-elt report NAME --json` has, typed.

        The names of ids are not columns, but in `attrs["names"]`, by column and id.

        Raises:
            UsageError: a name, a grouping, a span or a file of rules that has no meaning; the sentence says which have.
            WarehouseError: the database cannot be read, or a build began or ended meanwhile.
        """
        answer = report(
            self._place,
            name,
            by=(by,) if isinstance(by, str) else tuple(by),
            only=only,
            from_at=_end(from_, "from_"),
            to_at=_end(to, "to"),
            limit=limit,
            rules=() if rules is None else read_rules(Path(rules)),
            marts_schema=self._schema,
            use=use,
            assumptions=assumptions,
            against=_end(against, "against"),
        )
        found = frame(typed(answer), exact=exact)
        found.attrs.update(answer.head, names=answer.names)
        return found

    def usage(self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """Hours by phase, hours up, GPU-hours."""
        return self.report("usage", by, from_, to, **how)

    def uptime(self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """Hours up and down, per cent up, interruptions, time between failures, to recover and to start."""
        return self.report("uptime", by, from_, to, **how)

    def cost(self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """Billed and unpriced hours, spot and allocated cost, pause credit, net cost, USD per GPU-hour."""
        return self.report("cost", by, from_, to, **how)

    def pause_credits(
        self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any
    ) -> pd.DataFrame:
        """Paused and credited hours, credit earned, lost to short pauses and left unclaimed, the next expiry."""
        return self.report("pause-credits", by, from_, to, **how)

    def reservations(
        self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any
    ) -> pd.DataFrame:
        """Reserved, used and unused hours, committed and idle cost, pause credit."""
        return self.report("reservations", by, from_, to, **how)

    def chargeback(self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """Lines that add up to net cost: spot, reserved, idle, pause credit; `rules` is the path of a file of rules."""
        return self.report("chargeback", by, from_, to, **how)

    def variance(self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """Why cost is not what it was before, or in the span that begins `against`: by volume, by mix, by price."""
        return self.report("variance", by, from_, to, **how)

    def cash(self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """Cost as it is charged and as it is used, and what parts the two."""
        return self.report("cash", by, from_, to, **how)

    def savings(self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """Spot beside the market's reserved price of the hour, and beside the bids' limits."""
        return self.report("savings", by, from_, to, **how)

    def preemptions(
        self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any
    ) -> pd.DataFrame:
        """Preemptions of spot instances a thousand hours up, with the exact 95 % interval."""
        return self.report("preemptions", by, from_, to, **how)

    def rates(self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """What a GPU-hour cost by type, region and regime: percentiles of the GPU-hours paid for."""
        return self.report("rates", by, from_, to, **how)

    def credits(self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """Pause credits by when they lapse; an upper bound, since what was redeemed is not in the API."""
        return self.report("credits", by, from_, to, **how)

    def return_credits(
        self, by: str | Sequence[str] = (), from_: When = None, to: When = None, **how: Any
    ) -> pd.DataFrame:
        """Instances given back before their reservation ended, the hours left then, and the credit for them."""
        return self.report("return-credits", by, from_, to, **how)

    def opportunities(self, from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """What unused reserved time might have brought, line by line, the dearest first, with what to do.

        It takes `use` as well: a `mithril_elt.reports.UseTable`, by which lines of unused GPUs are added.
        """
        return self.report("opportunities", (), from_, to, **how)

    def return_now(self, **how: Any) -> pd.DataFrame:
        """Of each open reservation what keeping, pausing and returning cost; `assumptions` may say what is expected."""
        return self.report("return-now", **how)

    def reconciliation(self, **how: Any) -> pd.DataFrame:
        """Each field of the vendor's summary of a reservation beside ours; it is of no span of time."""
        return self.report("reconciliation", **how)

    def summary(self, from_: When = None, to: When = None, **how: Any) -> pd.DataFrame:
        """The main figures of all reports, one a row, each with its unit; instants are in `value_at`."""
        return self.report("summary", (), from_, to, **how)

    def sql(self, query: str, *, exact: bool = True) -> pd.DataFrame:
        """The rows of a query, in the same types as a report's; tables may be named with `marts.` or without.

        Raises:
            UsageError: the database does not understand the query; with what it says.
            WarehouseError: as `report`.
        """
        with read_marts(self._place, self._schema) as marts:
            return frame(_answer(marts, query), exact=exact)

    def marts(self) -> pd.DataFrame:
        """The marts that there are: `mart`, how many `columns` it has, and a `description` that ends with the grain."""
        import pandas as pd  # noqa: PLC0415  # a second

        known = described_marts()
        found: dict[str, int] = {}
        for mart, _ in self._listed():
            found[mart] = found.get(mart, 0) + 1
        rows = [(mart, number, known[mart].description if mart in known else "") for mart, number in found.items()]
        return pd.DataFrame(rows, columns=["mart", "columns", "description"])

    def has(self, mart: str) -> bool:
        """Whether there is a mart of that name: an older build may lack it."""
        return any(each == mart for each, _ in self._listed())

    def columns(self, mart: str) -> pd.DataFrame:
        """The columns of a mart: `column`, `type` and `description`.

        Raises:
            UsageError: there is no such mart.
        """
        import pandas as pd  # noqa: PLC0415  # as above

        listed = self._listed()
        names = [column for each, column in listed if each == mart]
        if not names:
            raise UsageError(f"there is no mart {mart!r}: there are {', '.join(dict.fromkeys(m for m, _ in listed))}")
        known = described_marts()
        meanings = known[mart].columns if mart in known else {}
        return pd.DataFrame(
            [(name, *meanings.get(name, ("", ""))) for name in names], columns=["column", "type", "description"]
        )

    def _listed(self) -> list[tuple[str, str]]:
        """Each mart that there is, with each of its columns."""
        with read_marts(self._place, self._schema) as marts:
            found = marts.rows(
                "select table_schema, table_name, column_name from information_schema.columns"
                " where table_catalog = current_database() order by table_name, ordinal_position"
            )
        return [(table, column) for schema, table, column in found if schema == self._schema]


def _answer(marts: Marts, query: str) -> pa.Table:
    """What a query says, with the marts' schema as the one where names are looked for first."""
    try:
        return _asked(marts, query)
    except Exception as error:
        if isinstance(error, duckdb.Error) or type(error).__module__.startswith("psycopg2"):
            said = " ".join(str(error).partition("\nLINE ")[0].split())[:500]
            raise UsageError(f"the query cannot be answered: {said}") from None
        raise


def _asked(marts: Marts, query: str) -> pa.Table:
    connection = marts.connection
    if isinstance(connection, Session):
        connection.execute(f"set search_path = {marts.home.rpartition('.')[2]}")
        answer = connection.execute(query)
        return table_of_rows(answer.fetchall(), answer.description)
    connection.execute("set timezone = 'UTC'")
    connection.execute("set python_enable_replacements = false")  # a name is a table, and no variable of this module
    connection.execute(f"set schema = {quoted_text(marts.home)}")
    found = connection.sql(query)
    if found is None:
        raise UsageError("the query cannot be answered: it asks for no rows")
    return found.to_arrow_table()


def _end(when: When, name: str) -> datetime | date | None:
    """The same of an end of a span, of which a date is where the marts cut days."""
    if isinstance(when, str):
        return parse_end(when, option=name)
    return _instant(when, name) if isinstance(when, datetime) else when


def _instant(when: When, name: str) -> datetime | None:
    """The instant that a caller means: text as on the command line, a date's midnight in UTC, or itself."""
    if when is None:
        return None
    if isinstance(when, str):
        return parse_instant(when, option=name)
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise UsageError(f"{name} {when.isoformat()} names no time zone: give one with tzinfo=UTC")
        return when
    return datetime.combine(when, time(), UTC)
