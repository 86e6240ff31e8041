{#-
What SQL dialects say in different ways, and nothing else: the models, and all other macros, are the same on every
engine. Each is `default__` as DuckDB says it, and by the name of the dbt adapter where another engine differs.
-#}

{#- The type of whole numbers of 38 digits. -#}
{% macro wide_integer() -%}
    {{- adapter.dispatch('wide_integer', 'mithril')() -}}
{%- endmacro %}

{% macro default__wide_integer() -%} hugeint {%- endmacro %}

{% macro postgres__wide_integer() -%} numeric(38, 0) {%- endmacro %}

{#- How often one whole number goes into another, towards zero. -#}
{% macro whole_quotient(number, divisor) -%}
    {{- adapter.dispatch('whole_quotient', 'mithril')(number, divisor) -}}
{%- endmacro %}

{% macro default__whole_quotient(number, divisor) -%} {{ number }} // {{ divisor }} {%- endmacro %}

{% macro postgres__whole_quotient(number, divisor) -%} div({{ number }}, {{ divisor }}) {%- endmacro %}

{#- The whole microseconds from one instant to another. -#}
{% macro us_between(from_at, to_at) -%}
    {{- adapter.dispatch('us_between', 'mithril')(from_at, to_at) -}}
{%- endmacro %}

{% macro default__us_between(from_at, to_at) -%}
    date_diff('microsecond', {{ from_at }}, {{ to_at }})
{%- endmacro %}

{% macro postgres__us_between(from_at, to_at) -%}
    cast(extract(epoch from ({{ to_at }}) - ({{ from_at }})) * 1000000 as bigint)
{%- endmacro %}

{#- An instant so many microseconds later, a number that may differ from row to row. -#}
{% macro us_after(instant, span_us) -%}
    {{- adapter.dispatch('us_after', 'mithril')(instant, span_us) -}}
{%- endmacro %}

{% macro default__us_after(instant, span_us) -%}
    {{ instant }} + to_microseconds({{ span_us }})
{%- endmacro %}

{#- Exact for 285 years: an interval is multiplied by a double. -#}
{% macro postgres__us_after(instant, span_us) -%}
    {{ instant }} + {{ span_us }} * interval '1 microsecond'
{%- endmacro %}

{#- One row for each UTC hour that a span touches: a column that multiplies the rows. -#}
{% macro each_hour(from_at, to_at) -%}
    {{- adapter.dispatch('each_hour', 'mithril')(from_at, to_at) -}}
{%- endmacro %}

{% macro default__each_hour(from_at, to_at) -%}
    unnest({{ postgres__each_hour(from_at, to_at) }})
{%- endmacro %}

{% macro postgres__each_hour(from_at, to_at) -%}
    generate_series({{ hour_of(from_at) }}, {{ to_at }} - interval '1 microsecond', interval '1 hour')
{%- endmacro %}

{#- The value in the latest row of a group, of those that have one. -#}
{% macro in_latest_row(value, instant) -%}
    {{- adapter.dispatch('in_latest_row', 'mithril')(value, instant) -}}
{%- endmacro %}

{% macro default__in_latest_row(value, instant) -%}
    arg_max({{ value }}, {{ instant }})
{%- endmacro %}

{% macro postgres__in_latest_row(value, instant) -%}
    (array_agg({{ value }} order by {{ instant }} desc) filter (where {{ value }} is not null))[1]
{%- endmacro %}

{#- A number that rows with other values do not have, but for one pair in 2^64; to be added up over rows in any order. -#}
{% macro digest(columns) -%}
    {{- adapter.dispatch('digest', 'mithril')(columns) -}}
{%- endmacro %}

{% macro default__digest(columns) -%}
    cast(hash({{ columns }}) as hugeint)
{%- endmacro %}

{% macro postgres__digest(columns) -%}
    cast(hash_record_extended(row({{ columns }}), 0) as numeric(38, 0))
{%- endmacro %}

{#- Before a build: gives a type that contracts name a name of its own, where the engine calls it otherwise. -#}
{% macro name_types() -%}
    {{- adapter.dispatch('name_types', 'mithril')() -}}
{%- endmacro %}

{% macro default__name_types() -%}{%- endmacro %}

{% macro postgres__name_types() -%}
    do $$
    begin
        create domain {{ prefixed_schema('staging') }}.hugeint as numeric(38, 0);
    exception
        when duplicate_object then null;
    end
    $$
{%- endmacro %}
