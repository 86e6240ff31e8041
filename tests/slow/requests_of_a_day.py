"""How many requests a daily run makes for 1,000 instances under each of the main readings, beside the least possible.

Run by hand: `PYTHONPATH=tests .venv/bin/python tests/slow/requests_of_a_day.py`. Prints a table in Markdown.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from loading import load_sandbox
from mithril_elt.sandbox.account import Account
from mithril_elt.sandbox.clock import utc
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.server import serve

DAY_US = 86_400_000_000
BACK_US = 4 * DAY_US  # a day, and the look-back of three
PAGE = 100


def least(account: Account, unit: str, alone: str) -> int:
    """Full pages of what both histories have in the last four days, by order where that is asked for."""
    start_us = account.now_us - BACK_US
    pages = 0
    for of in ("changes", "prices"):
        counts: dict[str, list[int]] = {}
        for each in account.instances:
            rows = each.changes if of == "changes" else each.prices if each.bid else []
            times = [getattr(row, "at_us" if of == "changes" else "start_us") for row in rows]
            if count := sum(start_us <= at < account.now_us for at in times):
                group = each.project if alone == "accepted" else each.bid or each.reservation or each.fid
                counts.setdefault(group, []).append(count)
        pages += sum(-(-(len(each) if unit == "instances" else sum(each)) // PAGE) for each in counts.values())
    return pages


def made(unit: str, selects: str, alone: str) -> tuple[int, int, int]:
    """Requests of a daily run for the histories, the least possible, and those for everything else."""
    readings = Readings(limit_counts=unit, start_selects=selects, project_alone=alone)  # type: ignore[arg-type]  # one of each
    account = make_account(instances=1000, days=20)
    with serve(account, readings=readings) as sandbox, TemporaryDirectory() as folder:
        db = Path(folder) / "a.duckdb"
        for days in range(4, -1, -1):  # what was over before the look-back is known to be so only after it
            sandbox.clock.set(utc(account.now_us) - timedelta(days=days))
            sandbox.requests.clear()
            load_sandbox(sandbox, db)
        histories = sum("/instances/" in each.path and each.path.endswith("/history") for each in sandbox.requests)
        return histories, least(account, unit, alone), len(sandbox.requests) - histories


def main() -> None:
    """Prints the table."""
    logging.disable(logging.CRITICAL)
    print("| `limit` counts | a window tells | project alone | histories | least possible | all else |")  # noqa: T201  # what it is for
    print("|---|---|---|---:|---:|---:|")  # noqa: T201  # as above
    for unit, selects, alone in product(
        ("instances", "events"), ("inside", "in_force", "clipped"), ("accepted", "400")
    ):
        asked, fewest, others = made(unit, selects, alone)
        print(f"| {unit} | {selects} | {alone} | {asked:,} | {fewest:,} | {others:,} |", flush=True)  # noqa: T201  # as above


if __name__ == "__main__":
    main()
