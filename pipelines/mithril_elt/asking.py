"""How a window of a history is asked for: of a whole project, or of each of its orders where that is refused.

Stands under `resources`, on `histories` and `orders`. Found out with the first window of a run, at the cost of
one refused request, and kept for the rest of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mithril_elt.api import Mithril, Walk
from mithril_elt.decode import Page
from mithril_elt.errors import MithrilError, NotFoundError
from mithril_elt.histories import History
from mithril_elt.orders import Order, Orders
from mithril_elt.sizing import Slices
from mithril_elt.windows import Span
from mithril_elt.wire import Refused

__all__ = ["BY_ORDER", "BY_PROJECT", "asked"]

BY_PROJECT, BY_ORDER = "project", "order"


def asked(
    api: Mithril,
    history: History,
    slices: Mapping[str, Slices],
    ways: dict[str, str],
    orders: Mapping[str, Orders],
    *,
    ahead: int = 16,
) -> Iterator[tuple[str, Page]]:
    """The pages of one window of each project, with the project they are of.

    Where every project may be asked alone they are asked for at once, `ahead` of who looks at them; else from the
    first look on. `slices`: the parts of the window, which are asked for side by side; orders are asked side by side
    as they are. `ways`: how each project is asked, as far as it is known; what is found out is noted there, by the
    first slice.
    """
    is_known = all(ways.get(project) == BY_PROJECT for project in slices)
    begun = api.begin(_walks(history, slices), ahead=ahead) if is_known else None
    return _pages(api, history, slices, ways, orders, begun=begun)


def _pages(
    api: Mithril,
    history: History,
    slices: Mapping[str, Slices],
    ways: dict[str, str],
    orders: Mapping[str, Orders],
    *,
    begun: Iterator[tuple[Walk, Page]] | None,
) -> Iterator[tuple[str, Page]]:
    if begun is None:
        first = {p: each._replace(spans=each.spans[:1]) for p, each in slices.items() if p not in ways}
        yield from _by_project(api, ways, api.stream(_walks(history, first)))
        rest = {p: each._replace(spans=each.spans[1:]) if p in first else each for p, each in slices.items()}
        begun = api.stream(_walks(history, {p: each for p, each in rest.items() if _alone(ways, p)}))
    yield from _by_project(api, ways, begun)
    spans = {project: Span(each.spans[0].start, each.spans[-1].end) for project, each in slices.items()}
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


def _walks(history: History, slices: Mapping[str, Slices]) -> list[Walk]:
    return [
        history.parted(history.walk(project, span, tag=project), each.once_seen)
        for project, each in slices.items()
        for span in each.spans
    ]


def _by_project(api: Mithril, ways: dict[str, str], pages: Iterable[tuple[Walk, Page]]) -> Iterator[tuple[str, Page]]:
    """The pages of the slices of each project, as long as it may be asked alone."""
    refused: dict[str, MithrilError] = {}
    for walk, page in pages:
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
