"""Who is told when something is wrong: what becomes of a run's facts as a message to a webhook.

Stands inside `cli`, on `webhook`. A message is sent only if an address is set, and at most one for a run; that it could
not be sent is said on stderr and changes nothing else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.saying import keep_secret, plain
from mithril_elt.errors import MithrilError, StaleError
from mithril_elt.settings import find_webhook

if TYPE_CHECKING:
    from mithril_elt.freshness import Freshness

__all__ = ["Alarm", "Alerts"]

log = logging.getLogger("mithril_elt")

_NO_ALARM = {8, 130, 141}  # another run has the lock; somebody stopped it; the reader of a pipe went away
_DATA_TEST = 7
_FIGURES = ("as_of", "rows", "requests", "retries", "late_rows", "withdrawn_rows", "windows_done", "windows_planned")


class Alarm(dict[str, Any]):
    """What a message says, for machines: `status`, `exit_status`, `sentence`, `run_id`, `figures`."""

    @classmethod
    def of_run(cls, facts: Mapping[str, Any]) -> Alarm | None:
        """What somebody has to know of a run by its facts; None if nothing."""
        figures = {name: facts[name] for name in _FIGURES if name in facts} | facts.get("figures", {})
        told = {"exit_status": facts["exit_status"], "run_id": facts.get("run_id"), "figures": figures}
        if facts["outcome"] != "done":
            if facts["exit_status"] in _NO_ALARM:
                return None
            status = "data_test_failed" if facts["exit_status"] == _DATA_TEST else "failed"
            return cls(status=status, sentence=facts["error"], **told)
        now, before = (Decimal(figures.get(name) or 0) for name in ("unpriced_hours", "unpriced_hours_before"))
        if now <= before:
            return None
        more = (
            f"No price is known for {now - before:,.2f} h more that were billed on spot, {now:,.2f} h in all: they are"
        )
        return cls(status="unpriced_hours", sentence=f"{more} in no cost until the API tells one.", **told)

    @classmethod
    def of_check(cls, found: Freshness) -> Alarm:
        """What a check of freshness found wrong."""
        figures = {
            name: fact for name, fact in found.facts().items() if name in ("as_of", "age_seconds", "max_age_seconds")
        }
        exit_status = StaleError.exit_status
        return cls(status=found.reason, exit_status=exit_status, sentence=found.sentence, run_id=None, figures=figures)


class Alerts:
    """The webhook that is set, if one is."""

    def __init__(self) -> None:
        try:
            self._url = find_webhook()
        except MithrilError:  # a configuration that cannot be read: whoever needs more of it says so
            self._url = None
        if self._url is None:
            return
        from mithril_elt.webhook import check_webhook, tokens_of  # noqa: PLC0415  # imports httpx

        for token in tokens_of(self._url):
            keep_secret(token)
        try:
            check_webhook(self._url)
        except MithrilError as error:
            log.warning("%s", error)
            self._url = None

    def tell(self, alarm: Alarm | None) -> None:
        """Sends it, if there is anything to tell and somebody to be told."""
        if alarm is None or self._url is None:
            return
        from mithril_elt.webhook import post  # noqa: PLC0415  # as above

        try:
            post(self._url, _body(alarm))
        except MithrilError as error:
            log.warning("nobody was told of it: %s", error)


def _body(alarm: Alarm) -> bytes:
    """The message as JSON, with nothing secret in it; `text` is what Slack shows, and obeys no word of others."""
    sentence = plain(f"mithril-elt {click.get_current_context().info_name}: {alarm['sentence']}")
    text = sentence.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain(json.dumps({"text": text, **alarm}, default=str)).encode()
