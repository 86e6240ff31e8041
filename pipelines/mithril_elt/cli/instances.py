"""The commands `instances list`, `status`, `pause` and `start`: the live endpoints.

Stands inside `cli`, on `api`. Nothing is changed without a yes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from mithril_elt.cli.options import F, api_options, as_json_option, connect, decorated
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.errors import ApiError, UsageError

__all__ = ["instances_command"]

_WAIT_S = 30 * 60
_GOALS = {"STATUS_PAUSED": "pause", "STATUS_RUNNING": "start"}
_UNDERWAY = {"STATUS_PAUSED": "STATUS_STOPPING", "STATUS_RUNNING": "STATUS_CONFIRMED"}


def _change_options(function: F) -> F:
    """Which instances to change, and how carefully."""
    return decorated(
        function,
        click.argument("fids", nargs=-1, required=True, metavar="FID…"),
        api_options,
        click.option("--wait", is_flag=True, help="Wait until they are there; a start can take 7 minutes."),
        click.option("--yes", is_flag=True, help="Do not ask first."),
        click.option("--dry-run", is_flag=True, help="Say what would be asked, and ask nothing."),
        as_json_option,
    )


@click.group("instances")
def instances_command() -> None:
    """List, pause and start instances: the live endpoints.

    \b
    Example:
      mithril-elt instances pause inst_0123456789abcdef --wait
    """


@instances_command.command("list")
@api_options
@click.option("--status", "statuses", multiple=True, metavar="STATUS", help="Only these, such as RUNNING.")
@as_json_option
def list_command(*, statuses: tuple[str, ...], as_json: bool, **values: Any) -> None:
    """List the instances of the projects, ended ones too.

    \b
    Example:
      mithril-elt instances list --status RUNNING --status PAUSED
    """
    from mithril_elt.lists import choose_projects  # noqa: PLC0415  # imports pyarrow

    wanted = {_full(status) for status in statuses}
    filters = {"status_in": ",".join(sorted(wanted))} if wanted else {}
    api, projects = connect(values)
    with api:
        found = [i for project in choose_projects(api, projects) for i in api.instances(project, **filters)]
        found = [i for i in found if not wanted or i.status in wanted]  # whether or not the API knows the filter
    columns = ("fid", "name", "status", "region", "bid", "reservation", "created_at")
    rows = [{column: getattr(instance, column) for column in columns} for instance in found]
    if as_json:
        say_facts({"instances": rows}, default=lambda at: at.isoformat())
        return
    for row in rows:
        order = row["bid"] or row["reservation"] or ""
        say(f"{row['fid']:<22} {_bare(row['status']):<12} {row['region'] or '':<14} {order:<21} {row['name']}")


@instances_command.command("status")
@click.argument("fids", nargs=-1, required=True, metavar="FID…")
@api_options
@as_json_option
def show_command(fids: tuple[str, ...], *, as_json: bool, **values: Any) -> None:
    """Show the status of instances, as it is now.

    \b
    Example:
      mithril-elt instances status inst_0123456789abcdef
    """
    api, _ = connect(values)
    with api:
        _tell({fid: api.instance_state(fid).status for fid in _unique(fids)}, as_json=as_json)


@instances_command.command("pause")
@_change_options
def pause_command(fids: tuple[str, ...], **values: Any) -> None:
    """Pause reserved instances. A pause of an hour or more earns credit at the reservation's rate.

    \b
    Example:
      mithril-elt instances pause inst_0123456789abcdef --wait
    """
    _change(_unique(fids), "STATUS_PAUSED", values)


@instances_command.command("start")
@_change_options
def start_command(fids: tuple[str, ...], **values: Any) -> None:
    """Start reserved instances that are paused.

    \b
    Example:
      mithril-elt instances start inst_0123456789abcdef --yes
    """
    _change(_unique(fids), "STATUS_RUNNING", values)


def _unique(fids: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(fids))


def _full(status: str) -> str:
    return status.upper() if status.upper().startswith("STATUS_") else f"STATUS_{status.upper()}"


def _bare(status: str) -> str:
    return status.removeprefix("STATUS_")


def _change(fids: list[str], goal: str, values: dict[str, Any]) -> None:
    as_json = values["as_json"]
    api, _ = connect(values)
    with api:
        before = {fid: api.instance_state(fid).status for fid in fids}
        if values["dry_run"]:
            say(f"Would ask to {_GOALS[goal]} {', '.join(fids)}; nothing was asked.", err=as_json)
            _tell(before, as_json=as_json)
            return
        if not values["yes"]:
            _ask(before, goal)
        answered = api.set_status(fids, goal)
        refused = [fid for fid in fids if answered.get(fid) not in (goal, _UNDERWAY[goal])]
        if values["wait"]:
            _wait(api, [fid for fid in fids if fid not in refused], goal)
        after = {fid: api.instance_state(fid).status for fid in fids}
    _tell(after, before, as_json=as_json)
    if refused:
        raise ApiError(f"the API would not {_GOALS[goal]} {', '.join(refused)}: it left them as they were")


def _ask(before: dict[str, str], goal: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"nobody is there to ask whether to {_GOALS[goal]} {len(before)} instances: say --yes")
    for fid, status in before.items():
        say(f"{fid} is {_bare(status)}", err=True)
    click.confirm(f"{_GOALS[goal].capitalize()} {len(before)} instances?", abort=True, err=True)


def _wait(api: Any, fids: list[str], goal: str) -> None:
    """Asks again, ever less often, until all are there."""
    deadline, pause_s = time.monotonic() + _WAIT_S, 0.2
    waiting = fids
    while waiting := [fid for fid in waiting if api.instance_state(fid).status != goal]:
        if time.monotonic() > deadline:
            raise ApiError(f"{', '.join(waiting)} are not {_bare(goal)} after {_WAIT_S // 60} minutes")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 5)


def _tell(now: dict[str, str], before: dict[str, str] | None = None, *, as_json: bool) -> None:
    rows = [{"instance_id": fid, "was": (before or {}).get(fid), "is": status} for fid, status in now.items()]
    if as_json:
        say_facts({"instances": rows if before else [{k: r[k] for k in ("instance_id", "is")} for r in rows]})
        return
    for row in rows:
        was = f"was {_bare(row['was'])}, " if row["was"] else ""
        say(f"{row['instance_id']} {was}is {_bare(str(row['is']))}")
