"""docs/focus.md says what the project is now."""

from __future__ import annotations

from focus_docs import DOCS, renewed


def test_tables_are_those_of_the_project() -> None:
    """Kinds and columns are as the seed and the ymls have them: `make focus-docs` renews them."""
    text = DOCS.read_text()
    assert renewed(text) == text
