"""A process of its own that tidies a table of Iceberg as `docs/warehouses.md` says, and tells what came of it.

Called by `test_iceberg`: `python tidied.py TABLE`, such as marts.fct_instance_hours. Prints, as JSON, how many
snapshots and files there were before and after, and how many rows are others than before.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

_EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
_TIDIES = (
    "rewrite_data_files(table => '{table}', options => map('min-input-files', '2'))",  # five, if nothing is said
    "expire_snapshots(table => '{table}', older_than => timestamp '{now}')",
    "remove_orphan_files(table => '{table}')",
)


def main(table: str) -> None:
    """Prints what it did."""
    warnings.simplefilter("ignore")  # those of pyspark
    from pyspark.sql import SparkSession  # noqa: PLC0415  # after the line above

    session = SparkSession.builder.config("spark.sql.extensions", _EXTENSIONS).enableHiveSupport().getOrCreate()
    tables = Path(session.conf.get("spark.sql.warehouse.dir").removeprefix("file:"))
    schema, name = table.split(".")
    data, kept = tables / f"{schema}.db" / name / "data", (tables.parent / "before_tidied").as_uri()

    def counts() -> tuple[int, int]:
        return session.table(f"{table}.snapshots").count(), len(list(data.rglob("*.parquet")))

    session.table(table).write.mode("overwrite").parquet(kept)
    before = counts()
    for call in _TIDIES:
        now = session.sql("select cast(current_timestamp() as string)").first()[0]
        session.sql(f"call spark_catalog.system.{call.format(table=table, now=now)}")
    after = counts()
    was, is_now = session.read.parquet(kept), session.table(table)
    others = was.exceptAll(is_now).count() + is_now.exceptAll(was).count()
    session.stop()
    print(json.dumps({"before": before, "after": after, "others": others}))  # noqa: T201  # it is what the caller reads


if __name__ == "__main__":
    main(sys.argv[1])
