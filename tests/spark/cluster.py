"""A Spark cluster of its own for tests: a master and workers on loopback, filled from a DuckDB file.

Stands under the tests of this folder. A driver finds the cluster by `spark-defaults.conf` in its folder, as a user's
would.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyspark

__all__ = ["MODELS_ONLY", "Cluster", "copy_raw", "need_java", "started"]

_BIN = Path(pyspark.__file__).parent / "bin" / "spark-class"
MODELS_ONLY = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")  # of a build
_PARTS = "124MB"  # a file of raw history, uncompressed


@dataclass(frozen=True)
class Cluster:
    """A master with workers of one core each; `folder` has its configuration, its tables and its event logs.

    `more`: settings of Spark besides its own. `variables`: what else a driver finds in its environment.
    """

    folder: Path
    master: str
    more: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a driver, and so dbt, is told."""
        own = {"SPARK_CONF_DIR": self.folder / "conf", "SPARK_LOCAL_IP": "127.0.0.1", "TZ": "UTC"}
        return {name: str(value) for name, value in own.items()} | {"MITHRIL_DBT_TARGET": "spark", **self.variables}

    def configure(self, *, driver_memory: str = "1g", executor_memory: str = "1g", shuffles: int = 4) -> None:
        """Writes what a driver reads: where the cluster and the tables are; how much memory it may take."""
        tables, events = self.folder / "tables", self.folder / "events"
        events.mkdir(exist_ok=True)
        said = {
            "spark.master": self.master,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": driver_memory,
            "spark.executor.memory": executor_memory,
            "spark.ui.enabled": "false",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": events.as_uri(),
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
            "spark.local.dir": str(self.folder / "spill"),
            "spark.sql.warehouse.dir": tables.as_uri(),
            "spark.sql.shuffle.partitions": str(shuffles),
            "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:{self.folder}/catalog;create=true",
            "spark.driver.extraJavaOptions": f"-Dderby.system.home={self.folder}",
            **self.more,
        }
        conf = self.folder / "conf"
        conf.mkdir(exist_ok=True)
        (conf / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in said.items()))
        level = "rootLogger.level = error\nrootLogger.appenderRef.a.ref = a\nappender.a.type = Console\n"
        (conf / "log4j2.properties").write_text(
            f"{level}appender.a.name = a\nappender.a.target = SYSTEM_ERR\nappender.a.layout.type = PatternLayout\n"
        )

    def dbt(self, raw: Path, *arguments: str, **names: object) -> dict[str, tuple[str, float, str]]:
        """What a dbt command did over folders of Parquet files: each node with its status, seconds and message."""
        told = self.drive("driver.py", str(raw), str(self.folder / "target"), *arguments, "--vars", json.dumps(names))
        return {name: (status, seconds, message) for name, status, seconds, message in told}

    def drive(self, script: str, *arguments: str) -> Any:
        """What a script of this folder, which is a driver of its own, prints at last."""
        process = subprocess.run(
            [sys.executable, str(Path(__file__).with_name(script)), *arguments],
            env=os.environ | self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            raise RuntimeError(process.stderr[-3000:])
        return json.loads(process.stdout.splitlines()[-1])

    def events(self) -> Iterator[Any]:
        """What the drivers noted, event by event."""
        for log in sorted((self.folder / "events").iterdir()):
            for line in log.read_text().splitlines():
                yield json.loads(line)


def need_java() -> None:
    """Fails where there is no Java of the version that Spark needs."""
    java = shutil.which("java")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr if java else ""
    found = re.search(r'version "(\d+)', said)
    if not found or int(found[1]) < 17:
        raise RuntimeError("Spark needs Java 17 or later on the path: install openjdk-17-jre-headless")


def copy_raw(db: Path, folder: Path) -> Path:
    """Writes the raw tables of a DuckDB file as folders of Parquet files, and gives the folder of these."""
    with duckdb.connect(str(db), read_only=True) as file:
        file.execute("set timezone = 'UTC'; set memory_limit = '1GB'; set preserve_insertion_order = false")
        listed = "select table_name from duckdb_tables() where schema_name = 'raw'"
        for (table,) in file.execute(listed).fetchall():
            shutil.rmtree(folder / table, ignore_errors=True)
            (folder / table).mkdir(parents=True)
            file.execute(f"copy raw.{table} to '{folder / table}' (format parquet, file_size_bytes '{_PARTS}')")
    return folder


@contextmanager
def started(
    folder: Path,
    *,
    workers: int = 2,
    memory: str = "1g",
    more: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """A cluster on ports that the system chose; its processes are ended afterwards."""
    need_java()
    for name in ("conf", "spill", "work"):
        (folder / name).mkdir(exist_ok=True)
    with ExitStack() as running:
        log = running.enter_context(_process(folder, "master", "master.Master", "--port", "0"))
        master = _said(log, r"Starting Spark master at (spark://[\d.:]+)")
        for number in range(workers):
            own = ("--cores", "1", "--memory", memory, "--work-dir", str(folder / "work"), master)
            log = running.enter_context(_process(folder, f"worker{number}", "worker.Worker", "--port", "0", *own))
            _said(log, r"Successfully registered with master ()")
        cluster = Cluster(folder, master, more or {}, variables or {})
        cluster.configure(executor_memory=memory)
        yield cluster


@contextmanager
def _process(folder: Path, name: str, what: str, *options: str) -> Iterator[Path]:
    """A process of the cluster, and the file it logs to."""
    log = folder / f"{name}.log"
    own = {
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "spill"),
        "SPARK_DAEMON_MEMORY": "256m",
    }
    command = [str(_BIN), f"org.apache.spark.deploy.{what}", "--host", "127.0.0.1", "--webui-port", "0", *options]
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=os.environ | own, stdout=file, stderr=file)
        try:
            yield log
        finally:
            process.terminate()
            process.wait(timeout=60)


def _said(log: Path, pattern: str, seconds: float = 180) -> str:
    """What a process logs sooner or later."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := re.search(pattern, log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise RuntimeError(f"{log.name}: {log.read_text()[-500:]}")
