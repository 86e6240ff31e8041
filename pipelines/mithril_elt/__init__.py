"""mithril-elt: usage, cost, uptime and pause credits of Mithril GPUs. The public names; all else is inside."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mithril_elt.api import Mithril
    from mithril_elt.opened import open_marts as open  # noqa: A004  # mithril_elt.open(…) says what it does
    from mithril_elt.source import mithril_source

__all__ = ["Mithril", "mithril_source", "open"]

# a public name: the module that has it, and what it is called there
_HOMES = {
    "Mithril": ("api", "Mithril"),
    "mithril_source": ("source", "mithril_source"),
    "open": ("opened", "open_marts"),
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that the command line starts at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, called = _HOMES[name]
    return getattr(import_module(f"{__name__}.{module}"), called)
