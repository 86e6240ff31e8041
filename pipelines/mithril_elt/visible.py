"""Text of others made harmless to look at: what would command a terminal, or cannot be seen, is shown as an escape.

Stands under everything: `errors` cleans the API's words with it, `reports` names, the command line whatever it says.
"""

from __future__ import annotations

__all__ = ["shortened", "visible"]

_LONGEST_WORD = 200  # an id has 21 signs; more is no word that somebody would read
_JOINER = "\u200d"  # it joins two emoji to one, and commands nothing


def visible(text: str) -> str:
    r"""The text on one line: control signs, bidi marks and halves of surrogate pairs as `\x1b`, `\u202e`, `\ud800`."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign == _JOINER else sign.encode("unicode_escape").decode() for sign in text
    )


def shortened(text: str, most: int = _LONGEST_WORD) -> str:
    """The text, cut with an ellipsis where it is longer than that."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
