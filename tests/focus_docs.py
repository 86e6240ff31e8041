"""The tables of docs/focus.md that follow from the project: kinds and columns. `make focus-docs` renews them."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import yaml

from sql_project import SQL

__all__ = ["DOCS", "renewed"]

DOCS = Path(__file__).parent.parent / "docs" / "focus.md"
_MARTS = {"1.2": "focus_1_2", "1.4": "focus_1_4"}


def _columns(mart: str) -> dict[str, str]:
    (model,) = yaml.safe_load((SQL / "models" / "marts" / f"{mart}.yml").read_text())["models"]
    described: list[dict[str, Any]] = model["columns"]
    return {column["name"]: column["description"] for column in described}


def _table_of_columns() -> list[str]:
    of = {version: _columns(mart) for version, mart in _MARTS.items()}
    words = of["1.2"] | of["1.4"]
    lines = ["| column | in | says |", "|---|---|---|"]
    for name, said in words.items():
        versions = ", ".join(version for version in of if name in of[version])
        lines.append(f"| `{name}` | {versions} | {said} |")
    return lines


def _table_of_commitments() -> list[str]:
    columns = _columns("focus_1_4_contract_commitment")
    return ["| column | says |", "|---|---|", *(f"| `{name}` | {said} |" for name, said in columns.items())]


def _table_of_kinds() -> list[str]:
    with (SQL / "seeds" / "charge_kinds.csv").open(newline="") as text:
        kinds = list(csv.DictReader(text))
    lines = [
        "| kind | ChargeCategory, ChargeFrequency | PricingCategory | status | BilledCost | EffectiveCost | is |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        billed, effective = ("the cost" if kind[column] == "true" else "0" for column in ("is_billed", "is_effective"))
        lines.append(
            f"| `{kind['charge_kind']}` | {kind['charge_category']}, {kind['charge_frequency']} |"
            f" {kind['pricing_category'] or '–'} | {kind['commitment_status'] or '–'} | {billed} | {effective} |"
            f" {kind['words']} |"
        )
    return lines


_TABLES = {"kinds": _table_of_kinds, "columns": _table_of_columns, "commitments": _table_of_commitments}


def renewed(text: str) -> str:
    """The text with each table between its marks made anew."""
    for name, table in _TABLES.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        assert marks.search(text), f"there is no place for {name}"
        text = marks.sub(lambda found, made=table: f"{found[1]}" + "\n".join(made()) + f"\n{found[2]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    DOCS.write_text(renewed(DOCS.read_text()))
