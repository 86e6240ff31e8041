"""The connections to the API: the key on each request, none sent twice unseen, no answer without end.

Stands under `client`; knows nothing of endpoints or of what an answer means.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
from yarl import URL

from mithril_elt.errors import ContractError
from mithril_elt.limits import Limits

__all__ = ["Connections", "Received", "connected", "is_address", "is_private", "mistrust"]


_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})


@dataclass(frozen=True)
class Received:
    """An answer, whole and unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Connections:
    """A pool of connections to one address, inside a running event loop."""

    url: str
    session: aiohttp.ClientSession

    async def receive(self, method: str, path: str, *, most_bytes: int, **content: Any) -> Received:
        """The answer to one request. Redirects are not followed.

        Raises:
            ContractError: it is larger than `most_bytes`, unpacked; the rest of it was not read.
            aiohttp.ClientError, TimeoutError: it did not come, or not to its end.
            ValueError: it cannot be asked.
        """
        body = bytearray()
        address = URL(self.url + path, encoded=True)
        async with self.session.request(method, address, allow_redirects=False, **content) as response:
            async for part in response.content.iter_any():
                body += part
                if len(body) > most_bytes:
                    raise ContractError(
                        f"{method} {path} answered more than {most_bytes // 2**20} MiB: "
                        "no page of 100 rows is that large"
                    )
            return Received(response.status, response.headers, bytes(body))


def connected(url: str, key: str, limits: Limits) -> Connections:
    """A pool of connections to that address, inside a running event loop."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limits.concurrency, ssl=_certificates()),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Authorization": f"Bearer {key}", "Accept": "application/json", "User-Agent": "mithril-elt"},
        timeout=aiohttp.ClientTimeout(sock_connect=min(10, limits.timeout_s), sock_read=limits.timeout_s),
    )
    # aiohttp sends a GET again by itself where a kept connection turns out to be closed: neither counted, nor at the
    # pace asked for. Its own test client forbids it in the same way.
    session._retry_connection = False
    return Connections(url.rstrip("/"), session)


def mistrust(error: BaseException) -> str | None:
    """Why no encrypted connection to that host will ever be made, for a sentence; None if another try may do."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError)):
            said = getattr(cause, "verify_message", None) or cause
            return f"shows a certificate that is not trusted ({said}): SSL_CERT_FILE names others to trust"
        if isinstance(cause, ssl.SSLError) and getattr(cause, "reason", None) in _NO_TLS:
            return "does not speak https there: look at --api-url and MITHRIL_API_URL"
        cause = cause.__cause__ or cause.__context__
    return None


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities to trust: read once, since that takes longer than a request."""
    return httpx.create_ssl_context()


def is_address(url: str) -> bool:
    """Whether that is an http(s) address of a host, perhaps with a path, and with nothing else."""
    try:
        parts = httpx.URL(url)
        port = urlsplit(url).port
        parts.host.encode("idna")
    except (httpx.InvalidURL, ValueError):
        return False
    bare = not (parts.userinfo or parts.query or parts.fragment)
    return parts.scheme in ("http", "https") and bool(parts.host) and bare and port != 0


def is_private(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: it is encrypted, or does not leave this machine."""
    parts = httpx.URL(url)
    if parts.scheme == "https" or parts.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.host).is_loopback
    except ValueError:
        return False
