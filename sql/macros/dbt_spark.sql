{#- What dbt's adapter for Spark does otherwise here: each macro takes the place of dbt's own of its name. -#}

{#- The empty table that a model with a contract is held against. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    {%- for column in columns.values() -%}
        {%- do column.update({'data_type': named_type(column.data_type)}) -%}
    {%- endfor -%}
    {{ return(dbt.default__get_empty_schema_sql(columns)) }}
{%- endmacro %}

{#- The table of a seed; its rows are cast to the same types afterwards. -#}
{% macro spark__create_csv_table(model, agate_table) -%}
    {%- set types = model['config']['column_types'] -%}
    {%- for column in types -%}
        {%- do types.update({column: named_type(types[column])}) -%}
    {%- endfor -%}
    {{ return(dbt.spark__create_csv_table(model, agate_table)) }}
{%- endmacro %}

{#- The rows of a seed, as literals: a session would take a value that is not there for the text None. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config']['column_types'] -%}
    {%- set rows = [] -%}
    {%- for row in agate_table.rows -%}
        {%- set values = [] -%}
        {%- for column in agate_table.column_names -%}
            {%- set type = named_type(types.get(column, adapter.convert_type(agate_table, loop.index0))) -%}
            {%- set told = "'" ~ (row[column] | string | replace("\\", "\\\\") | replace("'", "\\'")) ~ "'" -%}
            {%- do values.append("cast(" ~ ("null" if row[column] is none else told) ~ " as " ~ type ~ ")") -%}
        {%- endfor -%}
        {%- do rows.append("(" ~ values | join(", ") ~ ")") -%}
    {%- endfor -%}
    {%- set sql = "insert into " ~ this ~ " values " ~ rows | join(", ") -%}
    {%- do run_query(sql) -%}
    {{ return(sql) }}
{%- endmacro %}

{#- Before the rows of a seed are put in again: a table of Iceberg is emptied, as on other engines, and not made anew. -#}
{% macro spark__reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
    {%- if old_relation.is_iceberg and not full_refresh -%}
        {%- do adapter.truncate_relation(old_relation) -%}
        {{ return("") }}
    {%- endif -%}
    {{ return(dbt.spark__reset_csv_table(model, full_refresh, old_relation, agate_table)) }}
{%- endmacro %}

{#- Takes away what a build replaces. A catalog of Iceberg leaves all files where they are unless it is told otherwise. -#}
{% macro spark__drop_relation(relation) -%}
    {%- call statement('drop_relation', auto_begin=False) -%}
        drop {{ relation.type }} if exists {{ relation }}
        {{- ' purge' if relation.type == 'table' and spark_format() == 'iceberg' }}
    {%- endcall -%}
{%- endmacro %}

{#- What is there of a schema. A catalog of Hive takes Iceberg's tables for its own, which dbt would drop to replace. -#}
{% macro spark__list_relations_without_caching(relation) -%}
    {%- call statement('listed', fetch_result=True) -%} show table extended in {{ relation.schema }} like '*' {%- endcall -%}
    {%- set relations = [] -%}
    {%- for schema, name, is_temporary, told in load_result('listed').table.rows -%}
        {%- if 'table_type=ICEBERG' in told and 'Type: VIEW' not in told -%}
            {%- set told = told | replace('Provider: hive', 'Provider: iceberg') -%}
        {%- endif -%}
        {%- do relations.append((schema, name, is_temporary, told)) -%}
    {%- endfor -%}
    {{ return(relations) }}
{%- endmacro %}

{#- Comments of a table's columns, which Spark would take one by one, for minutes in each build: none. -#}
{% macro spark__alter_column_comment(relation, columns) -%}
{%- endmacro %}
