"""The command `opportunities`: which idle instances may be paused, pausing them with --apply, what that has earned.

Stands at the end of the flow, inside `cli`, on `acting`. It asks nothing of the API unless it is told to act.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.acting_options import acting_options, rule_options, rules_of, use_options, use_table
from mithril_elt.cli.options import api_options, as_json_option, connect, db_options
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.errors import ApiError, MithrilError, NotFoundError, UsageError
from mithril_elt.instants import iso, parse_duration
from mithril_elt.place import Place
from mithril_elt.settings import DEFAULT_API_URL, find_settings

if TYPE_CHECKING:
    from mithril_elt.acting import Candidate, Outcome
    from mithril_elt.reports.marts import Marts

__all__ = ["opportunities_command"]

# One attempt more or less does not matter here, but nobody waits five minutes for a status.
_PATIENCE = {"attempts": 4, "budget_s": 60}


@click.command("opportunities")
@db_options
@use_options
@rule_options
@acting_options
@api_options
@as_json_option
def opportunities_command(
    *, db: Place, dataset: str | None, as_json: bool, is_applied: bool, is_journal: bool, **values: Any
) -> None:
    """Which idle instances would be paused, and what that earns; with --apply they are paused.

    An instance that runs is paused only if your table of utilisation says that its GPUs are out of use, up to now; or
    if you name it with --instance, and the table does not say otherwise. Never one on spot, one in use by the table,
    or one younger than the safe age; one that was asked to start only if you name it. Without --apply nothing is asked
    of the API.

    Each request is noted in the table ops.actions before it leaves and after it was answered, and is sent once.
    --journal lists what was asked, and the credit that it has earned since.

    \b
    Example:
      mithril-elt opportunities --utilisation gpus.parquet
      mithril-elt opportunities --utilisation gpus.parquet --apply --for 8h
    """
    if is_journal:
        _show_journal(db, dataset, as_json=as_json)
        return
    if values["batch"] < 1:
        raise UsageError(f"--batch {values['batch']} has no meaning: 1 or more")
    if is_applied and not values["dry_run"]:
        _apply(db, dataset, values, as_json=as_json)
    else:
        _list(db, dataset, values, as_json=as_json)


@contextmanager
def _marts(db: Place, dataset: str | None) -> Iterator[Marts]:
    from mithril_elt.reports.marts import read_marts  # noqa: PLC0415  # kept out of --help
    from mithril_elt.warehouse import schema_name  # noqa: PLC0415  # imports duckdb: not for --help

    with read_marts(db, schema_name("marts", dataset)) as marts:
        yield marts


def _found(
    db: Place, dataset: str | None, values: dict[str, Any], now: datetime | None
) -> tuple[datetime, datetime, list[Candidate], list[str]]:
    """As of when the figures are, the instant that was looked at, the candidates then, and what to know beside them."""
    from mithril_elt.acting import find_candidates  # noqa: PLC0415  # imports the client
    from mithril_elt.reports.use import read_use  # noqa: PLC0415  # as above

    table, warnings = use_table(values), []
    with _marts(db, dataset) as marts:
        known = [project.as_of for project in marts.projects() if project.as_of is not None]
        if not known:
            raise UsageError("nothing is loaded to its end yet: `mithril-elt run` loads it")
        use = read_use(marts, table) if table else None
        found = find_candidates(marts, rules_of(values), use, now or min(known))
    projects = find_settings(projects=values["projects"], needs_key=False).projects
    if projects:
        found = [each for each in found if each.project_id in projects or each.refusal == "unknown"]
    if use and use.unreadable_rows:
        warnings.append(f"{use.unreadable_rows:,} rows of the utilisation have no instance or no instant: left out.")
    return min(known), now or min(known), found, warnings


def _list(db: Place, dataset: str | None, values: dict[str, Any], *, as_json: bool) -> None:
    from mithril_elt.cli import acting_shown as shown  # noqa: PLC0415  # imports the client

    as_of, at, found, warnings = _found(db, dataset, values, None)
    batches = _batches(found, values["batch"])
    url = find_settings(api_url=values["api_url"], needs_key=False).api_url or DEFAULT_API_URL
    if as_json:
        requests = {"requests": shown.request_facts(url, batches)} if values["dry_run"] else {}
        say_facts(_facts(as_of, at, found, warnings) | requests)
        return
    shown.show_candidates(found)
    _show_beside(as_of, warnings)
    if values["dry_run"]:
        shown.show_requests(url, batches)


def _batches(found: Sequence[Candidate], size: int) -> list[list[str]]:
    chosen = [each.instance_id for each in found if not each.refusal]
    return [chosen[begin : begin + size] for begin in range(0, len(chosen), size)]


def _facts(as_of: datetime, at: datetime, found: Sequence[Candidate], warnings: Sequence[str]) -> dict[str, Any]:
    from mithril_elt.cli import acting_shown as shown  # noqa: PLC0415  # as above

    candidates = [shown.candidate_facts(each) for each in found]
    return {"as_of": iso(as_of), "at": iso(at), "warnings": list(warnings), "candidates": candidates}


def _show_beside(as_of: datetime, warnings: Sequence[str], *, err: bool = False) -> None:
    say(f"By figures up to {iso(as_of)}, at the rates in force. This is an estimate, not a promise.", err=err)
    for warning in warnings:
        say(f"Warning: {warning}", err=True)


def _apply(db: Place, dataset: str | None, values: dict[str, Any], *, as_json: bool) -> None:
    """Shows what would be paused, asks, pauses, and says how each ended; what is shown is by the server's clock."""
    from mithril_elt.acting import Journal, Pausing  # noqa: PLC0415  # imports the client
    from mithril_elt.cli import acting_shown as shown  # noqa: PLC0415  # as above
    from mithril_elt.lock import locked  # noqa: PLC0415  # as above

    if not values["yes"] and not sys.stdin.isatty():
        raise UsageError("nobody is there to ask whether to pause instances: say --yes, or leave out --apply")
    wait = parse_duration(values["wait"], option="--wait")
    api, _ = connect(values, patience=_PATIENCE)
    outcomes: list[Outcome] = []
    with api:
        as_of, at, found, warnings = _found(db, dataset, values, api.server_now())
        _refuse_old(as_of, at, values)
        shown.show_candidates(found, err=as_json)
        _show_beside(as_of, warnings, err=as_json)
        chosen = [each for each in found if not each.refusal]
        journal = Journal(db, dataset)
        if chosen:
            if not values["yes"]:
                click.confirm(f"Pause {len(chosen)} instances?", abort=True, err=True)
            with locked(db):
                pausing = Pausing(
                    api,
                    journal,
                    batch=values["batch"],
                    wait=wait,
                    tell=lambda each: shown.show_outcome(each, err=as_json),
                )
                outcomes = pausing.pause(chosen)
    if as_json:
        actions = [shown.outcome_facts(each) for each in outcomes]
        say_facts({**_facts(as_of, at, found, warnings), "run_id": journal.run_id, "actions": actions})
    _end(outcomes, [each.instance_id for each in found if each.refusal and values["named"]])


def _refuse_old(as_of: datetime, at: datetime, values: dict[str, Any]) -> None:
    if at - as_of > parse_duration(values["max_age"], option="--max-age"):
        raise UsageError(
            f"the figures end at {iso(as_of)}, which is too old to act on: `mithril-elt run` first, or --max-age"
        )


def _end(outcomes: Sequence[Outcome], refused: Sequence[str]) -> None:
    """Ends with the worst that there is, by the list of exit statuses; 0 if all that was asked for is paused."""
    by_verdict: dict[str, list[str]] = {}
    for each in outcomes:
        by_verdict.setdefault(each.verdict, []).append(each.candidate.instance_id)
    failed = [fid for verdict in ("failed", "underway", "left") for fid in by_verdict.get(verdict, [])]
    errors: tuple[tuple[list[str], type[MithrilError], str], ...] = (
        (failed, ApiError, "are not paused: the API failed, or left them as they were"),
        (by_verdict.get("not_found", []), NotFoundError, "are unknown to the API"),
        (by_verdict.get("refused", []), UsageError, "were refused by the API"),
        (by_verdict.get("changed", []), UsageError, "have changed since the figures: nothing was asked"),
        (list(refused), UsageError, "were named and may not be paused"),
    )
    for fids, kind, words in errors:
        if fids:
            raise kind(f"{', '.join(fids)} {words}; `mithril-elt opportunities --journal` has the rest")


def _show_journal(db: Place, dataset: str | None, *, as_json: bool) -> None:
    from mithril_elt.acting import read_actions  # noqa: PLC0415  # imports the client
    from mithril_elt.cli import acting_shown as shown  # noqa: PLC0415  # as above

    with _marts(db, dataset) as marts:
        actions = read_actions(marts, dataset)
        as_of = min((project.as_of for project in marts.projects() if project.as_of), default=None)
    if as_json:
        say_facts({"as_of": iso(as_of), "actions": [shown.action_facts(each) for each in actions]})
        return
    shown.show_actions(actions)
    say(f"Complete up to {iso(as_of) or 'nothing yet'}. Dollars are estimated from the API's histories.")
