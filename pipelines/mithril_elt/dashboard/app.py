"""What the dashboard answers: the overview, rows, and rows as a file; a sentence where that cannot be.

Stands on `figures` and `pages`, inside `guard`. A database is open only while a page is made, and never while a run has
it: then the last page is shown again, with a word about it, or the sentence.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mithril_elt.dashboard.figures import Overview, Reader, Rows, Source
from mithril_elt.dashboard.guard import Guard
from mithril_elt.dashboard.kept import Kept
from mithril_elt.dashboard.pages import Look, overview_page, problem_page, rows_page
from mithril_elt.dashboard.state import State
from mithril_elt.errors import MithrilError, UsageError
from mithril_elt.reports import render

__all__ = ["create_app"]

log = logging.getLogger("mithril_elt")

T = TypeVar("T", Overview, Rows)

_ASK_AGAIN_S = 10
_FILES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def create_app(
    source: Source,
    *,
    stale_after: timedelta = timedelta(hours=36),
    hosts: Collection[str] | None = None,
    token: str | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ASGIApp:
    """The dashboard of a database as an ASGI application; `hosts` and `token` are those of `Guard`."""
    pages = _Pages(source, stale_after, clock)
    routes = [
        Route("/", pages.overview),
        Route("/rows", pages.rows),
        *(Route(f"/rows.{form}", pages.rows_as(form)) for form in _FILES),
    ]
    inside = Starlette(routes=routes, exception_handlers={404: pages.missing})
    return Guard(GZipMiddleware(inside), pages.problem, hosts=hosts, token=token)


class _Pages:
    def __init__(self, source: Source, stale_after: timedelta, clock: Callable[[], datetime]) -> None:
        self._source, self._stale_after, self._clock = source, stale_after, clock
        self._kept = Kept(source.place)

    def overview(self, request: Request) -> Response:
        """The first page."""
        return self._answer(request, Reader.overview, overview_page)

    def rows(self, request: Request) -> Response:
        """The rows behind a figure."""
        return self._answer(request, Reader.rows, rows_page)

    def rows_as(self, form: str) -> Callable[[Request], Response]:
        """The same rows for a program, as the command `report` prints them."""

        def answer(request: Request) -> Response:
            made = self._answer(request, Reader.rows, lambda found, _: render(found.report, form))
            if made.status_code == 200:  # a problem is told in a page
                name = f"mithril-{request.query_params.get('report', 'cost')}.{form}"
                made.headers["Content-Type"] = _FILES[form]
                made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
            return made

        return answer

    def missing(self, _request: Request, _error: Exception) -> Response:
        """For an address that is none of them."""
        return self.problem(404, "there is an overview, and rows of its figures")

    def problem(self, status: int, sentence: str) -> HTMLResponse:
        """A page that says what is wrong."""
        refresh_s = _ASK_AGAIN_S if status == 503 else None
        page = problem_page(sentence, status=status, look=self._look(), refresh_s=refresh_s, asks=status == 401)
        return HTMLResponse(page, status, {"Retry-After": str(refresh_s)} if refresh_s else None)

    def _look(self, note: str | None = None) -> Look:
        return Look(self._clock(), self._stale_after, note=note, place=self._source.options)

    def _answer(self, request: Request, ask: Callable[[Reader], T], show: Callable[[T, Look], str]) -> Response:
        try:
            state = State.told(parse_qsl(request.url.query, keep_blank_values=True))
            figures, note = self._kept.figures((ask.__name__, state.themed(None)), lambda: self._asked(state, ask))
            return HTMLResponse(show(replace(figures, state=state), self._look(note)))
        except UsageError as error:
            return self.problem(400, str(error))
        except MithrilError as error:
            return self.problem(503, str(error))
        except Exception as error:  # a browser is shown no traceback, whatever happens
            where = error if log.isEnabledFor(logging.DEBUG) else None
            log.error("a page could not be made (%s)", type(error).__name__, exc_info=where)  # noqa: TRY400  # as asked
            return self.problem(500, "this is a bug in mithril-elt: `mithril-elt dashboard --debug` shows where")

    def _asked(self, state: State, ask: Callable[[Reader], T]) -> T:
        with Reader.opened(self._source, state) as reader:
            return ask(reader)
