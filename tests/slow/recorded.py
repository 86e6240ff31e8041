"""What dbt runs of the models in a build that counts only what has changed, to be run again straight in DuckDB.

Stands under `test_only_changed`. The statements are those of a real build, in their order: a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.adapters.sql.connections import SQLConnectionManager
from worlds import PINNED

from mithril_elt.transform import build

__all__ = ["Recorded", "recorded"]

_PINNED_AT = datetime.fromisoformat(PINNED)


@dataclass(frozen=True)
class Recorded:
    """The statements of one build with the newest as_of, and of one with a pinned one."""

    plain: tuple[str, ...]
    pinned: tuple[str, ...]

    def build(self, db: Path, as_of: datetime | None = None) -> None:
        """Counts what has changed in a database since its last build, as of that instant."""
        text = "" if as_of is None else as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        with duckdb.connect(str(db)) as connection:
            connection.execute("set timezone = 'UTC'")
            for statement in self.plain if as_of is None else self.pinned:
                connection.execute(statement.replace(PINNED, text))

    def broken(self, replaced: Mapping[str, str]) -> Recorded:
        """The same with some texts replaced, each of which has to be there."""
        assert [text for text in replaced if not any(text in statement for statement in self.plain)] == []
        return replace(self, plain=_replaced(self.plain, replaced), pinned=_replaced(self.pinned, replaced))


def _replaced(statements: tuple[str, ...], replaced: Mapping[str, str]) -> tuple[str, ...]:
    for text, broken in replaced.items():
        statements = tuple(each.replace(text, broken) for each in statements)
    return statements


def recorded(plain: Path, pinned: Path) -> Recorded:
    """Builds two copies of a database that was built, and keeps what dbt ran."""
    return Recorded(_statements(plain, None), _statements(pinned, _PINNED_AT))


def _statements(db: Path, as_of: datetime | None) -> tuple[str, ...]:
    found: list[str] = []
    run = SQLConnectionManager.add_query

    def noted(self: Any, sql: str, *arguments: Any, **named: Any) -> Any:
        if '"node_id": "model.' in sql:  # dbt says so in a comment
            found.append(sql)
        return run(self, sql, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLConnectionManager, "add_query", noted)
        assert build(db, as_of=as_of).only_changed
    return tuple(found)
