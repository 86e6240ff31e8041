"""One world: an account, one reading of each open point, and a way to load it; and the marts that come of it.

Stands under the tests of this folder. The models are run as dbt compiles them, straight in DuckDB: the same
SQL, in a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loading import load_sandbox, tables_in
from mithril_elt.api import Mithril
from mithril_elt.errors import ApiError
from mithril_elt.load import LoadPlan, Progress, load
from mithril_elt.sandbox.account import Account
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import Sandbox, serve
from sql_project import Compiled

PINNED = "2001-02-03T04:05:06.000007Z"  # stands in the compiled SQL where the real instant goes

Rows = list[tuple[Any, ...]]
Pattern = Callable[[Sandbox, Path, "Way"], None]

# What only a list said while it was looked at, and how it was read: no figure hangs on these.
_LISTED_ONLY = {
    "dim_instances": {"instance_name", "created_at", "listed_status", "is_listed"},
    "dim_projects": {"first_window_from_at"},
    "dim_reservations": {"status"},
    "fct_reconciliation": {"vendor_as_of"},
    "fct_told_charges": {"resource_name"},
    "focus_1_2": {"ResourceName"},
    "focus_1_4": {"ResourceName"},
    "focus_1_4_contract_commitment": {"ContractCommitmentLifecycleStatus"},
}


@dataclass(frozen=True)
class Way:
    """How an account is loaded: in how many runs, with which windows (by what is in them, if None) and look-back."""

    pattern: str = "once"
    runs: int = 1
    window: timedelta | None = timedelta(days=7)
    lookback: timedelta = timedelta(days=3)

    def __str__(self) -> str:
        return f"{self.pattern}, {self.runs} runs, windows of {self.window or 'any size'}, look-back {self.lookback}"


@dataclass(frozen=True)
class World:
    """An account by its seed and size, the readings it is served under, and how it is loaded."""

    seed: int = 7
    instances: int = 14
    days: int = 9
    readings: Readings = field(default_factory=Readings)
    way: Way = field(default_factory=Way)
    overlapping: bool = False

    def account(self) -> Account:
        """The account, new each time; if `overlapping`, each third price goes on after the next has begun."""
        account = make_account(self.seed, self.instances, self.days)
        for instance in account.instances if self.overlapping else ():
            for number, period in enumerate(instance.prices):
                if number % 3 == 0 and period.end_us is not None:
                    instance.prices[number] = replace(period, end_us=period.end_us + 50_000_000)
        return account

    @property
    def settled_hours(self) -> int:
        """After so long what the histories tell of a time does not change any more."""
        each = self.readings
        return max(each.late_hours, each.withdrawn_hours, each.corrected_hours)

    @property
    def plain(self) -> World:
        """The same account in one run, as the plainest reading serves it."""
        return replace(self, readings=Readings(), way=Way())


def run_world(world: World, db: Path) -> Sandbox:
    """Loads the world into a database, which is kept open so that it takes less time; the sandbox that served it."""
    with serve(world.account(), readings=world.readings) as sandbox, duckdb.connect(str(db)):
        PATTERNS[world.way.pattern](sandbox, db, world.way)
        return sandbox


def _load(sandbox: Sandbox, db: Path, way: Way, **more: Any) -> None:
    load_sandbox(sandbox, db, window=way.window, lookback=way.lookback, **more)


def _once(sandbox: Sandbox, db: Path, way: Way) -> None:
    _load(sandbox, db, way)


def _over_time(sandbox: Sandbox, db: Path, way: Way) -> None:
    """From the middle of the story on, at equal distances, the last one now."""
    whole = utc(sandbox.account.now_us) - utc(sandbox.account.start_us)
    step = whole / 2 / way.runs
    sandbox.clock.set(utc(sandbox.account.now_us) - step * (way.runs - 1))
    for number in range(way.runs):
        _load(sandbox, db, way)
        if number < way.runs - 1:
            sandbox.clock.advance(step)


def _broken_off(sandbox: Sandbox, db: Path, way: Way) -> None:
    """As over time; each run is stopped once between two of its windows, then run again."""
    whole = utc(sandbox.account.now_us) - utc(sandbox.account.start_us)
    step = whole / 2 / way.runs
    sandbox.clock.set(utc(sandbox.account.now_us) - step * (way.runs - 1))
    for number in range(way.runs):
        with suppress(ApiError), Mithril(sandbox.key, sandbox.url) as api:
            load(api, db, LoadPlan(window=way.window, lookback=way.lookback), on_progress=_stop_at(2 + number))
        _load(sandbox, db, way)
        if number < way.runs - 1:
            sandbox.clock.advance(step)


def _stop_at(windows: int) -> Callable[[Progress], None]:
    def stop(progress: Progress) -> None:
        if windows <= progress.windows_done < progress.windows_planned:
            raise ApiError("stopped on purpose")

    return stop


def _again(sandbox: Sandbox, db: Path, way: Way) -> None:
    _over_time(sandbox, db, way)
    _load(sandbox, db, way)


def _deep(sandbox: Sandbox, db: Path, way: Way) -> None:
    _over_time(sandbox, db, way)
    _load(sandbox, db, way, deep=True)


def _backfilled(sandbox: Sandbox, db: Path, way: Way) -> None:
    """The last days first, then what was before."""
    middle = utc(sandbox.account.now_us) - timedelta(days=3, hours=5)
    _load(sandbox, db, way, since=middle)
    oldest = utc(sandbox.account.start_us).replace(hour=0, minute=0, second=0, microsecond=0)
    _load(sandbox, db, way, since=oldest - timedelta(days=1), until=middle)
    _load(sandbox, db, way)


def _before_a_gap(sandbox: Sandbox, db: Path, way: Way) -> None:
    """At the very moment before a gap in a price begins, then now: the period that was open has ended meanwhile."""
    sandbox.clock.set(utc(sandbox.account.now_us) - timedelta(hours=50))
    _load(sandbox, db, way)
    sandbox.clock.set(utc(sandbox.account.now_us))
    _load(sandbox, db, way)


PATTERNS: dict[str, Pattern] = {
    "once": _once,
    "over time": _over_time,
    "broken off": _broken_off,
    "again": _again,
    "deep": _deep,
    "backfilled": _backfilled,
    "before a gap": _before_a_gap,
}


@dataclass(frozen=True)
class Fault:
    """Something broken on purpose: attributes of the package by their dotted names, texts of models by model."""

    patches: Mapping[str, Any] = field(default_factory=dict)
    replaced: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Models:
    """The compiled project, plain and with a pinned as_of."""

    plain: Compiled
    pinned: Compiled

    def build(self, db: Path, as_of: datetime | None = None) -> None:
        """Makes all models of a database, as of that instant."""
        with duckdb.connect(str(db)) as connection:
            if as_of is None:
                self.plain.build(connection)
                return
            text = as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            models = tuple(replace(each, sql=each.sql.replace(PINNED, text)) for each in self.pinned.models)
            replace(self.pinned, models=models).build(connection)

    def broken(self, replaced: Mapping[str, tuple[str, str]]) -> Models:
        """The same with some text of some models replaced, which has to be there."""
        return Models(_broken(self.plain, replaced), _broken(self.pinned, replaced))


def _broken(project: Compiled, replaced: Mapping[str, tuple[str, str]]) -> Compiled:
    models = []
    for model in project.models:
        text, broken = replaced.get(model.name, ("", ""))
        assert text in model.sql, f"{model.name} has no {text!r}"
        models.append(replace(model, sql=model.sql.replace(text, broken) if text else model.sql))
    return replace(project, models=tuple(models))


def marts(db: Path) -> dict[str, Rows]:
    """All marts row for row, but for what only a list says of an instance."""
    tables = tables_in(db, "marts")
    with duckdb.connect(str(db), read_only=True) as connection:
        return {table: _rows(connection, table) for table in tables}


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> Rows:
    described = connection.execute(f"describe marts.{table}").fetchall()
    kept = ", ".join(f'"{name}"' for name, *_ in described if name not in _LISTED_ONLY.get(table, ()))
    return connection.execute(f"select {kept} from marts.{table} order by all").fetchall()


class Comparison:
    """Compares worlds with their plain twins, each of which is loaded once."""

    def __init__(self, models: Models, folder: Path) -> None:
        self.models, self.folder = models, folder
        self.worlds = self.rows = 0
        self._twins: dict[tuple[World, datetime | None], dict[str, Rows]] = {}

    def differences(self, world: World, db: Path, *, fault: Fault | None = None) -> list[str]:
        """What differs between the marts of the world, those of its twin, and the truth; nothing if all is well.

        At the newest instant; where rows settle late, at the last one at which all have settled. `fault`: with
        something broken on purpose in the load of the world, or in its models.
        """
        now = utc(world.account().now_us)
        as_of = now - timedelta(hours=world.settled_hours) if world.settled_hours else None
        theirs = self._twin(world.plain, as_of)
        with pytest.MonkeyPatch.context() as patch:
            for target, broken in (fault.patches if fault else {}).items():
                patch.setattr(target, broken)
            sandbox = run_world(world, db)
        (self.models.broken(fault.replaced) if fault else self.models).build(db, as_of)
        unlike = frozenset({"fct_reconciliation"}) if as_of or _summary_differs(world.readings) else frozenset[str]()
        mine = marts(db)
        self.worlds += 1
        self.rows += sum(map(len, mine.values()))
        unequal = [table for table in mine if mine[table] != theirs[table] and table not in unlike]
        found = [f"{table}: {_first_difference(mine[table], theirs[table])}" for table in unequal]
        return [*found, *differences(db, sandbox.account)]

    def _twin(self, plain: World, as_of: datetime | None) -> dict[str, Rows]:
        if (plain, as_of) not in self._twins:
            db = self.folder / f"twin{len(self._twins)}.duckdb"
            run_world(plain, db)
            self.models.build(db, as_of)
            self._twins[plain, as_of] = marts(db)
        return self._twins[plain, as_of]


def _summary_differs(readings: Readings) -> bool:
    return readings.pause_clock != "whole" or readings.active_hours != "up"


def _first_difference(mine: Rows, theirs: Rows) -> str:
    ours, others = set(mine) - set(theirs), set(theirs) - set(mine)
    one, other = (min(rows, default=None, key=str) for rows in (ours, others))
    return f"{len(ours)} rows are not the twin's, such as {one}; it has {len(others)} others, such as {other}"
