"""A message to an address that its owner chose, as JSON: where it is, and one attempt to send it.

Stands beside `sending`, under `cli`; knows nothing of what is told. The address holds a token: it comes from no option,
and is in no text that leaves this module.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import anyio
import httpx

from mithril_elt.errors import ApiError, UsageError
from mithril_elt.log_facts import silenced
from mithril_elt.transport import is_private

__all__ = ["check_webhook", "post", "tokens_of"]

_WAIT_S = 5
_LONG_ENOUGH = 16  # for a part of an address to be a token, and no word that any sentence may have


def check_webhook(url: str) -> None:
    """Passes if a message may be sent there.

    Raises:
        UsageError: it is no address, or neither https nor of this machine, so that its token could be read on the way.
    """
    try:
        if httpx.URL(url).host and is_private(url) and url.startswith(("https://", "http://")):
            return
    except (httpx.InvalidURL, ValueError):
        pass
    raise UsageError("MITHRIL_WEBHOOK_URL is no https address: nobody will be told of failures")


def tokens_of(url: str) -> list[str]:
    """The address and those parts of it that may be a token: what nothing that is said may show."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return [url]
    of_path = [parts.path, *parts.path.split("/")]
    return [each for each in (url, *of_path, parts.query, parts.password or "") if len(each) >= _LONG_ENOUGH]


def post(url: str, body: bytes) -> None:
    """Posts that JSON, once; redirects are not followed, and the answer is not read.

    Raises:
        UsageError: as `check_webhook` does.
        ApiError: it did not arrive within seconds, or was refused.
    """
    check_webhook(url)
    with silenced("httpx", "httpcore"):
        try:
            status = anyio.run(_post, url, body)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise ApiError(f"the webhook could not be reached ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise ApiError(f"the webhook answered {status}")


async def _post(url: str, body: bytes) -> int:
    with anyio.fail_after(_WAIT_S):
        async with (
            httpx.AsyncClient(timeout=_WAIT_S) as client,
            client.stream("POST", url, content=body, headers={"Content-Type": "application/json"}) as answer,
        ):
            return answer.status_code
