"""Who may read: before anything is asked, the address, the method and the token; after it, what a browser may not do.

Stands around `app`: an ASGI application around another.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mithril_elt.dashboard.pages import policy

__all__ = ["Guard", "is_loopback"]

_HEADERS = {
    "Content-Security-Policy": f"{policy()}; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_COOKIE = "mithril_dashboard"
Refuse = Callable[[int, str], HTMLResponse]


def is_loopback(host: str) -> bool:
    """Whether only this machine can come to an address; a name other than localhost may lead anywhere."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Passes to `app` what may be answered.

    `hosts`: names by which this server may be called, with any port; None takes any. A page on the internet whose name
    is made to lead to this machine is refused by it. `token`: what has to be shown; None asks for none.
    """

    def __init__(self, app: ASGIApp, refuse: Refuse, *, hosts: Collection[str] | None, token: str | None) -> None:
        self._app, self._refuse = app, refuse
        self._hosts = None if hosts is None else {host.lower() for host in hosts}
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return
        connection = HTTPConnection(scope)
        answer = self._refusal(scope, connection) or self._app
        await answer(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope, connection: HTTPConnection) -> Response | None:
        if self._hosts is not None and _name(connection.headers.get("host", "")) not in self._hosts:
            return self._refuse(421, "this server is not called by that name: open it by the address that it printed")
        if scope["method"] not in ("GET", "HEAD"):
            answer = self._refuse(405, "nothing can be changed here: this server answers GET alone")
            answer.headers["Allow"] = "GET, HEAD"
            return answer
        return None if self._token is None else self._unless_known(scope, connection, self._token)

    def _unless_known(self, scope: Scope, connection: HTTPConnection, token: str) -> Response | None:
        cookie = _cookie(scope)
        kept = hmac.new(token.encode(), b"mithril-elt dashboard", hashlib.sha256).hexdigest()
        kind, _, shown = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and _same(shown.strip(), token):
            return None
        if _same(connection.cookies.get(cookie, ""), kept):
            return self._without_token(scope)
        asked = dict(_pairs(scope)).get("token", "")
        if _same(asked, token):
            answer = self._without_token(scope)
            if answer is not None:
                # The cookie is not the token, so who sees it cannot use it elsewhere; it ends with the browser.
                answer.set_cookie(cookie, kept, httponly=True, samesite="lax", path="/")
            return answer
        answer = self._refuse(401, "the token is wrong" if asked else "the one who started this server has the token")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @staticmethod
    def _without_token(scope: Scope) -> Response | None:
        """To the same address without the token, so that it stays in no history and no link."""
        pairs = _pairs(scope)
        kept = [pair for pair in pairs if pair[0] != "token"]
        if kept == pairs:
            return None
        path = scope["path"].rpartition("/")[2]  # relative, and so never to another server
        return RedirectResponse(f"./{path if path.isascii() else ''}?{urlencode(kept)}", 303)


def _pairs(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def _cookie(scope: Scope) -> str:
    """The cookie's name: cookies are shared by all ports of a machine, tokens are not."""
    server = scope.get("server") or ("", 0)
    return f"{_COOKIE}_{server[1]}"


def _same(shown: str, known: str) -> bool:
    """Compared in constant time, whatever is shown."""
    return hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), known.encode())


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            named: list[Any] = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", ()), *named]}
        await send(message)

    return sending
