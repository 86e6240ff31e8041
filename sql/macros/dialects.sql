{#-
What SQL dialects say in different ways, and nothing else: the models, and all other macros, are the same on every
engine. What is not said of an engine by name is as DuckDB says it.
-#}

{#- The type of whole numbers of 38 digits. -#}
{% macro wide_integer() -%}
    {%- if target.type == 'postgres' -%} numeric(38, 0) {%- else -%} hugeint {%- endif -%}
{%- endmacro %}

{#- How often one whole number goes into another, towards zero. -#}
{% macro whole_quotient(number, divisor) -%}
    {%- if target.type == 'postgres' -%}
        div({{ number }}, {{ divisor }})
    {%- else -%}
        {{ number }} // {{ divisor }}
    {%- endif -%}
{%- endmacro %}

{#- The whole microseconds from one instant to another. -#}
{% macro us_between(from_at, to_at) -%}
    {%- if target.type == 'postgres' -%}
        cast(extract(epoch from ({{ to_at }}) - ({{ from_at }})) * 1000000 as bigint)
    {%- else -%}
        date_diff('microsecond', {{ from_at }}, {{ to_at }})
    {%- endif -%}
{%- endmacro %}

{#- An instant so many microseconds later, a number that may differ from row to row. -#}
{% macro us_after(instant, span_us) -%}
    {%- if target.type == 'postgres' -%} {#- exact for 285 years: an interval is multiplied by a double -#}
        {{ instant }} + {{ span_us }} * interval '1 microsecond'
    {%- else -%}
        {{ instant }} + to_microseconds({{ span_us }})
    {%- endif -%}
{%- endmacro %}

{#- One row for each UTC hour that a span touches: a column that multiplies the rows. -#}
{% macro each_hour(from_at, to_at) -%}
    {%- set hours -%}
        generate_series(date_trunc('hour', {{ from_at }}), {{ to_at }} - interval '1 microsecond', interval '1 hour')
    {%- endset -%}
    {%- if target.type == 'postgres' -%} {{ hours }} {%- else -%} unnest({{ hours }}) {%- endif -%}
{%- endmacro %}

{#- The value in the latest row of a group, of those that have one. -#}
{% macro in_latest_row(value, instant) -%}
    {%- if target.type == 'postgres' -%}
        (array_agg({{ value }} order by {{ instant }} desc) filter (where {{ value }} is not null))[1]
    {%- else -%}
        arg_max({{ value }}, {{ instant }})
    {%- endif -%}
{%- endmacro %}

{#- A number that rows with other values do not have, but for one pair in 2^64; to be added up over rows in any order. -#}
{% macro digest(columns) -%}
    {%- set hashed = "hash_record_extended(row(" ~ columns ~ "), 0)" if target.type == 'postgres' else "hash(" ~ columns ~ ")" -%}
    cast({{ hashed }} as {{ wide_integer() }})
{%- endmacro %}

{#- Before a build: gives a type that contracts name a name of its own, where the engine calls it otherwise. -#}
{% macro name_types() -%}
    {%- if target.type == 'postgres' -%}
        do $$
        begin
            create domain {{ prefixed_schema('staging') }}.hugeint as numeric(38, 0);
        exception
            when duplicate_object then null;
        end
        $$
    {%- endif -%}
{%- endmacro %}
