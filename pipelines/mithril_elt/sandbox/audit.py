"""The marts of a database beside the sandbox's true figures: every number that differs, none if all is well.

Stands at the end of the sandbox, after `truth`; the demo and the tests use it. Exact: no tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mithril_elt.place import Place
from mithril_elt.reports import GROUPINGS
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.query import gather
from mithril_elt.reports.span import Span
from mithril_elt.sandbox.account import Account
from mithril_elt.sandbox.bargains import Spot
from mithril_elt.sandbox.cash import CashMonth, cash_months
from mithril_elt.sandbox.clock import microseconds
from mithril_elt.sandbox.figures import PHASES, Figures, PauseTruth, Truth
from mithril_elt.sandbox.ledger import Entry, credit_ledger
from mithril_elt.sandbox.truth import true_figures
from mithril_elt.warehouse import read_from

if TYPE_CHECKING:
    import duckdb

__all__ = ["differences"]

Table = Mapping[Any, Mapping[str, Any]]

_HOURLY = (
    *(f"{phase}_us" for phase in PHASES),
    *("total_us", "up_us", "down_us", "planned_us", "gpu_us", "billed_us", "priced_us", "unpriced_us"),
    *("spot_cost_cent_us", "reserved_used_us", "allocated_cost_cent_us", "credited_us", "pause_credit_cent_us"),
    *("short_paused_us", "short_pause_loss_cent_us", "unclaimed_us", "unclaimed_credit_cent_us"),
)
_EARNED_IN = {
    "pause_credit_cent_us": "credited_us",
    "short_pause_loss_cent_us": "short_paused_us",
    "unclaimed_credit_cent_us": "unclaimed_us",
}
_SPOT = tuple(Spot().compared)
_RESERVED = ("reserved_us", "used_us", "unused_us", "allocated_used_cent_us", "allocated_unused_cent_us")
_COMMITTED = ("committed_us", "committed_cost_cent_us")
_PAUSE = ("paused_us", "is_open", "has_terms", "is_credited", "credited_us", "pause_credit_cent_us")


# What `report cash` adds up.
_ADDED = {"spot": "spot_cost", "booked": "committed_cost", "reserved hours": "allocated_cost"}


def differences(db: Place, account: Account, *, marts: str = "marts") -> list[str]:
    """Every figure of the marts that is not the account's true one, as a sentence each.

    Compares, for each instance in all and on each day, hours by phase, what is billed, priced and not,
    spot cost, also beside the market and the limit, allocated cost and credits; interruptions, recoveries and starts;
    each pause; each reservation; what is at stake of each; cost by cash and by accrual of each month.
    """
    with read_from(db) as connection:
        as_of = connection.execute(f"select min(as_of) from {marts}.dim_projects").fetchone()  # noqa: S608  # own names
        if not as_of or as_of[0] is None:
            return ["the marts have no as_of: nothing was read to its end"]
        truth = true_figures(account, _us(as_of[0]))
        sides = (*_sides(connection, marts, truth), *_cash(Marts(connection, marts), account, truth))
        return [sentence for found in sides for sentence in _compare(*found)]


def _sides(connection: duckdb.DuckDBPyConnection, marts: str, truth: Truth) -> Iterator[tuple[str, Table, Table]]:
    """What, as the marts have it, as it is: tables of the same columns by the same keys."""

    def ours(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> Table:
        sums = ", ".join(_sum(column) for column in columns)
        named = ", ".join(keys)
        query = f"select {named}, {sums} from {marts}.{table} group by {named}"  # noqa: S608  # own names
        found = connection.execute(query).fetchall()
        return {_key(row[: len(keys)]): dict(zip(columns, map(_plain, row[len(keys) :]), strict=True)) for row in found}

    lived = {fid: figures for fid, figures in truth.instances.items() if figures.total_us}
    days = {(f, d): day for f, each in lived.items() for d, day in each.by_day.items() if day.total_us}
    by_day = tuple(column for column in _HOURLY if column != "gpu_us")
    yield "instance", ours("fct_instance_hours", ("instance_id",), _HOURLY), _true(lived, _HOURLY)
    yield "instance and day", ours("fct_instance_hours", ("instance_id", "day"), by_day), _true(days, by_day)
    for keys, compared in ((("instance_id",), lived), (("instance_id", "day"), days)):
        spot = {key: each.spot.compared for key, each in compared.items() if each.billed_us}
        yield "spot " + " and ".join(keys), ours("fct_spot_hours", keys, _SPOT), spot
    reserved = {fid: each for fid, each in truth.reservations.items() if each.reserved_us}
    hours = ours("fct_reservation_hours", ("reservation_id",), _RESERVED)
    yield "reservation", {k: v for k, v in hours.items() if v["reserved_us"]}, _true(reserved, _RESERVED)
    yield "commitment", ours("fct_commitments", ("reservation_id",), _COMMITTED), _true(truth.reservations, _COMMITTED)
    yield "credit", *_ledger(connection, marts, truth)
    yield "opportunity", *_opportunities(connection, marts, truth)
    yield "interruptions", *_interruptions(connection, marts, truth)
    yield "pause", _our_pauses(connection, marts), {_pause_key(p): _pause(p) for p in truth.pauses}


def _sum(column: str) -> str:
    """The sum of a column; of a credit null where there is time that would earn it and no rate for any of it."""
    time = _EARNED_IN.get(column)
    if time is None:
        return f"coalesce(sum({column}), 0)" if column in _SPOT else f"sum({column})"
    rated = f"count(*) filter (where {time} > 0 and {column} is not null)"
    return f"case when sum({time}) > 0 and {rated} = 0 then null else sum({column}) end"


def _true(figures: Mapping[Any, Any], columns: tuple[str, ...]) -> Table:
    return {key: {column: _figure(each, column) for column in columns} for key, each in figures.items()}


def _figure(figures: Any, column: str) -> Any:
    phase = column.removesuffix("_us")
    return figures.phase_us[phase] if isinstance(figures, Figures) and phase in PHASES else getattr(figures, column)


def _ledger(connection: duckdb.DuckDBPyConnection, marts: str, truth: Truth) -> tuple[Table, Table]:
    columns = ("pauses", "credited_us", "unrated_us", "coalesce(credit_cent_us, 0)")
    asked = f"select reservation_id, day, ageing, {', '.join(columns)} from {marts}.fct_credit_ledger"  # noqa: S608
    names = tuple(Entry.__dataclass_fields__)
    found = connection.execute(asked).fetchall()
    entries = credit_ledger(truth.pauses, truth.as_of_us)
    return (
        {_key(row[:3]): dict(zip(names, map(_plain, row[3:]), strict=True)) for row in found},
        {key: vars(entry) for key, entry in entries.items()},
    )


def _opportunities(connection: duckdb.DuckDBPyConnection, marts: str, truth: Truth) -> tuple[Table, Table]:
    """What is at stake of each instance and reservation, as far as it is known; before what giving back earned."""
    asked = f"""
        select kind, fid, sum(idle_us), coalesce(sum(at_stake_cent_us), 0) from (
            select case when is_back then 'use_or_return' else opportunity end as kind,
                case when is_back then reservation_id else coalesce(instance_id, reservation_id) end as fid, idle_us,
                case when is_back then idle_cost_cent_us else at_stake_cent_us end as at_stake_cent_us
            from (select *, opportunity = 'given_back' as is_back from {marts}.fct_opportunities) as told
        ) as lines
        group by kind, fid
    """  # noqa: S608  # own names
    true = [
        (name, fid, missed.us, missed.known_cent_us)
        for fid, each in truth.instances.items()
        for name, missed in (("pause_when_idle", each.unclaimed), ("pause_for_longer", each.short_pauses))
    ]
    true += [("use_or_return", fid, each.unused_us, each.at_stake_cent_us) for fid, each in truth.reservations.items()]
    found = connection.execute(asked).fetchall()
    return _of_four(found), _of_four([row for row in true if row[2]])


def _cash(marts: Marts, account: Account, truth: Truth) -> Iterator[tuple[str, Table, Table]]:
    """Cost by cash and by accrual of each project and month, as the mart has it, and as `report cash` adds it up."""
    true = cash_months(account, truth)
    columns = tuple(CashMonth.__dataclass_fields__)
    sums = ", ".join(f"coalesce({column}, 0)" for column in columns)
    found = marts.rows(f"select project_id, month, {sums} from {{marts}}.fct_cost_monthly")  # noqa: S608  # own names
    ours = {_key(row[:2]): dict(zip(columns, map(int, row[2:]), strict=True)) for row in found if any(row[2:])}
    yield "cash", ours, {key: vars(month) for key, month in true.items()}
    added = gather(marts, _ADDED.values(), [GROUPINGS["project"], GROUPINGS["month"]], Span())
    cells = zip(added.keys, *(added.values[name] for name in _ADDED.values()), strict=True)
    reported = {_key(key): {column: cell or 0 for column, cell in zip(_ADDED, row, strict=True)} for key, *row in cells}
    wanted = {
        key: {
            "spot": month.spot_cost_cent_us,
            "booked": month.booked_cent_us,
            "reserved hours": month.accrued_now_cent_us + month.accrued_earlier_cent_us,
        }
        for key, month in true.items()
    }
    yield "report cash", {key: row for key, row in reported.items() if any(row.values())}, wanted


def _of_four(rows: list[tuple[Any, ...]]) -> Table:
    return {(name, fid): {"idle_us": int(us), "at_stake_cent_us": int(cent_us)} for name, fid, us, cent_us in rows}


def _interruptions(connection: duckdb.DuckDBPyConnection, marts: str, truth: Truth) -> tuple[Table, Table]:
    asked = f"""
        select instance_id, 'interruptions' as figure, count(*) from {marts}.fct_interruptions group by instance_id
        union all
        select instance_id, 'recovery_us', recovery_us from {marts}.fct_interruptions where recovery_us is not null
        union all
        select instance_id, 'start_us', time_to_start_us from {marts}.fct_starts where time_to_start_us is not null
    """  # noqa: S608  # own names
    true = [(f, "interruptions", each.interruptions) for f, each in truth.instances.items() if each.interruptions]
    for figure, name in (("recovery_us", "recoveries_us"), ("start_us", "starts_us")):
        true += [(f, figure, us) for f, each in truth.instances.items() for us in getattr(each, name)]
    return _counted(connection.execute(asked).fetchall()), _counted(true)


def _counted(rows: list[tuple[Any, ...]]) -> Table:
    """How often each row is there: what has no key of its own can be compared so."""
    return {row: {"times": rows.count(row)} for row in rows}


def _our_pauses(connection: duckdb.DuckDBPyConnection, marts: str) -> Table:
    columns = ("instance_id", "started_at", "ended_at", *_PAUSE, "short_pause_loss_cent_us")
    found = connection.execute(f"select {', '.join(columns)} from {marts}.fct_pause_credits").fetchall()  # noqa: S608
    return {
        (row[0], _us(row[1])): {"ended_at_us": _us(row[2]), **dict(zip(columns[3:], row[3:], strict=True))}
        for row in found
    }


def _pause_key(pause: PauseTruth) -> tuple[str, int]:
    return pause.instance_fid, pause.started_at_us


def _pause(pause: PauseTruth) -> dict[str, Any]:
    return {name: getattr(pause, name) for name in ("ended_at_us", *_PAUSE, "short_pause_loss_cent_us")}


def _compare(what: str, ours: Table, true: Table) -> Iterator[str]:
    for key in sorted(ours.keys() | true.keys(), key=str):
        if key not in ours or key not in true:
            yield f"{what} {key}: only {'the sandbox' if key in true else 'the marts'} has it"
            continue
        for column, truth in true[key].items():
            if ours[key][column] != truth:
                yield f"{what} {key}: {column} is {ours[key][column]}, truly {truth}"


def _key(parts: tuple[Any, ...]) -> Any:
    plain = tuple(str(part) for part in parts)
    return plain if len(plain) > 1 else plain[0]


def _plain(value: Any) -> Any:
    return value if value is None else int(value)


def _us(at: datetime) -> int:
    """Microseconds since 1970 of a UTC timestamp without a zone."""
    return microseconds(at.replace(tzinfo=UTC))
