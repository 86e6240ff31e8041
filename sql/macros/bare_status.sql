{#- A status without the API's prefix: `STATUS_RUNNING` is `RUNNING`; one that lacks the prefix stays as it is. -#}
{% macro bare_status(status) -%}
    case when {{ status }} like 'STATUS\_%' escape '\' then substr({{ status }}, 8) else {{ status }} end
{%- endmacro %}
