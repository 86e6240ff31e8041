"""A file that is there whole or not at all: written under a name of its own beside it, then renamed.

Stands under the commands that write files for people.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mithril_elt.errors import UsageError

__all__ = ["whole_file"]


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes the file if nothing is raised, and else is removed.

    A file that is there keeps its mode; a new one is its owner's alone. Through a link what it points to is written.

    Raises:
        UsageError: the folder is not there, the file cannot be written, or what is there is no file.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise UsageError(f"{path} is there and is no file: choose another name")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}: make it first")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    os.close(handle)
    part = Path(name)
    try:
        yield part
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
