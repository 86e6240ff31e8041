"""Loads into files until so many were written, and dies: as a program, for the tests of this folder.

The file that it dies at ends in the middle, in a folder; a bucket has whole files only.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from mithril_elt.cli import main
from mithril_elt.objects import Objects


def die_at(place: Objects, count: int) -> None:
    """Makes this process kill itself at that write."""
    kind, left = type(place.files), [count]
    writes = {"put_file": kind.put_file, "write_text": kind.write_text, "pipe_file": kind.pipe_file}

    def counted(name: str) -> Any:
        def write(self: Any, first: Any, second: Any, **options: Any) -> Any:
            if left[0]:
                left[0] -= 1
                return writes[name](self, first, second, **options)
            if place.is_local:
                half = Path(first).read_bytes() if name == "put_file" else second
                Path(second if name == "put_file" else first).write_bytes(_bytes(half)[: len(half) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
            return None

        return write

    for name in writes:
        setattr(kind, name, counted(name))


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


if __name__ == "__main__":
    die_at(Objects.configured(Path("a.duckdb")), int(sys.argv.pop(1)))
    main()
