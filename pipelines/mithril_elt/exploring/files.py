"""Where the notebooks are, and one of them run from its first cell to its last.

Stands under the command `notebook`. A wheel carries them inside the package, a checkout beside `pipelines/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple

from mithril_elt.errors import MithrilError, UsageError
from mithril_elt.opened import OpenMarts

__all__ = ["Shown", "notebook_file", "shown"]


def notebook_file(name: str) -> Path:
    """The file of a notebook: `cost`, or `pause-credits` as reports are called.

    Raises:
        UsageError: there is none of that name.
    """
    known = {path.stem: path for path in sorted(_folder().glob("*.py"))}
    if name.replace("-", "_") not in known:
        raise UsageError(f"there is no notebook {name!r}: there are {', '.join(known)}")
    return known[name.replace("-", "_")]


def _folder() -> Path:
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "notebooks", package.parent.parent / "notebooks"):
        if (folder / "explore.py").is_file():
            return folder
    raise UsageError("the notebooks are missing from this installation: install mithril-elt again")


class Shown(NamedTuple):
    """What a notebook shows: its title, what each cell ends with, and by name what its cells have worked out."""

    title: str
    outputs: list[Any]
    values: Mapping[str, Any]


def shown(file: Path, mithril: OpenMarts) -> Shown:
    """A notebook run from its first cell to its last on these marts, its controls as they are at first.

    Raises:
        MithrilError: a cell failed.
    """
    spec = spec_from_file_location(f"mithril_notebook_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file} is no notebook")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        outputs, values = module.app.run(defs={"mithril": mithril})
    except Exception as error:
        cause = error.__cause__ or error
        if isinstance(cause, MithrilError):
            raise cause from None
        raise MithrilError(f"a cell of {file.name} failed ({type(cause).__name__}: {cause})") from error
    return Shown(module.app._config.app_title or file.stem, list(outputs), values)
