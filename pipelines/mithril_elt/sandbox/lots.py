"""Chance that is always the same: what befalls a row is drawn from the row's own name.

Stands under the sandbox's answers: nothing of it depends on the order of questions or on the process.
"""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["delay_us", "lot", "one_in"]


def lot(*path: object) -> int:
    """A number of 64 bits as if drawn by chance; always the same one for that path."""
    return int.from_bytes(blake2b("/".join(map(str, path)).encode(), digest_size=8).digest(), "big")


def one_in(count: int, *path: object) -> bool:
    """Whether that path is among the one in so many that are drawn."""
    return lot(*path) % count == 0


def delay_us(most_us: int, *path: object) -> int:
    """For one path in three a delay of at least a microsecond and at most so much, for the others 0."""
    if not most_us or not one_in(3, "is late", *path):
        return 0
    return 1 + lot("how late", *path) % most_us
