"""What is to hold of the connector: forty points, in the order in which data flows.

Stands at the bottom of `acceptance`. Tests name a point by its number, and `tests/POINTS.md` lists them; those that
an account can be asked about are checks of the command `accept`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["POINTS", "Point"]


@dataclass(frozen=True)
class Point:
    """One point: its number, the group that it belongs to, and what holds, as a sentence."""

    number: int
    group: str
    holds: str


_GROUPS: dict[str, tuple[str, ...]] = {
    "settings": (
        "Each setting has one documented list of places, the key is a secret, and what the README shows works.",
        "The key is in no output, no log, no state and no table.",
    ),
    "check": (
        "A good key is accepted.",
        "A key that is refused is one sentence and status 3.",
        "A project that the key does not see is one sentence and status 4.",
        "A network that is down is one sentence and status 5.",
    ),
    "tables": (
        "Each table has a key, a way in which rows replace each other, and a meaning for each column.",
        "What an earlier release loaded is read on and built.",
        "Questions, fields and statuses are those that the API documents; what is new is loaded and told.",
    ),
    "reading": (
        "Each table is filled, or the account has nothing of the kind.",
        "Each value has the type that its column declares.",
        "Keys are unique and never null.",
        "Each declared column is seen with a value.",
        "Known answers become exactly the rows that were worked out by hand.",
        "An empty account makes every table with every column.",
    ),
    "increments": (
        "A second run changes nothing.",
        "A run that was broken off anywhere goes on to the same tables.",
        "A memory that reaches past now gives no rows of the future and stops no run.",
        "A row that comes late arrives with the look-back, or with a deep reading.",
        "A price that was open at one run is closed by a later one.",
        "A row that the API takes back is marked, and kept.",
        "Many short windows give the rows of one long one.",
        "Neither the size of pages nor the order of rows matters.",
        "Reading an earlier time leaves the newest end where it was.",
        "What is read twice is there once.",
    ),
    "failures": (
        "A kill at any stage, with the working folder kept or lost, costs no row and doubles none.",
        "Overload, failures, silence and nonsense of the server are waited out, or end in one sentence.",
        "A cursor that repeats ends the run; one that has expired begins its list anew.",
        "Another envelope or a missing field ends the run; a new field or status is loaded and told.",
        "A row on two pages is one row.",
        "A second run at the same time is refused.",
        "What a crash left and no run can load is cleared by one command.",
    ),
    "operation": (
        "A plan writes nothing.",
        "No more is asked for than was planned.",
        "The rate that was allowed is kept.",
        "Memory hardly grows with the length of the history.",
        "Each run leaves a row: requests, retries, bytes, lateness, windows.",
    ),
    "models": (
        "Every model has a key, what it names is there, and all data tests pass.",
        "No hour and no cent is lost between staging and marts.",
        "The marts equal a calculation made in another way, exactly.",
    ),
}

POINTS: tuple[Point, ...] = tuple(
    Point(number, group, holds)
    for number, (group, holds) in enumerate(((group, each) for group, all_ in _GROUPS.items() for each in all_), 1)
)
