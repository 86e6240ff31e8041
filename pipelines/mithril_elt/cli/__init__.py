"""The command line: which command is where, and what becomes of an error.

Stands at the edge, with `reports`: the only place that prints and the only one that ends the process.
Each command is imported when it is called, so that `--help` costs nothing.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import metadata

import click

from mithril_elt.cli.endings import exit_status, tell
from mithril_elt.cli.lazy import LazyGroup
from mithril_elt.memory import SELDOM

__all__ = ["main"]

# name: (module, what one line of help says)
_COMMANDS = {
    "demo": ("demo", "Serve a made-up account, run the main job against it, print the reports."),
    "run": ("run", "The main job: extract, load, build the models, test them, print a summary."),
    "extract": ("run", "Load what is new into the raw tables."),
    "build": ("run", "Build and test the models from the raw tables."),
    "plan": ("plan", "What `run` would ask for: windows, requests, rows. Writes nothing."),
    "check": ("check", "The key, the project, the network and the warehouse, one line each."),
    "probe": ("probe", "How this account's API reads what its description leaves open, with the evidence."),
    "accept": ("accept", "Check what is to hold against this account: read-only, in a scratch database."),
    "report": (
        "report",
        "Print a report: usage, cost, uptime, savings, opportunities, credits, reservations and more.",
    ),
    "export": ("export", "Write a report, or charges in the words of FOCUS, into a file that other programs read."),
    "notebook": ("notebook", "Open a notebook, or write it as one page that needs no network."),
    "dashboard": ("dashboard", "Serve a page of cost, use, uptime and credits, or write it as one file."),
    "budget": ("budget", "Hold budgets against what was spent and what is to come: `budget check`."),
    "opportunities": ("opportunities", "Idle instances that may be paused; with --apply pauses them."),
    "status": ("status", "What is loaded up to when, the last runs, lateness."),
    "compact": ("compact", "Merge small files of a folder or a bucket; write a DuckDB file anew."),
    "recover": ("recover", "Clear what a crash left that the next run cannot clear by itself."),
    "copy": ("copy", "Copy all that was loaded to another place, where runs go on."),
    "instances": ("instances", "List, pause and start instances: the live endpoints."),
    "sandbox": ("sandbox", "Serve a made-up account over HTTP, in the foreground."),
}


@click.group(
    cls=LazyGroup,
    listed=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(metadata.version("mithril-elt"), prog_name="mithril-elt")
def group() -> None:
    """What your Mithril GPUs were used for, what they cost, whether they were up, what pausing earned.

    \b
    First minute, with nothing but this:    mithril-elt demo
    With a key in MITHRIL_API_KEY:          mithril-elt check && mithril-elt run
    Then:                                   mithril-elt report cost --by day
    """


def main() -> None:
    """Runs the command line and ends the process with one of the documented exit statuses.

    Files and folders that it makes are the user's own, whatever the umask: they have names, prices and addresses.
    """
    umask = os.umask(0o077)
    _collect_garbage_rarely()
    _give_back_memory()
    try:
        status = _status()
    finally:
        os.umask(umask)
    sys.exit(status)


def _collect_garbage_rarely() -> None:
    gc.set_threshold(*SELDOM)
    atexit.register(gc.freeze)  # or Python looks through all of them once more while it ends


def _give_back_memory() -> None:
    """Arrow's own pool keeps what package after package has freed: a fifth of the peak of a long first load."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def _status() -> int:
    try:
        status = group.main(standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the one place where a bug becomes a sentence
        tell(error)
        return exit_status(error)
    return status if isinstance(status, int) else 0  # click gives what a command ended with, or what it returned
