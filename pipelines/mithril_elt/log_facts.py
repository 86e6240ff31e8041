"""What a line of the log tells besides its sentence: of which run, which project and which window it is.

Stands under everything that logs. The facts belong to the context in which a line is written, so that the client need
not know of windows, nor the load of requests; a thread or a task that is begun inside inherits them. `cli.logs` writes
them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["known", "known_facts", "told"]

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


def told(event: str, **facts: Any) -> dict[str, Any]:
    """The `extra` of a line: what it tells of, and its own facts."""
    return {"facts": {"event": event, **facts}}
