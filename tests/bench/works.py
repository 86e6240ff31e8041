"""The works themselves, each run as `python -m bench.works NAME URL DB ACCOUNT`; says what it did as JSON.

Stands under the parts of the benchmark, which start it by `measured`, in a fresh process. Imports belong to the work:
a user waits for them as well.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.answers import Account

__all__ = ["WORKS", "ours"]

_KEY = "fkey_0000000000000000"


def ours(url: str, db: str, _: Account) -> dict[str, Any]:
    """Extract and load by this project, into the raw tables of a database."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # as the command line does
    import mithril_elt  # noqa: PLC0415  # part of what is measured
    from mithril_elt.api import Mithril  # noqa: PLC0415  # as above
    from mithril_elt.load import load  # noqa: PLC0415  # as above

    _is_of_the_commit(mithril_elt.__file__)
    began_s = time.perf_counter()
    with Mithril(_KEY, url) as api:
        result = load(api, Path(db))
    load_s = time.perf_counter() - began_s
    return {"rows": _rows_in(db), "retries": result.retries, "load_s": load_s}


def _rows_in(db: str) -> int:
    """The rows of both histories in the raw tables: more were read where a window was cut up after its first pages."""
    import duckdb  # noqa: PLC0415  # the load has imported it

    with duckdb.connect(db, read_only=True) as connection:
        histories = ("instance_status_events", "instance_price_periods")
        return sum(len(connection.table(f"raw.{table}")) for table in histories)


def _is_of_the_commit(file: str) -> None:
    """Two commits are compared: each must run its own code, wherever the environment points."""
    root = os.environ["BENCH_ROOT"]
    if not Path(file).is_relative_to(root):
        raise SystemExit(f"{file} is not in {root}")


def _works() -> dict[str, Callable[[str, str, Account], dict[str, Any]]]:
    from bench.limits import raw_limits  # noqa: PLC0415  # not part of the others' work
    from bench.peers import parallel, rest_api  # noqa: PLC0415  # as above

    return {"ours": ours, "rest_api": rest_api, "parallel": parallel, "limits": raw_limits}


WORKS = ("ours", "rest_api", "parallel", "limits")


if __name__ == "__main__":
    from bench.served import account_of

    name, url, db, options = sys.argv[1:]
    print(json.dumps(_works()[name](url, db, account_of(**json.loads(options)))))
