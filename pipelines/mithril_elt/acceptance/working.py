"""Points 33 to 40: what a plan is worth, the rate, memory, the table of runs, and what the models make of it all.

Stands in `acceptance` on `trial` and `calculation`.
"""

from __future__ import annotations

import time
from typing import Any

from mithril_elt.acceptance.calculation import calculated, modelled
from mithril_elt.acceptance.outcomes import Found, cannot_tell, failed, passed
from mithril_elt.acceptance.trial import Asked, Trial
from mithril_elt.instants import iso
from mithril_elt.warehouse import loaded_from, open_read_only

__all__ = [
    "calculation",
    "data_tests",
    "memory",
    "nothing_lost",
    "plan_is_kept",
    "plan_writes_nothing",
    "rate",
    "table_of_runs",
]

_MB = 1_000_000
_PACED = 6  # requests, to see a rate
_PER_SECOND = 10
_SUMS = {
    "staging.stg_mithril__instance_status_events": ("raw.instance_status_events", "count(*)"),
    "staging.stg_mithril__instance_price_periods": ("raw.instance_price_periods", "sum(price_cents)"),
    "staging.stg_mithril__market_prices": ("raw.market_prices", "sum(spot_price_usd)"),
    "staging.stg_mithril__reservation_grants": ("raw.reservation_grants", "sum(unit_price_cents)"),
    "marts.fct_instance_hours": ("marts.fct_status_spells", "sum({time})"),
    "marts.fct_usage_daily": ("marts.fct_instance_hours", "sum(total_us)"),
}


def plan_writes_nothing(trial: Trial) -> Found:
    """Each file before and after."""
    if trial.plan_wrote:
        return failed("a file is not as it was before the plan")
    return passed(f"{len(trial.planned.windows)} windows planned; no file was made or changed")


def plan_is_kept(trial: Trial) -> Found:
    """The second run beside the plan made just before it."""
    planned = {(window.project, window.span.start, window.span.end) for window in trial.planned.windows}
    asked = _asked_windows(trial, trial.second)
    if planned != asked:
        return failed(f"{len(planned)} windows planned, {len(asked)} asked for")
    made, told = trial.second.result.requests, trial.planned.requests
    words = f"{told} requests planned, {made} made, {trial.second.result.retries} of them again"
    if made > 2 * told + trial.second.result.retries:
        return failed(words)
    if made > told + trial.second.result.retries:
        return cannot_tell(f"{words}: a plan knows only what earlier windows took; the windows are those planned")
    return passed(f"{words}; the windows are those planned")


def _asked_windows(trial: Trial, load: Asked) -> set[tuple[Any, ...]]:
    bounds = "from_at at time zone 'UTC', to_at at time zone 'UTC'"
    query = f"select distinct project, {bounds} from raw.windows where run_id = ?"  # noqa: S608  # own names
    with loaded_from(trial.db, "raw") as connection:
        return set(connection.execute(query, [load.result.run_id]).fetchall())


def rate(trial: Trial) -> Found:
    """A few requests at a rate: they take no less time than it allows."""
    allowed = trial.account.requests_per_second or _PER_SECOND
    with trial.account.session(requests_per_second=allowed) as api:
        start_s = time.monotonic()
        for _ in range(_PACED):
            api.me()
        took_ms = round(1000 * (time.monotonic() - start_s))
    least_ms = int(1000 * (_PACED - 1) / allowed)
    words = f"{_PACED} requests at {allowed:g} a second took {took_ms:,} ms, at least {least_ms:,} are due"
    return failed(words) if took_ms < least_ms else passed(words)


def memory(trial: Trial) -> Found:
    """Whether reading more of the same took more of it."""
    first, last = trial.first_peak_bytes, trial.last_peak_bytes
    if first is None or last is None:
        return cannot_tell("this system does not tell how much memory was taken")
    words = f"at most {last / _MB:,.0f} MB; {first / _MB:,.0f} MB after the first of three loads"
    return failed(words) if last > 2 * first else passed(words)


def table_of_runs(trial: Trial) -> Found:
    """Each load of the first database has its row, with its figures."""
    loads = [trial.loaded, trial.second, trial.reread, trial.at_last]
    columns = ("run_id", "requests", "retries", "bytes", "rows", "windows_done", "late_rows", "late_seconds")
    with loaded_from(trial.db, "raw") as connection:
        names = ", ".join(f'"{name}"' for name in columns)
        found = set(connection.execute(f"select {names} from raw.runs").fetchall())  # noqa: S608  # own names
    wanted = {tuple(getattr(load.result, name) for name in columns) for load in loads}
    if found != wanted:
        return failed(f"{len(wanted - found)} of {len(wanted)} runs are not written down as they were")
    size = sum(load.result.bytes for load in loads)
    return passed(f"{len(loads)} runs: {sum(load.result.requests for load in loads)} requests, {size / _MB:,.1f} MB")


def data_tests(trial: Trial) -> Found:
    """All of them, on this account."""
    if trial.failed_test or trial.built is None:
        return failed(trial.failed_test or "nothing was built")
    built = trial.built
    warned = f"; warnings: {', '.join(built.warnings)}" if built.warnings else ""
    return passed(f"{built.models} models built, {built.tests} data tests passed{warned}")


def nothing_lost(trial: Trial) -> Found:
    """Sums of rows, time and money on the way: raw, staging, spells, hours, days."""
    wrong = []
    with open_read_only(trial.db) as connection:
        for table, (before, figure) in _SUMS.items():
            ours, theirs = (
                connection.execute(f"select {figure.format(time=time_)} from {name}").fetchall()[0][0]  # noqa: S608  # own names
                for name, time_ in ((table, "total_us"), (before, "duration_us"))
            )
            if ours != theirs:
                wrong.append(f"{figure.format(time='time')} of {table} is {ours}, of {before} {theirs}")
        hourly = (
            "select sum(total_us) / 3600000000, sum(spot_cost_cent_us) / 360000000000 from marts.fct_instance_hours"
        )
        hours, cost = connection.execute(hourly).fetchall()[0]
    if wrong:
        return failed("; ".join(wrong))
    return passed(f"{len(_SUMS)} sums agree; {hours or 0:,.1f} instance-hours, {cost or 0:,.2f} USD of spot cost")


def calculation(trial: Trial) -> Found:
    """Hours by status and spot cost of each instance."""
    ours, theirs = modelled(trial.db), calculated(trial.db, trial.sight.span.end)
    if wrong := ours.differences(theirs):
        return failed(f"{len(wrong):,} figures differ: {'; '.join(wrong[:3])}")
    figures = sum(map(len, vars(ours).values()))
    if not figures:
        return cannot_tell(f"no instance lived before {iso(trial.sight.span.end)}")
    return passed(f"{figures:,} figures of hours and cost, to the microsecond: worked out twice, the same")
