"""What each mart and its columns are, as the yml beside the models says it.

Stands on the dbt project alone, under `opened`.
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from mithril_elt.dbt_project import sql_folder

__all__ = ["MartDoc", "described_marts"]


@dataclass(frozen=True)
class MartDoc:
    """A mart: what it has, ending with what one row is, and of each column, in order, the type and the meaning."""

    name: str
    description: str
    columns: dict[str, tuple[str, str]]


def described_marts() -> dict[str, MartDoc]:
    """All marts of this release by name, dimensions first."""
    found = {}
    for path in sorted((sql_folder() / "models" / "marts").glob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            columns = {
                column["name"]: (str(column["data_type"]), " ".join(str(column["description"]).split()))
                for column in model["columns"]
            }
            found[model["name"]] = MartDoc(model["name"], " ".join(model["description"].split()), columns)
    return found
