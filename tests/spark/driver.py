"""A process of its own that is the driver: makes the raw tables of Parquet files Spark's, then runs dbt.

Called by `cluster`: `python driver.py RAW TARGET DBT-ARGUMENTS…`. Prints, as JSON, each node of dbt, its status, its
seconds and its message.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any


def main(raw: Path, target: Path, arguments: list[str]) -> None:
    """Prints what dbt did."""
    warnings.simplefilter("ignore")  # those of pyspark and of dbt's own code; those about the project come as errors
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  # after the line above
    from pyspark.sql import SparkSession  # noqa: PLC0415  # as above

    from mithril_elt.transform import sql_folder  # noqa: PLC0415  # as above

    session = SparkSession.builder.enableHiveSupport().getOrCreate()
    session.sql("create schema if not exists raw")
    for folder in sorted(raw.iterdir()):
        session.sql(f"drop table if exists raw.{folder.name}")
        session.sql(f"create table raw.{folder.name} using parquet location '{folder.as_uri()}'")
    sql = str(sql_folder())
    own = ["--project-dir", sql, "--profiles-dir", sql, "--target-path", str(target), "--log-path", str(target)]
    outcome = dbtRunner().invoke([*arguments, *own, "--quiet", "--log-level", "none", "--warn-error"])
    if arguments[0] == "build" and outcome.success:
        _keep_what_is_no_parquet(session)
    session.stop()
    if outcome.exception is not None:
        raise outcome.exception
    told = [[each.node.name, str(each.status), each.execution_time, each.message] for each in outcome.result.results]
    print(json.dumps(told))  # noqa: T201  # it is what the caller reads


def _keep_what_is_no_parquet(session: Any) -> None:
    """Writes what the views of the marts show, and what Iceberg's tables hold, beside the tables."""
    tables = session.conf.get("spark.sql.warehouse.dir")
    views = {row.viewName for row in session.sql("show views in marts").collect()}
    is_iceberg = "iceberg" in session.conf.get("spark.sql.catalog.spark_catalog", "")
    for row in session.sql("show tables in marts").collect():
        if not row.isTemporary and (row.tableName in views or is_iceberg):
            shown = session.table(f"marts.{row.tableName}")
            shown.write.mode("overwrite").parquet(f"{tables}/shown.db/{row.tableName}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
