"""The key in each spelling that a library or an answer may give it, and text without it.

Stands under `client` and `cli`; pure.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

__all__ = ["hidden", "spellings", "without_key"]

_SHORTEST = 16  # what is shorter is no key of Mithril's, and may be a word that an answer has by chance


def spellings(key: str) -> tuple[str, ...]:
    """The key as it is, as an address, JSON and base64 have it; the longest first."""
    code = base64.b64encode(key.encode()).decode()
    forms = {key, quote(key, safe=""), quote_plus(key), json.dumps(key)[1:-1], code, code.rstrip("=")}
    return tuple(sorted(forms - {""}, key=len, reverse=True))


def hidden(text: str, forms: Iterable[str]) -> str:
    """The text with an ellipsis in the place of each of those spellings."""
    for form in forms:
        text = text.replace(form, "…")
    return text


def without_key(body: bytes, key: str) -> bytes:
    """An answer with an ellipsis in the place of a key that it repeats, so that nothing made of it can have the key."""
    if len(key) < _SHORTEST:
        return body
    for form in spellings(key):
        body = body.replace(form.encode(), "…".encode())
    return body
