"""A part of the account: what is of one project, order, user …; as SQL that keeps to it.

Stands between marts and reports, on `groupings`: a part has the same rows as that group of `--by`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from mithril_elt.errors import UsageError
from mithril_elt.reports.groupings import GROUPINGS, Grouping
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.names import names_of

__all__ = ["PARTS", "Part", "checked_part", "condition", "known_ids", "within"]

Part = tuple[tuple[str, str], ...]  # values of `--only`: a grouping and the id of one group, in the order of GROUPINGS
Of = Literal["instance", "reservation"]

PARTS = tuple(option for option, grouping in GROUPINGS.items() if not grouping.is_time)
_PLAIN = re.compile(r"[A-Za-z0-9_.:-]*", re.ASCII)


def checked_part(only: Mapping[str, str], takes: tuple[str, ...], report: str) -> Part:
    """The part that `only` names, of a report that has rows by those groupings. Raises UsageError if it has no meaning.

    Whether there are such ids, the marts have to be asked: see `known_ids`.
    """
    for option in only:
        if option not in PARTS:
            raise UsageError(f"--only {option!r} is no part of an account: there are {', '.join(PARTS)}")
        if option not in takes:
            known = [each for each in takes if each in PARTS]
            able = f"it has only {', '.join(known)}" if known else "it is of all that there is"
            raise UsageError(f"the report {report} has no meaning for one {option}: {able}")
    return tuple((option, only[option]) for option in PARTS if option in only)


def known_ids(marts: Marts, option: str) -> dict[str, str | None]:
    """The ids that a grouping has in the whole account, in order, with their names where there are any."""
    grouping = GROUPINGS[option]
    asked = [_ids("instance", grouping.of_instance)]
    if grouping.of_reservation:
        asked.append(_ids("reservation", grouping.of_reservation))
    ids = sorted(str(identity) for (identity,) in marts.rows(" union ".join(asked)) if identity is not None)
    names = names_of(marts, grouping)
    return {identity: names.get(identity) for identity in ids}


def condition(part: Part, of: Of) -> str:
    """SQL that is true of a fact `f`, joined to its dimension, that is in the part; of all, if it is empty."""
    return " and ".join(f"{_expression(GROUPINGS[option], of)} = {_literal(value)}" for option, value in part) or "true"


def within(part: Part, of: Of) -> str:
    """The same of a row that has no more than the id of its instance or reservation."""
    if not part:
        return "true"
    return f"{of}_id in ({_ids(of, f'f.{of}_id')} where {condition(part, of)})"


def _ids(of: Of, expression: str) -> str:
    """Values of an expression over facts; here each row of the dimension is a fact of its own."""
    alias = of[0]
    dimension, key = f"{{marts}}.dim_{of}s", f"{of}_id"
    return " ".join(
        ("select", expression, f"from {dimension} as f inner join {dimension} as {alias} on f.{key} = {alias}.{key}")
    )


def _expression(grouping: Grouping, of: Of) -> str:
    expression = grouping.of_instance if of == "instance" else grouping.of_reservation
    return expression or "cast(null as varchar)"


def _literal(text: str) -> str:
    """The text in SQL of every engine, whatever is in it: quotes, backslashes, or our own placeholders."""
    if _PLAIN.fullmatch(text):
        return f"'{text}'"
    return "(" + " || ".join(f"'{sign}'" if _PLAIN.fullmatch(sign) else f"chr({ord(sign)})" for sign in text) + ")"
