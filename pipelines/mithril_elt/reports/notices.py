"""What a reader must know beside the figures: what is missing, unknown or not yet complete, with how much.

Stands between marts and reports, over `unknowns`: each notice asks the marts one question and is one sentence, or none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

from mithril_elt.instants import iso
from mithril_elt.reports.catalog import SUMMARY
from mithril_elt.reports.marts import Marts, Project
from mithril_elt.reports.span import Span
from mithril_elt.reports.unknowns import (
    counted,
    on_no_order,
    on_unknown_commitment,
    on_unknown_gpus,
    on_unknown_limit,
    on_unknown_loss_rate,
    on_unknown_market_price,
    on_unknown_pause_rate,
    on_unknown_return_rate,
    on_unknown_statuses,
    on_unknown_unit_price,
    on_unpriced,
    on_unrated_credits,
    on_unrated_returns,
)

__all__ = ["notices", "on_the_whole"]


def notices(marts: Marts, report: str, projects: list[Project], span: Span) -> list[str]:
    """The notices of a report over a span, in a fixed order; of a summary, those of all reports that it sums up."""
    shown = {name for name, _ in SUMMARY} if report == "summary" else {report}
    asked = [ask for ask, reports in _OF_REPORTS if reports & shown]
    asked += _OF_RECONCILIATION if report == "reconciliation" else []
    sentences = [*on_the_whole(marts, projects, span), *(ask(marts, span) for ask in asked)]
    return [sentence for sentence in sentences if sentence]


def on_the_whole(marts: Marts, projects: list[Project], span: Span) -> list[str]:
    """What is to be known of any figure: whether the data tests passed, and of which time there are figures at all."""
    failed = marts.failed_tests()
    sentences = [f"Of the last build {failed}."] if failed else []
    return [*sentences, *_on_completeness(projects, span), *_on_a_time_before(marts, span)]


def _on_a_time_before(marts: Marts, span: Span) -> list[str]:
    """A span that ends before there is anything is all zeros, and nobody knows whether these are true."""
    if span.to_at is None:
        return []
    first = marts.first_at()
    if first is None or span.to_at > first:
        return []
    return [f"The data begins at {iso(first)}: nothing is known of the time before --to {iso(span.to_at)}."]


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


def _on_no_history(marts: Marts, span: Span) -> str | None:
    """What is said to run and has no history would be a silent zero."""
    asked = (
        "select count(*) from {marts}.dim_instances where first_event_at is null and as_of is not null"
        " and listed_status in ('RUNNING', 'PREEMPTING', 'RELOCATING') and {within}"
    )
    found = marts.rows(asked.replace("{within}", span.within("instance")))
    count = found[0][0]
    return f"{counted(count, 'instance')} listed as up with no status history: counted nowhere." if count else None


def _on_redemptions(marts: Marts, _: Span) -> str | None:
    """The API tells what earns credit, and nothing of what became of it."""
    [(count,)] = marts.rows("select count(*) from {marts}.fct_credit_ledger")
    return "Credits are an upper bound: what was redeemed is not in the API." if count else None


def _on_inferred_returns(marts: Marts, _: Span) -> str | None:
    """No endpoint tells of a return."""
    [(count,)] = marts.rows("select count(*) from {marts}.fct_return_credits")
    if not count:
        return None
    return "Returns are inferred from instances that ended before their reservation: they are in no net cost."


def _on_no_summary(marts: Marts, _: Span) -> str | None:
    [(number,)] = marts.rows(
        "select count(*) from {marts}.dim_reservations where placed_at <= as_of"
        " and reservation_id not in (select reservation_id from {marts}.fct_reconciliation)"
    )
    if not number:
        return None
    return f"No summary of the vendor up to as_of is known of {counted(number, 'reservation')}: not compared."


def _on_instants(marts: Marts, _: Span) -> str | None:
    [(first, last)] = marts.rows("select min(vendor_as_of), max(vendor_as_of) from {marts}.fct_reconciliation")
    [(as_of,)] = marts.rows("select min(as_of) from {marts}.dim_projects")
    if first is None or first == last == as_of:
        return None
    first, last = (iso(at.replace(tzinfo=UTC)) for at in (first, last))
    told = first if first == last else f"{first} to {last}"
    return f"The vendor's summaries are as of {told}; what is beside them is as of the same instants."


_OF_STATUSES = frozenset(
    {"cash", "usage", "uptime", "cost", "chargeback", "variance", "savings", "preemptions", "rates"}
)
_OF_RECONCILIATION: list[Callable[[Marts, Span], str | None]] = [_on_no_summary, _on_instants]
_OF_REPORTS: tuple[tuple[Callable[[Marts, Span], str | None], frozenset[str]], ...] = (
    (on_unknown_statuses, _OF_STATUSES),
    (on_unknown_gpus, frozenset({"usage", "cost"})),
    (on_no_order, frozenset({"usage", "cost", "chargeback", "variance"})),
    (_on_no_history, frozenset({"usage", "uptime", "cost", "chargeback", "variance", "preemptions"})),
    (on_unpriced, frozenset({"cost", "chargeback", "variance", "savings", "cash"})),
    (on_unknown_market_price, frozenset({"savings"})),
    (on_unknown_limit, frozenset({"savings"})),
    (on_unknown_unit_price, frozenset({"cost", "chargeback", "variance", "cash", "reservations", "opportunities"})),
    (on_unknown_commitment, frozenset({"reservations", "cash"})),
    (
        on_unknown_pause_rate,
        frozenset({"cost", "chargeback", "variance", "pause-credits", "reservations", "opportunities"}),
    ),
    (on_unknown_return_rate, frozenset({"opportunities"})),
    (on_unrated_credits, frozenset({"credits"})),
    (_on_redemptions, frozenset({"credits"})),
    (on_unrated_returns, frozenset({"return-credits"})),
    (_on_inferred_returns, frozenset({"return-credits"})),
    (on_unknown_loss_rate, frozenset({"pause-credits", "opportunities"})),
)
