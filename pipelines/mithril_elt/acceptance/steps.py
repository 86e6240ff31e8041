"""Points 16 to 25: what a second run, a deep one, small windows and runs that are broken off do to the tables.

Stands in `acceptance` on `trial`; pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

from mithril_elt.acceptance.outcomes import Found, cannot_tell, failed, passed
from mithril_elt.acceptance.rows import compared_columns
from mithril_elt.acceptance.trial import Trial
from mithril_elt.instants import iso, naive_utc
from mithril_elt.tables import raw_table
from mithril_elt.warehouse import loaded_from

__all__ = [
    "KILLED",
    "backfill",
    "broken_off",
    "deep_reading",
    "future",
    "not_killed",
    "overlap",
    "page_sizes",
    "price_closes",
    "same",
    "second_run",
    "small_windows",
    "withdrawn",
]

KILLED = -9
_SHOWN = 3
_INSTANCE, _START, _END = map(
    compared_columns(raw_table("instance_price_periods")).index, ("instance_fid", "start_time", "end_time")
)


def same(trial: Trial, readings: Sequence[str], evidence: str) -> Found:
    """That readings had the same rows; what the account itself tells otherwise by now is nobody's fault."""
    differing = [each for name in readings for each in trial.seen[name]]
    ours = [each for each in differing if (each.table, each.subject) not in trial.moved]
    if ours:
        shown = "; ".join(map(str, ours[:_SHOWN]))
        return failed(f"{len(ours):,} rows differ though the account tells the same: {shown}")
    if differing:
        first = differing[0]
        return cannot_tell(f"the account itself changed meanwhile: {len(differing):,} rows, as {first}")
    return passed(evidence)


def _rows(trial: Trial) -> int:
    return sum(map(len, trial.loaded.rows.values()))


def second_run(trial: Trial) -> Found:
    """Up to the same instant."""
    return same(trial, ("again",), f"{_rows(trial):,} rows before and after {trial.second.result.requests} requests")


def broken_off(trial: Trial) -> Found:
    """In small windows, killed after the first of them."""
    if trial.deaths[0] != KILLED:
        return not_killed(trial.deaths[0])
    return same(trial, ("killed",), f"killed after a window of {_days(trial.sight.window)}, gone on to the same rows")


def not_killed(ended: int) -> Found:
    """That a run ended by itself: with an error, or before its time."""
    said = f"the run ended with {ended} before it could be killed"
    return failed(said) if ended else cannot_tell(said)


def future(trial: Trial) -> Found:
    """No event past the server's clock, and no gap before it."""
    as_of = trial.from_future.result.as_of
    query = "select count(*) from raw.instance_status_events where timestamp >= ?"
    with loaded_from(trial.folder / "future.duckdb", "raw") as connection:
        found = connection.execute(query, [naive_utc(as_of) if as_of else None]).fetchall()
    if found[0][0]:
        return failed(f"{found[0][0]:,} events past {iso(as_of)}")
    return same(trial, ("future",), f"a ledger that ends a year from now: loaded up to {iso(as_of)}, nothing later")


def deep_reading(trial: Trial) -> Found:
    """All of it read again; what was late is counted."""
    late = trial.second.result.late_rows + trial.reread.result.late_rows
    return same(
        trial, ("deep",), f"{trial.reread.result.rows:,} rows read again, {late:,} of them late: the same tables"
    )


def price_closes(trial: Trial) -> Found:
    """If one did in these minutes."""
    before = {_period(row): row[_END] for row in trial.reread.rows["instance_price_periods"]}
    after = {_period(row): row[_END] for row in trial.at_last.rows["instance_price_periods"]}
    open_before = [period for period, end in before.items() if end is None]
    if lost := [period for period in open_before if period not in after]:
        return failed(f"{len(lost)} open periods are gone, as that of {lost[0][0]}")
    if closed := [period for period in open_before if after[period] is not None]:
        return passed(f"{len(closed)} of {len(open_before)} open periods were closed by the last run")
    return cannot_tell(f"none of {len(open_before)} open periods came to its end in these minutes")


def _period(row: tuple[Any, ...]) -> tuple[Any, Any]:
    """Whose, and since when."""
    return row[_INSTANCE], row[_START]


def withdrawn(trial: Trial) -> Found:
    """If the API took any back."""
    count = sum(each.result.withdrawn_rows for each in (trial.second, trial.reread, trial.at_last))
    if not count:
        return cannot_tell("the API took no row back in these minutes")
    return passed(f"{count:,} rows were taken back: kept in the tables, with the time")


def small_windows(trial: Trial) -> Found:
    """Both halves of the span in small windows, beside one reading in long ones."""
    if trial.sight.window >= trial.sight.length:
        return cannot_tell(f"the span is one window of {trial.sight.window}")
    return same(
        trial,
        ("backfill",),
        f"{trial.sight.windows} windows of {_days(trial.sight.window)} have the rows of one reading",
    )


def _days(length: timedelta) -> str:
    return "a day" if length == timedelta(days=1) else str(length)


def page_sizes(trial: Trial) -> Found:
    """The end of the span, in pages that hold a part of it each."""
    pages = trial.in_pages.pages
    outcome = same(
        trial, ("pages",), f"{trial.page_rows:,} rows on {pages} pages of {trial.page_limit}, as on long ones"
    )
    if outcome.result == "passed" and pages <= 2 * len(trial.sight.projects):
        return cannot_tell(f"{trial.page_rows:,} rows fit on a page of {trial.page_limit} for each project")
    return outcome


def backfill(trial: Trial) -> Found:
    """The newest end before and after."""
    if trial.sight.middle == trial.sight.span.start:
        return cannot_tell(f"the span is one window of {trial.sight.window}")
    with loaded_from(trial.small_db, "raw") as connection:
        newest = connection.execute("select max(to_at) from raw.windows").fetchall()[0][0]
    if newest.replace(tzinfo=UTC) != trial.sight.span.end:
        return failed(f"the newest end is {iso(newest.replace(tzinfo=UTC))}, was {iso(trial.sight.span.end)}")
    return same(
        trial,
        ("backfill",),
        f"read up to {iso(trial.sight.middle)} afterwards: the newest end is still {iso(newest.replace(tzinfo=UTC))}",
    )


def overlap(trial: Trial) -> Found:
    """The look-back and the deep reading are overlaps."""
    read = trial.loaded.result.rows + trial.second.result.rows + trial.reread.result.rows
    return same(trial, ("again", "deep"), f"{read:,} rows read three times over are {_rows(trial):,} rows")
