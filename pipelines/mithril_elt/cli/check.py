"""The command `check`: what a run needs, one line each, within seconds.

Stands inside `cli`, on `client` and `warehouse`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mithril_elt.cli.options import api_options, as_json_option, connect, db_options, load_plan, span_options
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.errors import ApiError, KeyRefusedError, MithrilError
from mithril_elt.place import Place

__all__ = ["check_command"]


@dataclass
class Finding:
    """What came of one check."""

    check: str
    ok: bool
    says: str
    exit_status: int = 0


@click.command("check")
@api_options
@span_options
@db_options
@as_json_option
def check_command(*, as_json: bool, **values: Any) -> None:
    """Check the key, the project, the network and the warehouse, one line each. Writes nothing.

    \b
    Example:
      mithril-elt check --project proj_0123456789abcdef
    """
    findings = [*_api_findings(values), _tried("warehouse", lambda: _warehouse(values["db"]))]
    if as_json:
        say_facts({"checks": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            say(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.check:<9}  {finding.says}")
    failed = [finding for finding in findings if not finding.ok]
    if failed:
        raise click.exceptions.Exit(failed[0].exit_status)


def _tried(check: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(check, ok=True, says=attempt())
    except MithrilError as error:
        return _failed(check, error)


def _failed(check: str, error: MithrilError, advice: str = "") -> Finding:
    return Finding(check, ok=False, says=f"{error}{advice}", exit_status=error.exit_status)


def _api_findings(values: dict[str, Any]) -> list[Finding]:
    """Network, key and project; what hangs on one that failed is not tried."""
    try:
        api, projects = connect(values, quick=True)
        load_plan(values, projects)
    except MithrilError as error:
        check = "key" if isinstance(error, KeyRefusedError) else "settings"
        return [_failed(check, error)]
    with api:
        try:
            server_at = api.server_now()
        except KeyRefusedError as error:
            network = Finding("network", ok=True, says=f"{api.url} answers")
            return [network, _failed("key", error)]
        except MithrilError as error:
            advice = f": is {api.url} right and reachable?" if isinstance(error, ApiError) else ""
            return [_failed("network", error, advice)]
        skew_s = int((datetime.now(UTC) - server_at).total_seconds())
        clock = f"; its clock is {abs(skew_s)} s {'behind' if skew_s > 0 else 'ahead'}" if abs(skew_s) > 60 else ""
        return [
            Finding("network", ok=True, says=f"{api.url} answers{clock}"),
            Finding("key", ok=True, says="accepted"),
            _tried("project", lambda: _projects(api, projects)),
        ]


def _projects(api: Any, wanted: tuple[str, ...]) -> str:
    from mithril_elt.lists import choose_projects  # noqa: PLC0415  # imports pyarrow

    chosen = choose_projects(api, wanted)
    return f"{len(chosen)} to read: {', '.join(chosen)}" if chosen else "the key sees no project yet"


def _warehouse(db: Place) -> str:
    from mithril_elt.warehouse import try_write  # noqa: PLC0415  # imports duckdb

    try_write(db)
    if not isinstance(db, Path):
        return f"{db} answers"
    return f"{db} can be written" if db.exists() else f"{db} will be made by the first run"
