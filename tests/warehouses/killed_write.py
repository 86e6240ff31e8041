"""Loads into files until so many were written, and dies: as a program, for the tests of this folder.

The file that it dies at ends in the middle, in a folder; a bucket has whole files only.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from fsspec import get_filesystem_class

from mithril_elt.cli import main
from mithril_elt.objects import Objects


def die_at(place: Objects, count: int) -> None:
    """Makes this process kill itself at that write. No file system may be open yet: each keeps its own methods."""
    kind, left = get_filesystem_class(place.config.protocol), [count]

    def counted(name: str) -> Any:
        original = getattr(kind, name)

        def write(self: Any, first: Any, second: Any, *more: Any, **options: Any) -> Any:
            if left[0]:
                left[0] -= 1
                return original(self, first, second, *more, **options)
            if place.is_local:
                content = Path(first).read_bytes() if name == "put_file" else _bytes(second)
                Path(second if name == "put_file" else first).write_bytes(content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
            return None

        return write

    for name in (
        ("put_file", "write_text", "pipe_file") if place.is_local else ("_put_file", "write_text", "_pipe_file")
    ):
        setattr(kind, name, counted(name))


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


if __name__ == "__main__":
    die_at(Objects.configured(Path("a.duckdb")), int(sys.argv.pop(1)))
    main()
