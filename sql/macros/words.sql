{#- What is said to people: parts of sentences, made from figures. -#}

{#- A number and what is counted: `1 pause`, `3 pauses`. -#}
{% macro counted_in_words(number, noun) -%}
    cast({{ number }} as varchar) || ' ' || {{ noun }} || case when {{ number }} = 1 then '' else 's' end
{%- endmacro %}

{#- The texts of a group after one another, in the order given. -#}
{% macro joined_texts(text, separator, in_order_of) -%}
    string_agg({{ text }}, '{{ separator }}' order by {{ in_order_of }})
{%- endmacro %}

{#- Columns as one text, which differs if one of them does; null is a value like any other. -#}
{% macro in_one_text(columns) -%}
    {%- for column in columns -%}
        coalesce(cast({{ column }} as varchar), '')
        {%- if not loop.last %} || '|' || {% endif -%}
    {%- endfor -%}
{%- endmacro %}
