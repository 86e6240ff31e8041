"""Forty points checked against an account: by reads alone, in a scratch database, with the evidence of each.

Stands on `load` and `transform`, beside `reports`. In order: `account`, which counts what is asked; `told`, the API
read without dlt; `sight`, what there is to be tried; `trial`, what is done; then a small function a point that makes
an outcome of what was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mithril_elt.acceptance import entry, failures, loaded, steps, working
from mithril_elt.acceptance.account import Account
from mithril_elt.acceptance.outcomes import Found, Outcome, failed
from mithril_elt.acceptance.points import POINTS
from mithril_elt.acceptance.sight import Wanted, look
from mithril_elt.acceptance.trial import Trial
from mithril_elt.errors import MithrilError
from mithril_elt.windows import Span

__all__ = ["Accepted", "Account", "Outcome", "Wanted", "accept"]

_Check = Callable[[Trial], Found]

# In the order of the points, which is all that ties a check to its point; each with the stage of the trial that it
# needs, if any but the first.
_CHECKS: tuple[tuple[_Check, tuple[str, ...]], ...] = (
    (entry.settings, ()),
    (entry.no_trace_of_the_key, ()),
    (entry.good_key, ()),
    (entry.bad_key, ()),
    (entry.wrong_project, ()),
    (entry.network_down, ()),
    (loaded.described, ()),
    (loaded.earlier_release, ()),
    (loaded.novelties, ()),
    (loaded.filled, ()),
    (loaded.types, ()),
    (loaded.keys, ()),
    (loaded.columns_are_seen, ()),
    (loaded.golden, ()),
    (loaded.empty_account, ()),
    (steps.second_run, ("again",)),
    (steps.broken_off, ("killed", "deep")),
    (steps.future, ("future", "deep")),
    (steps.deep_reading, ("again", "deep")),
    (steps.price_closes, ("deep", "later")),
    (steps.withdrawn, ("again", "deep", "later")),
    (steps.small_windows, ("deep", "killed", "backfill")),
    (steps.page_sizes, ("pages",)),
    (steps.backfill, ("deep", "killed", "backfill")),
    (steps.overlap, ("again", "deep")),
    (failures.kill, ("killed", "deep")),
    (failures.failures_of_the_server, ()),
    (failures.cursors, ()),
    (failures.other_shapes, ()),
    (failures.twice_told, ("pages",)),
    (failures.second_at_once, ("at_once",)),
    (failures.recovery, ("killed", "deep")),
    (working.plan_writes_nothing, ("again",)),
    (working.plan_is_kept, ("again",)),
    (working.rate, ()),
    (working.memory, ("deep",)),
    (working.table_of_runs, ("again", "deep", "later")),
    (working.data_tests, ("models",)),
    (working.nothing_lost, ("models",)),
    (working.calculation, ("models",)),
)


@dataclass(frozen=True)
class Accepted:
    """What came of it: of which address, projects and span, by how many requests; an outcome for each point."""

    account: str
    projects: tuple[str, ...]
    span: Span
    requests: int
    outcomes: tuple[Outcome, ...]

    def count(self, result: str) -> int:
        """How many points passed, failed, or cannot be told."""
        return sum(outcome.result == result for outcome in self.outcomes)


def accept(account: Account, folder: Path, wanted: Wanted, *, tell: Callable[[str], None] = lambda _: None) -> Accepted:
    """Tries the account by reads alone; all that is written is in `folder`.

    Raises:
        MithrilError: the account cannot be read or loaded even once.
    """
    tell("reading the lists, and the histories of the span, once …")
    sight = look(account, wanted)
    tell(
        f"{account.requests} requests so far, about {sight.expected_requests()} more: the histories of {sight.length}"
        " four times over, the lists ten times"
    )
    trial = Trial(account, folder, sight, tell)
    trial.run()
    found = [_found(check, needs, trial) for check, needs in _CHECKS]
    outcomes = tuple(Outcome(each.result, each.evidence, point) for point, each in zip(POINTS, found, strict=True))
    return Accepted(account.url, sight.projects, sight.span, account.requests, outcomes)


def _found(check: _Check, needs: tuple[str, ...], trial: Trial) -> Found:
    if broken := next((name for name in needs if name in trial.broken), None):
        return failed(trial.broken[broken])
    try:
        return check(trial)
    except MithrilError as error:
        return failed(str(error))
