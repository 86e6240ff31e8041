"""mithril-elt: usage, cost, uptime and pause credits of Mithril GPUs. The public names; all else is inside."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mithril_elt.api import Mithril
    from mithril_elt.source import mithril_source

__all__ = ["Mithril", "mithril_source"]

_HOMES = {"Mithril": "api", "mithril_source": "source"}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that the command line starts at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
