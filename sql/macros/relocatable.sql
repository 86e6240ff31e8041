{#-
A relation without its database's name: a view of the marts goes on working where the file is renamed, or attached to
another one.
-#}
{% macro relocatable(relation) -%}
    {{ relation if relation is string else relation.include(database=false) }}
{%- endmacro %}
