"""The models on a Spark cluster: the same rows, to the last digit, as on DuckDB, and made on all of its workers."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from cluster import Cluster, need_java
from marts import unequal

pytestmark = pytest.mark.timeout(1800)

Made = dict[str, tuple[str, float, str]]
_KEEPS_PLACES = {"Window", "WindowGroupLimit", "Sort", "Project", "Filter", "InputAdapter", "WholeStageCodegen"}


def test_marts_are_those_of_duckdb(cluster: Cluster, counted: Path, made: Made) -> None:
    """Every mart, row for row."""
    assert {status for status, *_ in made.values()} == {"success"}
    assert len(made) > 80
    assert unequal(counted, cluster.folder / "tables") == {}


def test_a_digit_or_a_row_that_differs_is_seen(cluster: Cluster, counted: Path, made: Made, tmp_path: Path) -> None:
    """The comparison of the test above finds a millionth of a millionth of a dollar, and a row that is there twice."""
    assert made
    other = shutil.copy(counted, tmp_path / "other.duckdb")
    with duckdb.connect(str(other)) as file:
        file.execute("update marts.fct_commitments set committed_cost_usd = committed_cost_usd + 0.000000000001")
        file.execute("insert into marts.fct_starts from marts.fct_starts limit 1")
        (count,) = file.execute("select count(*) from marts.fct_commitments").fetchone() or (0,)
    found = unequal(Path(other), cluster.folder / "tables")
    shown = {"focus_1_4_contract_commitment": (count, count)}  # a view of the first
    assert found == {"fct_commitments": (count, count), "fct_starts": (1, 0)} | shown


def test_both_workers_worked(cluster: Cluster, made: Made) -> None:
    """Each of the two did at least a quarter of all tasks."""
    assert made
    tasks = Counter(event["Task Info"]["Executor ID"] for event in _of_kind(cluster, "SparkListenerTaskEnd"))
    assert set(tasks) == {"0", "1"}
    assert min(tasks.values()) * 4 > tasks.total()


def test_no_window_is_of_one_partition(cluster: Cluster, made: Made) -> None:
    """What is counted over rows in order is counted for each instance, or reservation, by itself."""
    assert made
    sources = Counter(_source(node) for plan in _plans(cluster) for node in plan if node["nodeName"] == "Window")
    assert sources.total() > 20
    assert not [source for source in sources if "SinglePartition" in source]
    assert [source for source in sources if "hashpartitioning(instance_id" in source]


def test_a_second_build_empties_what_the_first_left(cluster: Cluster, counted: Path, raw: Path, made: Made) -> None:
    """Also a table that elsewhere keeps its rows, and is only added to."""
    assert made
    again = cluster.dbt(raw, "run", "--select", "int_changed_instances", "fct_starts")
    assert {status for status, *_ in again.values()} == {"success"}
    assert unequal(counted, cluster.folder / "tables") == {}


def test_what_would_give_other_figures_is_refused(cluster: Cluster, raw: Path, made: Made) -> None:
    """To count only what changed is said not to be there, before anything is counted."""
    assert made
    with pytest.raises(RuntimeError, match="only_changed is for DuckDB, for PostgreSQL, and for Spark with MITHRIL"):
        cluster.dbt(raw, "run", "--select", "int_statuses", only_changed=True)


def test_a_machine_without_java_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, and as a failure."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match="Spark needs Java 17 or later on the path"):
        need_java()


def _of_kind(cluster: Cluster, kind: str) -> Iterator[Any]:
    return (event for event in cluster.events() if str(event["Event"]).endswith(kind))


def _plans(cluster: Cluster) -> Iterator[list[Any]]:
    """The nodes of each plan, as it was made and as it was changed while it ran."""
    for event in cluster.events():
        if "sparkPlanInfo" in event:
            yield list(_nodes(event["sparkPlanInfo"]))


def _nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for child in plan["children"]:
        yield from _nodes(child)


def _source(node: Any) -> str:
    """What a window takes its rows from: an exchange by key, or a join that is by key already."""
    while node["children"] and node["nodeName"].split(" ")[0] in _KEEPS_PLACES:
        node = node["children"][0]
    return str(node["simpleString"])
