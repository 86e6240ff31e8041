"""Which reading of each open point of the API an account shows, by a dozen read-only questions.

Stands on `api`, beside `lists`. In order: `asking`, within a budget; `plan`, which question when; then one
small function a reading that makes a finding of what was heard. What is not certain is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from mithril_elt.findings import Finding
from mithril_elt.lists import choose_projects
from mithril_elt.probe import moments, paging, prices, scope, stories, windows, writing
from mithril_elt.probe.asking import MOST_REQUESTS, Asker, Session
from mithril_elt.probe.plan import Notes, question

__all__ = ["MOST_REQUESTS", "Probed", "probe"]

# In the order in which the sandbox lists its switches.
_FINDERS: tuple[Callable[[Notes], Finding], ...] = (
    scope.project_alone,
    paging.limit_counts,
    windows.start_selects,
    windows.start_bound,
    windows.end_bound,
    stories.order,
    paging.repeated_rows,
    stories.equal_times,
    stories.repeated_statuses,
    writing.times,
    writing.fractions,
    paging.last_cursor,
    paging.empty_pages,
    writing.optional_keys,
    paging.default_limit,
    prices.price_periods,
    prices.reserved_prices,
    partial(moments.told_elsewhere, "late_hours"),
    partial(moments.told_elsewhere, "withdrawn_hours"),
    partial(moments.told_elsewhere, "corrected_hours"),
    moments.leaves_list_hours,
    paging.cursors_expire,
    partial(moments.told_elsewhere, "pause_clock"),
    partial(moments.told_elsewhere, "active_hours"),
)


@dataclass(frozen=True)
class Probed:
    """What came of it: of which address and project (None: the key sees none), by how many requests, when."""

    account: str
    project: str | None
    requests: int
    at: datetime
    findings: tuple[Finding, ...]


def probe(
    key: str,
    url: str,
    *,
    projects: Sequence[str] = (),
    requests_per_second: float | None = None,  # exact-ok: a pace
) -> Probed:
    """Asks the account at most `MOST_REQUESTS` questions, retries among them, all of them reads.

    `projects`: by fid or name; the first that has instances is asked about.

    Raises:
        MithrilError: as every other call of the API.
    """
    with Session(key, url, requests_per_second=requests_per_second) as api:
        notes = question(Asker(api), choose_projects(api, projects))
        at = api.traffic.first_server_at or datetime.now(UTC)
    findings = tuple(_said_why(find(notes), notes) for find in _FINDERS)
    return Probed(api.url, notes.project, api.traffic.requests, at, findings)


def _said_why(finding: Finding, notes: Notes) -> Finding:
    """The finding; where nothing was heard that it could be made of, and the budget may be why, with that."""
    if finding.seen or finding.evidence or not notes.is_spent or "a moment" in finding.why:
        return finding
    return replace(finding, why=f"{finding.why}; the budget of {MOST_REQUESTS} requests was spent")
