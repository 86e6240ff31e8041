"""What a reader must know beside the figures: what is missing, unknown or not yet complete, with how much.

Stands between marts and reports: each notice asks the marts one question and is one sentence, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta
from decimal import Decimal
from functools import reduce

from mithril_elt.instants import iso
from mithril_elt.reports.apportion import as_decimal, divide
from mithril_elt.reports.marts import Marts, Project
from mithril_elt.reports.span import Span

__all__ = ["notices"]

_HOUR_US = 3_600_000_000
_UNKNOWN_STATUSES = """
    select status, to_at - from_at from (
        select status, greatest(started_at, {from}) as from_at, least(ended_at, {to}) as to_at
        from {marts}.fct_status_spells where not is_known_status and {within}
    ) as clipped
    where from_at < to_at order by status
"""


def notices(marts: Marts, report: str, projects: list[Project], span: Span) -> list[str]:
    """The notices of a report over a span, in a fixed order; of a summary, those of all reports that it sums up."""
    asked = [ask for ask, reports in _OF_REPORTS if report == "summary" or report in reports]
    asked += _OF_RECONCILIATION if report == "reconciliation" else []
    sentences = [*_on_completeness(projects, span), *(ask(marts, span) for ask in asked)]
    return [sentence for sentence in sentences if sentence]


def _on_completeness(projects: list[Project], span: Span) -> list[str]:
    complete = sorted((project.as_of, project.project_id) for project in projects if project.as_of is not None)
    sentences = [
        f"{project.project_id} has no figures yet: one of its two histories has not been read to its end."
        for project in projects
        if project.as_of is None and not (complete and project.created_at and project.created_at > complete[0][0])
    ]
    if not projects:
        sentences.append("Nothing is loaded yet: `mithril-elt run` loads it.")
    if complete and complete[0][0] != complete[-1][0]:
        (first, early), (last, late) = complete[0], complete[-1]
        sentences.append(
            f"Projects are complete up to different instants, from {iso(first)} ({early}) to {iso(last)} ({late});"
            " as_of is the earliest."
        )
    ends = [("--from", span.from_at), ("--to", span.to_at)]
    past = [f"{option} {iso(instant)}" for option, instant in ends if instant and complete and instant > complete[0][0]]
    if past:
        sentences.append(f"The data ends at {iso(complete[0][0])}, before {past[0]}.")
    return sentences


def _on_unknown_statuses(marts: Marts, span: Span) -> str | None:
    asked = {"{from}": span.sql_from, "{to}": span.sql_to, "{within}": span.within("instance")}
    found = marts.rows(reduce(lambda sql, mark: sql.replace(mark, asked[mark]), asked, _UNKNOWN_STATUSES))
    if not found:
        return None
    times_us: dict[str, int] = {}
    for status, time in found:
        times_us[status] = times_us.get(status, 0) + time // timedelta(microseconds=1)
    statuses = ", ".join(f"{status} ({_hours(time_us)})" for status, time_us in times_us.items())
    return f"Statuses that status_policy does not know: {statuses}: counted as unknown_hours, neither up nor billed."


def _on_unknown_gpus(marts: Marts, span: Span) -> str | None:
    found = _missing(
        marts, span, "fct_instance_hours", where="gpu_us is null and up_us > 0", time_us="up_us", of="instance_id"
    )
    if not found:
        return None
    return (
        f"The number of GPUs is not known for {_counted(found[1], 'instance')} with {_hours(found[0])} up:"
        " left out of GPU-hours, but not of cost, so dollars per GPU-hour are too high."
    )


def _on_no_order(marts: Marts, span: Span) -> str | None:
    no_order = "select instance_id from {marts}.dim_instances where order_id is null"
    found = _missing(
        marts,
        span,
        "fct_instance_hours",
        where=f"up_us > 0 and instance_id in ({no_order})",
        time_us="up_us",
        of="instance_id",
    )
    if not found:
        return None
    return (
        f"Neither a bid nor a reservation is known for {_counted(found[1], 'instance')} with {_hours(found[0])} up:"
        " in no cost."
    )


def _on_no_history(marts: Marts, span: Span) -> str | None:
    """What is said to run and has no history would be a silent zero."""
    asked = (
        "select count(*) from {marts}.dim_instances where first_event_at is null and as_of is not null"
        " and listed_status in ('RUNNING', 'PREEMPTING', 'RELOCATING') and {within}"
    )
    found = marts.rows(asked.replace("{within}", span.within("instance")))
    count = found[0][0]
    return f"{_counted(count, 'instance')} listed as up with no status history: counted nowhere." if count else None


def _on_unpriced(marts: Marts, span: Span) -> str | None:
    found = _missing(
        marts, span, "fct_instance_hours", where="unpriced_us > 0", time_us="unpriced_us", of="instance_id"
    )
    if not found:
        return None
    return (
        f"No price is known for {_hours(found[0])} billed on spot, of {_counted(found[1], 'instance')}:"
        " counted as unpriced_hours, and left out of spot_cost_usd."
    )


def _on_unknown_unit_price(marts: Marts, span: Span) -> str | None:
    used = _missing(
        marts,
        span,
        "fct_instance_hours",
        where="allocated_cost_cent_us is null and reserved_used_us > 0",
        time_us="reserved_used_us",
        of="instance_id",
    )
    unused = _missing(
        marts,
        span,
        "fct_reservation_hours",
        where="allocated_unused_cent_us is null and unused_us > 0",
        time_us="unused_us",
        of="reservation_id",
    )
    if not used and not unused:
        return None
    return (
        f"No unit price is known for {_hours((used or (0,))[0])} of reserved time used and"
        f" {_hours((unused or (0,))[0])} unused: left out of allocated and idle cost, and of net cost."
    )


def _on_unknown_commitment(marts: Marts, span: Span) -> str | None:
    found = _missing(
        marts,
        span,
        "fct_commitments",
        where="committed_cost_cent_us is null and committed_us > 0",
        time_us="committed_us",
        of="reservation_id",
        hour_at="date_trunc('hour', placed_at)",
    )
    if not found:
        return None
    return (
        f"No unit price is known for {_hours(found[0])} committed, of {_counted(found[1], 'reservation')}:"
        " left out of committed_cost_usd."
    )


def _on_unknown_pause_rate(marts: Marts, span: Span) -> str | None:
    found = _missing(
        marts,
        span,
        "fct_instance_hours",
        where="pause_credit_cent_us is null and credited_us > 0",
        time_us="credited_us",
        of="instance_id",
    )
    if not found:
        return None
    return (
        f"No pause rate is known for {_hours(found[0])} of credited pauses, of {_counted(found[1], 'instance')}:"
        " left out of pause_credit_usd."
    )


def _on_unknown_loss_rate(marts: Marts, span: Span) -> str | None:
    unknown = {
        "short_pause_loss_usd": ("short_pause_loss_cent_us is null and short_paused_us > 0", "short_paused_us"),
        "unclaimed_credit_usd": ("unclaimed_credit_cent_us is null and unclaimed_us > 0", "unclaimed_us"),
    }
    missing = [
        f"{_hours(found[0])} of {column}"
        for column, (condition, time_us) in unknown.items()
        if (found := _missing(marts, span, "fct_instance_hours", where=condition, time_us=time_us, of="instance_id"))
    ]
    return f"No pause rate is known for {' and '.join(missing)}: left out." if missing else None


def _on_no_summary(marts: Marts, _: Span) -> str | None:
    [(number,)] = marts.rows(
        "select count(*) from {marts}.dim_reservations where placed_at <= as_of"
        " and reservation_id not in (select reservation_id from {marts}.fct_reconciliation)"
    )
    if not number:
        return None
    return f"No summary of the vendor up to as_of is known of {_counted(number, 'reservation')}: not compared."


def _on_instants(marts: Marts, _: Span) -> str | None:
    [(first, last)] = marts.rows("select min(vendor_as_of), max(vendor_as_of) from {marts}.fct_reconciliation")
    [(as_of,)] = marts.rows("select min(as_of) from {marts}.dim_projects")
    if first is None or first == last == as_of:
        return None
    first, last = (iso(at.replace(tzinfo=UTC)) for at in (first, last))
    told = first if first == last else f"{first} to {last}"
    return f"The vendor's summaries are as of {told}; what is beside them is as of the same instants."


_OF_RECONCILIATION: list[Callable[[Marts, Span], str | None]] = [_on_no_summary, _on_instants]
_OF_REPORTS: tuple[tuple[Callable[[Marts, Span], str | None], frozenset[str]], ...] = (
    (_on_unknown_statuses, frozenset({"usage", "uptime", "cost"})),
    (_on_unknown_gpus, frozenset({"usage", "cost"})),
    (_on_no_order, frozenset({"usage", "cost"})),
    (_on_no_history, frozenset({"usage", "uptime", "cost"})),
    (_on_unpriced, frozenset({"cost"})),
    (_on_unknown_unit_price, frozenset({"cost", "reservations"})),
    (_on_unknown_commitment, frozenset({"reservations"})),
    (_on_unknown_pause_rate, frozenset({"cost", "pause-credits", "reservations"})),
    (_on_unknown_loss_rate, frozenset({"pause-credits"})),
)


def _missing(
    marts: Marts, span: Span, mart: str, *, where: str, time_us: str, of: str, hour_at: str = "hour_at"
) -> tuple[int, int] | None:
    """The microseconds in the span to which the condition applies, and how many `of` they are of; None if none."""
    select = " ".join(
        (
            f"select sum({time_us}), count(distinct {of})",
            f"from {{marts}}.{mart} where {where}",
            f"and {hour_at} >= {span.sql_from} and {hour_at} < {span.sql_to}",
            f"and {span.within('reservation' if of == 'reservation_id' else 'instance')}",
        )
    )
    [row] = marts.rows(select)
    return row if row[1] else None


def _hours(time_us: int) -> str:
    hours: Decimal = round(as_decimal(divide(time_us, _HOUR_US)), 2)
    return f"{hours:,} h"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
