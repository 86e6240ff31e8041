"""The command `notebook`: opens a notebook, or writes it as a page or for Jupyter.

Stands inside `cli`: marts → reports → notebooks → here. Notebooks are marimo's, which is an extra.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.options import place_options
from mithril_elt.cli.saying import say
from mithril_elt.errors import MithrilError, UsageError
from mithril_elt.whole_files import whole_file

if TYPE_CHECKING:
    from mithril_elt.opened import OpenMarts

__all__ = ["notebook_command"]

_NEEDED = ("marimo", "altair", "vl_convert", "nbformat")


@click.command("notebook")
@click.argument("name", metavar="NAME")
@place_options
@click.option("--edit", is_flag=True, help="Open a copy of it in this folder, mithril_NAME.py, to be changed.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write one page that needs no network.")
@click.option(
    "--ipynb", type=click.Path(path_type=Path), metavar="FILE", help="Write it for Jupyter, with its outputs."
)
@click.option("--port", type=int, metavar="N", help="Where it is served on this machine; default: a free one.")
@click.option("--headless", is_flag=True, help="Open no browser; say the address.")
def notebook_command(
    *, name: str, edit: bool, html: Path | None, ipynb: Path | None, port: int | None, headless: bool, **place: Any
) -> None:
    """Open a notebook in the browser: usage, cost, uptime, pause_credits or explore.

    They read marts only, and hold nothing open between two questions. --html and --ipynb run it from its first cell to
    its last, as its controls are at first, and write nothing if a cell fails.

    \b
    Example:
      mithril-elt notebook cost --html cost.html
    """
    _check_installed()
    from mithril_elt.exploring.files import notebook_file  # noqa: PLC0415  # marimo takes seconds

    if sum(map(bool, (edit, html, ipynb))) > 1:
        raise UsageError("--edit, --html and --ipynb are three ways: choose one")
    file = notebook_file(name)
    with _opened(place) as mithril:
        if html:
            _write_page(file, mithril, html)
        elif ipynb:
            _write_ipynb(file, mithril, place, ipynb)
    if edit or not (html or ipynb):
        _serve(_copied(file) if edit else file, "edit" if edit else "run", place, port, headless=headless)


def _check_installed() -> None:
    missing = [package for package in _NEEDED if find_spec(package) is None]
    if missing:
        raise UsageError(f"notebooks need {', '.join(missing)}: pip install 'mithril-elt[notebooks]'")


@contextmanager
def _opened(place: dict[str, Any]) -> Iterator[OpenMarts]:
    """The marts, so that whatever hinders is said here and not in a browser."""
    from mithril_elt.opened import open_marts  # noqa: PLC0415  # imports duckdb

    with open_marts(place["db"], destination=place["destination"], dataset=place["dataset"]) as mithril:
        if mithril.as_of is None:
            raise UsageError("nothing is complete yet, so a notebook would be empty: `mithril-elt run` loads it")
        yield mithril


def _write_page(file: Path, mithril: OpenMarts, out: Path) -> None:
    from mithril_elt.exploring.files import shown  # noqa: PLC0415  # marimo takes seconds
    from mithril_elt.exploring.page import page  # noqa: PLC0415  # as above

    with whole_file(out) as part:
        ran = shown(file, mithril)
        footer = f"Written by mithril-elt {version('mithril-elt')} from {file.name}. All times are UTC."
        part.write_text(page(ran.title, ran.outputs, footer), encoding="utf-8")
    say(f"{out}: {out.stat().st_size / 1024:,.0f} KB, needs no network")


def _write_ipynb(file: Path, mithril: OpenMarts, place: dict[str, Any], out: Path) -> None:
    """By marimo's own export, in a process of its own; before that every cell is run here, where a failure is said."""
    from mithril_elt.exploring.files import shown  # noqa: PLC0415  # marimo takes seconds

    shown(file, mithril)
    with whole_file(out) as part:
        _marimo(
            *("-q", "-y", "export", "ipynb", str(file), "-o", str(part), "-f", "--include-outputs"),
            *("--", *_arguments(place)),
        )
    say(f"{out}: {out.stat().st_size / 1024:,.0f} KB, for Jupyter")


def _serve(file: Path, how: str, place: dict[str, Any], port: int | None, *, headless: bool) -> None:
    options = [*(["--port", str(port)] if port else []), *(["--headless"] if headless else [])]
    if how == "edit":
        options.append("--skip-update-check")  # `run` looks for none, and refuses the option
    _marimo(how, str(file), *options, "--", *_arguments(place))


def _copied(file: Path) -> Path:
    """The copy in this folder, made if it is not there: what belongs to the package is nobody's to change."""
    own = Path(f"mithril_{file.name}")
    if not own.exists():
        with whole_file(own) as part:
            part.write_bytes(file.read_bytes())
        say(f"{own} is a copy of the notebook: change it as you like")
    return own


def _arguments(place: dict[str, Any]) -> list[str]:
    told = {"db": Path(place["db"]).absolute(), "destination": place["destination"], "dataset": place["dataset"]}
    return [word for name, value in told.items() if value for word in (f"--{name}", str(value))]


def _marimo(*arguments: str) -> None:
    """Runs a command of marimo.

    Raises:
        MithrilError: it fails; marimo has said why.
    """
    done = subprocess.run([sys.executable, "-m", "marimo", *arguments], check=False)  # noqa: S603  # our own arguments
    if done.returncode:
        raise MithrilError(f"marimo ended with {done.returncode}")
