"""An account whose every name, region and id was made to do harm, the whole way: loaded, built, reported, shown."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from commands import in_process
from hostile import hostile_account, obeyed
from mithril_elt.reports import FORMATS
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.clock import Clock, utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import serve

KEY = "fkey_canary_0123456789abcdef"
REPORTS = (
    "usage",
    "uptime",
    "cost",
    "pause-credits",
    "reservations",
    "savings",
    "credits",
    "cash",
    "opportunities",
    "reconciliation",
    "summary",
)
GROUPINGS = ((), ("instance", "region"), ("project", "user"), ("order",), ("reservation",), ("instance-type", "bid"))


@pytest.mark.shows(40)
def test_harmful_labels_change_no_figure_and_command_no_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """All figures equal the sandbox's own books; no command says anything that a terminal would obey."""
    account = hostile_account(make_account(instances=30, days=7))
    db = tmp_path / "a.duckdb"
    monkeypatch.setenv("MITHRIL_API_KEY", KEY)
    with serve(account, clock=Clock(utc(account.now_us)), key=KEY) as served:
        monkeypatch.setenv("MITHRIL_API_URL", served.url)
        for command in (("check",), ("plan",), ("run",), ("extract", "--log-format", "json"), ("status",), ("probe",)):
            ended = in_process(*command, "--db", db)
            assert (ended.status, obeyed(ended.out + ended.err)) == (0, set()), ended
        listed = in_process("instances", "list")
        assert obeyed(listed.out) == set()
        exact = json.loads(in_process("instances", "list", "--json").out)["instances"]
        assert len(listed.out.splitlines()) == len(exact) > 20
    assert differences(db, account) == []
    printed = [_print_report(db, name, by) for name in REPORTS for by in GROUPINGS]
    assert sum(printed) > 20


def _print_report(db: Path, name: str, by: tuple[str, ...]) -> bool:
    """Prints one report in each format; whether there is such a report."""
    options = [word for each in by for word in ("--by", each)]
    first = in_process("report", name, "--db", db, "--format", FORMATS[0], *options)
    if first.status == 2:
        return False
    said = {form: in_process("report", name, "--db", db, "--format", form, *options) for form in FORMATS[1:]}
    said[FORMATS[0]] = first
    assert {ended.status for ended in said.values()} == {0}, said
    for form in ("table", "markdown", "json"):
        assert obeyed(said[form].out + said[form].err) == set()
    rows = json.loads(said["json"].out)["rows"]
    read = list(csv.DictReader(io.StringIO(said["csv"].out, newline="")))
    assert len(read) == len(rows)
    for mine, exact in zip(read, rows, strict=True):
        expected = {
            key: "" if cell is None else str(cell).lower() if cell in (True, False) else str(cell)
            for key, cell in exact.items()
        }
        assert {k: v.removeprefix("'") for k, v in mine.items()} == {
            k: v.removeprefix("'") for k, v in expected.items()
        }
    return True
