"""Pauses instances in batches: each request is noted before and after, sent once, and what became of it is looked at.

Stands in `acting`, over `journal`, on `api`. Whether a request was taken up is never guessed: the status says it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from mithril_elt.acting.journal import Entry, Journal
from mithril_elt.acting.rules import PAUSED, Candidate
from mithril_elt.api import Mithril
from mithril_elt.errors import ApiError, KeyRefusedError, MithrilError, NotFoundError, WarehouseError
from mithril_elt.wire import Refused

__all__ = ["Outcome", "Pausing", "Verdict", "request_body"]

_UNCLEAR_S = 30  # a request whose answer was lost shows by then, if it was taken up
_FIRST_PAUSE_S = 0.2
_UNDERWAY = "STATUS_STOPPING"

Verdict = Literal["paused", "underway", "left", "changed", "not_found", "refused", "failed", "unclear"]


@dataclass(frozen=True)
class Outcome:
    """What became of one instance.

    `paused`: its status says so. `underway`: it is stopping still when the wait was over. `left`: the API left it as it
    was. `changed`: it was no longer what the figures say, and nothing was asked. `not_found`, `refused`: the API says
    so (404; 400, 405, 409, 410, 422, 501). `failed`: the API or the network failed, and its status has not changed.
    """

    candidate: Candidate
    verdict: Verdict
    status_before: str | None = None
    status_now: str | None = None
    detail: str | None = None
    http_status: int | None = None
    request: str | None = None


def request_body(instances: Sequence[str]) -> str:
    """The body of the request that pauses these instances, to the byte."""
    return json.dumps({"instances": list(instances), "status": PAUSED}, separators=(",", ":"))


class Pausing:
    """Pauses candidates of one call of the command.

    `batch`: how many instances a request has at most. `wait`: how long to wait until all are paused. `tell` is called
    with each outcome as it is known.
    """

    def __init__(
        self, api: Mithril, journal: Journal, *, batch: int, wait: timedelta, tell: Callable[[Outcome], object]
    ) -> None:
        self._api, self._journal, self._batch, self._wait, self._tell = api, journal, batch, wait, tell
        self._waiting: list[Outcome] = []
        self._ended: list[Outcome] = []

    def pause(self, candidates: Sequence[Candidate]) -> list[Outcome]:
        """Pauses all of them, whatever becomes of one; how each of them ended.

        Raises:
            KeyRefusedError: the key may not do it, so that nothing more was asked.
            WarehouseError: the journal cannot be written, so that nothing more was asked.
        """
        for begin in range(0, len(candidates), self._batch):
            self._ask(candidates[begin : begin + self._batch])
        self._wait_for_all()
        return self._ended

    def _ask(self, batch: Sequence[Candidate]) -> None:
        ready = [outcome for each in batch if (outcome := self._ready(each))]
        if not ready:
            return
        fids = [each.candidate.instance_id for each in ready]
        ready = [replace(each, request=f"PATCH /v2/instances {request_body(fids)}") for each in ready]
        self._note("asked", ready)
        try:
            answered = self._api.set_status(fids, PAUSED)
        except MithrilError as error:
            self._failed(ready, error)
            return
        found = [_answered(each, answered.get(each.candidate.instance_id)) for each in ready]
        self._answered(found)

    def _ready(self, candidate: Candidate) -> Outcome | None:
        """The instance with its status now, if it is still what the figures say; else that is how it ended."""
        outcome = Outcome(candidate, "unclear")
        try:
            status = self._status(candidate)
        except KeyRefusedError:
            raise
        except MithrilError as error:
            self._end([_with_error(outcome, error)])
            return None
        outcome = replace(outcome, status_before=status, status_now=status)
        if status == f"STATUS_{candidate.status}":
            return outcome
        said = f"it was {candidate.status} by the figures: nothing was asked"
        self._end([replace(outcome, verdict="changed", detail=said)])
        return None

    def _failed(self, ready: list[Outcome], error: MithrilError) -> None:
        """A request that was not answered well. What was refused for all of a batch is asked of each one alone."""
        found = [_with_error(each, error) for each in ready]
        if isinstance(error, KeyRefusedError):
            self._answered(found)
            raise error
        if isinstance(error, (Refused, NotFoundError)) and len(ready) > 1:
            self._note("answered", found)
            for each in ready:
                self._ask([each.candidate])
            return
        self._answered(found)

    def _answered(self, found: list[Outcome]) -> None:
        self._note("answered", found)
        is_open = [each.verdict in ("underway", "unclear") for each in found]
        self._waiting += [each for each, waits in zip(found, is_open, strict=True) if waits]
        self._end([each for each, waits in zip(found, is_open, strict=True) if not waits])

    def _wait_for_all(self) -> None:
        """Asks again, ever less often, until all have come to rest or the time is over."""
        began_s, pause_s = time.monotonic(), _FIRST_PAUSE_S
        while self._waiting:
            passed_s = time.monotonic() - began_s
            still, ended = [], []
            for each in self._waiting:
                now = replace(each, status_now=self._seen(each))
                if now.status_now == PAUSED:
                    ended.append(replace(now, verdict="paused"))
                elif passed_s >= self._patience_s(now):
                    ended.append(_at_last(now))
                else:
                    still.append(now)
            self._waiting = still
            self._end(ended)
            if still:
                time.sleep(pause_s)
                pause_s = min(pause_s * 1.5, 5)

    def _patience_s(self, each: Outcome) -> float:  # exact-ok: a wait
        wait_s = self._wait.total_seconds()
        is_lost = each.verdict == "unclear" and each.status_now == each.status_before
        return min(_UNCLEAR_S, wait_s) if is_lost else wait_s

    def _seen(self, each: Outcome) -> str | None:
        """Its status now; the one seen before, where it cannot be had."""
        with suppress(ApiError, NotFoundError):
            return self._status(each.candidate)
        return each.status_now

    def _status(self, candidate: Candidate) -> str:
        return self._api.instance_state(candidate.instance_id).status

    def _end(self, outcomes: list[Outcome]) -> None:
        if not outcomes:
            return
        self._ended += outcomes
        self._note("ended", outcomes)
        for outcome in outcomes:
            self._tell(outcome)

    def _note(self, entry: str, outcomes: list[Outcome]) -> None:
        """Raises WarehouseError where it cannot be noted; it says of whom, if they had been asked already."""
        at = self._server_now()
        entries = [
            Entry(
                entry,
                each.candidate,
                at,
                request=each.request,
                outcome=None if entry == "asked" else each.verdict,
                http_status=each.http_status,
                detail=each.detail,
                status_before=each.status_before,
                status_now=each.status_now,
            )
            for each in outcomes
        ]
        try:
            self._journal.note(entries)
        except WarehouseError as error:
            asked = [each.candidate.instance_id for each in outcomes if entry != "asked" and each.request]
            if not asked:
                raise
            raise WarehouseError(
                f"{', '.join(asked)} were asked to pause and how they answered could not be noted: {error}"
            ) from error

    def _server_now(self) -> datetime:
        """The server's clock; this machine's where the server does not answer, which stops no entry."""
        with suppress(MithrilError):
            return self._api.server_now()
        return datetime.now(UTC)


def _answered(each: Outcome, status: str | None) -> Outcome:
    """What the API's answer for an instance means."""
    now = replace(each, status_now=status or each.status_now)
    if status in (PAUSED, _UNDERWAY):
        return replace(now, verdict="underway")
    if status is None:
        return replace(now, detail="the answer does not name it")
    return replace(now, verdict="left", detail="the API left it as it was")


def _with_error(each: Outcome, error: MithrilError) -> Outcome:
    """What an error says of an instance; whether it was taken up is not known unless the API refused it."""
    verdict: Verdict = "unclear" if each.request else "failed"
    if isinstance(error, NotFoundError):
        verdict = "not_found"
    elif isinstance(error, (Refused, KeyRefusedError)):
        verdict = "refused"
    http_status = error.http_status if isinstance(error, ApiError) else None
    return replace(each, verdict=verdict, detail=str(error), http_status=http_status)


def _at_last(each: Outcome) -> Outcome:
    """How one ended that is not paused when the time is over."""
    if each.status_now == each.status_before:
        detail = each.detail or "its status has not changed"
        return replace(each, verdict="failed", detail=detail)
    return replace(each, verdict="underway", detail="it is not paused yet")
