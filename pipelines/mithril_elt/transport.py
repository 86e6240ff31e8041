"""The connections to the API: the key on each request, none sent twice unseen, no answer without end.

Stands under `client`; knows nothing of endpoints or of what an answer means.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from mithril_elt.errors import ContractError
from mithril_elt.limits import Limits

__all__ = ["Received", "is_address", "is_private", "mistrust", "open_http", "receive"]


_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})


@dataclass(frozen=True)
class Received:
    """An answer, whole and unpacked."""

    status: int
    headers: httpx.Headers
    body: bytes


def open_http(url: str, key: str, limits: Limits) -> httpx.AsyncClient:
    """A pool of connections to that address, inside a running event loop. Redirects are not followed."""
    transport = AiohttpTransport(verify=_certificates(), limits=httpx.Limits(max_connections=limits.concurrency))
    transport.client = session = transport.get_client()
    # aiohttp sends a GET again by itself where a kept connection turns out to be closed: neither counted, nor at the
    # pace asked for. Its own test client forbids it in the same way.
    session._retry_connection = False
    return httpx.AsyncClient(
        base_url=url.rstrip("/"),
        headers={"Authorization": f"Bearer {key}", "Accept": "application/json", "User-Agent": "mithril-elt"},
        timeout=httpx.Timeout(limits.timeout_s, connect=min(10, limits.timeout_s)),
        transport=transport,
    )


async def receive(http: httpx.AsyncClient, method: str, path: str, *, most_bytes: int, **content: Any) -> Received:
    """The answer to one request.

    Raises:
        ContractError: it is larger than `most_bytes`, unpacked; the rest of it was not read.
        httpx.HTTPError, aiohttp.ClientError: it did not come, or not to its end.
    """
    body = bytearray()
    async with http.stream(method, path, **content) as response:
        async for part in response.aiter_bytes():
            body += part
            if len(body) > most_bytes:
                raise ContractError(
                    f"{method} {path} answered more than {most_bytes // 2**20} MiB: no page of 100 rows is that large"
                )
        return Received(response.status_code, response.headers, bytes(body))


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
