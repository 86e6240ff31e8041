"""The sandbox's web application: an account, its keys and its clock behind the endpoints of `/v2`.

Stands between `server`, which runs it, and `gateway`, `routes` and `history_routes`, which it puts together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from mithril_elt.sandbox import history_routes, routes
from mithril_elt.sandbox.account import HOUR_US
from mithril_elt.sandbox.chronicle import Chronicle
from mithril_elt.sandbox.directory import Directory
from mithril_elt.sandbox.gateway import Asked, Faults, Gateway, RateLimit
from mithril_elt.sandbox.pages import Expiry
from mithril_elt.sandbox.readings import Readings
from mithril_elt.sandbox.refusals import RefusedError
from mithril_elt.sandbox.tellings import Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from mithril_elt.sandbox.account import Account
    from mithril_elt.sandbox.clock import Clock

__all__ = ["EXPIRED_KEY", "KEY", "create_app"]

KEY = "fkey_sandbox"
EXPIRED_KEY = "fkey_expired"


def create_app(
    account: Account,
    *,
    clock: Clock,
    keys: Collection[str] = (KEY,),
    expired_keys: Collection[str] = (EXPIRED_KEY,),
    latency_ms: int = 0,
    rate_limit: float | None = None,  # exact-ok: a pace, neither money nor a stored time
    faults: float = 0.0,  # exact-ok: a share of requests
    readings: Readings = Readings(),  # noqa: B008  # frozen
    record: Callable[[Asked], object] = lambda _: None,
) -> FastAPI:
    """The API of that account as an ASGI application.

    `rate_limit`: requests a second. `faults`: the share of requests that fail. `readings`: how
    what the API's description leaves open is read. `record` is called with each request just before it is answered.
    """

    async def check_key(request: Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and key in keys:
            return
        detail = "The API key has expired" if key in expired_keys else "Missing or wrong API key"
        raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})

    app = FastAPI(title="Mithril sandbox", openapi_url=None, dependencies=[Depends(check_key)])
    leaves_us = None if readings.leaves_list_hours is None else readings.leaves_list_hours * HOUR_US
    directory = Directory.of(account, leaves_list_us=leaves_us)
    wording = Wording.of(readings)
    app.state.directory = directory
    app.state.wording = wording
    app.state.chronicle = Chronicle(wording, directory.reservations)
    app.state.expiry = Expiry()
    app.include_router(routes.router)
    app.include_router(history_routes.router)
    app.add_exception_handler(RefusedError, _refuse)
    app.add_middleware(
        Gateway,
        clock=clock,
        latency_ms=latency_ms,
        rate_limit=RateLimit(rate_limit) if rate_limit else None,
        faults=Faults(faults, account.seed),
        record=record,
    )
    return app


async def _refuse(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RefusedError):
        raise error
    return JSONResponse({"detail": error.detail}, error.http_status)
