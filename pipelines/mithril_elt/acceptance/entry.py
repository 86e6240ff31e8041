"""Points 1 to 6: the settings, the key, the project and the network, each right and each wrong.

Stands in `acceptance` on `trial`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from mithril_elt.acceptance.account import Account
from mithril_elt.acceptance.outcomes import Found, failed, passed
from mithril_elt.acceptance.scratch import files_with
from mithril_elt.acceptance.trial import Trial
from mithril_elt.api import Mithril
from mithril_elt.client import Limits
from mithril_elt.errors import ApiError, KeyRefusedError, MithrilError, NotFoundError
from mithril_elt.lists import choose_projects

__all__ = ["bad_key", "good_key", "network_down", "no_trace_of_the_key", "settings", "wrong_project"]

_NO_KEY = "fkey_refused0000000000000000"
_NO_PROJECT = "proj_000000000000none"


def settings(trial: Trial) -> Found:
    """What was found, but for the key."""
    account = trial.account
    if account.key in repr(account):
        return failed("the key shows where the account is printed")
    return passed(f"a key and the address {account.url} were found; {len(trial.sight.projects)} projects to read")


def no_trace_of_the_key(trial: Trial) -> Found:
    """In the databases, in what dlt and dbt keep beside them, and in all that was warned of."""
    found, looked_at = files_with(trial.folder, trial.account.key)
    if found:
        return failed(f"the key is in {found[0]}" + (f" and {len(found) - 1} more files" if found[1:] else ""))
    said = [*trial.sight.novelties, *trial.broken.values()]
    if any(trial.account.key in each for each in said):
        return failed("the key is in a warning")
    return passed(f"in none of {looked_at} files and {len(said)} warnings")


def good_key(trial: Trial) -> Found:
    """As `check` asks."""
    with trial.account.session() as api:
        return passed(f"{api.url} accepts it; its clock says {api.server_now():%Y-%m-%d %H:%M:%S} UTC")


def bad_key(trial: Trial) -> Found:
    """A key that nobody has."""
    account = Account(_NO_KEY, trial.account.url)
    try:
        return _refused(KeyRefusedError, lambda: _ask_who(account))
    finally:
        trial.account.requests += account.requests


def wrong_project(trial: Trial) -> Found:
    """A project that nobody has."""

    def choose() -> None:
        with trial.account.session() as api:
            choose_projects(api, [_NO_PROJECT])

    return _refused(NotFoundError, choose)


def network_down(_: Trial) -> Found:
    """A port of this machine that nobody listens on; the account's key is not sent there."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"

        def ask() -> None:
            with Mithril(_NO_KEY, url, limits=Limits(attempts=1, timeout_s=2, budget_s=2)) as api:
                api.me()

        return _refused(ApiError, ask)


def _ask_who(account: Account) -> None:
    with account.session() as api:
        api.me()


def _refused(wanted: type[MithrilError], attempt: Callable[[], None]) -> Found:
    """Whether the attempt ends in that kind of error, in one line."""
    try:
        attempt()
    except MithrilError as error:
        if type(error) is not wanted:
            return failed(f"status {error.exit_status} instead of {wanted.exit_status}: {error}")
        if len(str(error).splitlines()) != 1:
            return failed("it is said in more than one line")
        return passed(f"status {error.exit_status}: {error}")
    return failed(f"it is let through: status 0 instead of {wanted.exit_status}")
