"""What there is of tables: models and seeds by dbt's manifest, raw tables by the schema that dlt makes of them.

Stands under `tables`, on `dbt_project` and `source`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

__all__ = ["Column", "Table", "all_tables"]

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

Column = tuple[str, str, str]  # its name, type and meaning


@dataclass
class Table:
    """A raw table, a seed or a model. `references`: by column the table that a data test holds it to be in."""

    name: str
    layer: str
    description: str
    kept_as: str
    columns: list[Column]
    key: tuple[str, ...] = ()
    made_from: list[str] = field(default_factory=list)
    read_by: list[str] = field(default_factory=list)
    references: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """Its name as it is written: raw tables with their schema."""
        return f"raw.{self.name}" if self.layer == "raw" else self.name

    @property
    def page(self) -> str:
        """Where it is told, from a page at the root of the site."""
        return f"tables/{self.name}.md" if self.layer == "marts" else f"{self.layer}.md#{self.name}"


def all_tables() -> dict[str, Table]:
    """Every table by its name; a raw one as `raw_` and its name, since marts and models may be called alike."""
    with TemporaryDirectory() as folder:
        manifest = _manifest(Path(folder))
        found = _raw(Path(folder), manifest)
    nodes = {key: node for key, node in manifest.nodes.items() if str(node.resource_type) in ("model", "seed")}
    found |= {node.name: _of_node(node, nodes) for node in nodes.values()}
    for test in manifest.nodes.values():
        about = getattr(test, "test_metadata", None)
        if about and about.name == "relationships" and test.attached_node in nodes:
            parent = about.kwargs["to"].split("'")[1]
            found[nodes[test.attached_node].name].references[test.column_name] = parent
    for each in found.values():
        for parent in each.made_from:
            found[parent].read_by.append(each.name)
    return found


def _manifest(folder: Path) -> Any:
    from mithril_elt import dbt_project  # noqa: PLC0415  # dbt costs seconds

    return dbt_project.parse(folder / "handbook.duckdb", folder / "target")


def _of_node(node: Any, nodes: Mapping[str, Any]) -> Table:
    """A model or a seed as the manifest has it."""
    above = getattr(node, "depends_on_nodes", ())
    types = node.config.get("column_types") or {}
    return Table(
        name=node.name,
        layer="seeds" if str(node.resource_type) == "seed" else node.fqn[1],
        description=" ".join(node.description.split()),
        kept_as=str(node.config.materialized),
        columns=[
            (each.name, each.data_type or types.get(each.name, ""), each.description) for each in node.columns.values()
        ],
        key=tuple(getattr(node, "primary_key", ()) or ()),
        made_from=sorted({nodes[key].name if key in nodes else f"raw_{key.split('.')[-1]}" for key in above}),
    )


def _raw(folder: Path, manifest: Any) -> dict[str, Table]:
    """The raw tables, with types as dlt finds them and words as the sources of dbt have them."""
    import dlt  # noqa: PLC0415  # a second

    from mithril_elt.source import table_hints  # noqa: PLC0415  # as above
    from mithril_elt.tables import RAW_TABLES  # noqa: PLC0415  # as above

    pipeline = dlt.pipeline("handbook", pipelines_dir=str(folder / "dlt"), destination="duckdb", dataset_name="raw")
    empty = [
        dlt.resource([each.arrow_schema.empty_table()], name=each.name, **table_hints(each)) for each in RAW_TABLES
    ]
    pipeline.extract(empty, loader_file_format="parquet")
    pipeline.normalize()
    told = {source.name: source for source in manifest.sources.values()}
    found = {}
    for each in RAW_TABLES:
        words = {name: column.description for name, column in told[each.name].columns.items()}
        columns = pipeline.default_schema.tables[each.name]["columns"]
        found[f"raw_{each.name}"] = Table(
            name=each.name,
            layer="raw",
            description=each.description,
            kept_as="versions" if each.history == "versions" else "newest reading of each key",
            columns=[
                (name, str(column.get("data_type", "")), words.get(name) or str(column.get("description", "")))
                for name, column in columns.items()
            ],
            key=each.key,
        )
    return found
