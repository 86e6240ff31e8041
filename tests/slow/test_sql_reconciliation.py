"""The vendor's own summaries beside our figures: equal where it counts as we do, explained where it does not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pytest

from loading import load_sandbox
from mithril_elt.instants import parse_iso_duration
from mithril_elt.sandbox.account import HOUR_US, Account, Instance, Reservation
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import serve
from mithril_elt.sandbox.tellings import Wording
from mithril_elt.sandbox.usage import usage_row
from sql_project import Compiled, compiled

pytestmark = pytest.mark.xdist_group("sql")

CLOCKS = ("past_first_hour", "any_length", "from_stopping", "until_running", "from_stopping_until_running")
HOURS = ("active_instance_hours", "idle_instance_hours")
MONEY = ("committed_cost", "flex_use_credits", "early_termination_credits", "net_cost")


@dataclass
class Books:
    """An account, loaded: what the vendor says of each reservation can be written anew, as of any instant."""

    account: Account
    connection: duckdb.DuckDBPyConnection
    project: Compiled

    def reconciled(self, readings: Readings, seed: int) -> list[dict[str, Any]]:
        """The reconciliation with summaries of instants drawn by chance, counted by those readings."""
        dice = random.Random(seed)
        placed = [each for each in self.account.reservations if each.placed_at_us <= self.account.now_us]
        for reservation in placed:
            members = [each for each in self.account.instances if each.reservation == reservation.fid]
            at_us = dice.choice(telling_instants(reservation, members, self.account.now_us))
            self._say(reservation.fid, usage_row(reservation, members, at_us, Wording.of(readings)), at_us)
        self.project.build(self.connection)
        found = self.connection.execute("select * from marts.fct_reconciliation order by reservation_id, field_order")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def _say(self, reservation: str, usage: dict[str, Any], at_us: int) -> None:
        said = {f"{name}_cents": usage["summary"][f"{name}_cents"] for name in MONEY}
        for kind in ("reserved", "active", "idle"):
            hours = parse_iso_duration(usage["summary"][f"{kind}_instance_hours"])
            said[f"{kind}_instance_us"] = (hours.days * 86_400 + hours.seconds) * 1_000_000 + hours.microseconds
        said["as_of"] = utc(at_us).replace(tzinfo=None)
        values = ", ".join(f"{column} = ?" for column in said)
        update = f"update raw.reservation_usage set {values} where reservation_fid = ?"
        self.connection.execute(update, [*said.values(), reservation])


def telling_instants(reservation: Reservation, members: list[Instance], now_us: int) -> list[int]:
    """Instants at which something happens to a reservation or its instances, or a microsecond beside, up to now."""
    changes = [change.at_us for each in members for change in each.changes]
    marks = [*changes, *(at_us + HOUR_US for at_us in changes), *(terms.from_us for terms in reservation.terms)]
    marks += [reservation.placed_at_us, reservation.start_us, reservation.end_us, reservation.canceled_at_us or now_us]
    return sorted({at + by for at in marks for by in (-1, 0, 1) if reservation.placed_at_us <= at + by <= now_us})


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """A small account, loaded once."""
    folder = tmp_path_factory.mktemp("reconciled")
    account = make_account(instances=60, days=20)
    with serve(account) as sandbox:
        load_sandbox(sandbox, folder / "reconciled.duckdb")
    with duckdb.connect(str(folder / "reconciled.duckdb")) as connection:
        yield Books(account, connection, compiled(folder))


def of_field(rows: list[dict[str, Any]], *fields: str) -> list[dict[str, Any]]:
    """The rows of those fields."""
    return [row for row in rows if row["field"] in fields]


@pytest.mark.parametrize("seed", range(4))
def test_where_the_vendor_counts_as_we_do_all_agrees(books: Books, seed: int) -> None:
    """At whatever instant the vendor sums up: no field differs, and what cannot be compared says why."""
    rows = books.reconciled(Readings(), seed)
    listed = [each for each in books.account.reservations if each.listed]
    assert len(rows) == 7 * sum(each.placed_at_us <= books.account.now_us for each in listed)
    for row in rows:
        assert row["difference"] == (None if row["ours"] is None else row["ours"] - row["vendors"])
        if row["agrees"]:
            assert row["likely_cause"] is None
        elif row["agrees"] is None:
            assert row["ours"] is None
            assert row["likely_cause"].startswith(("no pause rate is known for ", "a part of ours is not known"))
        else:
            assert row["likely_cause"] == "its parts agree: each is rounded by itself"
    assert books.project.all_failures(books.connection) == {}


@pytest.mark.parametrize("clock", CLOCKS)
def test_another_clock_of_pauses_is_named(books: Books, clock: str) -> None:
    """Where the vendor credits pauses by another clock, that clock fits, to the cent, and net cost follows from it."""
    for seed in range(2):
        rows = books.reconciled(Readings(pause_clock=clock), seed)  # type: ignore[arg-type]  # one of its values
        differing = [row for row in of_field(rows, "flex_use_credits_usd") if row["agrees"] is False]
        assert differing, "nothing was to be explained"
        for row in differing:
            assert f"{clock} fits: " in row["likely_cause"]
        strange = {row["reservation_id"] for row in differing}
        for row in of_field(rows, "net_cost_usd"):
            if row["reservation_id"] in strange:
                assert row["agrees"] is not False or row["likely_cause"] == "follows from flex_use_credits_usd"
        others = of_field(rows, "committed_cost_usd", "early_termination_credits_usd", "reserved_instance_hours")
        assert all(row["agrees"] for row in [*others, *of_field(rows, *HOURS)])


@pytest.mark.parametrize("hours", ["running", "not_paused"])
def test_another_notion_of_active_is_named(books: Books, hours: str) -> None:
    """Where the vendor counts other time as active, that notion fits both active and idle hours."""
    rows = books.reconciled(Readings(active_hours=hours), 5)  # type: ignore[arg-type]  # one of its values
    for field in HOURS:
        differing = [row for row in of_field(rows, field) if row["agrees"] is False]
        assert differing, "nothing was to be explained"
        assert all(f"{hours} fits: " in row["likely_cause"] for row in differing)
    assert not any(row["agrees"] is False for row in rows if row["field"] not in (*HOURS, "net_cost_usd"))


def test_what_no_reading_explains_says_so(books: Books) -> None:
    """A summary that is simply wrong gets no cause that is not one; wrong parts show in the net cost."""
    books.reconciled(Readings(), 0)
    books.connection.execute(
        "update raw.reservation_usage set committed_cost_cents = committed_cost_cents + 2,"
        " flex_use_credits_cents = flex_use_credits_cents + 987654321, net_cost_cents = net_cost_cents - 987654319,"
        " active_instance_us = active_instance_us + 3600001"
    )
    books.project.build(books.connection)
    causes = books.connection.execute(
        "select field, agrees, likely_cause, count(*) from marts.fct_reconciliation where agrees is false group by all"
    ).fetchall()
    assert {field: cause for field, _, cause, _ in causes} == {
        "committed_cost_usd": "none of the known readings fits",
        "flex_use_credits_usd": "none of the known readings fits",
        "net_cost_usd": "follows from committed_cost_usd and flex_use_credits_usd",
        "active_instance_hours": "none of the known readings fits",
    }


def test_a_summary_of_later_than_as_of_is_left_for_later(books: Books) -> None:
    """The newest summary up to as_of counts; where all are later, nothing is compared."""
    books.reconciled(Readings(), 0)
    as_of = utc(books.account.now_us).replace(tzinfo=None)
    raw = "raw.reservation_usage"
    books.connection.execute(f"update {raw} set as_of = ?", [as_of])
    books.connection.execute(f"create temp table earlier as from {raw}")
    books.connection.execute("update earlier set as_of = as_of - interval 1 day")
    books.connection.execute(f"update {raw} set as_of = as_of + interval 1 microsecond")
    books.project.build(books.connection)
    assert instants(books) == []
    books.connection.execute(f"insert into {raw} from earlier")
    books.project.build(books.connection)
    assert instants(books) == [(as_of.replace(day=as_of.day - 1),)]
    books.connection.execute(f"delete from {raw} where as_of < ?", [as_of])


def instants(books: Books) -> list[tuple[datetime]]:
    """The instants of the summaries that are compared."""
    return books.connection.execute("select distinct vendor_as_of from marts.fct_reconciliation").fetchall()
