{#-
Which load brought a row, and which version of a listed row is known at as_of. A version is known from `read_at`
on, the end of the run that read it first; one that an older release read has none, and counts as known ever since.
-#}

{#- The id of a load as a number: a later load has a greater one. -#}
{% macro load_number(load_id) -%}
    cast(coalesce({{ load_id }}, '0') as decimal(35, 6))
{%- endmacro %}

{#- The place of a version among those of its key: 1 is the oldest. -#}
{% macro version_number(key) -%}
    row_number() over (
        partition by {{ key }} order by valid_from, {{ load_number('load_id') }}, version_hash desc
    )
{%- endmacro %}

{#- The place of the version that counts: the newest one known at as_of; if none was known yet, the oldest. -#}
{% macro counting_version_number(key) -%}
    max(case when read_at is null or read_at <= as_of then version_number else 1 end) over (partition by {{ key }})
{%- endmacro %}

{#- Whether the newest list has the row: its newest version has no end. -#}
{% macro is_in_newest_list(key) -%}
    first_value(valid_to) over (partition by {{ key }} order by version_number desc) is null
{%- endmacro %}

{#- What changes by itself: only what was known at as_of, not what the oldest version says if it was read later. -#}
{% macro if_known_at_as_of(column) -%}
    case when read_at is null or read_at <= as_of then {{ column }} end
{%- endmacro %}
