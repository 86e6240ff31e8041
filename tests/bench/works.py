"""The works themselves, each run as `python -m bench.works NAME URL …` in a fresh process; says what it did as JSON.

Stands under `extract`, `increments` and the rest, which start it by `measured`. Imports belong to the work: a user
waits for them as well.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

KEY = "fkey_0000000000000000"


def ours(url: str, db: str) -> dict[str, Any]:
    """Extract and load by this project, into the raw tables of a database."""
    import mithril_elt  # noqa: PLC0415  # part of what is measured
    from mithril_elt.api import Mithril  # noqa: PLC0415  # as above
    from mithril_elt.load import load  # noqa: PLC0415  # as above

    _is_of_the_commit(mithril_elt.__file__)
    began_s = time.perf_counter()
    with Mithril(KEY, url) as api:
        result = load(api, Path(db))
    return {
        "rows": result.rows,
        "requests": result.requests,
        "retries": result.retries,
        "bytes": result.bytes,
        "windows": result.windows_done,
        "load_s": time.perf_counter() - began_s,
    }


def _is_of_the_commit(file: str) -> None:
    """Two commits are compared: each must run its own code, wherever the environment points."""
    root = os.environ["BENCH_ROOT"]
    if not Path(file).is_relative_to(root):
        raise SystemExit(f"{file} is not in {root}")


WORKS = {"ours": ours}


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    print(json.dumps(WORKS[name](*arguments)))
