"""From a report to a pause that earns: an idle instance is found and paused, and then the credit is as foreseen."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acting_by_hand import used
from commands import Cli
from loading import load_sandbox
from mithril_elt.instants import naive_utc
from mithril_elt.sandbox.account import HOUR_US
from mithril_elt.sandbox.clock import Clock, utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import Sandbox, serve
from mithril_elt.transform import build

HOURS = 4


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A small account whose clock stands still, but for a minute whenever the command waits."""
    account = make_account(instances=14, days=7)
    with serve(account, clock=Clock(utc(account.now_us))) as served:
        monkeypatch.setenv("MITHRIL_API_KEY", served.key)
        monkeypatch.setenv("MITHRIL_API_URL", served.url)
        passing = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: served.clock.advance(timedelta(minutes=1)))
        monkeypatch.setattr("mithril_elt.acting.pausing.time", passing)
        yield served


def _rate_stays(sandbox: Sandbox, reservation: str) -> bool:
    """Whether its terms do not change before the test is over."""
    now_us = sandbox.clock.now_us()
    [terms] = [each.terms for each in sandbox.account.reservations if each.fid == reservation]
    return not any(now_us < each.from_us <= now_us + (HOURS + 1) * HOUR_US for each in terms)


def _credit(cli: Cli, db: Path, instance: str) -> Decimal:
    """What the report of pauses says of an instance."""
    rows = json.loads(cli("report", "pause-credits", "--by", "instance", "--json", "--db", db).out)["rows"]
    return sum((Decimal(row["pause_credit_usd"]) for row in rows if row["instance_id"] == instance), Decimal(0))


def _account_credit(cli: Cli, db: Path, reservation: str) -> Decimal:
    """What the ledger of credits says of a reservation."""
    rows = json.loads(cli("report", "credits", "--by", "reservation", "--json", "--db", db).out)["rows"]
    return sum((Decimal(row["credit_usd"]) for row in rows if row["reservation_id"] == reservation), Decimal(0))


def test_an_opportunity_is_found_and_paused_and_earns_what_was_foreseen(
    cli: Cli, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Four hours after it paused, to the last digit: in the journal, in the report of pauses and in the mart."""
    db = tmp_path / "a.duckdb"
    load_sandbox(sandbox, db)
    build(db)
    options = ("--db", db, "--safe-age", "1h", "--for", f"{HOURS}h")
    listed: list[dict[str, Any]] = json.loads(cli("opportunities", *options, "--json").out)["candidates"]
    chosen = next(
        each
        for each in listed
        if each["refusal"] == "use_unknown"
        and each["planned_hours"] == f"{HOURS}.000000000000"
        and _rate_stays(sandbox, each["reservation_id"])
    )
    fid, now = chosen["instance_id"], naive_utc(utc(sandbox.clock.now_us()))
    table = used(tmp_path / "use.csv", [(now - timedelta(minutes=5 * n), fid, 0) for n in range(24)])
    before = _credit(cli, db, fid), _account_credit(cli, db, chosen["reservation_id"])
    done = cli("opportunities", *options, "--utilisation", table, "--apply", "--yes", "--json")
    assert done.status == 0, done.err
    assert [(each["instance_id"], each["outcome"]) for each in json.loads(done.out)["actions"]] == [(fid, "paused")]
    [instance] = [each for each in sandbox.account.instances if each.fid == fid]
    [paused_us] = [
        change.at_us
        for change in instance.changes
        if change.status == "STATUS_PAUSED" and utc(change.at_us) > _aware(now)
    ][:1]
    sandbox.clock.set(utc(paused_us) + timedelta(hours=HOURS))
    load_sandbox(sandbox, db)
    build(db)
    [action] = json.loads(cli("opportunities", "--db", db, "--journal", "--json").out)["actions"]
    assert Decimal(action["expected_usd"]) > 0
    assert action["expected_usd"] == action["forecast_usd"] == action["credit_usd"]
    assert (action["paused_hours"], action["is_over"]) == (f"{HOURS}.000000000000", False)
    assert _credit(cli, db, fid) - before[0] == Decimal(action["expected_usd"])
    assert _account_credit(cli, db, chosen["reservation_id"]) - before[1] >= Decimal(action["expected_usd"])


def _aware(naive: datetime) -> datetime:
    return naive.replace(tzinfo=utc(0).tzinfo)
