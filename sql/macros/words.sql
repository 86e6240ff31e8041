{#- What is said to people: parts of sentences, made from figures. -#}

{#- A number and what is counted: `1 pause`, `3 pauses`. -#}
{% macro counted_in_words(number, noun) -%}
    cast({{ number }} as {{ text() }}) || ' ' || {{ noun }} || case when {{ number }} = 1 then '' else 's' end
{%- endmacro %}

{#- Columns as one text, which differs if one of them does; null is a value like any other. -#}
{% macro in_one_text(columns) -%}
    {%- for column in columns -%}
        coalesce(cast({{ column }} as {{ text() }}), '')
        {%- if not loop.last %} || '|' || {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- How long a pause must last to earn credit, in whole minutes. -#}
{% macro least_credited_minutes() -%}
    {{ (var('pause_credit_min_seconds') | int) // 60 }}
{%- endmacro %}
