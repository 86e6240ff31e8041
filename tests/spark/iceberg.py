"""Iceberg's tables on the cluster of these tests: what Spark is told of them, and what they tell of their commits.

Stands under `test_iceberg`. Its jar comes from PyPI, in a package of others that has it for Spark 3.5.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from snowpark_connect_deps_iceberg import get_jar_path

__all__ = ["SETTINGS", "VARIABLES", "Commit", "commits"]

SETTINGS = {
    "spark.jars": str(get_jar_path("iceberg-spark-runtime-3.5_2.12-1.10.2.jar")),
    "spark.sql.catalog.spark_catalog": "org.apache.iceberg.spark.SparkSessionCatalog",
    "spark.sql.catalog.spark_catalog.type": "hive",
    "spark.hadoop.iceberg.engine.hive.lock-enabled": "false",  # Derby has no table of locks, and one driver needs none
}
VARIABLES = {"MITHRIL_SPARK_FORMAT": "iceberg"}


@dataclass(frozen=True)
class Commit:
    """What one statement did to a table: how many partitions it touched, how many rows came and went."""

    partitions: int
    added_rows: int
    deleted_rows: int


def commits(table: Path) -> list[Commit]:
    """All that a table remembers, the oldest first; `table` is its folder."""
    newest = max((table / "metadata").glob("*.metadata.json"), key=lambda file: int(file.name.split("-")[0]))
    told = sorted(json.loads(newest.read_text())["snapshots"], key=lambda each: int(each["sequence-number"]))
    counts = ("changed-partition-count", "added-records", "deleted-records")
    return [Commit(*(int(each["summary"].get(name, 0)) for name in counts)) for each in told]
