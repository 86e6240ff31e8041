"""The raw tables as declared: each has a key, a way in which rows replace each other, a meaning for each column."""

from __future__ import annotations

import pytest

from mithril_elt.rows import arrow
from mithril_elt.source import runs_source, scope_of, table_hints, table_resource
from mithril_elt.tables import RAW_TABLES, RawTable


@pytest.mark.shows(7)
@pytest.mark.parametrize("table", RAW_TABLES, ids=lambda table: table.name)
def test_each_table_is_described_to_its_last_column(table: RawTable) -> None:
    """The table says what one row is; no two columns are alike, and each says what it means."""
    assert "One row per" in table.description
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert [column.name for column in table.columns if len(column.description) < 5] == []
    assert set(table.key) <= set(names)


@pytest.mark.shows(7)
@pytest.mark.parametrize("table", RAW_TABLES, ids=lambda table: table.name)
def test_dlt_is_told_the_key_and_how_rows_replace_each_other(table: RawTable) -> None:
    """By key: delete and insert; by version: the column that tells versions apart. No other way is used."""
    schema = table_resource(table.name, lambda: iter([])).compute_table_schema()
    assert schema["write_disposition"] == "merge"
    assert schema["x-merge-strategy"] == {"events": "delete-insert", "versions": "scd2"}[table.history]
    if table.history == "events":
        assert {name for name, column in schema["columns"].items() if column.get("primary_key")} == set(table.key)
    else:
        hinted = [name for name, column in schema["columns"].items() if column.get("x-row-version")]
        assert hinted == ["version_hash"]
    described = {name: column.get("description") for name, column in schema["columns"].items()}
    ours = {column.name: column.description for column in table.columns if column.name != "version_hash"}
    assert ours.items() <= described.items()  # of the version column dlt drops the description


def test_the_hints_of_a_table_are_its_own() -> None:
    """No table shares what it tells dlt with another one: a hint that is changed changes nothing else."""
    assert table_hints(RAW_TABLES[0]) is not table_hints(RAW_TABLES[0])
    assert list(runs_source(arrow("runs", [])).resources) == ["runs"]


@pytest.mark.parametrize("table", RAW_TABLES, ids=lambda table: table.name)
def test_a_load_replaces_its_keys_and_looks_no_further_back(table: RawTable) -> None:
    """Rows before the first instant of a batch are left alone unseen, so a long history costs no more."""
    scope = scope_of(table)
    instants = {column.name for column in table.columns if column.kind == "timestamp"} & set(table.key)
    assert (scope is None) == (table.history == "versions" or not instants)
    if scope:
        assert all(f"loaded.{name} = {{table}}.{name}" in scope for name in table.key)
        assert all(f">= (select min(first.{name})" in scope for name in instants)
    assert "destination_scope" not in table_hints(table)["write_disposition"]  # which some engines do not understand
