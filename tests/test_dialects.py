"""Each model in the SQL of each warehouse: made by the project's own macros, and read by a parser of that dialect."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import jinja2.sandbox
import pytest
import sqlglot
import yaml
from sqlglot import exp

from sql_project import SQL, compiled

pytestmark = pytest.mark.xdist_group("sql")

MODELS = sorted((SQL / "models").glob("*/*.sql"))
VARIABLES = yaml.safe_load((SQL / "dbt_project.yml").read_text())["vars"]
MACROS = "".join(each.read_text() for each in (SQL / "macros").glob("*.sql") if "{% test" not in each.read_text())
# What each warehouse does not know, though DuckDB does: words that a parser may let through.
FOREIGN = {
    "spark": r"//|\bhugeint|\bvarchar|to_microseconds|date_diff\('|generate_series|arg_max|string_agg|\btimezone\(",
    "snowflake": r"//|\bhugeint|\bto_microseconds|date_diff|generate_series|arg_max|string_agg|\btimezone\(|\bunnest",
    "bigquery": r"//|%|\bhugeint|\bvarchar|to_microseconds|date_diff\('|date_trunc|generate_series|interval '|arg_max",
    "redshift": r"//|\bhugeint|\bunnest|to_microseconds|date_diff|generate_series|arg_max|string_agg|\bmax_by",
    "clickhouse": r"//|\bhugeint|to_microseconds|generate_series|arg_max|string_agg|\btimezone\(|\bunnest",
}
FOREIGN["databricks"] = FOREIGN["spark"]


@cache
def rendered(path: Path, dialect: str, zone: str = "UTC") -> str:
    """The SQL of a model, as the macros make it for a warehouse."""
    return _environment(dialect, zone).from_string(path.read_text()).render().strip()


@cache  # the macros are parsed once for each
def _environment(dialect: str, zone: str) -> jinja2.sandbox.SandboxedEnvironment:
    names = VARIABLES | {"report_timezone": zone}
    environment = jinja2.sandbox.SandboxedEnvironment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    environment.globals.update(
        target=SimpleNamespace(type=dialect, schema="staging"),
        var=lambda name, default=None: names.get(name, default),
        ref=lambda name: f"{'marts' if name.startswith(('dim_', 'fct_', 'focus_')) else 'staging'}.{name}",
        source=lambda schema, name: f"{schema}.{name}",
        this="staging.itself",
        config=lambda **_: "",
        is_incremental=lambda: False,
        execute=False,
        invocation_id="this-run",
    )
    environment.globals.update(environment.from_string(MACROS).module.__dict__)
    return environment


def test_rendering_is_what_dbt_compiles(tmp_path_factory: pytest.TempPathFactory) -> None:
    """On DuckDB, where dbt compiles for real, the same text."""
    by_dbt = {model.name: model.sql for model in compiled(tmp_path_factory.mktemp("compiled")).models}
    by_dbt = {name: re.sub(r"'[0-9a-f-]{36}'", "'this-run'", sql.replace('"', "")) for name, sql in by_dbt.items()}
    # dbt quotes the names of relations; FOCUS's columns are quoted by us
    assert {path.stem: rendered(path, "duckdb").replace('"', "") for path in MODELS} == {
        name: sql.strip() for name, sql in by_dbt.items()
    }


@pytest.mark.parametrize("dialect", sorted(FOREIGN))
def test_every_model_is_sql_of_the_warehouse(dialect: str) -> None:
    """It is one query, which a parser of the dialect reads, without a word that only DuckDB knows."""
    wrong = []
    for path in MODELS:
        sql = rendered(path, dialect, "Europe/Berlin")
        foreign = re.search(FOREIGN[dialect], re.sub(r"--.*", "", sql))
        (query,) = sqlglot.parse(sql, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
        if foreign or not isinstance(query, exp.Query):
            wrong.append((path.stem, foreign and foreign[0]))
    assert wrong == []


@pytest.mark.parametrize("dialect", sorted(FOREIGN))
def test_words_of_another_dialect_are_found(dialect: str) -> None:
    """The check above would see DuckDB's SQL under another name."""
    found = [path.stem for path in MODELS if re.search(FOREIGN[dialect], rendered(path, "duckdb"))]
    assert len(found) > 10
    assert "int_spell_hours" in found


@pytest.mark.parametrize("dialect", sorted(FOREIGN))
def test_models_of_many_hours_name_the_rows_that_they_multiply(dialect: str) -> None:
    """One row for each hour: by a column that multiplies, or by a join, and never by both or neither."""
    for path in (path for path in MODELS if "each_hour(" in path.read_text()):
        query = sqlglot.parse_one(rendered(path, dialect), read=dialect)
        cte = next(each for each in query.find_all(exp.CTE) if each.alias == "touched_hours")
        multiplied = [hour for hour in cte.this.selects if hour.alias_or_name == "hour_at"]
        assert len(multiplied) == 1, path.stem
        by_column = bool(re.search(r"(?i)explode|arrayjoin", multiplied[0].sql(dialect=dialect)))
        by_join = bool(re.search(r"(?i)touched_hour\b|touched_hours\.value|digits_6", cte.sql(dialect=dialect)))
        assert by_column != by_join, path.stem


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", *sorted(FOREIGN)])
def test_a_span_can_be_a_factor(dialect: str) -> None:
    """A quantity times a span is just that, however the span is said."""
    said = _environment(dialect, "UTC").from_string("select quantity * {{ us_between('a', 'b') }} as product").render()
    assert isinstance(sqlglot.parse_one(said, read=dialect).selects[0].unalias(), exp.Mul)
