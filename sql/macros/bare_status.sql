{#- A status without the API's prefix: `STATUS_RUNNING` is `RUNNING`; one that lacks the prefix stays as it is. -#}
{% macro bare_status(status) -%}
    case when substr({{ status }}, 1, 7) = 'STATUS_' then substr({{ status }}, 8) else {{ status }} end
{%- endmacro %}
