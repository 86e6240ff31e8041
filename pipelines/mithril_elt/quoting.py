"""A text and a name as every engine's SQL has them, whatever is in them.

Stands under all that writes SQL and binds no parameter: for one DuckDB imports pandas, and some statements take none.
"""

from __future__ import annotations

__all__ = ["quoted_name", "quoted_text"]


def quoted_text(text: object) -> str:
    """A text, or what a file is called, as a literal."""
    return "'" + str(text).replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """The name of a database, schema, table or column."""
    return '"' + name.replace('"', '""') + '"'
