"""How the sandbox reads what the API's description leaves open: each point a switch, the plainest reading by default.

Stands under the sandbox's answers, beside `account`: `histories`, `lists` and `pages` ask it. No reading
changes what truly happened, only how it is told; so no figure may hang on one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from mithril_elt.errors import UsageError

__all__ = ["Readings", "offered", "parse_readings"]


@dataclass(frozen=True)
class Readings:
    """One reading of each open point; every combination is a possible API.

    `project_alone`: whether a history may be asked for by project alone, or is refused with that status.
    `limit_counts`: whether `limit` counts instances, or events (an instance is then split over pages).
    `start_selects`: events inside the window only; or also the one in force at its start; or that one with
    its time clipped to the start. `start_bound`, `end_bound`: whether the bounds belong to the window.
    `order`: of the events of an instance. `repeated_rows`: each page begins with the last row of the one before.
    `equal_times`: some events have an earlier stage's event at the very same instant. `repeated_statuses`: some
    spells say their status again in the middle. `times`, `fractions`: how instants are written. `last_cursor`:
    whether the end of a list is told by a null cursor or by none. `empty_pages`: every other page is empty but
    for its cursor. `optional_keys`: whether what has no value is null or left out (mixed: null in lists, left
    out in histories). `default_limit`: rows a page where no limit is asked for. `price_periods`: as they
    happened, each split at the hours, or neighbours of one price merged. `reserved_prices`: whether reserved
    instances have prices too. `late_hours`: some rows become visible up to so many hours late.
    `withdrawn_hours`: false events are told for so many hours, then withdrawn. `corrected_hours`: some prices
    are told wrong for so many hours. `leaves_list_hours`: instances leave the list so many hours after their
    end. `cursors_expire`: some cursors are refused the first time they are used. `pause_clock`, `active_hours`:
    how the vendor's own summary counts pauses and activity.
    """

    project_alone: Literal["accepted", "400", "422"] = "accepted"
    limit_counts: Literal["instances", "events"] = "instances"
    start_selects: Literal["inside", "in_force", "clipped"] = "inside"
    start_bound: Literal["inclusive", "exclusive"] = "inclusive"
    end_bound: Literal["exclusive", "inclusive"] = "exclusive"
    order: Literal["sorted", "reversed", "shuffled"] = "sorted"
    repeated_rows: bool = False
    equal_times: bool = False
    repeated_statuses: bool = False
    times: Literal["Z", "+00:00", "-00:00", "mixed"] = "Z"
    fractions: Literal["needed", "always"] = "needed"
    last_cursor: Literal["null", "absent"] = "null"
    empty_pages: bool = False
    optional_keys: Literal["mixed", "null", "absent"] = "mixed"
    default_limit: int = 100
    price_periods: Literal["told", "split", "merged"] = "told"
    reserved_prices: bool = False
    late_hours: int = 0
    withdrawn_hours: int = 0
    corrected_hours: int = 0
    leaves_list_hours: int | None = None
    cursors_expire: bool = False
    pause_clock: Literal[
        "whole", "past_first_hour", "any_length", "from_stopping", "until_running", "from_stopping_until_running"
    ] = "whole"
    active_hours: Literal["up", "running", "not_paused"] = "up"

    def __post_init__(self) -> None:
        """Raises UsageError for a value that a switch does not have."""
        kinds = get_type_hints(type(self))
        for each in fields(self):
            value, kind = getattr(self, each.name), kinds[each.name]
            allowed = get_args(kind) if get_origin(kind) is Literal else None
            if allowed and value not in allowed:
                raise UsageError(f"the reading {each.name} has no value {value!r}: it has {', '.join(allowed)}")
        if not 1 <= self.default_limit <= 100:
            raise UsageError(f"the reading default_limit has no value {self.default_limit}: it has 1 to 100")


def parse_readings(settings: list[str] | tuple[str, ...]) -> Readings:
    """The readings that `name=value` texts name; on and off are `true` and `false`.

    Raises UsageError for a name or a value that there is not.
    """
    kinds = get_type_hints(Readings)
    chosen: dict[str, Any] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in kinds:
            raise UsageError(f"there is no reading {name!r}: there are {', '.join(kinds)}")
        chosen[name] = _parsed(name, text, kinds[name])
    return Readings(**chosen)


def offered() -> dict[str, str]:
    """Each reading with what it may be set to, the usual value first: `sorted|reversed|shuffled`, `0 or more`."""
    kinds, usual = get_type_hints(Readings), Readings()
    return {name: _values(kind, getattr(usual, name)) for name, kind in kinds.items()}


def _values(kind: Any, usual: Any) -> str:
    if get_origin(kind) is Literal:
        return "|".join(sorted(get_args(kind), key=lambda value: value != usual))
    if kind is bool:
        return "false|true"
    return "never, or a number of hours" if usual is None else f"{usual}, or another number"


def _parsed(name: str, text: str, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        return text
    if kind is bool:
        if text not in {"true", "false"}:
            raise UsageError(f"the reading {name} is true or false, not {text!r}")
        return text == "true"
    if kind == int | None and text == "never":
        return None
    if not text.isdecimal():
        raise UsageError(f"the reading {name} is a whole number, not {text!r}")
    return int(text)
