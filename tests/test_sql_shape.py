"""The shape of the SQL project: layers, keys, descriptions, types, and sources that are what the load makes."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from mithril_elt.tables import RAW_TABLES
from sql_project import SQL, Compiled, Node, compiled, empty_raw

pytestmark = pytest.mark.xdist_group("sql")

MODELS = sorted((SQL / "models").glob("*/*.sql"))
NAMES = [path.stem for path in MODELS]
PREFIX = {"staging": ("stg_mithril__",), "intermediate": ("int_",), "marts": ("dim_", "fct_", "focus_")}
# Which layers a layer may read from.
READS = {
    "staging": {"raw"},
    "intermediate": {"staging", "intermediate", "charge_kinds", "status_policy", "vendor_readings"},
    "marts": {"intermediate", "marts"},
}
DLT_COLUMNS = {
    "events": {"_dlt_load_id"},
    "versions": {"_dlt_load_id", "_dlt_valid_from", "_dlt_valid_to"},
}


def described(path: Path) -> dict[str, Any]:
    """What the yml beside a model says of it."""
    (model,) = yaml.safe_load(path.with_suffix(".yml").read_text())["models"]
    return dict(model)


def unit_tested(path: Path) -> set[str]:
    """The models that unit tests in the yml beside a model are of."""
    return {test["model"] for test in yaml.safe_load(path.with_suffix(".yml").read_text()).get("unit_tests", [])}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The project, compiled once."""
    return compiled(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="module")
def columns(project: Compiled) -> dict[str, list[tuple[str, str]]]:
    """Of each model its columns with their types, in order, as they come out of an empty account."""
    with duckdb.connect() as connection:
        empty_raw(connection)
        project.build(connection)
        return {
            model.name: [(name, kind) for name, kind, *_ in connection.execute(f"describe {model.relation}").fetchall()]
            for model in project.models
        }


@pytest.mark.parametrize("path", MODELS, ids=NAMES)
def test_a_model_is_named_for_its_layer_and_has_a_yml(path: Path) -> None:
    """The prefix says the layer, and a yml of the same name stands beside each model."""
    assert path.stem.startswith(PREFIX[path.parent.name])
    assert described(path)["name"] == path.stem


def test_no_yml_is_left_over() -> None:
    """Every yml belongs to a model; only the sources have one of their own."""
    ymls = {path.stem for path in (SQL / "models").glob("*/*.yml")}
    assert ymls - set(NAMES) == {"sources"}


def test_layers_are_read_in_one_direction(project: Compiled) -> None:
    """Raw → staging → intermediate → marts: marts read neither sources nor staging."""
    layers = {model.name: model.layer for model in project.models}
    for model in project.models:
        read = {_layer(key, layers) for key in model.depends_on}
        assert read <= READS[model.layer], f"{model.name} reads {read}"


def _layer(key: str, layers: dict[str, str]) -> str:
    kind, _, *_, name = key.split(".")
    return "raw" if kind == "source" else layers.get(name, name)


def test_each_raw_table_has_one_staging_model(project: Compiled) -> None:
    """`stg_mithril__<table>` reads that table and no other."""
    read = {m.name: [key.split(".")[-1] for key in m.depends_on] for m in project.models if m.layer == "staging"}
    assert read == {f"stg_mithril__{table.name}": [table.name] for table in RAW_TABLES}


@pytest.mark.parametrize("path", [p for p in MODELS if p.parent.name == "staging"], ids=lambda path: path.stem)
def test_staging_only_renames_and_casts(path: Path) -> None:
    """Each column of a staging model is one column of the source: nothing is joined, left out, added up or made up."""
    body = path.read_text()
    assert re.findall(r"^(\w+) as \($", body, re.MULTILINE) == ["source", "renamed"]
    assert not re.search(r"\b(join|where|group|distinct|union|over|having|limit)\b", body)
    renamed = body.split("renamed as (")[1].split("select")[1].split("from source")[0]
    named = r"(\w+|\{\{ (bare_status|word)\('\w+'\) \}\})"
    cast = rf"cast\({named} as ([a-z]+(\(\d+, \d+\))?|\{{\{{ (text|timestamp)\(\) \}}\}})\) as \w+"
    column = rf"({cast}|\{{\{{ utc\('\w+'\) \}}\}} as \w+),?"
    assert all(re.fullmatch(column, line.strip()) for line in renamed.strip().splitlines()), renamed


def test_the_clocks_are_tested_with_the_rows_of_the_seed() -> None:
    """They stand in the test in full, since PostgreSQL takes no empty text for a number, as dbt writes a seed there."""
    described = yaml.safe_load((SQL / "models" / "intermediate" / "int_pause_clocks.yml").read_text())
    [given] = described["unit_tests"][0]["given"]
    seed = list(csv.DictReader((SQL / "seeds" / "vendor_readings.csv").read_text().splitlines()))
    rows = list(csv.DictReader(given["rows"].splitlines()))
    assert rows == [{name: row[name] for name in rows[0]} for row in seed]


@pytest.mark.parametrize("path", MODELS, ids=NAMES)
def test_a_view_is_the_same_in_every_build(path: Path) -> None:
    """Builds that count only what has changed leave views as they are: none may hang on how a build is asked for."""
    asked_for = ("'as_of'", "pinned_as_of", "only_changed", "built_before", "this_run", "settled_changes")
    body = path.read_text()
    assert "materialized=" in body or path.parent.name == "marts" or not any(word in body for word in asked_for)


@pytest.mark.parametrize("path", MODELS, ids=NAMES)
def test_no_window_looks_ahead_to_the_end(path: Path) -> None:
    """PostgreSQL and Spark go through all that follows for each row, 10 s for 20,000 rows: order them the other way."""
    assert not re.search(r"(following|current row)\s+and\s+unbounded\s+following", path.read_text())


@pytest.mark.parametrize("path", MODELS, ids=NAMES)
def test_tables_that_are_compared_by_time_share_a_key(path: Path) -> None:
    """Or an engine may join them by the times alone: every row with every other, as DuckDB once did, in 20 GB."""
    for _, cte in re.findall(r"^(\w+) as \($(.*?)^\)", path.read_text(), re.MULTILINE | re.DOTALL):
        compared = re.findall(r"(?:on|and|where)\s+(\w+)\.\w+ [<>]=? (?!\1\.)(\w+)\.\w+", cte)
        keyed: dict[str, set[str]] = {}
        for left, key, right in re.findall(r"(\w+)\.(\w+) = (\w+)\.\2\b", cte):
            keyed.setdefault(key, set()).update((left, right))
        assert [pair for pair in compared if not any(set(pair) <= tables for tables in keyed.values())] == []


@pytest.mark.parametrize("path", MODELS, ids=NAMES)
def test_a_model_reads_from_top_to_bottom(path: Path) -> None:
    """Imports first, then CTEs named for the act, `final` last; short enough to be read at once, few joins."""
    body = re.sub(r"^\{\{ config\(.*?\) \}\}\n\n", "", path.read_text(), flags=re.DOTALL)
    assert body.startswith("with\n\n")
    last = "renamed" if path.parent.name == "staging" else "final"
    assert body.endswith(f"\nselect * from {last}\n")
    ctes = re.findall(r"^(\w+) as \($(.*?)^\)", body, re.MULTILINE | re.DOTALL)
    assert ctes[-1][0] == last
    is_import = [bool(re.search(r"\{\{ (ref|source)\(", cte)) for _, cte in ctes]
    assert is_import == sorted(is_import, reverse=True), "an import stands below another CTE"
    assert body.count("\n") <= 95
    assert len(re.findall(r"\bjoin\b", body)) <= 7


@pytest.mark.parametrize("path", MODELS, ids=NAMES)
@pytest.mark.shows(38)
def test_a_model_is_described_to_its_last_column(
    path: Path, project: Compiled, columns: dict[str, list[tuple[str, str]]]
) -> None:
    """The description ends with the grain; every column is described, none is left over; the key is tested."""
    model = described(path)
    assert re.search(r"One row per [^.]+\.$", model["description"].strip()), model["description"]
    assert [column["name"] for column in model["columns"]] == [name for name, _ in columns[path.stem]]
    assert all(column["description"].strip() for column in model["columns"])
    keyed = re.compile(rf"unique(_together)?_{path.stem}_")
    of_it = [node for name, node in project.tests.items() if keyed.match(name)]
    unique = [node for node in of_it if f"model.mithril.{path.stem}" in node.depends_on]
    assert len(unique) == 1, "a model has one key"


@pytest.mark.parametrize("path", [p for p in MODELS if p.parent.name == "intermediate"], ids=lambda path: path.stem)
def test_each_step_has_a_unit_test(path: Path) -> None:
    """Every intermediate model has rows in and rows out beside it."""
    assert unit_tested(path) == {path.stem}


@pytest.mark.parametrize(
    "path", [p for p in MODELS if p.stem.startswith(("fct_", "focus_"))], ids=lambda path: path.stem
)
def test_each_fact_has_a_unit_test(path: Path) -> None:
    """Every fact has rows in and rows out beside it."""
    assert unit_tested(path) == {path.stem}


@pytest.mark.parametrize("path", [p for p in MODELS if p.parent.name == "marts"], ids=lambda path: path.stem)
def test_a_mart_keeps_the_types_it_promises(path: Path, columns: dict[str, list[tuple[str, str]]]) -> None:
    """The types in the yml, which the contract enforces, are exactly those that come out."""
    promised = [
        (column["name"], column["data_type"].upper().replace(", ", ",")) for column in described(path)["columns"]
    ]
    assert promised == columns[path.stem]


def test_nothing_floats(columns: dict[str, list[tuple[str, str]]]) -> None:
    """No column of any model is a floating-point number, and no instant carries a zone."""
    strange = {"DOUBLE", "FLOAT", "REAL", "TIMESTAMP WITH TIME ZONE"}
    assert [(name, column) for name, each in columns.items() for column, kind in each if kind in strange] == []


def test_units_are_in_the_names(columns: dict[str, list[tuple[str, str]]]) -> None:
    """`_us` is a whole number of microseconds, `_cent_us` a wide one, `_hours`, `_usd` and `_pct` exact decimals."""
    kinds = {"_cent_us": {"HUGEINT"}, "_us": {"BIGINT"}, "_at": {"TIMESTAMP"}}
    kinds |= {ending: {"DECIMAL(38,12)"} for ending in ("_hours", "_usd", "_pct")}
    marts = {name: each for name, each in columns.items() if name.startswith(PREFIX["marts"])}
    for name, each in marts.items():
        for column, kind in each:
            ending = next((e for e in kinds if column.endswith(e)), None)
            assert ending is None or kind in kinds[ending], f"{name}.{column} is {kind}"


@pytest.mark.shows(7)
def test_sources_are_what_the_load_makes() -> None:
    """The sources name and describe the raw tables and their columns exactly as `tables.py` does."""
    (source,) = yaml.safe_load((SQL / "models" / "staging" / "sources.yml").read_text())["sources"]
    for table, said in zip(RAW_TABLES, source["tables"], strict=True):
        assert (said["name"], said["description"]) == (table.name, table.description)
        own = [(c["name"], c["description"]) for c in said["columns"] if not c["name"].startswith("_dlt_")]
        assert own == [(column.name, column.description) for column in table.columns]
        added = {column["name"] for column in said["columns"]} - {column.name for column in table.columns}
        assert added == DLT_COLUMNS[table.history]


def test_the_readme_lists_every_mart_with_its_grain() -> None:
    """sql/README.md has a row for each mart, and the grain in it is the one its description ends with."""
    readme = (SQL / "README.md").read_text()
    for path in MODELS:
        if path.parent.name == "marts":
            grain = re.findall(r"One row per ([^.]+)\.$", described(path)["description"].strip())[0]
            assert f"| `{path.stem}` | {' '.join(grain.split())} |" in readme


def test_the_readme_draws_every_step(project: Compiled) -> None:
    """The lineage in sql/README.md names every intermediate model, and no model that is not there."""
    readme = (SQL / "README.md").read_text()
    named = set(re.findall(r"\b(?:int_|fct_|dim_|focus_\d)\w*", readme))
    assert named == {node.name for node in project.models if _is_past_staging(node)}


def _is_past_staging(node: Node) -> bool:
    return node.layer != "staging"
