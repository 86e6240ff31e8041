"""What became of each instance that was asked to pause, and the credit that it has earned since.

The end of `acting`: the journal beside the marts, which know the pause from the API's own history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mithril_elt.acting.journal import table_of
from mithril_elt.quoting import quoted_text
from mithril_elt.reports.marts import Marts

__all__ = ["Action", "read_actions"]

_STARTS_WITHIN = timedelta(hours=1)  # of the request, also where nobody saw it pause
_SECOND = timedelta(seconds=1)  # the server's clock tells whole ones
_ACTIONS = """
    select
        asked.run_id, asked.instance_id, asked.reservation_id, asked.opportunity, asked.server_at, ended.server_at,
        coalesce(ended.outcome, answered.outcome, 'unclear'), coalesce(ended.detail, answered.detail),
        asked.status_before, coalesce(ended.status_now, answered.status_now), asked.pause_credit_cents,
        asked.planned_us, asked.expected_cent_us
    from {ops} as asked
    inner join (
        select run_id, instance_id, max(number) as number from {ops} where entry = 'asked' group by run_id, instance_id
    ) as last on asked.run_id = last.run_id and asked.number = last.number
    left join {ops} as answered
        on asked.run_id = answered.run_id and asked.instance_id = answered.instance_id
        and answered.entry = 'answered' and answered.number > asked.number
    left join {ops} as ended
        on asked.run_id = ended.run_id and asked.instance_id = ended.instance_id and ended.entry = 'ended'
    order by asked.server_at desc, asked.number
"""
_PAUSES = """
    select instance_id, started_at, is_open, is_credited, paused_us, pause_credit_cent_us
    from {marts}.fct_pause_credits
    where instance_id in ({instances})
    order by instance_id, started_at
"""


@dataclass(frozen=True)
class Action:
    """One request for one instance: what was expected, how it ended, and what the marts know of the pause since.

    Instants are UTC without a zone, amounts cent-microseconds. `paused_at` is None where the marts have no such pause
    (yet); `forecast_cent_us` is what so long a pause earns at the rate that was foreseen, `credit_cent_us` what it has
    earned: 0 if it is too short, None where no rate is known.
    """

    run_id: str
    instance_id: str
    reservation_id: str
    opportunity: str | None
    asked_at: datetime
    outcome: str
    detail: str | None
    status_before: str | None
    status_now: str | None
    pause_credit_cents: int | None
    planned_us: int | None
    expected_cent_us: int | None
    paused_at: datetime | None = None
    is_over: bool | None = None
    paused_us: int | None = None
    forecast_cent_us: int | None = None
    credit_cent_us: int | None = None


def read_actions(marts: Marts, dataset: str | None) -> list[Action]:
    """All that was asked, the latest first; nothing where nothing ever was.

    Raises:
        WarehouseError: the journal or the marts cannot be read.
    """
    schema, table = table_of(dataset)
    listed = "select table_name from information_schema.tables where table_catalog = current_database()"
    if not marts.rows(f"{listed} and table_schema = {quoted_text(schema)} and table_name = {quoted_text(table)}"):
        return []
    rows = marts.rows(_ACTIONS.replace("{ops}", f"{marts.beside(schema)}.{table}"))
    pauses = _pauses(marts, sorted({row[1] for row in rows}))
    return [_action(row, pauses.get(row[1], [])) for row in rows]


def _pauses(marts: Marts, instances: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
    if not instances:
        return {}
    found: dict[str, list[tuple[Any, ...]]] = {}
    for key, *pause in marts.rows(_PAUSES.replace("{instances}", ", ".join(map(quoted_text, instances)))):
        found.setdefault(key, []).append(tuple(pause))
    return found


def _action(row: tuple[Any, ...], pauses: list[tuple[Any, ...]]) -> Action:
    run_id, instance, reservation, opportunity, asked_at, ended_at, *told = row
    outcome, detail, before, now, rate, planned_us, expected = told
    known = (run_id, instance, reservation, opportunity, asked_at, outcome, detail, before, now, rate, planned_us)
    expected = None if expected is None else int(expected)
    latest = max(asked_at + _STARTS_WITHIN, ended_at or asked_at)
    pause = next((each for each in pauses if asked_at - _SECOND <= each[0] <= latest), None)
    if pause is None:
        return Action(*known, expected)
    started_at, is_open, is_credited, paused_us, credit = pause
    forecast = None if rate is None else rate * paused_us if is_credited else 0
    credit = None if credit is None else int(credit)
    return Action(*known, expected, started_at, not is_open, paused_us, forecast, credit)
