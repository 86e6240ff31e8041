"""The rows of a CSV file that a user wrote, each with its place, so that what is wrong can be said of its line.

Stands beside the settings: `budgets` and the rules of `report chargeback` are read with it.
"""

from __future__ import annotations

import csv
from pathlib import Path

from mithril_elt.errors import UsageError

__all__ = ["csv_rows"]

# What spreadsheets of some countries write instead of commas.
_OTHER_SIGNS = {";": "semicolons", "\t": "tabs"}


def csv_rows(path: Path, columns: tuple[str, ...], *, of: str, one: str, each: str) -> list[tuple[str, dict[str, str]]]:
    """The rows of the file in its order, each as its place (`budgets.csv, line 2`) and its cells by column, trimmed.

    `of` is what the file has (`the budgets`), `one` what a row is (`budget`), `each` what there is a row for.

    Raises:
        UsageError: there is no such file, it is no CSV, it lacks a column or has no row.
    """
    named = f"it is a CSV file with the columns {', '.join(columns)}"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
            found = tuple(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{of} in {path} cannot be read ({error}): {named}") from error
    missing = [name for name in columns if name not in found]
    divided = next((words for sign, words in _OTHER_SIGNS.items() if any(sign in name for name in found)), None)
    if missing and divided:
        raise UsageError(f"{path} has {divided} between its columns: save it as CSV with commas; {named}")
    if missing or not rows:
        lacking = f"lacks {', '.join(missing)}" if missing else f"has no {one}"
        raise UsageError(f"{path} {lacking}: {named}, and a row for each {each}")
    return [(f"{path}, line {line}", {name: (row[name] or "").strip() for name in columns}) for line, row in rows]
