"""What a line of the log tells besides its sentence: of which run, which project and which window it is.

Stands under everything that logs. The facts belong to the context in which a line is written, so that the client need
not know of windows, nor the load of requests; a thread or a task that is begun inside inherits them. `cli.logs` writes
them out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["known", "known_facts", "silenced", "stage", "told"]

log = logging.getLogger("mithril_elt")

_KNOWN: ContextVar[Mapping[str, Any] | None] = ContextVar("mithril_elt_known", default=None)


@contextmanager
def known(**facts: Any) -> Iterator[None]:
    """While it lasts, every line that is logged here has these facts; None stands for one that is not known."""
    token = _KNOWN.set({**known_facts(), **{name: fact for name, fact in facts.items() if fact is not None}})
    try:
        yield
    finally:
        _KNOWN.reset(token)


def known_facts() -> Mapping[str, Any]:
    """What is known here."""
    return _KNOWN.get() or {}


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Measures what is done inside, and logs how long it took, also if it failed."""
    began_at_s = time.monotonic()
    try:
        yield
    finally:
        duration_ms = int((time.monotonic() - began_at_s) * 1000)
        log.info("%s took %s ms", name, f"{duration_ms:,}", extra=told("stage", stage=name, duration_ms=duration_ms))


@contextmanager
def silenced(*loggers: str) -> Iterator[None]:
    """While it lasts those libraries log nothing: what they say may have an address with a token in it."""
    found = [logging.getLogger(name) for name in loggers]
    before = [logger.level for logger in found]
    for logger in found:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(found, before, strict=True):
            logger.setLevel(level)


def told(event: str, **facts: Any) -> dict[str, Any]:
    """The `extra` of a line: what it tells of, and its own facts."""
    return {"facts": {"event": event, **facts}}
