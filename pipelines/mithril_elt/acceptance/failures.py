"""Points 26 to 32: kills and what they leave, a second run at once; and what a server does only in tests.

Stands in `acceptance` on `trial`; pure.
"""

from __future__ import annotations

from mithril_elt.acceptance.outcomes import Found, cannot_tell, failed, passed
from mithril_elt.acceptance.steps import KILLED, not_killed, same
from mithril_elt.acceptance.trial import Trial

__all__ = ["cursors", "failures_of_the_server", "kill", "other_shapes", "recovery", "second_at_once", "twice_told"]


def kill(trial: Trial) -> Found:
    """Between reading and loading; the working folder kept."""
    if trial.deaths[1] != KILLED:
        return not_killed(trial.deaths[1])
    return same(trial, ("killed",), "killed after a window, and between reading and loading: no row lost, none doubled")


def failures_of_the_server(trial: Trial) -> Found:
    """None can be asked for."""
    return cannot_tell(
        f"a server does not fail when asked to: {trial.account.retries} requests were sent again",
    )


def cursors(_: Trial) -> Found:
    """As above."""
    return cannot_tell("no cursor repeats or expires when asked to: the tests have servers whose do")


def other_shapes(_: Trial) -> Found:
    """As above."""
    return cannot_tell("the API answers in its own shape: the tests have servers that answer in others")


def twice_told(trial: Trial) -> Found:
    """If the API told any row twice."""
    repeated = trial.sight.told.repeated + trial.in_pages.repeated
    if not repeated:
        return cannot_tell("the API told no row twice")
    return same(trial, ("as told",), f"{repeated:,} rows came more than once, and are there once")


def second_at_once(trial: Trial) -> Found:
    """A process beside this one."""
    if trial.refused_with != 8:
        return failed(f"a second run ended with {trial.refused_with}, not 8")
    return passed("a run beside one that holds the lock ends with 8 and asks nothing")


def recovery(trial: Trial) -> Found:
    """A package cut short: the run says so, one command clears it, the next run has all of it."""
    if not trial.cut_files:
        return cannot_tell("the kill left no package")
    if trial.stuck_with is None:
        return failed(f"{trial.cut_files} files were cut short, and a run did not notice")
    if "recover" not in str(trial.stuck_with) or not trial.recovered:
        return failed(f"nothing says how to clear it: {trial.stuck_with}")
    return same(
        trial,
        ("killed",),
        f"{trial.cut_files} files cut short: told with status 9, cleared by `recover`, read again",
    )
