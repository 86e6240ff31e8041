"""What a run did, told once at its end, however it ends: one object with `--json`, else a sentence or two.

Stands inside `cli`, under `run`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from mithril_elt.cli.alerts import Alarm, Alerts
from mithril_elt.cli.endings import exit_status, sentence
from mithril_elt.cli.metrics import write_metrics
from mithril_elt.cli.saying import say, say_facts
from mithril_elt.cli.telemetry import Telemetry
from mithril_elt.log_facts import known, stage, told

__all__ = ["Summary", "summed_up"]

log = logging.getLogger("mithril_elt")


@dataclass
class Summary:
    """The facts so far, and how long each stage took that was begun."""

    facts: dict[str, Any] = field(default_factory=dict)
    stages_ms: dict[str, int] = field(default_factory=dict)
    run_id: str | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measures what is done inside."""
        began_at_s = time.monotonic()
        try:
            with known(run_id=self.run_id), stage(name):
                yield
        finally:
            self.stages_ms[name] = int((time.monotonic() - began_at_s) * 1000)

    def told(self, error: BaseException | None = None) -> dict[str, Any]:
        """All facts, with the outcome of the whole."""
        facts = {**self.facts, "outcome": "done", "error": None, "exit_status": 0, "stages_ms": self.stages_ms}
        if error is not None:
            facts |= {"outcome": "failed", "error": sentence(error), "exit_status": exit_status(error)}
        return facts


@contextmanager
def summed_up(*, as_json: bool) -> Iterator[Summary]:
    """What is to be filled in; at the end it is printed, logged, and told to whoever was named for it.

    That is a webhook if it is an alarm, a collector of OpenTelemetry, a file of metrics. An error is told on stderr
    besides.
    """
    summary, alerts, telemetry = Summary(), Alerts(), Telemetry()
    facts: dict[str, Any] = {}
    try:
        yield summary
        facts = summary.told()
    except BaseException as error:
        facts = summary.told(error)
        raise
    finally:
        _tell(facts, as_json=as_json)
        command = str(click.get_current_context().info_name)
        write_metrics(facts, command)
        telemetry.tell(facts, command)
        alerts.tell(Alarm.of_run(facts))


def _tell(facts: dict[str, Any], *, as_json: bool) -> None:
    log.info("the run is over: %s", facts["outcome"], extra=told("run", **facts))
    if as_json:
        say_facts(facts)
    elif facts["outcome"] == "done":
        _print(facts)


def _print(facts: dict[str, Any]) -> None:
    if "rows" in facts:
        say(
            f"Loaded {facts['windows_done']} of {facts['windows_planned']} windows up to {facts['as_of']}: "
            f"{facts['rows']:,} rows in {facts['requests']:,} requests ({facts['retries']} sent again)."
        )
        if facts["late_rows"]:
            say(f"{facts['late_rows']:,} rows came late, by {facts['late_seconds'] / 3600:.1f} hours at most.")
    if "build" in facts:
        say(f"Built {facts['build']['models']} models; {facts['build']['tests']} data tests passed.")
