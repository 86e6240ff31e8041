"""Chance that is always the same: what happens to which row is drawn from the row's own name.

Stands under the sandbox's answers: nothing of it depends on the order of questions or on the process.
"""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["lot"]


def lot(*path: object) -> int:
    """A number of 64 bits as if drawn by chance; always the same one for that path."""
    return int.from_bytes(blake2b("/".join(map(str, path)).encode(), digest_size=8).digest(), "big")
