"""The command `probe`: which reading of each open point of the API an account shows.

Stands inside `cli`, on `probe` and `findings`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.options import account_settings, api_options, as_json_option, db_options
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.place import Place
from mithril_elt.settings import DEFAULT_API_URL

if TYPE_CHECKING:
    from mithril_elt.findings import Finding
    from mithril_elt.probe import Probed

__all__ = ["probe_command"]


@click.command("probe")
@click.option("--save", is_flag=True, help="Keep what was found beside the database, for `run` and `status`.")
@api_options
@db_options
@as_json_option
def probe_command(*, save: bool, as_json: bool, db: Place, **values: Any) -> None:
    """Show how an account's API reads what its description leaves open, with the evidence.

    Asks at most 12 questions, one at a time, and changes nothing. What the account does not show is told as
    such, never guessed.

    \b
    Example:
      mithril-elt probe --save --db mithril.duckdb
    """
    from mithril_elt.findings import save_findings  # noqa: PLC0415  # kept out of --help
    from mithril_elt.probe import probe  # noqa: PLC0415  # imports the client

    found = account_settings(values)
    url = found.api_url or DEFAULT_API_URL
    probed = probe(found.api_key, url, projects=found.projects, requests_per_second=values["requests_per_second"])
    if as_json:
        findings = [asdict(finding) for finding in probed.findings]
        say_facts({"account": probed.account, "requests": probed.requests, "findings": findings})
    else:
        _show(probed)
    if save:
        file = save_findings(db, probed.findings, at=probed.at, url=probed.account)
        say(f"Kept in {file}: `run` and `status` read it.", err=True)


def _show(probed: Probed) -> None:
    seen = sum(finding.seen is not None for finding in probed.findings)
    project = f"project {probed.project}" if probed.project else "no project"
    say(f"{probed.account}, {project}: {seen} of {len(probed.findings)} readings seen by {probed.requests} requests.")
    say("")
    for finding in probed.findings:
        say(f"{finding.reading:<18} {finding.seen or 'cannot tell':<12} {finding.why}")
        if finding.evidence:
            say(f"{'':<18} {_line(finding)}")


def _line(finding: Finding) -> str:
    """The evidence in one line: what was asked, and what of the answer decides."""
    shown = dict(finding.evidence)
    asked, status = shown.pop("request"), shown.pop("status")
    rows = shown.pop("rows", [])
    facts = [json.dumps(each, ensure_ascii=False) for each in ([shown] if shown else []) + list(rows)]
    return f"{asked} → {status} {' '.join(facts)}".rstrip()
