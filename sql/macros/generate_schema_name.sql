{#- Models land in exactly the schema they name (`staging`, `marts`), behind the prefix if there is one. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{- prefixed_schema(custom_schema_name or target.schema) -}}
{%- endmacro %}

{% macro prefixed_schema(schema_name) -%}
    {{- (var("schema_prefix") ~ "_" if var("schema_prefix") else "") ~ schema_name | trim -}}
{%- endmacro %}
