"""Figures that were asked before: shown again while the database is the same, and while it cannot be read.

Stands between `app` and `figures`. DuckDB lets one process write or many read: so a file is opened for as short as can
be, one page at a time, never while a run holds its lock, and not at all for what is known.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from mithril_elt.dashboard.figures import UnreadyError
from mithril_elt.lock import holder_of
from mithril_elt.place import Place, file_of

__all__ = ["Kept"]

_MOST = 32  # pages: who looks around comes back to the same few


@dataclass(frozen=True)
class _Known:
    figures: Any
    of: Hashable


class Kept:
    """The figures of the last pages of a database."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()
        self._one_at_a_time = Lock()

    def figures(self, key: Hashable, ask: Callable[[], Any]) -> tuple[Any, str | None]:
        """The figures of a page, and a sentence if they are not what the database would say now.

        Raises UnreadyError if it cannot be read and they are not known; else what `ask` raises.
        """
        with self._one_at_a_time:
            known, now = self._known.get(key), _identity(self._place)
            if known and now is not None and known.of == now:
                return known.figures, None
            try:
                figures = self._asked(ask)
            except UnreadyError as error:
                if known is None:
                    raise
                return known.figures, f"These are the figures of before: {error.sentence}."
            self._known[key] = _Known(figures, now)
            self._known.move_to_end(key)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
            return figures, None

    def _asked(self, ask: Callable[[], Any]) -> Any:
        if file_of(self._place) is not None and holder_of(self._place):
            raise UnreadyError(f"a run is writing {self._place}, and nobody can read it until it has ended")
        return ask()


def _identity(place: Place) -> Hashable:
    """What is other once a file was written or replaced; None of a server, which is asked each time."""
    file = file_of(place)
    if file is None:
        return None
    return tuple(_stamp(each) for each in (file, file.with_name(f"{file.name}.wal")))


def _stamp(file: Path) -> Hashable:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
