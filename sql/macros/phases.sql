{#- The phases of `status_policy`, in the order of an instance's life; each is a column `<phase>_us` in the marts. -#}
{% macro phases() -%}
    waiting starting running noticed stopping paused interrupted unknown
{%- endmacro %}
