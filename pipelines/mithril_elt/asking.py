"""How a window of a history is asked for: of a whole project, or of each of its orders where that is refused.

Stands under `resources`, on `histories` and `orders`. Found out with the first window of a run, at the cost of
one refused request, and kept for the rest of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mithril_elt.api import Mithril, Walk
from mithril_elt.decode import Page
from mithril_elt.errors import MithrilError, NotFoundError
from mithril_elt.histories import History
from mithril_elt.orders import Order, Orders
from mithril_elt.windows import Span
from mithril_elt.wire import Refused

__all__ = ["BY_ORDER", "BY_PROJECT", "asked"]

BY_PROJECT, BY_ORDER = "project", "order"


def asked(
    api: Mithril,
    history: History,
    slices: Mapping[str, Sequence[Span]],
    ways: dict[str, str],
    orders: Mapping[str, Orders],
) -> Iterator[tuple[str, Page]]:
    """The pages of one window of each project, with the project they are of.

    `slices`: the parts of the window, which are asked for side by side; orders are asked side by side as they are.
    `ways`: how each project is asked, as far as it is known; what is found out is noted there, by the first slice.
    """
    first = {project: parts[:1] for project, parts in slices.items() if project not in ways}
    yield from _by_project(api, history, first, ways)
    rest = {project: parts[1:] if project in first else parts for project, parts in slices.items()}
    yield from _by_project(api, history, {p: parts for p, parts in rest.items() if _alone(ways, p)}, ways)
    spans = {project: Span(parts[0].start, parts[-1].end) for project, parts in slices.items()}
    by_order = [
        history.walk(project, span, tag=(project, order), **{order.by: order.fid})
        for project, span in spans.items()
        if not _alone(ways, project)
        for order in orders[project].due(span)
    ]
    unknown: list[tuple[str, Order]] = []
    for walk, page in api.stream(by_order):
        project, order = walk.tag
        if page.refusal is None:
            yield project, page
        elif isinstance(page.refusal, NotFoundError):
            unknown.append((project, order))
        else:
            raise page.refusal
    yield from _one_by_one(api, history, spans, orders, unknown)


def _by_project(
    api: Mithril, history: History, sliced: Mapping[str, Sequence[Span]], ways: dict[str, str]
) -> Iterator[tuple[str, Page]]:
    """The pages of the slices of each project, as long as it may be asked alone."""
    walks = [history.walk(project, span, tag=project) for project, spans in sliced.items() for span in spans]
    refused: dict[str, MithrilError] = {}
    for walk, page in api.stream(walks):
        if page.refusal is None:
            ways[walk.tag] = BY_PROJECT
            yield walk.tag, page
        elif _wants_an_order(page.refusal):
            refused[walk.tag] = page.refusal
        else:
            raise page.refusal
    for project in refused:
        _note_refused(api, ways, project)


def _alone(ways: Mapping[str, str], project: str) -> bool:
    return ways.get(project) != BY_ORDER


def _wants_an_order(refusal: MithrilError) -> bool:
    return isinstance(refusal, Refused) and refusal.http_status in (400, 422)


def _note_refused(api: Mithril, ways: dict[str, str], project: str) -> None:
    if ways.get(project) == BY_PROJECT:
        api.novelties.warn("the API refuses histories by project alone, which it accepted before: asked by order")
    ways[project] = BY_ORDER


def _one_by_one(
    api: Mithril,
    history: History,
    spans: Mapping[str, Span],
    orders: Mapping[str, Orders],
    unknown: list[tuple[str, Order]],
) -> Iterator[tuple[str, Page]]:
    """The instances of orders that the API does not know, though something names them."""
    walks: list[Walk] = []
    for project, order in unknown:
        members: list[Any] = orders[project].members(order)
        if not members or order.by == "instance_fid":
            api.novelties.warn("the histories do not know an order or an instance that was listed: what is held stays")
            continue
        walks += [history.walk(project, spans[project], tag=project, instance_fid=fid) for fid in members]
    for walk, page in api.stream(walks):
        if page.refusal is None:
            yield walk.tag, page
        elif not isinstance(page.refusal, NotFoundError):
            raise page.refusal
