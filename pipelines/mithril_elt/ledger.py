"""What is covered, as it is remembered from run to run in dlt's state.

Stands under `resources`; pure: it works on the dictionaries that dlt keeps. It stays small however long the history,
since spans are merged. `open_periods` and `orders` keep the rest that is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mithril_elt.windows import Span, merged

__all__ = ["add_covered", "covered_spans"]


def covered_spans(state: Mapping[str, Any], project: str, *, until: datetime | None = None) -> list[Span]:
    """The spans of a project that a resource's state says are covered.

    None reaches past `until`, the server's clock: what a clock that was ahead once called covered was not.
    """
    spans = [Span.from_json(pair) for pair in state.get("covered", {}).get(project, [])]
    if until is None:
        return spans
    return [Span(span.start, min(span.end, until)) for span in spans if span.start < until]


def add_covered(state: dict[str, Any], project: str, span: Span, *, until: datetime | None = None) -> None:
    """Notes that the span was read to its end."""
    covered = merged([*covered_spans(state, project, until=until), span])
    state.setdefault("covered", {})[project] = [each.to_json() for each in covered]
