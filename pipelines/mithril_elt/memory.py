"""When memory is looked for and given back: seldom while pages are read, and before DuckDB needs it.

Stands under `load`, `pipeline` and the command line.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["SELDOM", "let_go", "seldom_collected"]

# dlt and dbt make millions of objects that stay: with Python's own thresholds looking for garbage among them is a tenth
# of a small run, and a fifth of a load of small pages.
SELDOM = (50_000, 20, 100)
_PAGES_BYTES = 2**23  # worth a tenth of a second


@contextmanager
def seldom_collected() -> Iterator[None]:
    """While it lasts, Python looks for garbage seldom; after it as before, which the program around has chosen."""
    before = gc.get_threshold()
    if before[0]:  # else it is off
        gc.set_threshold(*map(max, before, SELDOM))
    try:
        yield
    finally:
        gc.set_threshold(*before)


def let_go() -> None:
    """Gives back the pages that were read, which dlt's pipes hold in circles, before DuckDB needs the memory."""
    import pyarrow as pa  # noqa: PLC0415  # half a second that other commands need not pay

    pool = pa.default_memory_pool()
    if pool.bytes_allocated() > _PAGES_BYTES:
        gc.collect()
    pool.release_unused()
