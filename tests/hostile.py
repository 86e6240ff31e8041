"""Text that was written to do harm, and an account that is made of it: its figures are those of the account it was."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from mithril_elt.sandbox.account import Account
from mithril_elt.visible import visible

_NOT_IN_ADDRESSES = str.maketrans("", "", "/,\x00")

__all__ = ["HARMFUL", "hostile_account", "obeyed"]

HARMFUL = (
    "'; drop schema raw cascade; --",
    "\"quoted\" 'and' `so` \\ on",
    "two\nlines\r\nor\rthree\ttabs",
    "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\a link\x1b]8;;\x1b\\",
    "\x9b31mC1\x90q\x9c\x85",
    "\u202egpj.exe\u202c \u2066isolated\u2069 \u200fmark",
    "👩\u200d💻 漢字 é ﷽ e\u0301",
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "a|b|c <b>html</b> [x](https://evil.example) *so* _so_ ~~so~~",
    "{{ env_var('HOME') }} {% raw %} ${HOME} $(id) %s %(x)s {0}",
    "line\u2028and paragraph\u2029 \ufeff\xa0\u3000",
    "NULL",
    "",
    "   ",
    "null\x00byte",
    "\x7f\x08\x08del",
    "\U000e0041tag \ufffe\uffff",
)


def obeyed(text: str) -> set[str]:
    """What of an output a terminal would obey or hide: none of it should be there."""
    return {sign for sign in text if sign != "\n" and visible(sign) != sign}


def hostile_account(account: Account) -> Account:
    """The same account, each of its names, regions and ids followed by one of the harmful texts.

    But for what cannot be in an address: the test's own server parts paths at each `/`, and filters at each comma.
    """
    hostile: Account = _made(account, {})
    return hostile


def _made(value: Any, labels: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_made(each, labels) for each in value]
    if not is_dataclass(value) or isinstance(value, type):
        return value
    cells = {field.name: getattr(value, field.name) for field in fields(value) if field.name != "status"}
    texts = {name: _renamed(old, name, labels) for name, old in cells.items() if isinstance(old, str)}
    return replace(value, **texts, **{name: _made(old, labels) for name, old in cells.items() if isinstance(old, list)})


def _renamed(text: str, field: str, labels: dict[str, str]) -> str:
    if text not in labels:
        harm = HARMFUL[len(labels) % len(HARMFUL)]
        labels[text] = text + (harm if field in ("name", "region") else harm.translate(_NOT_IN_ADDRESSES))
    return labels[text]
