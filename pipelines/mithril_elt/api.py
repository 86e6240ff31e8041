"""The API for those who do not want to await: the same client, driven from a thread of its own.

Stands on `client`; `source` and the commands call this. Use it as a context manager:

    with Mithril() as api:
        for instance in api.instances("proj_…"):
            print(instance.fid, instance.status)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, cast

import anyio
from anyio.abc import TaskGroup
from anyio.from_thread import BlockingPortal, start_blocking_portal
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from mithril_elt.client import Answer, Client, Limits, Traffic
from mithril_elt.decode import Decode, Novelties, Page, decode_page
from mithril_elt.endpoints import (
    ENDPOINTS,
    Bid,
    Instance,
    InstanceState,
    InstanceType,
    MarketSeries,
    Me,
    PriceHistory,
    Project,
    Reservation,
    ReservationEvent,
    ReservationUsage,
    StatusHistory,
)
from mithril_elt.errors import NotFoundError, UsageError
from mithril_elt.instants import iso
from mithril_elt.log_facts import known
from mithril_elt.settings import DEFAULT_API_URL, find_settings
from mithril_elt.windows import Span
from mithril_elt.wire import Refused

__all__ = ["Mithril", "Walk"]


_Receiving = MemoryObjectReceiveStream[tuple["Walk", Page]]


@dataclass(frozen=True)
class Walk:
    """One list to walk to its end, or one answer to get: an endpoint, its query, the braces of its path.

    `may_be_refused`: if it is (400, 404, 422 …) from the first page on, a page with that `refusal` comes and
    the other walks go on; otherwise the refusal ends them all. `span`: the window that it is for, told in the log.
    `decode`: what makes a page of an answer. `parts`: asked, with how many came, after each page that has a next one:
    walks that take the place of what this one has left to read, or none.
    """

    endpoint: str
    params: Mapping[str, Any] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    tag: Any = None
    may_be_refused: bool = False
    span: Span | None = None
    decode: Decode = decode_page
    parts: Callable[[int, Page], Sequence[Walk]] = lambda _count, _page: ()

    def facts(self) -> dict[str, Any]:
        """What the log tells of each of its requests."""
        ends = (iso(self.span.start), iso(self.span.end)) if self.span else (None, None)
        return {"project": self.params.get("project"), "window_from": ends[0], "window_to": ends[1]}


class Mithril:
    """A session with the Mithril API.

    Key and address, where not given, come from the environment (`MITHRIL_API_KEY`, `MITHRIL_API_URL`),
    dlt's configuration or the vendor's own file. Lists are generators that fetch page by page.

    Every call may raise a `MithrilError`: KeyRefusedError (401, 403), NotFoundError (404), Refused (400,
    405, 409, 422, 501), ApiError (failed after its retries), ContractError (another shape).
    """

    def __init__(self, api_key: str | None = None, api_url: str | None = None, *, limits: Limits | None = None) -> None:
        if api_key is None or api_url is None:
            found = find_settings(api_key=api_key, api_url=api_url)
            api_key, api_url = found.api_key, found.api_url or DEFAULT_API_URL
        self._client = Client(api_key, api_url, limits=limits or Limits())
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._streams: dict[Future[None], _Receiving] = {}

    def __enter__(self) -> Self:
        """Opens the session; it can be opened again after it was closed."""
        if self._portal is not None:
            raise RuntimeError("this session is open already: use it inside its one `with`")
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            stack.enter_context(portal.wrap_async_context_manager(self._client))
            stack.callback(self._end_streams, portal)
            self._stack = stack.pop_all()
        self._portal = portal
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it, and ends every list that somebody has not read to its end."""
        self._portal = None
        self._stack.close()

    @property
    def url(self) -> str:
        """The API's address."""
        return self._client.url

    @property
    def limits(self) -> Limits:
        """How hard the API may be worked."""
        return self._client.limits

    @property
    def traffic(self) -> Traffic:
        """Requests, retries and bytes so far."""
        return self._client.traffic

    @property
    def novelties(self) -> Novelties:
        """What the API said that this release does not know."""
        return self._client.novelties

    def me(self) -> Me:
        """Whose key it is: `GET /v2/me`; works for every key."""
        return cast("Me", self._one(Walk("me")))

    def server_now(self) -> datetime:
        """The server's clock, by the `Date` header of `GET /v2/me`; UTC, whole seconds."""
        return next(iter(self.stream([Walk("me")])))[1].server_at

    def projects(self) -> list[Project]:
        """The projects that the key sees: `GET /v2/projects`."""
        return list(self._rows(Walk("projects")))

    def instance_types(self) -> list[InstanceType]:
        """The instance types on offer: `GET /v2/instance-types`."""
        return list(self._rows(Walk("instance_types")))

    def instances(self, project: str, **filters: Any) -> Iterator[Instance]:
        """The instances of a project, ended ones too: `GET /v2/instances` with its documented filters."""
        return self._rows(Walk("instances", {"project": project, **filters}))

    def reservations(self, project: str) -> Iterator[Reservation]:
        """The flexible reservations of a project: `GET /v2/reservation`."""
        return self._rows(Walk("reservations", {"project": project}))

    def reservation_events(self, fid: str) -> list[ReservationEvent]:
        """What happened to a reservation, with its terms over time: `GET /v2/reservation/{fid}/history`."""
        return list(self._rows(Walk("reservation_events", path={"fid": fid})))

    def reservation_usage(self, fid: str) -> ReservationUsage:
        """The vendor's own sums of a reservation: `GET /v2/reservation/{fid}/usage`."""
        return cast("ReservationUsage", self._one(Walk("reservation_usage", path={"fid": fid})))

    def spot_bids(self, project: str) -> Iterator[Bid]:
        """The spot bids of a project: `GET /v2/spot/bids`."""
        return self._rows(Walk("spot_bids", {"project": project}))

    def market_prices(self) -> list[MarketSeries]:
        """The market's prices, every sample of them: `GET /v2/pricing/history`."""
        return list(self._rows(Walk("market_prices", {"num_samples": -1})))

    def instance_state(self, fid: str) -> InstanceState:
        """The status of one instance now: `GET /v2/instances/{fid}/status`."""
        return cast("InstanceState", self._one(Walk("instance_state", path={"fid": fid})))

    def status_history(
        self, project: str, *, start_time: datetime | None = None, end_time: datetime | None = None, **filters: str
    ) -> Iterator[StatusHistory]:
        """The status history, an instance a row: `GET /v2/instances/status/history`.

        `filters`: instance_fid, bid_fid or reservation_fid.
        """
        span = {"start_time": iso(start_time), "end_time": iso(end_time)}
        return self._rows(Walk("status_history", {"project": project, **span, **filters}))

    def price_history(
        self, project: str, *, start_time: datetime | None = None, end_time: datetime | None = None, **filters: str
    ) -> Iterator[PriceHistory]:
        """The price history, an instance a row: `GET /v2/instances/pricing/history`; filters as above."""
        span = {"start_time": iso(start_time), "end_time": iso(end_time)}
        return self._rows(Walk("price_history", {"project": project, **span, **filters}))

    def ask(self, path: str, params: Mapping[str, Any]) -> Answer:
        """One answer as it was sent (any path under `/v2/`), without the key; 400 and 422 are answers, not errors."""
        answer: Answer = self._live.call(self._client.ask, path, params)
        return answer

    def set_status(self, fids: Iterable[str], status: str) -> dict[str, str]:
        """Asks reserved instances to run or to pause: `PATCH /v2/instances`, and what each answered.

        `STATUS_CONFIRMED`: it starts; `STATUS_STOPPING`: it stops; its old status: it could not be.
        """
        wanted = [fids] if isinstance(fids, str) else list(dict.fromkeys(fids))
        if not wanted:
            raise UsageError("there is no instance to set the status of")
        return self._live.call(self._client.set_status, wanted, status)

    def stream(self, walks: Iterable[Walk]) -> Iterator[tuple[Walk, Page]]:
        """The pages of all these walks as they come, many at a time; pages of one walk stay in order.

        Ends only when each walk was read to its end; the first error ends all.
        """
        yield from self.begin(walks, ahead=16)

    def begin(self, walks: Iterable[Walk], *, ahead: int) -> Iterator[tuple[Walk, Page]]:
        """As `stream`, but the walks set out at once, up to so many pages ahead of who looks at them."""
        portal = self._live
        send, receive = anyio.create_memory_object_stream[tuple[Walk, Page]](ahead)
        task = portal.start_task_soon(self._walk_all, list(walks), send)
        self._streams[task] = receive
        return self._received(portal, task, receive)

    def _received(self, portal: BlockingPortal, task: Future[None], receive: _Receiving) -> Iterator[tuple[Walk, Page]]:
        try:
            while True:
                self._check_open(task)
                try:
                    found = portal.call(_all_there, receive)
                except anyio.EndOfStream:
                    break
                for each in found:
                    yield each
                    self._check_open(task)
            task.result()
        finally:
            self._end_stream(portal, task)

    def _check_open(self, task: Future[None]) -> None:
        if task not in self._streams:
            raise RuntimeError("the session is closed: read its lists inside the `with`")

    def _end_stream(self, portal: BlockingPortal, task: Future[None]) -> None:
        """Ends the walks behind a stream, unless the end of the session did."""
        receive = self._streams.pop(task, None)
        if receive is not None:
            task.cancel()
            portal.call(receive.aclose)

    def _end_streams(self, portal: BlockingPortal) -> None:
        for task in list(self._streams):
            self._end_stream(portal, task)

    @property
    def _live(self) -> BlockingPortal:
        if self._portal is None:
            raise RuntimeError("use Mithril as a context manager: `with Mithril() as api:`")
        return self._portal

    def _rows(self, walk: Walk) -> Iterator[Any]:
        for _, page in self.stream([walk]):
            yield from page.rows

    def _one(self, walk: Walk) -> Any:
        return next(self._rows(walk))

    async def _walk_all(self, walks: list[Walk], send: MemoryObjectSendStream[tuple[Walk, Page]]) -> None:
        """Runs all walks at once; of several errors the first one is raised as it is."""
        async with send:
            try:
                async with anyio.create_task_group() as group:
                    for walk in walks:
                        group.start_soon(self._walk, walk, send, group)
            except BaseExceptionGroup as errors:
                raise _first(errors) from None

    async def _walk(self, walk: Walk, send: MemoryObjectSendStream[tuple[Walk, Page]], group: TaskGroup) -> None:
        count = 0
        try:
            with known(**walk.facts()):
                async for page in self._pages(walk):
                    count += 1
                    await send.send((walk, page))
                    parts = walk.parts(count, page) if page.next_cursor else ()
                    if parts:
                        for part in parts:
                            group.start_soon(self._walk, part, send, group)
                        return
        except (Refused, NotFoundError) as error:
            if count or not walk.may_be_refused:
                raise
            await send.send((walk, Page([], [], None, datetime.now(UTC).replace(microsecond=0), 0, error)))

    async def _pages(self, walk: Walk) -> AsyncIterator[Page]:
        if not ENDPOINTS[walk.endpoint].paged:
            yield await self._client.rows(walk.endpoint, walk.params, **walk.path)
            return
        async for page in self._client.pages(walk.endpoint, walk.params, walk.decode):
            yield page


async def _all_there(receive: _Receiving) -> list[tuple[Walk, Page]]:
    """What has come meanwhile, at least one: going from thread to thread costs more than a small page."""
    found = [await receive.receive()]
    with suppress(anyio.WouldBlock, anyio.EndOfStream):
        while True:
            found.append(receive.receive_nowait())
    return found


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
